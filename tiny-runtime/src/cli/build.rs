//! `build`: the image of the module, made without a container daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};
use oci_client::RegistryOperation;
use serde_json::Value;

use super::plane::shown;
use super::{Binary, print};
use crate::control::offered;
use crate::image::{self, Content, Crate, Image, Place, Platform, Registry as ImageRegistry, Wish};
use crate::registry::Registry;

/// Makes the image of this module: compiles its crate as a static binary and packs it, without a container daemon
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// Write the image into this folder (an OCI layout) or archive; by default target/image/NAME-VERSION.tar, unless it is pushed
    #[arg(short, long, value_name = "DIR|FILE.tar")]
    output: Option<PathBuf>,
    /// Push the image to a registry, with what `docker login` has left for it
    #[arg(long, value_name = "REGISTRY/REPOSITORY:TAG", value_parser = Place::parse)]
    push: Option<Place>,
    /// What the image is called where it is not pushed; by default localhost/NAME:VERSION
    #[arg(long, value_name = "REPOSITORY:TAG", value_parser = Place::parse, conflicts_with = "push")]
    image: Option<Place>,
    /// What it is for: linux/amd64 or linux/arm64; by default this machine
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Image below ours: an OCI layout, or a name in a registry; by default nothing
    #[arg(long, value_name = "DIR|NAME")]
    base: Option<String>,
    /// Certificates that the module trusts, PEM; by default those that Mozilla trusts
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Features of the crate to compile with
    #[arg(long, value_name = "FEATURES")]
    features: Vec<String>,
    /// A label of the image, such as org.opencontainers.image.revision=1a2b3c; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Write the values for Helm here; by default beside the image
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where everything goes.
struct Plan {
    wish: Wish,
    output: Option<PathBuf>,
    /// `repository` and `tag`.
    name: (String, String),
    values: PathBuf,
}

impl Build {
    pub(super) async fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let known = Crate::here(binary.name)?;
        let plan = self.plan(&known)?;
        if self.dry_run {
            return self.tell(&known, &plan);
        }
        // What cannot be written or pushed is said before minutes of compiling.
        if let Some(folder) = plan.output.as_deref().filter(|output| !is_archive(output)) {
            image::is_free(folder)?;
        }
        let pushed_to = match &self.push {
            Some(place) => Some(ImageRegistry::of(place, RegistryOperation::Push).await?),
            None => None,
        };
        let base = self.base(plan.wish.platform).await?;
        let authorities = self.authorities()?;
        let compiled = known.compile(&plan.wish)?;
        let mut labels = known.labels();
        labels.extend(self.label.iter().cloned());
        let content = Content {
            binary: fs::read(&compiled)
                .with_context(|| format!("cannot read `{}`", compiled.display()))?,
            authorities,
            platform: plan.wish.platform,
            time: plan.wish.time,
            labels,
            components: components(&compiled, plan.wish.platform, registry)?,
        };
        let unpacked = content.binary.len();
        let image = Image::of(content, base)?;
        if let Some(output) = &plan.output {
            let (repository, tag) = &plan.name;
            let name = format!("{repository}:{tag}");
            match is_archive(output) {
                true => image::archive(output, &image, &name)?,
                false => image::write(output, &image, &name)?,
            }
        }
        if let Some(pushed_to) = pushed_to {
            let tell = |blob: &image::Blob, is_there: bool| {
                let word = if is_there { "is there" } else { "sent" };
                eprintln!("     {:>9} {} ({})", word, blob.digest, megabytes(blob.bytes.len()));
            };
            pushed_to.push(&image, tell).await?;
        }
        let values = self.values_of(&known, &plan, &image);
        if let Some(folder) = plan.values.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&plan.values, values)
            .with_context(|| format!("cannot write `{}`", plan.values.display()))?;
        self.report(&plan, &image, unpacked)
    }

    fn plan(&self, known: &Crate) -> Result<Plan> {
        let platform = self.platform.or_else(Platform::here).ok_or_else(|| {
            anyhow!("modules are built for linux/amd64 and linux/arm64; say which with --platform")
        })?;
        if let Some(place) = self.push.as_ref().or(self.image.as_ref())
            && place.is_fixed()
        {
            bail!("`{place}` names an image by its digest, which comes of building it: name a tag");
        }
        let name = match self.push.as_ref().or(self.image.as_ref()) {
            Some(place) => (place.repository(), place.tag().to_owned()),
            // A `+` of a version cannot be in a tag. No registry has this name, so nobody pulls something else by it.
            None => (format!("localhost/{}", known.name), known.version.replace('+', "-")),
        };
        let folder = known.target.join("image");
        let stem = format!("{}-{}", known.name, known.version);
        let output = match &self.output {
            Some(output) => Some(output.clone()),
            None if self.push.is_some() => None,
            None => Some(folder.join(format!("{stem}.tar"))),
        };
        let values = match (&self.values, &output) {
            (Some(values), _) => values.clone(),
            (None, Some(archive)) if is_archive(archive) => archive.with_extension("values.yaml"),
            (None, Some(layout)) => {
                let mut beside = layout.as_os_str().to_owned();
                beside.push(".values.yaml");
                beside.into()
            }
            (None, None) => folder.join(format!("{stem}.values.yaml")),
        };
        let wish = Wish { platform, time: time()?, features: self.features.clone() };
        Ok(Plan { wish, output, name, values })
    }

    async fn base(&self, platform: Platform) -> Result<Option<Image>> {
        let Some(base) = &self.base else { return Ok(None) };
        let named = base.strip_prefix("oci:").unwrap_or(base);
        if Path::new(named).is_dir() || base.starts_with("oci:") {
            return image::open(Path::new(named), platform).map(Some);
        }
        let place = Place::parse(base)
            .map_err(|e| anyhow!("--base: there is no folder `{base}`, and as a name: {e}"))?;
        let registry = ImageRegistry::of(&place, RegistryOperation::Pull).await?;
        registry.pull(platform).await.map(Some)
    }

    fn authorities(&self) -> Result<Vec<u8>> {
        let Some(file) = &self.ca_bundle else { return Ok(mozilla()) };
        let shown = file.display();
        let bytes =
            fs::read(file).with_context(|| format!("--ca-bundle: cannot read `{shown}`"))?;
        let is_pem = bytes.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----");
        ensure!(is_pem, "--ca-bundle: `{shown}` holds no certificate in PEM");
        Ok(bytes)
    }

    /// Values for the chart: what this image is, and whose it is.
    fn values_of(&self, known: &Crate, plan: &Plan, image: &Image) -> String {
        let (repository, tag) = &plan.name;
        // An image that is loaded into a node has its name only; one that is pulled is named by its digest.
        let digest = if self.push.is_some() { image.digest() } else { "" };
        format!(
            "# Values for charts/tiny-operator: {} {}, {}\n\
             module:\n  name: {}\ncontrollerManager:\n  manager:\n    image:\n      \
             repository: {repository}\n      tag: \"{tag}\"\n      digest: \"{digest}\"\n",
            known.name,
            known.version,
            image.digest(),
            tiny_crds::names::sanitise(&known.name),
        )
    }

    fn report(&self, plan: &Plan, image: &Image, unpacked: usize) -> Result<()> {
        let (repository, tag) = &plan.name;
        let values = shown(&plan.values);
        let size =
            format!("{}, the binary {} unpacked", megabytes(image.size()), megabytes(unpacked));
        let mut lines = vec![
            ("image", format!("{repository}:{tag}")),
            ("reference", format!("{repository}@{}", image.digest())),
            ("size", size),
        ];
        lines.extend(self.places(plan));
        lines.push(("values", values.clone()));
        let install = "helm install NAME charts/tiny-operator --namespace NAMESPACE";
        lines.push(("next", format!("{install} --values {values}")));
        if let (Some(output), None) = (&plan.output, &self.push) {
            let kind = if is_archive(output) { "oci-archive" } else { "oci" };
            let copy = format!("skopeo copy {kind}:{} docker://REGISTRY/…", shown(output));
            lines.push(("", format!("a cluster that pulls wants --push, or `{copy}` first")));
        }
        said(&lines)
    }

    fn tell(&self, known: &Crate, plan: &Plan) -> Result<()> {
        let (repository, tag) = &plan.name;
        let base = self.base.as_deref().unwrap_or("nothing");
        let image = format!("{repository}:{tag} for {} on {base}", plan.wish.platform);
        let mut lines = vec![("compile", known.shown(&plan.wish)), ("image", image)];
        lines.extend(self.places(plan));
        lines.push(("values", shown(&plan.values)));
        said(&lines)
    }

    /// Where the image goes.
    fn places(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let output = plan.output.as_deref().map(|output| ("output", shown(output)));
        let push = self.push.as_ref().map(|place| ("push", place.to_string()));
        output.into_iter().chain(push).collect()
    }
}

