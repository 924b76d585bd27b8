//! A process that listens: its connections, from the first to an orderly end.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tiny_runtime::prelude::*;
use tiny_runtime::tokio;
use tiny_runtime::tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tiny_runtime::tokio::net::{TcpListener, TcpStream};
use tiny_runtime::tokio::task::JoinSet;
use tiny_runtime::tokio::time::{sleep, timeout};
use tiny_runtime::tracing;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::HttpServer;
use super::address::{self, Wanted};
use super::exchange::Exchange;
use super::messages::Start;

/// How long connections that wait for a request are kept at the end: a request may be on its way. Each response says meanwhile that it is the
/// last one.
const LINGER: Duration = Duration::from_millis(500);
/// How long a connection may wait for its next request beyond `readTimeout`: a proxy, which gives up after 60 s as a rule, should be the one
/// to close it.
const BEYOND: Duration = Duration::from_secs(15);
/// Bytes of the line and the headers of a request.
const HEAD: usize = 64 * 1024;
/// How long nothing is accepted after that failed: there are no more files, most often.
const PAUSE: Duration = Duration::from_millis(100);
/// How long is read what nobody wants.
const UNWANTED: Duration = Duration::from_secs(3);
/// How often it looks whether more connections are allowed, when there are as many as may be.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that requests under way have when the server is stopped. When the process is, it waits no longer than it does for any run.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way in that is open until this is dropped.
pub(super) struct Listening {
    terms: Arc<Terms>,
    stop: DropGuard,
}

/// Where it listens, and on which terms.
pub(super) struct Terms {
    address: SocketAddr,
    wanted: Wanted,
    start: Mutex<Arc<Start>>,
    /// True when connections are closed after their next response.
    pub(super) is_leaving: AtomicBool,
}

impl Terms {
    /// How it was started, the last time.
    pub(super) fn start(&self) -> Arc<Start> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listening {
    /// Listens as `start` says. `last` is the port that another replica, or the last process, got where any will do.
    pub(super) fn on(start: &Start, last: u16) -> Result<(Self, TcpListener), String> {
        let wanted = address::wanted(start)?;
        let listener = wanted.listen(last)?;
        let address =
            listener.local_addr().map_err(|e| format!("the listener has no address: {e}"))?;
        let start = Mutex::new(Arc::new(start.clone()));
        let terms = Terms { address, wanted, start, is_leaving: AtomicBool::new(false) };
        let stop = CancellationToken::new().drop_guard();
        Ok((Self { terms: Arc::new(terms), stop }, listener))
    }

    /// True when it does what `start` says, from the next request on.
    pub(super) fn goes_on_with(&self, start: &Start) -> bool {
        let is_same = address::wanted(start).is_ok_and(|wanted| wanted == self.terms.wanted);
        if is_same && *self.terms.start() != *start {
            let mut now = self.terms.start.lock().unwrap_or_else(PoisonError::into_inner);
            *now = Arc::new(start.clone());
        }
        is_same
    }

    pub(super) fn port(&self) -> u16 {
        self.terms.address.port()
    }

    /// How others reach it.
    pub(super) fn url(&self) -> String {
        address::url(self.terms.address)
    }

    /// What does the work.
    pub(super) fn serving(&self) -> Serving {
        Serving { terms: self.terms.clone(), stopped: self.stop.token().clone() }
    }
}

/// The work behind [`Listening`].
pub(super) struct Serving {
    terms: Arc<Terms>,
    stopped: CancellationToken,
}

impl Serving {
    /// Takes connections until it is stopped, the node is removed or the process is about to end; then lets what is under way end.
    pub(super) async fn run(
        self,
        server: Arc<HttpServer>,
        ctx: Ctx,
        listener: TcpListener,
    ) -> Result<()> {
        let intake = ctx.intake();
        let mut connections = JoinSet::new();
        let closing = CancellationToken::new();
        let connect = |stream, peer: SocketAddr| {
            let exchange = Exchange {
                server: server.clone(),
                ctx: ctx.clone(),
                terms: self.terms.clone(),
                unread: AtomicBool::new(false),
                peer: peer.ip().to_canonical(),
            };
            connected(exchange, stream, closing.clone())
        };
        let most = || server.settings.get().max_connections as usize;
        loop {
            let is_full = connections.len() >= most();
            tokio::select! {
                biased;
                () = ctx.cancelled() => break,
                () = self.stopped.cancelled() => break,
                _ = intake.closing() => break,
                Some(_ended) = connections.join_next() => {}
                // Settings may allow more meanwhile.
                () = sleep(LOOK), if is_full => {}
                accepted = listener.accept(), if !is_full => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connect(stream, peer));
                    }
                    Err(e) => {
                        tracing::warn!(node = ctx.node(), "cannot accept a connection: {e}");
                        sleep(PAUSE).await;
                    }
                },
            }
        }
        self.terms.is_leaving.store(true, Ordering::Relaxed);
        // Who is connected, and only waits to be accepted, may have sent a request: it would be reset with the listener.
        let listener = listener.into_std()?;
        while connections.len() < most()
            && let Ok((stream, peer)) = listener.accept()
        {
            if let Ok(stream) =
                stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream))
            {
                connections.spawn(connect(stream, peer));
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        let mut all = pin!(all);
        let ended = async {
            if timeout(LINGER, &mut all).await.is_err() {
                closing.cancel();
                all.await;
            }
        };
        if timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!(node = ctx.node(), "requests under way did not end within {PATIENCE:?}");
        }
        Ok(())
    }
}

/// One connection, with one request after the other.
async fn connected(exchange: Exchange, stream: TcpStream, closing: CancellationToken) {
    let start = exchange.terms.start();
    // Answers are small and whole: nothing is gained by waiting for more.
    let _best_effort = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(start.write_limit()));
    let service = service_fn(|request| Box::pin(exchange.answered(request)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(start.read_limit() + BEYOND)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let ended = tokio::select! {
        biased;
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = closing.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    // How it ends is the client's affair: it went away, or spoke no HTTP and was told so.
    let is_told = ended.as_ref().map_or_else(hyper::Error::is_parse, |()| true);
    if is_told && stream.shutdown().await.is_ok() && (ended.is_err() || exchange.has_unread()) {
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            () = discarded(&mut stream) => {}
        }
    }
}

/// Reads what a client goes on to send that was refused before it had sent all. Closed with something unread, the connection would be reset, and
/// the client would not see why.
async fn discarded(stream: &mut (impl AsyncRead + Unpin)) {
    let mut unwanted = vec![0; 16 * 1024];
    let reading = async { while stream.read(&mut unwanted).await.is_ok_and(|some| some > 0) {} };
    let _slow = timeout(UNWANTED, reading).await;
}
