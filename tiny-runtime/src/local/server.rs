//! The door for kubectl: HTTPS on loopback, with a token.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use super::Plane;
use super::client::Door;
use super::failure::Failure;
use super::members;
use super::papers::{self, PaperError};
use super::tls::{Identity, TlsError};

/// Most connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 256;
/// How long a client may take for the handshake, and for the head of a request.
const HELLO: Duration = Duration::from_secs(10);
/// How long connections may take to end when the plane shuts down.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);
/// How long to wait when the system has no more files to give.
const BREATH: Duration = Duration::from_millis(100);
/// How long a port may stay taken that was that of the host before.
const PUZZLED: Duration = Duration::from_secs(2);

/// Why the plane cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It has no folder for its token and kubeconfig.
    #[error("a local plane in memory cannot be served: it has no folder for its kubeconfig")]
    InMemory,
    /// It has shut down.
    #[error("the local plane has shut down")]
    Closed,
    /// A file cannot be used.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Somebody else listens on the port that was asked for.
    #[error(
        "port {port} of 127.0.0.1 is in use; choose another with --port, or leave it out for a \
         free one"
    )]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// No port is to be had.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(io::Error),
}

/// Opens the door of a folder's plane and says where it is.
pub(super) async fn open(
    plane: &Arc<Plane>,
    namespace: &str,
    port: Option<u16>,
) -> Result<SocketAddr, ServeError> {
    let folder = plane.folder.as_deref().ok_or(ServeError::InMemory)?;
    let mut serving = plane.serving.lock().await;
    if plane.closing.is_cancelled() {
        return Err(ServeError::Closed);
    }
    let identity = Identity::of(folder)?;
    let token = papers::token(folder)?;
    let address = match *serving {
        Some(address) => address,
        None => {
            let (listener, address) = listen(folder, port).await?;
            begin(plane, listener, identity.config, &token);
            address
        }
    };
    *serving = Some(address);
    papers::kubeconfig(folder, address.port(), namespace, &identity.certificate, &token)?;
    Ok(address)
}

/// Opens the door of a folder's plane where it was the last time, as soon as that port is free.
pub(super) async fn reopen(plane: &Arc<Plane>) -> Result<SocketAddr, ServeError> {
    let folder = plane.folder.as_deref().ok_or(ServeError::InMemory)?;
    let port = papers::port(folder)?.unwrap_or_default();
    let mut told = false;
    let since = Instant::now();
    // What is written there is what they all have read; only the listener is new.
    let (identity, token) = (Identity::of(folder)?, papers::token(folder)?);
    let listener = loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => break listener,
            Err(error) if !told && since.elapsed() > PUZZLED => {
                told = true;
                tracing::warn!(
                    "this process is to host the local plane now, but cannot listen on 127.0.0.1:{port}, where all others look for \
                     it ({error}); end the program that has this port, or stop all modules here and start them again"
                );
            }
            Err(_) => sleep(BREATH).await,
        }
    };
    let address = listener.local_addr().map_err(ServeError::Listen)?;
    *plane.serving.lock().await = Some(address);
    begin(plane, listener, identity.config, &token);
    Ok(address)
}

/// Lets clients in, and looks after what those leave behind who are killed.
fn begin(plane: &Arc<Plane>, listener: TcpListener, tls: Arc<rustls::ServerConfig>, token: &str) {
    let gate = Gate { door: Door::new(Arc::clone(plane)), token: token.into() };
    plane.talks.spawn(accept(listener, TlsAcceptor::from(tls), gate));
    tokio::spawn(members::tidy(Arc::clone(plane)));
}

/// Listens on the port that was asked for; without one on that of the last time, or on another when
/// that is taken.
async fn listen(
    folder: &Path,
    asked: Option<u16>,
) -> Result<(TcpListener, SocketAddr), ServeError> {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let last = papers::port(folder)?;
    let bound = match (asked, last) {
        (Some(port), _) => match bind(port).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(ServeError::PortInUse { port });
            }
            bound => bound,
        },
        (None, Some(port)) => match bind(port).await {
            Err(_) => bind(0).await,
            bound => bound,
        },
        (None, None) => bind(0).await,
    };
    let listener = bound.map_err(ServeError::Listen)?;
    let address = listener.local_addr().map_err(ServeError::Listen)?;
    if last != Some(address.port()) {
        papers::write(folder, "port", &address.port().to_string())?;
    }
    Ok((listener, address))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, gate: Gate) {
    let closing = gate.door.closing();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let taken = async {
        loop {
            // The semaphore is never closed.
            let Ok(seat) = Arc::clone(&room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let talk = converse(stream, tls.clone(), gate.clone(), seat);
                    let door = gate.door.clone();
                    gate.door.talks().spawn(async move {
                        talk.await;
                        door.part();
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the local plane cannot accept a connection");
                    sleep(BREATH).await;
                }
            }
        }
    };
    tokio::select! {
        () = taken => {}
        () = closing.cancelled() => {}
    }
}

/// One connection, from handshake to end. Clients come and go: their errors are not ours.
async fn converse(stream: TcpStream, tls: TlsAcceptor, gate: Gate, _seat: OwnedSemaphorePermit) {
    let closing = gate.door.closing();
    stream.set_nodelay(true).unwrap_or_default();
    let greeted = closing.run_until_cancelled(timeout(HELLO, tls.accept(stream))).await;
    let Some(Ok(Ok(stream))) = greeted else { return };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HELLO);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(200);
    let service = TowerToHyperService::new(gate);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = closing.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            timeout(GOODBYE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the local plane broke");
    }
}

/// The door with somebody who asks for the token.
#[derive(Clone)]
struct Gate {
    door: Door,
    token: Arc<str>,
}

impl Gate {
    fn admits<B>(&self, request: &Request<B>) -> bool {
        let shown = request.headers().get(header::AUTHORIZATION);
        let shown = shown.map(|value| value.as_bytes()).unwrap_or_default();
        let Some(shown) = shown.strip_prefix(b"Bearer ") else { return false };
        let token = self.token.as_bytes();
        // Every byte is compared, so that the time tells nothing.
        shown.len() == token.len()
            && shown.iter().zip(token).fold(0, |found, (one, other)| found | (one ^ other)) == 0
    }
}

impl<B> Service<Request<B>> for Gate
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.admits(&request) {
            true => self.door.call(request),
            false => Box::pin(async { Ok(Failure::unauthorized().into_response()) }),
        }
    }
}
