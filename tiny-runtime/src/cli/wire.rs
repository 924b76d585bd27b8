//! How other modules reach this one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Result;

use crate::wire::{Security, Server};

/// Between modules
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Other modules")]
pub(super) struct WireArgs {
    /// Where other modules reach this one; `:8483` is every address of this machine, port 0 a free one
    #[arg(short, long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    grpc_server_bind_address: SocketAddr,
    /// Certificate of this module, PEM: what modules send to each other is then encrypted
    #[arg(long, value_name = "FILE", requires = "grpc_tls_key")]
    grpc_tls_cert: Option<PathBuf>,
    /// Key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "grpc_tls_cert")]
    grpc_tls_key: Option<PathBuf>,
    /// Certificates of those who sign, PEM: then both ends of a connection must show one that they have signed
    #[arg(long, value_name = "FILE", requires = "grpc_tls_cert")]
    grpc_tls_ca: Option<PathBuf>,
    /// Allow unencrypted messages beyond this machine
    #[arg(long, conflicts_with = "grpc_tls_cert")]
    grpc_plaintext: bool,
}

impl WireArgs {
    /// Takes the port, so that what cannot be had is said before anything begins.
    pub(super) async fn bind(&self) -> Result<Server> {
        let security = match (&self.grpc_tls_cert, &self.grpc_tls_key) {
            (Some(certificate), Some(key)) => {
                Security::of_files(certificate, key, self.grpc_tls_ca.as_deref())?
            }
            _ if self.grpc_plaintext => Security::plaintext(),
            _ => Security::default(),
        };
        Ok(Server::bind(self.grpc_server_bind_address, security).await?)
    }
}

/// An address to listen on; without a host it is every address of this machine.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        || "write `HOST:PORT` with an IP address, such as 127.0.0.1:8483, or `:PORT`".to_owned();
    match text.strip_prefix(':') {
        Some(port) => {
            let port = port.parse().map_err(|_| wrong())?;
            Ok((Ipv4Addr::UNSPECIFIED, port).into())
        }
        None => text.parse().map_err(|_| wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_every_one() {
        assert_eq!(address(":8483").unwrap().to_string(), "0.0.0.0:8483");
        assert_eq!(address("127.0.0.1:0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(address("[::1]:7").unwrap().to_string(), "[::1]:7");
        for wrong in ["", "8483", "localhost:1", ":x", "1.2.3.4"] {
            assert!(address(wrong).unwrap_err().contains("127.0.0.1:8483"), "{wrong}");
        }
    }
}
