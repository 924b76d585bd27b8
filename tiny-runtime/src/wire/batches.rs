//! A queue as a connection takes it: in batches.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;

/// What is sent over a connection. The connection writes whenever nothing more is there, and each write is a call of the system. So who
/// comes first after a pause waits until all tasks that can run have run: they may have something to send too.
pub(super) struct Batches<T> {
    queue: mpsc::Receiver<T>,
    /// Whether nothing was there when it was looked at last.
    is_idle: bool,
}

impl<T> Batches<T> {
    pub(super) fn of(queue: mpsc::Receiver<T>) -> Self {
        Self { queue, is_idle: false }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.is_idle && !self.queue.is_empty() {
            self.is_idle = false;
            // At the end of the line of those that can run.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = self.queue.poll_recv(cx);
        self.is_idle = next.is_pending();
        next
    }
}

impl<T> Stream for Batches<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_next(cx)
    }
}

impl<T> Unpin for Batches<T> {}
