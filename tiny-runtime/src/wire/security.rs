//! Who may talk to whom, and whether others can read along.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};

use super::words;

/// How long a client may take for the handshake.
const HELLO: Duration = Duration::from_secs(10);

/// How connections between modules are secured.
///
/// By default they are not, and then go over the loopback only.
#[derive(Clone, Debug, Default)]
pub struct Security {
    tls: Option<Tls>,
    plaintext: bool,
}

#[derive(Clone, Debug)]
struct Tls {
    identity: Identity,
    authorities: Certificate,
    /// Whether callers must show a certificate too.
    is_mutual: bool,
}

/// Files that cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// A file cannot be read.
    #[error("cannot read `{}`, which {flag} names: {why}", path.display())]
    File {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// What is in the files is not what they should hold.
    #[error(
        "cannot use the certificate `{}` with its key for TLS: {why}; both must be PEM, and the key must be that of the certificate",
        certificate.display()
    )]
    Invalid {
        /// The file of the certificate.
        certificate: PathBuf,
        /// Why.
        why: String,
    },
}

impl Security {
    /// Nothing is encrypted, and that is allowed on any network.
    pub fn plaintext() -> Self {
        Self { tls: None, plaintext: true }
    }

    /// TLS with the certificate and key of this module, both PEM. With `authorities`, callers and called must both show a certificate that
    /// one of these has signed; without, a caller trusts the certificate of this module itself, and shows none.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn of_files(
        certificate: &Path,
        key: &Path,
        authorities: Option<&Path>,
    ) -> Result<Self, SecurityError> {
        let read = |flag, path: &Path| {
            std::fs::read(path).map_err(|why| SecurityError::File {
                flag,
                path: path.to_owned(),
                why,
            })
        };
        let chain = read("--grpc-tls-cert", certificate)?;
        let identity = Identity::from_pem(&chain, read("--grpc-tls-key", key)?);
        let roots = match authorities {
            Some(path) => read("--grpc-tls-ca", path)?,
            None => chain,
        };
        let tls = Tls {
            identity,
            authorities: Certificate::from_pem(roots),
            is_mutual: authorities.is_some(),
        };
        let security = Self { tls: Some(tls), plaintext: false };
        // Looked at now, and not when the first message comes.
        let invalid = |e: tonic::transport::Error| SecurityError::Invalid {
            certificate: certificate.to_owned(),
            why: words(&e),
        };
        if let Some(tls) = security.server() {
            tonic::transport::Server::builder().tls_config(tls).map_err(invalid)?;
        }
        if let Some(tls) = security.client("localhost") {
            Endpoint::from_static("https://localhost").tls_config(tls).map_err(invalid)?;
        }
        Ok(security)
    }

    /// Whether nothing is encrypted.
    pub fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    /// Whether it may be unencrypted beyond the loopback.
    pub fn allows_plaintext(&self) -> bool {
        self.plaintext
    }

    /// Whether messages may go to `address`.
    pub(super) fn may_reach(&self, address: SocketAddr) -> bool {
        self.tls.is_some() || self.plaintext || address.ip().is_loopback()
    }

    pub(super) fn server(&self) -> Option<ServerTlsConfig> {
        let tls = self.tls.as_ref()?;
        let config = ServerTlsConfig::new().identity(tls.identity.clone()).timeout(HELLO);
        Some(match tls.is_mutual {
            true => config.client_ca_root(tls.authorities.clone()),
            false => config,
        })
    }

    /// For connections to `host`, whose certificate must be of that name.
    pub(super) fn client(&self, host: &str) -> Option<ClientTlsConfig> {
        let tls = self.tls.as_ref()?;
        let config = ClientTlsConfig::new()
            .ca_certificate(tls.authorities.clone())
            .domain_name(host)
            .timeout(HELLO);
        Some(match tls.is_mutual {
            true => config.identity(tls.identity.clone()),
            false => config,
        })
    }
}
