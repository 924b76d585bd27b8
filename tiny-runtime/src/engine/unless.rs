//! Work that ends with the node where it runs, and with the edge that it came over.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::component::Ending;

/// What `work` comes to, unless its node or its edge ends before.
#[must_use = "work is done when this is awaited"]
pub(crate) struct Unless<'a, F> {
    node: &'a Ending,
    edge: &'a Ending,
    work: Pin<&'a mut F>,
    /// Made when the work has to wait.
    waiting: Option<Box<Waiting>>,
}

/// What ended before the work did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Node,
    Edge,
}

struct Waiting {
    node: Pin<Box<WaitForCancellationFutureOwned>>,
    edge: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<'a, F: Future> Unless<'a, F> {
    pub(crate) fn new(node: &'a Ending, edge: &'a Ending, work: Pin<&'a mut F>) -> Self {
        Self { node, edge, work, waiting: None }
    }
}

impl<F: Future> Future for Unless<'_, F> {
    type Output = Result<F::Output, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.node.has_come() {
            return Poll::Ready(Err(Ended::Node));
        }
        if self.edge.has_come() {
            return Poll::Ready(Err(Ended::Edge));
        }
        if let Poll::Ready(done) = self.work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        let (node, edge) = (self.node, self.edge);
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::new(Waiting { node: comes(node), edge: comes(edge) }));
        if waiting.node.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Ended::Node));
        }
        waiting.edge.as_mut().poll(cx).map(|()| Err(Ended::Edge))
    }
}

fn comes(end: &Ending) -> Pin<Box<WaitForCancellationFutureOwned>> {
    Box::pin(end.token().clone().cancelled_owned())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_ends_with_what_it_belongs_to() {
        let (node, edge) = (Ending::default(), Ending::default());
        let mut done = pin!(async { 1 });
        assert_eq!(Unless::new(&node, &edge, done.as_mut()).await, Ok(1));

        let mut never = pin!(std::future::pending::<()>());
        let (ended, ()) = tokio::join!(Unless::new(&node, &edge, never.as_mut()), async {
            tokio::task::yield_now().await;
            edge.come();
        });
        assert_eq!(ended, Err(Ended::Edge));
        let open = Ending::default();
        let (ended, ()) = tokio::join!(Unless::new(&node, &open, never.as_mut()), async {
            tokio::task::yield_now().await;
            node.come();
        });
        assert_eq!(ended, Err(Ended::Node));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_ended_begins_nothing() {
        let (over, open) = (Ending::default(), Ending::default());
        over.come();
        for (node, edge, ended) in [(&over, &open, Ended::Node), (&open, &over, Ended::Edge)] {
            let mut untouched = pin!(async { panic!("it began") });
            let done: Result<(), _> = Unless::new(node, edge, untouched.as_mut()).await;
            assert_eq!(done, Err(ended));
        }
    }
}
