//! The image of a module: its binary in one layer, and what a registry wants to know of it. Made without a daemon, and byte by byte the
//! same from the same source.

mod compile;
mod layer;
mod layout;
mod platform;
mod registry;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use compile::{Crate, Wish};
pub(crate) use layout::{archive, is_free, open, write};
pub(crate) use platform::Platform;
pub(crate) use registry::{Place, Registry};

/// Who the module runs as: nobody on any machine, by the number that images without a root use.
pub(crate) const USER: u32 = 65532;
/// The annotation that holds the components: what `components -o json` prints, without the schemas.
pub(crate) const COMPONENTS: &str = "io.tinysystems.components";
/// The variable by which a binary knows that it runs in an image of its own.
pub(crate) const IN_IMAGE: &str = "TINY_IN_IMAGE";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Some bytes that are named by their digest.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) bytes: Bytes,
}

impl Blob {
    fn new(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { media_type: media_type.to_owned(), digest: digest(&bytes), bytes }
    }

    fn json(media_type: &str, value: &Value) -> Self {
        Self::new(media_type, value.to_string())
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a `String` does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// What an image is made of.
pub(crate) struct Content {
    pub(crate) binary: Vec<u8>,
    /// Certificates that the module trusts, PEM.
    pub(crate) authorities: Vec<u8>,
    pub(crate) platform: Platform,
    /// Seconds since 1970 that stand for every time in the image.
    pub(crate) time: u64,
    /// The labels, which are the annotations too.
    pub(crate) labels: BTreeMap<String, String>,
    /// JSON of the components.
    pub(crate) components: String,
}

/// An image: what is in it, ready to be written or pushed.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) manifest: Blob,
    pub(crate) config: Blob,
    pub(crate) layers: Vec<Blob>,
}

impl Image {
    /// The image of `content`, on top of `base` if there is one.
    pub(crate) fn of(content: Content, base: Option<Self>) -> Result<Self> {
        let tar = layer::tar(&content, base.is_none())?;
        let unpacked = digest(&tar);
        let own = Blob::new(LAYER, layer::gzip(&tar)?);
        let (below, mut layers) = match base {
            Some(base) => (base.configuration()?, base.layers),
            None => (json!({}), Vec::new()),
        };
        layers.push(own);
        let config =
            Blob::json(CONFIG, &configuration(below, &content, &unpacked).context("its base")?);
        let mut annotations = content.labels;
        annotations.insert(COMPONENTS.to_owned(), content.components);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(),
            "layers": layers.iter().map(Blob::descriptor).collect::<Vec<_>>(),
            "annotations": annotations,
        });
        Ok(Self { manifest: Blob::json(MANIFEST, &manifest), config, layers })
    }

    /// What names this very image, wherever it is.
    pub(crate) fn digest(&self) -> &str {
        &self.manifest.digest
    }

    /// Bytes to send and to store.
    pub(crate) fn size(&self) -> usize {
        self.blobs().map(|blob| blob.bytes.len()).sum()
    }

    /// All that it consists of; the manifest, which names the others, comes last.
    fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config, &self.manifest])
    }

    fn configuration(&self) -> Result<Value> {
        serde_json::from_slice(&self.config.bytes)
            .context("the configuration of the base is no JSON")
    }
}

/// The configuration of an image: that of its base with our layer and our words over it.
fn configuration(below: Value, content: &Content, unpacked: &str) -> Result<Value> {
    let at = jiff::Timestamp::from_second(i64::try_from(content.time)?)?.to_string();
    let list =
        |path: &str| below.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut env = list("/config/Env");
    if env.is_empty() {
        env.push("PATH=/".into());
    }
    env.push(format!("{IN_IMAGE}=1").into());
    let mut layers = list("/rootfs/diff_ids");
    layers.push(unpacked.into());
    let mut history = list("/history");
    history.push(json!({ "created": at, "created_by": "tiny build", "comment": "/manager" }));
    let mut labels = below.pointer("/config/Labels").cloned().unwrap_or_else(|| json!({}));
    for (name, value) in &content.labels {
        labels[name] = value.as_str().into();
    }
    Ok(json!({
        "created": at,
        "architecture": content.platform.architecture(),
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Env": env,
            "Entrypoint": [format!("/{}", layer::BINARY)],
            "WorkingDir": "/",
            "Labels": labels,
        },
        "rootfs": { "type": "layers", "diff_ids": layers },
        "history": history,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn content() -> Content {
        Content {
            binary: b"\x7fELF".repeat(1000),
            authorities: b"-----BEGIN CERTIFICATE-----\n".to_vec(),
            platform: Platform::Amd64,
            time: 0,
            labels: BTreeMap::from([(
                "org.opencontainers.image.title".to_owned(),
                "demo".to_owned(),
            )]),
            components: r#"[{"name":"hello"}]"#.to_owned(),
        }
    }

    #[test]
    fn the_same_content_is_the_same_image() {
        let image = Image::of(content(), None).unwrap();
        assert_eq!(image.digest(), Image::of(content(), None).unwrap().digest());
        let mut other = content();
        other.binary.push(0);
        assert_ne!(image.digest(), Image::of(other, None).unwrap().digest());
    }

    #[test]
    fn it_runs_as_nobody_and_says_what_is_in_it() {
        let image = Image::of(content(), None).unwrap();
        let config = image.configuration().unwrap();
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/manager"]));
        assert_eq!(config["config"]["Env"], json!(["PATH=/", "TINY_IN_IMAGE=1"]));
        assert_eq!(config["config"]["Labels"]["org.opencontainers.image.title"], "demo");
        assert_eq!(config["created"], "1970-01-01T00:00:00Z");
        let manifest: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        assert_eq!(manifest["annotations"][COMPONENTS], r#"[{"name":"hello"}]"#);
        assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "demo");
        assert_eq!(manifest["layers"][0]["digest"], image.layers[0].digest);
    }

    #[test]
    fn a_base_keeps_its_layers_and_variables_below_ours() {
        let mut base = Image::of(content(), None).unwrap();
        base.config = Blob::json(
            CONFIG,
            &json!({
                "config": {"Env": ["SSL_CERT_FILE=/x"], "Labels": {"of": "base"}, "User": "0", "Cmd": ["sh"]},
                "rootfs": {"type": "layers", "diff_ids": ["sha256:below"]},
                "history": [{"created_by": "base"}],
            }),
        );
        let image = Image::of(content(), Some(base.clone())).unwrap();
        let config = image.configuration().unwrap();
        assert_eq!(config["config"]["Env"], json!(["SSL_CERT_FILE=/x", "TINY_IN_IMAGE=1"]));
        assert_eq!(config["config"]["Labels"]["of"], "base");
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"].get("Cmd"), None, "it would be arguments of ours");
        assert_eq!(config["rootfs"]["diff_ids"][0], "sha256:below");
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
        assert_eq!(image.layers[0].digest, base.layers[0].digest);
        assert_eq!(image.layers.len(), 2);
    }
}
