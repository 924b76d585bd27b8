//! The client that settings make: where it goes, and whom it trusts.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use tiny_runtime::tokio::net::lookup_host;
use tiny_runtime::tokio::task_local;

use super::ClientSettings;
use super::failed::cause;
use crate::allowed::{Allowed, refused};

/// What settings make, once for all requests.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) allowed: Arc<Allowed>,
    pub(super) client: Client,
}

task_local! {
    /// Where the request under way was redirected to at last. Where that is anywhere, a server has seen it.
    pub(super) static REDIRECTED: Cell<Option<Url>>;
}

/// How long a server may take until it is connected to.
pub(super) const CONNECTS: Duration = Duration::from_secs(10);

impl Made {
    /// # Errors
    /// What is wrong with the settings, in words.
    pub(super) fn of(settings: &ClientSettings) -> Result<Self, String> {
        // Whoever came first has chosen the same.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let allowed = Arc::new(Allowed::read(&settings.allow)?);
        let (most, looked_at) = (settings.max_redirects as usize, allowed.clone());
        let redirects = Policy::custom(move |attempt| {
            if attempt.previous().len() > most {
                return attempt.error(format!("it was redirected more than {most} times"));
            }
            let checked = looked_at.check(attempt.url());
            match checked {
                Ok(()) => {
                    // Elsewhere than in a request there is nobody to tell.
                    let place = attempt.url().clone();
                    let _told = REDIRECTED.try_with(|redirected| redirected.set(Some(place)));
                    attempt.follow()
                }
                Err(why) => attempt.error(format!("it was redirected, and {why}")),
            }
        });
        let mut client = Client::builder()
            .redirect(redirects)
            .dns_resolver(Arc::new(Resolver(allowed.clone())))
            // A URL may have in it what is for its own server only.
            .referer(false)
            // A proxy would resolve names in our place.
            .no_proxy()
            .connect_timeout(CONNECTS)
            .user_agent(concat!("tiny-http-module/", env!("CARGO_PKG_VERSION")));
        if !settings.ca_certificates.trim().is_empty() {
            let pem = settings.ca_certificates.as_bytes();
            let all = Certificate::from_pem_bundle(pem);
            let all = all.map_err(|e| format!("`caCertificates` cannot be read as PEM: {e}"))?;
            client = all.into_iter().fold(client, reqwest::ClientBuilder::add_root_certificate);
        }
        let client =
            client.build().map_err(|e| format!("cannot make an HTTP client: {}", cause(&e)))?;
        Ok(Self { allowed, client })
    }
}

/// Gives of a name those addresses only that may be asked: what was looked at is what is connected to.
struct Resolver(Arc<Allowed>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let all: Vec<SocketAddr> = lookup_host((host.as_str(), 0)).await?.collect();
            let is_allowed =
                |address: &SocketAddr| allowed.has_host(&host) || allowed.has_address(address.ip());
            let some: Vec<SocketAddr> = all.into_iter().filter(is_allowed).collect();
            if some.is_empty() {
                return Err(NotAllowed(refused(&host)).into());
            }
            Ok(Box::new(some.into_iter()) as Addrs)
        })
    }
}

/// A name that leads to no address which may be asked.
#[derive(Debug)]
pub(super) struct NotAllowed(String);

impl std::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAllowed {}
