//! A message on its way over an edge, with room on the stack for all that follows it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::component::{BoxFuture, Reply, Result};

/// Room on the stack for the hops until somebody looks again, and for what authors' methods do between two sends. 512 KiB is
/// thirty hops of a build without optimization.
const ROOM: usize = 512 * 1024;
/// Every so many hops the stack is looked at.
const LOOKS: u16 = 8;
/// The stack that is made where there is less.
const STACK: usize = 2 * 1024 * 1024;

/// What a hop comes to, and all that it causes: the future of each hop lies in that of its sender.
///
/// A run is polled, and dropped, from the trigger down to its deepest hop, so the stack must hold a path of any legal length. Where it
/// comes to its end, it goes on elsewhere: a task for every so many hops would do the same, but everything above would have to
/// wait for that task, which costs more than the hops.
#[must_use = "a message is sent when this is awaited"]
pub struct Crossing {
    hop: Option<BoxFuture<'static, Result<Reply>>>,
    /// Whether to look at the stack.
    looks: bool,
}

impl Crossing {
    /// A hop that is `depth` hops away from its trigger.
    pub(crate) fn new(
        depth: u16,
        hop: impl Future<Output = Result<Reply>> + Send + 'static,
    ) -> Self {
        Self { hop: Some(Box::pin(hop)), looks: depth.is_multiple_of(LOOKS) }
    }
}

impl Future for Crossing {
    type Output = Result<Reply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let looks = self.looks;
        match &mut self.hop {
            Some(hop) if looks => stacker::maybe_grow(ROOM, STACK, || hop.as_mut().poll(cx)),
            Some(hop) => hop.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        if self.looks {
            stacker::maybe_grow(ROOM, STACK, || drop(self.hop.take()));
        }
    }
}

impl fmt::Debug for Crossing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Crossing").finish()
    }
}
