//! Images as files: the layout that the Open Container Initiative describes, in a folder or in one archive.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{Blob, INDEX, Image, MANIFEST, Platform, digest};

/// Whether an image may be written into this folder: it is not there, empty, or an earlier layout.
pub(crate) fn is_free(folder: &Path) -> Result<()> {
    let is_layout = folder.join("oci-layout").exists();
    if !is_layout && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("`{}` holds other files; name an empty folder, or FILE.tar", folder.display());
    }
    Ok(())
}

/// Writes the image into a folder, which is made, or is an earlier layout. `name` is what it is called: `repository:tag`.
pub(crate) fn write(folder: &Path, image: &Image, name: &str) -> Result<()> {
    is_free(folder)?;
    let wrong = || format!("cannot write the image to `{}`", folder.display());
    fs::create_dir_all(folder.join("blobs/sha256")).with_context(wrong)?;
    for (path, bytes) in files(image, name) {
        fs::write(folder.join(path), bytes).with_context(wrong)?;
    }
    Ok(())
}

/// Writes the image into one file, which podman, skopeo, containerd and Docker load. It is there as a whole, or not at all.
pub(crate) fn archive(file: &Path, image: &Image, name: &str) -> Result<()> {
    let wrong = || format!("cannot write the image to `{}`", file.display());
    let part = file.with_extension("tar.part");
    let written = || -> io::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut tar = Builder::new(io::BufWriter::new(fs::File::create(&part)?));
        for (path, bytes) in files(image, name) {
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, bytes.as_slice())?;
        }
        tar.into_inner()?.flush()?;
        fs::rename(&part, file)
    };
    written().with_context(wrong)
}

/// The files of a layout. The last one is Docker's own list, which it reads instead of the index.
fn files(image: &Image, name: &str) -> Vec<(String, Vec<u8>)> {
    let path = |digest: &str| format!("blobs/{}", digest.replacen(':', "/", 1));
    let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let mut described = image.manifest.descriptor();
    described["annotations"] = json!({
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": tag,
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [described] });
    let layers: Vec<String> = image.layers.iter().map(|layer| path(&layer.digest)).collect();
    let docker =
        json!([{ "Config": path(&image.config.digest), "RepoTags": [name], "Layers": layers }]);
    let mut files: Vec<(String, Vec<u8>)> =
        vec![("oci-layout".into(), json!({ "imageLayoutVersion": "1.0.0" }).to_string().into())];
    files.extend(image.blobs().map(|blob| (path(&blob.digest), blob.bytes.to_vec())));
    files.push(("index.json".into(), index.to_string().into()));
    files.push(("manifest.json".into(), docker.to_string().into()));
    files
}

/// Reads an image for `platform` from a layout in `folder`.
pub(crate) fn open(folder: &Path, platform: Platform) -> Result<Image> {
    let shown = folder.display();
    let index = fs::read(folder.join("index.json"))
        .with_context(|| format!("`{shown}` is no OCI layout: its index.json cannot be read"))?;
    let blob = |named: &Value| -> Result<Blob> {
        let name = named["digest"].as_str().unwrap_or_default();
        let (kind, hash) = name.split_once(':').unwrap_or_default();
        ensure!(
            kind == "sha256" && hash.chars().all(|c| c.is_ascii_hexdigit()),
            "the layout `{shown}` names `{name}`, which is no sha256 digest"
        );
        let bytes = fs::read(folder.join("blobs/sha256").join(hash))
            .with_context(|| format!("the layout `{shown}` lacks {name}"))?;
        ensure!(
            digest(&bytes) == name,
            "the layout `{shown}` is damaged: {name} is something else"
        );
        let media_type = named["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        Ok(Blob { media_type, digest: name.to_owned(), bytes: bytes.into() })
    };
    let mut list: Value = serde_json::from_slice(&index)
        .with_context(|| format!("`{shown}/index.json` is no JSON"))?;
    // An index may name others, one of which has the platform.
    for _ in 0..3 {
        let named = chosen(&list, platform)
            .with_context(|| format!("the layout `{shown}` has no image for {platform}"))?;
        let found = blob(named)?;
        let read: Value = serde_json::from_slice(&found.bytes)
            .with_context(|| format!("{} in the layout `{shown}` is no JSON", found.digest))?;
        if read["manifests"].is_array() {
            list = read;
            continue;
        }
        let layers = read["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let layers = layers.iter().map(blob).collect::<Result<_>>()?;
        return Ok(Image { config: blob(&read["config"])?, manifest: found, layers });
    }
    bail!("the indexes of the layout `{shown}` name each other")
}

/// The entry of an index for a platform: one that names it, else one that names none.
pub(super) fn chosen(index: &Value, platform: Platform) -> Option<&Value> {
    let all = index["manifests"].as_array()?;
    let is_it = |entry: &&Value| {
        entry["platform"]["os"] == "linux"
            && entry["platform"]["architecture"] == platform.architecture()
    };
    all.iter().find(is_it).or_else(|| all.iter().find(|entry| entry["platform"].is_null()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::content;
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::of(content(), None).unwrap();
        let place = folder.path().join("image");
        write(&place, &image, "localhost/demo:1.0").unwrap();
        let read = open(&place, Platform::Amd64).unwrap();
        assert_eq!(read.digest(), image.digest());
        assert_eq!(read.layers[0].bytes, image.layers[0].bytes);
        // Over itself, as the next build does.
        write(&place, &image, "localhost/demo:1.0").unwrap();
    }

    #[test]
    fn a_folder_of_something_else_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "x").unwrap();
        let image = Image::of(content(), None).unwrap();
        let said = write(folder.path(), &image, "localhost/demo:1.0").unwrap_err().to_string();
        assert!(said.contains("holds other files"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::of(content(), None).unwrap();
        write(folder.path(), &image, "localhost/demo:1.0").unwrap();
        let (_, hash) = image.layers[0].digest.split_once(':').unwrap();
        fs::write(folder.path().join("blobs/sha256").join(hash), "x").unwrap();
        let said = open(folder.path(), Platform::Amd64).unwrap_err().to_string();
        assert!(said.contains("is damaged"), "{said}");
        let said = open(&folder.path().join("none"), Platform::Amd64).unwrap_err().to_string();
        assert!(said.contains("is no OCI layout"), "{said}");
    }

    #[test]
    fn an_index_of_several_platforms_gives_the_one_asked_for() {
        let entry =
            |arch: &str| json!({"digest": arch, "platform": {"os": "linux", "architecture": arch}});
        let index = json!({"manifests": [entry("arm64"), entry("amd64")]});
        assert_eq!(chosen(&index, Platform::Amd64).unwrap()["digest"], "amd64");
        assert!(chosen(&json!({"manifests": [entry("s390x")]}), Platform::Arm64).is_none());
    }

    #[test]
    fn an_archive_is_whole_and_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::of(content(), None).unwrap();
        let (one, two) = (folder.path().join("a/one.tar"), folder.path().join("two.tar"));
        archive(&one, &image, "localhost/demo:1.0").unwrap();
        archive(&two, &image, "localhost/demo:1.0").unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
        let mut read = tar::Archive::new(fs::File::open(&one).unwrap());
        let names =
            read.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string());
        let names: Vec<String> = names.collect();
        assert_eq!(names[0], "oci-layout");
        assert!(
            names.contains(&"index.json".to_owned()) && names.contains(&"manifest.json".to_owned())
        );
        assert_eq!(
            fs::read_dir(folder.path().join("a")).unwrap().count(),
            1,
            "no part of it stays"
        );
    }
}
