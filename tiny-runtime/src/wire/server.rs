//! The door for other modules: what this module takes in over gRPC.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::exchange::{self, Answers};
use super::inbox::Inbox;
use super::proto::module_service_server::{ModuleService, ModuleServiceServer};
use super::proto::{Call, DESCRIPTORS, MessageRequest, MessageResponse};
use super::security::{Security, SecurityError};
use super::{KEEP_ALIVE, TRANSPORT, deadline, guest, traceparent, words};
use crate::engine::Scheduler;

/// Streams at once on one connection: calls of older modules, each of which is one.
const STREAMS: u32 = 1024;
/// Bytes of the headers of a call.
const HEADERS: u32 = 16 * 1024;
/// The window of a stream and of a connection, in bytes: what may be on its way before somebody has read it.
const WINDOWS: (u32, u32) = (2 * 1024 * 1024, 8 * 1024 * 1024);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Nobody may listen there.
    #[error(
        "cannot listen on {address} for other modules: {why}; choose another with --grpc-server-bind-address"
    )]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why.
        why: io::Error,
    },
    /// Others could read along.
    #[error(
        "{0} can be reached from outside this machine, and what modules send there would be readable on the way; give certificates with \
         --grpc-tls-cert, --grpc-tls-key and --grpc-tls-ca, or say --grpc-plaintext where the network is trusted"
    )]
    Plaintext(SocketAddr),
    /// The files of TLS cannot be used.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The server itself cannot be made.
    #[error("cannot make the gRPC server: {0}")]
    Server(String),
}

/// A port that is taken, on which nobody is served yet: what the module says of its address must be known before it runs.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    security: Security,
}

impl Server {
    /// Takes `address`.
    ///
    /// # Errors
    /// [`BindError::Plaintext`] for an address that others reach, where nothing is encrypted and nobody has allowed that.
    pub async fn bind(address: SocketAddr, security: Security) -> Result<Self, BindError> {
        if !address.ip().is_loopback() && security.is_plain() {
            if !security.allows_plaintext() {
                return Err(BindError::Plaintext(address));
            }
            tracing::warn!(
                "what other modules send to {address} is not encrypted, and anybody who reaches it may send: --grpc-plaintext allows it"
            );
        }
        let listen = |why| BindError::Listen { address, why };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, security })
    }

    /// How connections of this module are secured, in both directions.
    pub fn security(&self) -> &Security {
        &self.security
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What other modules should be told of where it is, as `host:port`: `SELF_SERVICE_HOST`, else the pod's own address (`POD_IP`),
    /// else the one that it listens on.
    pub fn published(&self) -> String {
        published(self.address, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Hands what comes to `scheduler`, until `stop`. The future serves; the [`Drain`] ends it gently before.
    pub fn serve(
        self,
        scheduler: Scheduler,
        stop: CancellationToken,
    ) -> (Drain, impl Future<Output = Result<(), BindError>> + Send) {
        let inbox = Inbox::new(scheduler);
        let health = HealthReporter::new();
        let drain = Drain { inbox: inbox.clone(), health: health.clone() };
        (drain, self.served(inbox, health, stop))
    }

    async fn served(
        self,
        inbox: Inbox,
        health: HealthReporter,
        stop: CancellationToken,
    ) -> Result<(), BindError> {
        let why = |e: tonic::transport::Error| BindError::Server(words(&e));
        health.set_serving::<ModuleServiceServer<Service>>().await;
        if inbox.closing().is_cancelled() {
            // It was drained before it served, and the word must not be taken back.
            health.set_not_serving::<ModuleServiceServer<Service>>().await;
        }
        let health_service = HealthServer::new(HealthService::from_health_reporter(health));
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|e| BindError::Server(e.to_string()))?;
        let service = ModuleServiceServer::new(Service { inbox })
            .max_decoding_message_size(TRANSPORT)
            .max_encoding_message_size(TRANSPORT);
        let (interval, timeout) = KEEP_ALIVE;
        let mut server = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(interval))
            .http2_keepalive_timeout(Some(timeout))
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .max_concurrent_streams(STREAMS)
            .http2_max_header_list_size(HEADERS)
            .http2_max_pending_accept_reset_streams(Some(64));
        if let Some(tls) = self.security.server() {
            server = server.tls_config(tls).map_err(why)?;
        }
        let router =
            server.add_service(service).add_service(health_service).add_service(reflection);
        tokio::select! {
            biased;
            served = router.serve_with_incoming(guest::incoming(self.listener, stop.clone())) => served.map_err(why),
            // What is under way has had its time: see `Drain`.
            () = stop.cancelled() => Ok(()),
        }
    }
}

