//! Registries: where images are pushed to, and bases come from.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use http::HeaderValue;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use serde_json::Value;

use super::layout::chosen;
use super::{Blob, INDEX, Image, MANIFEST, Platform, digest};
use crate::words::innermost;

/// Tries of one request that a busy registry refuses, with a pause that doubles between them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// The longest wait for a registry to say anything.
const SILENCE: Duration = Duration::from_secs(60);
/// The most that a base may have, packed.
const MOST: usize = 512 * 1024 * 1024;

/// A name in a registry, such as `ghcr.io/me/hello:1.0`.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    reference: Reference,
    /// As it was said, for messages.
    said: String,
}

impl Place {
    /// Reads a name. One without a registry is one of Docker Hub, as everywhere.
    ///
    /// # Errors
    /// In words that say how a name is written.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let reference = text.parse().map_err(|e| {
            format!("{e}; write REGISTRY/REPOSITORY:TAG, such as ghcr.io/me/hello:1.0")
        })?;
        Ok(Self { reference, said: text.to_owned() })
    }

    /// Without its tag.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.reference.registry(), self.reference.repository())
    }

    /// Its tag, which is `latest` when it says none.
    pub(crate) fn tag(&self) -> &str {
        self.reference.tag().unwrap_or("latest")
    }

    /// Whether it names one image for ever.
    pub(crate) fn is_fixed(&self) -> bool {
        self.reference.digest().is_some()
    }

    /// Whether it is on this machine, where nothing needs to be encrypted.
    fn is_here(&self) -> bool {
        let host = self.reference.registry();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said)
    }
}

/// A registry that has been asked for a place of it.
pub(crate) struct Registry {
    client: Client,
    place: Place,
}

impl Registry {
    /// The registry of `place`, with what `docker login` has left for it.
    ///
    /// # Errors
    /// The credentials cannot be read, or are refused.
    pub(crate) async fn of(place: &Place, operation: RegistryOperation) -> Result<Self> {
        let host = place.reference.resolve_registry();
        // Docker Hub has an older name there.
        let server = if host == "index.docker.io" { "https://index.docker.io/v1/" } else { host };
        let auth = credentials(host, docker_credential::get_credential(server))?;
        Self::with(place, operation, auth).await
    }

