//! The doors for those who look: `/metrics` for Prometheus, `/livez`, `/readyz` and `/healthz` for probes.
//!
//! They have a thread and a runtime of their own, so that they answer when the other one does not, and say so.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::health::{Health, Report};
use super::metrics::{CONTENT_TYPE, Metrics};

/// Connections at once; more wait in the system's queue.
const SEATS: usize = 64;
/// How long a connection may last: who looks comes again.
const VISIT: Duration = Duration::from_secs(60);
/// How long somebody may take to say what they want: those who say nothing must not keep a probe waiting.
const HELLO: Duration = Duration::from_secs(2);
/// Bytes of what they say.
const HEADERS: usize = 16 * 1024;
/// How long to wait when the system has no more files to give.
const BREATH: Duration = Duration::from_millis(100);

/// Ports that are taken, behind which nobody is yet.
#[derive(Debug)]
pub struct Doors {
    metrics: TcpListener,
    /// `None` where one address is for both.
    probes: Option<TcpListener>,
    addresses: (SocketAddr, SocketAddr),
}

/// Doors that are open, until this is dropped.
#[derive(Debug)]
pub struct Open(#[allow(dead_code, reason = "it is dropped")] DropGuard);

impl Doors {
    /// Takes the two addresses, which may be one.
    ///
    /// # Errors
    /// The address that cannot be had, and why.
    pub fn bind(metrics: SocketAddr, probes: SocketAddr) -> Result<Self, (SocketAddr, io::Error)> {
        let bind = |address: SocketAddr| {
            let listener = TcpListener::bind(address).map_err(|e| (address, e))?;
            listener.set_nonblocking(true).map_err(|e| (address, e))?;
            let local = listener.local_addr().map_err(|e| (address, e))?;
            Ok((listener, local))
        };
        let (listener, metrics_at) = bind(metrics)?;
        if probes == metrics && probes.port() != 0 {
            return Ok(Self {
                metrics: listener,
                probes: None,
                addresses: (metrics_at, metrics_at),
            });
        }
        let (probing, probes_at) = bind(probes)?;
        Ok(Self { metrics: listener, probes: Some(probing), addresses: (metrics_at, probes_at) })
    }

    /// Where metrics are, and probes.
    pub fn addresses(&self) -> (SocketAddr, SocketAddr) {
        self.addresses
    }

    /// Answers who comes, on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn open(self, health: Health, metrics: Metrics) -> io::Result<Open> {
        let of_metrics = Router::new().route("/metrics", get(numbers)).with_state(metrics);
        let of_probes = Router::new()
            .route("/livez", get(live))
            .route("/healthz", get(live))
            .route("/readyz", get(ready))
            .with_state(health);
        let rooms = match self.probes {
            None => vec![(self.metrics, of_metrics.merge(of_probes))],
            Some(probes) => vec![(self.metrics, of_metrics), (probes, of_probes)],
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let closing = CancellationToken::new();
        let closed = closing.clone();
        std::thread::Builder::new().name("doors".into()).spawn(move || {
            runtime.block_on(async {
                for (listener, router) in rooms {
                    tokio::spawn(serve(listener, router));
                }
                closed.cancelled().await;
            });
        })?;
        Ok(Open(closing.drop_guard()))
    }
}

async fn numbers(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn live(State(health): State<Health>, uri: Uri) -> Response {
    told(&health.live(), &uri)
}

async fn ready(State(health): State<Health>, uri: Uri) -> Response {
    told(&health.ready(), &uri)
}

/// `ok`, or which check is not, as Kubernetes' own probes say it.
fn told(report: &Report, uri: &Uri) -> Response {
    let is_verbose =
        uri.query().is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose")));
    match report.is_well {
        true if is_verbose => report.lines.clone().into_response(),
        true => "ok\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, report.lines.clone()).into_response(),
    }
}

async fn serve(listener: TcpListener, router: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let seats = Arc::new(Semaphore::new(SEATS));
    // The semaphore is never closed.
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _seat = seat;
            // No HTTP/2: nothing bounds how long one may take to say which of both it speaks.
            let mut builder = Builder::new(hyper_util::rt::TokioExecutor::new()).http1_only();
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(HELLO)
                .max_buf_size(HEADERS);
            let connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            // Who looks comes and goes: their errors are not ours.
            drop(tokio::time::timeout(VISIT, connection).await);
        });
    }
}
