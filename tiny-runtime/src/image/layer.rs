//! The layer of an image: the binary and the few files without which it could not run in an empty root.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::{Content, USER};

/// The binary's name in the image.
pub(super) const BINARY: &str = "manager";

/// A file of the layer.
struct Entry<'a> {
    path: &'static str,
    mode: u32,
    /// Without it, it is a folder.
    bytes: Option<&'a [u8]>,
}

/// The layer as a tar: entries in the order of their paths, owned by root, of one time. `is_bare` when nothing lies below it.
pub(super) fn tar(content: &Content, is_bare: bool) -> io::Result<Vec<u8>> {
    let passwd = format!(
        "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/tmp:/sbin/nologin\n"
    );
    let group = format!("root:x:0:\nnonroot:x:{USER}:\n");
    let file = |path, bytes| Entry { path, mode: 0o444, bytes: Some(bytes) };
    let folder = |path| Entry { path, mode: 0o755, bytes: None };
    let mut entries = vec![Entry { path: BINARY, mode: 0o555, bytes: Some(&content.binary) }];
    if is_bare {
        entries.extend([
            folder("etc"),
            file("etc/group", group.as_bytes()),
            file("etc/passwd", passwd.as_bytes()),
            folder("etc/ssl"),
            folder("etc/ssl/certs"),
            file("etc/ssl/certs/ca-certificates.crt", &content.authorities),
            // Anybody's, and nobody deletes what is another's.
            Entry { path: "tmp", mode: 0o1777, bytes: None },
        ]);
    }
    entries.sort_by_key(|entry| entry.path);
    let mut tar = Builder::new(Vec::new());
    for Entry { path, mode, bytes } in entries {
        let mut header = Header::new_ustar();
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(content.time);
        let bytes =
            bytes.inspect(|_| header.set_entry_type(EntryType::Regular)).unwrap_or_else(|| {
                header.set_entry_type(EntryType::Directory);
                &[]
            });
        header.set_size(bytes.len() as u64);
        let slash = if header.entry_type().is_dir() { "/" } else { "" };
        tar.append_data(&mut header, format!("{path}{slash}"), bytes)?;
    }
    tar.into_inner()
}

/// Packs it: no name, no time and no system in the header, which would differ from machine to machine.
pub(super) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed =
        GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    packed.write_all(bytes)?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::super::tests::content;
    use super::*;

    fn entries(is_bare: bool) -> Vec<(String, u32, u64)> {
        let tar = tar(&content(), is_bare).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 0);
            let path = entry.path().unwrap().display().to_string();
            (path, header.mode().unwrap(), header.size().unwrap())
        });
        entries.collect()
    }

    #[test]
    fn an_empty_root_gets_what_a_binary_needs() {
        let found = entries(true);
        let names: Vec<&str> = found.iter().map(|(path, ..)| path.as_str()).collect();
        assert_eq!(
            names,
            [
                "etc/",
                "etc/group",
                "etc/passwd",
                "etc/ssl/",
                "etc/ssl/certs/",
                "etc/ssl/certs/ca-certificates.crt",
                "manager",
                "tmp/"
            ]
        );
        assert!(found.contains(&("manager".into(), 0o555, 4000)), "{found:?}");
        assert!(found.contains(&("tmp/".into(), 0o1777, 0)), "{found:?}");
    }

    #[test]
    fn a_base_gets_the_binary_alone() {
        assert_eq!(entries(false), [("manager".to_owned(), 0o555, 4000)]);
    }

    #[test]
    fn what_is_packed_says_nothing_of_when_and_where() {
        let packed = gzip(b"x").unwrap();
        assert_eq!(packed[3], 0, "no name");
        assert_eq!(packed[4..8], [0; 4], "no time");
        assert_eq!(packed[9], 255, "no system");
    }
}