    async fn with(place: &Place, operation: RegistryOperation, auth: RegistryAuth) -> Result<Self> {
        // Whoever came first has chosen the same.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let host = place.reference.resolve_registry().to_owned();
        let protocol = match place.is_here() {
            true => ClientProtocol::HttpsExcept(vec![host.clone()]),
            false => ClientProtocol::Https,
        };
        let config = ClientConfig {
            protocol,
            read_timeout: Some(SILENCE),
            connect_timeout: Some(Duration::from_secs(10)),
            user_agent: concat!("tiny/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).context("cannot make a client of registries")?;
        let registry = Self { client, place: place.clone() };
        let asked =
            async || registry.client.auth(&registry.place.reference, &auth, operation).await;
        registry.patiently(asked).await?;
        Ok(registry)
    }

    /// Sends the image, the parts first that others name. `sent` hears of each part: its digest, its bytes, and whether it was there.
    pub(crate) async fn push(
        &self,
        image: &Image,
        mut sent: impl FnMut(&Blob, bool),
    ) -> Result<()> {
        let reference = &self.place.reference;
        for blob in image.layers.iter().chain([&image.config]) {
            let asked = async || self.client.blob_exists(reference, &blob.digest).await;
            let is_there = self.patiently(asked).await?;
            if !is_there {
                let (bytes, name) = (&blob.bytes, &blob.digest);
                let asked = async || self.client.push_blob(reference, bytes.clone(), name).await;
                self.patiently(asked).await?;
            }
            sent(blob, is_there);
        }
        let kind = HeaderValue::from_static(MANIFEST);
        let manifest = &image.manifest;
        let asked = async || {
            let bytes = manifest.bytes.clone();
            self.client.push_manifest_raw(reference, bytes, kind.clone()).await
        };
        self.patiently(asked).await?;
        sent(manifest, false);
        Ok(())
    }

    /// Fetches the image for a platform.
    pub(crate) async fn pull(&self, platform: Platform) -> Result<Image> {
        let mut reference = self.place.reference.clone();
        for _ in 0..3 {
            let manifest = self.manifest(&reference).await?;
            let read: Value = serde_json::from_slice(&manifest.bytes)
                .with_context(|| format!("the manifest of {} is no JSON", self.place))?;
            if read["manifests"].is_array() {
                let named = chosen(&read, platform)
                    .with_context(|| format!("{} has no image for {platform}", self.place))?;
                let named = named["digest"].as_str().unwrap_or_default().to_owned();
                reference = reference.clone_with_digest(named);
                continue;
            }
            let layers = read["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
            let all = layers.iter().map(|layer| layer["size"].as_u64().unwrap_or(0)).sum::<u64>();
            ensure!(all <= MOST as u64, "{} has {all} bytes; a base may have {MOST}", self.place);
            let mut fetched = Vec::new();
            for layer in layers {
                fetched.push(self.blob(layer).await?);
            }
            let config = self.blob(&read["config"]).await?;
            return Ok(Image { manifest, config, layers: fetched });
        }
        bail!("the indexes of {} name each other", self.place)
    }

    async fn manifest(&self, reference: &Reference) -> Result<Blob> {
        let known = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
        let auth = RegistryAuth::Anonymous;
        let asked = async || self.client.pull_manifest_raw(reference, &auth, &known).await;
        let (bytes, name) = self.patiently(asked).await?;
        ensure!(digest(&bytes) == name, "what {} sent is not what it names {name}", self.place);
        Ok(Blob { media_type: MANIFEST.to_owned(), digest: name, bytes })
    }

    async fn blob(&self, named: &Value) -> Result<Blob> {
        let name = named["digest"].as_str().unwrap_or_default();
        let reference = &self.place.reference;
        let asked = async || {
            let mut bytes = Vec::new();
            self.client.pull_blob(reference, name, &mut bytes).await.map(|()| bytes)
        };
        let bytes = self.patiently(asked).await?;
        let media_type = named["mediaType"].as_str().unwrap_or_default().to_owned();
        Ok(Blob { media_type, digest: name.to_owned(), bytes: bytes.into() })
    }

    /// Asks, and asks again where the registry was busy or away.
    async fn patiently<T>(
        &self,
        asked: impl AsyncFn() -> Result<T, OciDistributionError>,
    ) -> Result<T> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match asked().await {
                Err(e) if is_passing(&e) => tokio::time::sleep(pause).await,
                answered => return answered.map_err(|e| self.said(&e)),
            }
            pause *= 2;
        }
        asked().await.map_err(|e| self.said(&e))
    }

    fn said(&self, error: &OciDistributionError) -> anyhow::Error {
        let (place, host) = (&self.place, self.place.reference.registry());
        let hint = match is_refusal(error) {
            true => format!("; log in with `docker login {host}` as somebody who may"),
            false => String::new(),
        };
        anyhow!("the registry of {place}: {}{hint}", innermost(error))
    }
}

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Whether it may be another answer the next time.
fn is_passing(error: &OciDistributionError) -> bool {
    if let OciDistributionError::RequestError(e) = error
        && (e.is_connect() || e.is_timeout())
    {
        return true;
    }
    // A registry that was too busy to say how it wants to be asked is asked without a key, and refuses that.
    code(error).is_some_and(|code| code == 401 || code == 429 || code >= 500)
}

/// Whether somebody else might have been let in.
fn is_refusal(error: &OciDistributionError) -> bool {
    let is_named = matches!(
        error,
        OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::UnauthorizedError { .. }
    );
    is_named || code(error).is_some_and(|code| code == 401 || code == 403)
}

/// The status that a registry answered with.
fn code(error: &OciDistributionError) -> Option<u16> {
    match error {
        OciDistributionError::ServerError { code, .. } => Some(*code),
        OciDistributionError::UnauthorizedError { .. } => Some(401),
        OciDistributionError::RequestError(e) => e.status().map(|status| status.as_u16()),
        _ => None,
    }
}

/// What `docker login` has left for a registry, in its own file or in a helper; nothing is anonymous.
fn credentials(
    host: &str,
    found: Result<DockerCredential, CredentialRetrievalError>,
) -> Result<RegistryAuth> {
    match found {
        Ok(DockerCredential::UsernamePassword(name, secret)) => {
            Ok(RegistryAuth::Basic(name, secret))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(RegistryAuth::Bearer(token)),
        Err(
            CredentialRetrievalError::ConfigNotFound
            | CredentialRetrievalError::ConfigReadError
            | CredentialRetrievalError::NoCredentialConfigured,
        ) => Ok(RegistryAuth::Anonymous),
        Err(e) => Err(anyhow!("cannot read Docker's credentials for {host}: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};

    use axum::body::{Body, Bytes, to_bytes};
    use axum::extract::{Request, State};
    use axum::response::Response;

    use super::super::tests::content;
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text).unwrap()
    }

    #[test]
    fn a_name_is_read_as_docker_reads_it() {
        let full = place("ghcr.io/me/hello:1.0");
        assert_eq!((full.repository().as_str(), full.tag()), ("ghcr.io/me/hello", "1.0"));
        let short = place("hello");
        assert_eq!(
            (short.repository().as_str(), short.tag()),
            ("docker.io/library/hello", "latest")
        );
        let fixed = place(&format!("x.io/y@sha256:{}", "0".repeat(64)));
        assert!(fixed.is_fixed() && !full.is_fixed());
        let said = Place::parse("Me/Hello").unwrap_err();
        assert!(said.ends_with("such as ghcr.io/me/hello:1.0"), "{said}");
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_encryption() {
        for (name, is_here) in [
            ("localhost:5000/x:1", true),
            ("127.0.0.1:5055/x:1", true),
            ("127.8.0.1/x:1", true),
            ("localhost.example/x:1", false),
            ("10.0.0.1:5000/x:1", false),
            ("ghcr.io/x:1", false),
            ("x:1", false),
        ] {
            assert_eq!(place(name).is_here(), is_here, "{name}");
        }
    }

    /// A registry that keeps what it gets, asks for a name and a password, and is busy for its first requests.
    #[derive(Default)]
    struct Fake {
        busy: AtomicU32,
        kept: Mutex<BTreeMap<String, Bytes>>,
        /// Bytes of uploads that are under way; they have one place.
        upload: Mutex<Vec<u8>>,
    }

    const KEY: &str = "Basic YW5uOnNlY3JldA==";

    async fn answered(State(fake): State<Arc<Fake>>, request: Request) -> Response {
        let status = |code: u16| Response::builder().status(code);
        if fake.busy.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            return status(503).body(Body::empty()).unwrap();
        }
        if request.headers().get("authorization").is_none_or(|key| key != KEY) {
            let asked = status(401).header("www-authenticate", "Basic realm=\"fake\"");
            return asked.body(Body::empty()).unwrap();
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let path = uri.path().to_owned();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut upload = fake.upload.lock().unwrap();
        let mut kept = fake.kept.lock().unwrap();
        let answer = match (method.as_str(), path.as_str()) {
            (_, "/v2/") => status(200),
            ("HEAD", _) if kept.contains_key(&name) => status(200),
            ("HEAD", _) => status(404),
            ("POST", _) => {
                upload.clear();
                status(202).header("location", "/v2/some/hello/blobs/uploads/1")
            }
            ("PATCH", _) => {
                upload.extend_from_slice(&body);
                let range = format!("0-{}", upload.len() - 1);
                status(202)
                    .header("location", "/v2/some/hello/blobs/uploads/1")
                    .header("range", range)
            }
            ("PUT", upload_path) if upload_path.contains("/uploads/") => {
                let said = uri.query().unwrap().split("digest=").nth(1).unwrap();
                let said = said.replace("%3A", ":");
                assert_eq!(digest(&upload), said, "what was sent is what it is called");
                let place = format!("/v2/some/hello/blobs/{said}");
                kept.insert(said, std::mem::take(&mut *upload).into());
                status(201).header("location", place)
            }
            ("PUT", _) => {
                kept.insert(name, body);
                status(201).header("location", path)
            }
            _ => {
                let Some(found) = kept.get(&name) else {
                    return status(404).body(Body::empty()).unwrap();
                };
                let answer = status(200).header("content-type", MANIFEST);
                let answer = answer.header("docker-content-digest", digest(found));
                return answer.body(Body::from(found.clone())).unwrap();
            }
        };
        answer.body(Body::empty()).unwrap()
    }

    async fn fake(busy: u32) -> (Arc<Fake>, Place) {
        let fake = Arc::new(Fake { busy: busy.into(), ..Fake::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(answered).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (fake, place(&format!("{address}/some/hello:1.0")))
    }

    #[tokio::test]
    async fn an_image_that_was_pushed_is_pulled_again() {
        let (fake, place) = fake(2).await;
        let ann = || RegistryAuth::Basic("ann".into(), "secret".into());
        let image = Image::of(content(), None).unwrap();
        let registry = Registry::with(&place, RegistryOperation::Push, ann()).await.unwrap();
        let mut sent = Vec::new();
        registry
            .push(&image, |blob, is_there| sent.push((blob.digest.clone(), is_there)))
            .await
            .unwrap();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|(_, is_there)| !is_there));
        assert_eq!(fake.kept.lock().unwrap().len(), 3);
        // The second time only the manifest goes.
        let mut again = Vec::new();
        registry.push(&image, |_, is_there| again.push(is_there)).await.unwrap();
        assert_eq!(again, [true, true, false]);
        let registry = Registry::with(&place, RegistryOperation::Pull, ann()).await.unwrap();
        let pulled = registry.pull(Platform::Amd64).await.unwrap();
        assert_eq!(pulled.digest(), image.digest());
        assert_eq!(pulled.layers[0].bytes, image.layers[0].bytes);
    }

    #[tokio::test]
    async fn who_may_not_is_told_what_to_do() {
        let (_fake, place) = fake(0).await;
        let auth = RegistryAuth::Anonymous;
        let refused = match Registry::with(&place, RegistryOperation::Push, auth).await {
            Ok(registry) => registry.push(&Image::of(content(), None).unwrap(), |_, _| {}).await,
            Err(e) => Err(e),
        };
        let said = format!("{:#}", refused.unwrap_err());
        assert!(said.contains("docker login"), "{said}");
    }

    #[test]
    fn what_docker_login_has_left_is_used() {
        let kept = br#"{"auths": {"ghcr.io": {"auth": "YW5uOnNlY3JldA=="}}}"#;
        let found = |server: &str| docker_credential::get_credential_from_reader(&kept[..], server);
        let auth = credentials("ghcr.io", found("ghcr.io")).unwrap();
        assert!(
            matches!(auth, RegistryAuth::Basic(name, secret) if name == "ann" && secret == "secret")
        );
        let auth = credentials("quay.io", found("quay.io")).unwrap();
        assert!(matches!(auth, RegistryAuth::Anonymous));
    }
}
