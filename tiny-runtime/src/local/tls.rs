//! The certificate of the loopback door: kubectl sends tokens over TLS only.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::papers::{self, PaperError};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Its files cannot be used.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// It cannot be made.
    #[error("cannot make a certificate for the local plane: {0}")]
    Make(#[from] rcgen::Error),
    /// What the files hold is no certificate or key.
    #[error(
        "cannot use `tls.crt` and `tls.key` of the local plane: {0}; delete them to get new ones"
    )]
    Use(String),
}

/// A certificate for this machine and the server that shows it.
pub(super) struct Identity {
    /// The certificate as PEM, which clients trust.
    pub(super) certificate: String,
    pub(super) config: Arc<ServerConfig>,
}

impl Identity {
    /// Reads the certificate of a folder, or makes one that signs for itself.
    pub(super) fn of(folder: &Path) -> Result<Self, TlsError> {
        let found = (papers::read(folder, "tls.crt")?, papers::read(folder, "tls.key")?);
        let (certificate, key) = match found {
            (Some(certificate), Some(key)) => (certificate, key),
            _ => make(folder)?,
        };
        let unusable = |error: &dyn std::fmt::Display| TlsError::Use(error.to_string());
        let chain = CertificateDer::from_pem_slice(certificate.as_bytes());
        let chain = vec![chain.map_err(|error| unusable(&error))?];
        let key =
            PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| unusable(&error))?;
        // Named, so that a second provider in the binary cannot make rustls undecided.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| unusable(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { certificate, config: Arc::new(config) })
    }
}

fn make(folder: &Path) -> Result<(String, String), TlsError> {
    let key = KeyPair::generate()?;
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "tiny local plane");
    let certificate = params.self_signed(&key)?.pem();
    let key = key.serialize_pem();
    papers::write(folder, "tls.key", &key)?;
    papers::write(folder, "tls.crt", &certificate)?;
    Ok((certificate, key))
}