fn said(lines: &[(&str, String)]) -> Result<()> {
    print(&lines.iter().map(|(what, text)| format!("{what:<10} {text}\n")).collect::<String>())
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn is_archive(output: &Path) -> bool {
    output.extension().is_some_and(|extension| extension == "tar")
}

fn megabytes(bytes: usize) -> String {
    match bytes {
        0..100_000 => format!("{bytes} bytes"),
        // A double has more digits than any image.
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// The time that stands for every time in the image: nothing that differs from build to build.
fn time() -> Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(said) => said
            .parse()
            .map_err(|_| anyhow!("SOURCE_DATE_EPOCH is `{said}`, which is no number of seconds")),
        Err(_) => Ok(0),
    }
}

/// What the binary offers, without schemas: as it says itself, where it runs on this machine; else as this one does.
fn components(compiled: &Path, platform: Platform, registry: &Registry) -> Result<String> {
    let mut all: Value = if Platform::here() == Some(platform) {
        let told = Command::new(compiled).args(["components", "--output", "json"]).output();
        let told = told.with_context(|| format!("cannot run `{}`", compiled.display()))?;
        let why = String::from_utf8_lossy(&told.stderr);
        ensure!(
            told.status.success(),
            "the new binary does not tell its components: {}",
            why.trim()
        );
        serde_json::from_slice(&told.stdout)
            .context("what it tells of its components is no JSON")?
    } else {
        let all: Vec<_> = registry.iter().map(|component| offered(component)).collect();
        serde_json::to_value(all)?
    };
    let ports = all.as_array_mut().into_iter().flatten();
    let ports = ports.filter_map(|component| component["ports"].as_array_mut()).flatten();
    for port in ports.filter_map(Value::as_object_mut) {
        for word in ["schema", "responseSchema", "configuration"] {
            port.remove(word);
        }
    }
    Ok(all.to_string())
}

/// The authorities that Mozilla trusts, by their public list.
fn mozilla() -> Vec<u8> {
    use base64::Engine;
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let text = base64::engine::general_purpose::STANDARD.encode(certificate.as_ref());
        pem += "-----BEGIN CERTIFICATE-----\n";
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|byte| char::from(*byte)));
            pem.push('\n');
        }
        pem += "-----END CERTIFICATE-----\n";
    }
    pem.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_a_name_and_a_value() {
        assert_eq!(label("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(label("=x").is_err() && label("x").is_err());
    }

    #[test]
    fn the_list_of_authorities_is_one_that_tls_takes() {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;
        let pem = mozilla();
        let read: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, webpki_root_certs::TLS_SERVER_ROOT_CERTS);
    }
}