/// Ends a server gently.
#[derive(Clone)]
pub struct Drain {
    inbox: Inbox,
    health: HealthReporter,
}

impl Drain {
    /// Takes nothing more, says so to those who ask for its health, and waits until nothing is under way. Who calls meanwhile is told to
    /// try again elsewhere or later.
    pub async fn drained(&self) {
        self.inbox.close();
        self.health.set_not_serving::<ModuleServiceServer<Service>>().await;
        self.inbox.drained().await;
    }
}

impl std::fmt::Debug for Drain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}

fn published(address: SocketAddr, var: impl Fn(&str) -> Option<String>) -> String {
    let port = address.port();
    if let Some(host) = var("SELF_SERVICE_HOST") {
        // With a port it is taken as it is; an address of IPv6 alone has colons of its own.
        return match host.rsplit_once(':') {
            Some((name, _)) if !name.contains(':') || name.ends_with(']') => host,
            _ => with_port(&host, port),
        };
    }
    match var("POD_IP") {
        Some(host) => with_port(&host, port),
        None if address.ip().is_unspecified() => format!("127.0.0.1:{port}"),
        None => address.to_string(),
    }
}

fn with_port(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

struct Service {
    inbox: Inbox,
}

#[tonic::async_trait]
impl ModuleService for Service {
    async fn message(
        &self,
        request: Request<MessageRequest>,
    ) -> Result<Response<MessageResponse>, Status> {
        let header = deadline::of_header(request.metadata());
        let trace = traceparent::of_header(request.metadata());
        let mut message = request.into_inner();
        message.trace = message.trace.or(trace);
        self.inbox.call(message, header).await.map(Response::new)
    }

    type ExchangeStream = Answers;

    async fn exchange(
        &self,
        request: Request<Streaming<Call>>,
    ) -> Result<Response<Answers>, Status> {
        if self.inbox.closing().is_cancelled() {
            return Err(Status::unavailable("the module is about to stop"));
        }
        Ok(Response::new(exchange::begin(self.inbox.clone(), request.into_inner()).await))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_where_others_reach_it() {
        let told = |address: &str, vars: &[(&str, &str)]| {
            let var =
                |name: &str| vars.iter().find(|(it, _)| *it == name).map(|(_, v)| (*v).into());
            published(address.parse().unwrap(), var)
        };
        assert_eq!(told("127.0.0.1:9", &[]), "127.0.0.1:9");
        assert_eq!(told("0.0.0.0:9", &[]), "127.0.0.1:9");
        assert_eq!(told("10.0.0.7:9", &[]), "10.0.0.7:9");
        assert_eq!(told("0.0.0.0:9", &[("POD_IP", "10.1.2.3")]), "10.1.2.3:9");
        assert_eq!(told("[::]:9", &[("POD_IP", "fd00::1")]), "[fd00::1]:9");
        let service = ("SELF_SERVICE_HOST", "mailer:8483");
        assert_eq!(told("0.0.0.0:9", &[service, ("POD_IP", "10.1.2.3")]), "mailer:8483");
        assert_eq!(told("0.0.0.0:9", &[("SELF_SERVICE_HOST", "mailer")]), "mailer:9");
        assert_eq!(told("0.0.0.0:9", &[("SELF_SERVICE_HOST", "[fd00::1]:8")]), "[fd00::1]:8");
    }

    #[tokio::test]
    async fn nothing_is_readable_beyond_this_machine_unless_somebody_says_so() {
        let any: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let refused = Server::bind(any, Security::default()).await.unwrap_err().to_string();
        assert!(
            refused.contains("--grpc-tls-cert") && refused.contains("--grpc-plaintext"),
            "{refused}"
        );
        assert!(Server::bind(any, Security::plaintext()).await.is_ok());
        let taken =
            Server::bind("127.0.0.1:0".parse().unwrap(), Security::default()).await.unwrap();
        let again =
            Server::bind(taken.address(), Security::default()).await.unwrap_err().to_string();
        assert!(again.contains("--grpc-server-bind-address"), "{again}");
    }
}
