//! Connections of other modules, no more at once than there are seats.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Connections at once; more wait in the system's queue.
const SEATS: usize = 256;
/// How long somebody who has connected may say less than the first words of HTTP/2, of which there are so many bytes. Later it is asked whether
/// it is there.
const HELLO: (Duration, usize) = (Duration::from_secs(10), 33);
/// How long to wait when the system has no more files to give.
const BREATH: Duration = Duration::from_millis(100);

/// Connections as they come. Each ends at `stop`: tonic gives every one a task that outlives its server.
pub(super) fn incoming(
    listener: TcpListener,
    stop: CancellationToken,
) -> impl Stream<Item = io::Result<Guest>> + Send {
    let seats = Arc::new(Semaphore::new(SEATS));
    futures::stream::unfold((listener, seats, stop), |(listener, seats, stop)| async move {
        loop {
            // The semaphore is never closed.
            let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, _)) => {
                    stream.set_nodelay(true).unwrap_or_default();
                    let guest = Guest {
                        stream,
                        hello: Some((Box::pin(sleep(HELLO.0)), HELLO.1)),
                        stop: Box::pin(stop.clone().cancelled_owned()),
                        _seat: seat,
                    };
                    return Some((Ok(guest), (listener, seats, stop)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection of another module");
                    sleep(BREATH).await;
                }
            }
        }
    })
}

/// A connection with its seat.
pub(super) struct Guest {
    stream: TcpStream,
    /// Until when the first bytes must have come, and how many are missing.
    hello: Option<(Pin<Box<Sleep>>, usize)>,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    _seat: OwnedSemaphorePermit,
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let guest = &mut *self;
        if guest.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if let Some((hello, _)) = &mut guest.hello
            && hello.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut guest.stream).poll_read(cx, buffer))?;
        let came = buffer.filled().len().saturating_sub(before);
        guest.hello = guest.hello.take().filter(|(_, missing)| *missing > came);
        if let Some((_, missing)) = &mut guest.hello {
            *missing -= came;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Guest {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        let address = |address: io::Result<SocketAddr>| address.ok();
        TcpConnectInfo {
            local_addr: address(self.stream.local_addr()),
            remote_addr: address(self.stream.peer_addr()),
        }
    }
}
