//! One message at its node: what a hop goes through.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use futures::future::Either;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::admission::Target;
use super::retry::{self, Retry};
use super::runner::{Guarded, Runner};
use super::trace;
use super::unless::{Ended, Unless};
use super::{Envelope, RetryBounds};
use crate::component::{
    Body, BoxFuture, Ctx, End, Error, Hop, Kind, Line, Reply, Result, Role, panic,
};

impl Runner {
    /// Handles one envelope, with every promise of a hop: bounds, permit, retries, cancellation, the error port.
    pub(crate) fn handle(
        self: Arc<Self>,
        envelope: Envelope,
    ) -> impl Future<Output = Result<Reply>> + Send {
        match self.receive(envelope) {
            Ok(arrival) => Either::Left(arrival.handled()),
            Err(error) => Either::Right(ready(Err(error))),
        }
    }

    /// Takes an envelope in. Nothing happens before [`Arrival::handled`] is awaited.
    ///
    /// # Errors
    /// When the run or its path is over its bounds.
    pub(crate) fn receive(self: Arc<Self>, envelope: Envelope) -> Result<Arrival> {
        let depth = envelope.depth();
        let Envelope { line, body, run, sender, bounds, deadline, expires } = envelope;
        run.enter(depth, &line)?;
        let span = trace::hop(&self.info.name, &line, &run, &sender);
        let parent = trace::told(&sender);
        let hop = Guarded(Ctx::new(Hop {
            run,
            outlet: self.clone(),
            sender,
            line,
            depth,
            deadline: deadline.into_iter().chain(expires).min(),
            span,
            parent,
            end: End::default(),
        }));
        let arrival = Arrival { runner: self, hop, body, bounds, deadline, expires };
        if let Some(observer) = &arrival.runner.around.observer {
            observer.came(arrival.hop.0.hop(), &arrival.body);
        }
        Ok(arrival)
    }
}

/// A message that has come to its node.
pub(crate) struct Arrival {
    pub(super) runner: Arc<Runner>,
    pub(super) hop: Guarded,
    pub(super) body: Body,
    pub(super) bounds: RetryBounds,
    /// When all that the caller does must have ended.
    pub(super) deadline: Option<Instant>,
    /// When this hop must have ended: the timeout of its edge.
    pub(super) expires: Option<Instant>,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if let Some(observer) = &self.runner.around.observer {
            observer.left(self.hop.0.hop());
        }
    }
}

impl Arrival {
    fn line(&self) -> &Arc<Line> {
        &self.hop.0.hop().line
    }

    /// What the hop comes to. What is rare on the way is in boxes of its own: a hop is moved and allocated whole, so it must be
    /// small. For that reason, too, this is no `async fn`, which would keep `self` twice.
    #[allow(clippy::manual_async_fn, reason = "see above")]
    pub(crate) fn handled(self) -> impl Future<Output = Result<Reply>> + Send {
        async move {
            let began = self.runner.tally.begin();
            let work = pin!(self.answered());
            let done = Unless::new(&self.runner.removed, &self.line().removed, work);
            let span = &self.hop.0.hop().span;
            // A span that nobody sees is not entered either: that costs, where the `log` feature of tracing is on.
            let done = match span.is_none() {
                true => done.await,
                false => Box::pin(done.instrument(span.clone())).await,
            };
            let result = match done {
                Ok(result) => result,
                Err(Ended::Edge) => Err(edge_gone(self.line())),
                Err(Ended::Node) => Err(self.runner.gone()),
            };
            self.runner.tally.end(began, &result);
            if let Err(error) = &result
                && !span.is_none()
            {
                trace::failed(span, error);
            }
            if let Some(observer) = &self.runner.around.observer {
                observer.done(self.hop.0.hop(), &result);
            }
            result
        }
    }

    /// The reply of the hop, or of what catches its failure.
    async fn answered(&self) -> Result<Reply> {
        let result = match self.expires {
            None => self.admitted().await,
            Some(expires) => self.in_time(expires).await,
        };
        match result {
            Ok(reply) => Ok(reply.answered_by(self.line())),
            Err(error) if matches!(error.kind(), Kind::Permanent | Kind::Exhausted) => {
                self.caught(error).await
            }
            Err(error) => Err(error),
        }
    }

    fn in_time(&self, expires: Instant) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(async move {
            let done = timeout_at(expires, self.admitted()).await;
            done.unwrap_or_else(|_| {
                let limit = self.bounds.timeout.unwrap_or_default();
                Err(Error::exhausted(format!(
                    "`{}` did not end within the {limit:?} that its edge allows",
                    self.line()
                )))
            })
        })
    }

    /// Waits for a permit, then tries until done.
    async fn admitted(&self) -> Result<Reply> {
        let runner = &*self.runner;
        let port = match runner.target_now(&self.line().to.port) {
            Some(port) => port,
            None => runner.target(&self.line().to.port).await?,
        };
        // What people do on a dashboard gets through to a node that is busy: it may be what stops it.
        let _permit = match (port.role, runner.permits.try_acquire()) {
            (Role::Control, _) => None,
            (_, Ok(permit)) => Some(permit),
            (_, Err(_)) => runner.permit(&self.hop.0).await?,
        };
        match self.attempt(&port).await {
            Err(error) if retry::may_pass(&error) => self.again(error, &port).await,
            done => done,
        }
    }

    /// The attempts that follow a first one.
    fn again<'a>(&'a self, error: Error, port: &'a Target) -> BoxFuture<'a, Result<Reply>> {
        let (runner, ctx) = (&*self.runner, &self.hop.0);
        let attempt = move || self.attempt(port);
        let waiting = move |retry: Retry<'_>| runner.log_retry(&self.line().to.port, ctx, &retry);
        let (deadline, dice) = (ctx.deadline(), &*runner.around.dice);
        Box::pin(retry::again(error, self.bounds, deadline, dice, attempt, waiting))
    }

    /// Calls the author's method once. A panic is a permanent error of this hop and hurts nobody else.
    async fn attempt(&self, port: &Target) -> Result<Reply> {
        let runner = &*self.runner;
        // The message is decoded in the call, and code of the author's may run there too.
        let call = || runner.instance.handle(port.row, port.item(), &self.hop.0, &self.body);
        let done = match panic::caught(call) {
            Ok(call) => panic::caught_while(call).await,
            Err(text) => Err(text),
        };
        done.unwrap_or_else(|text| {
            let name = &runner.info.name;
            tracing::error!(
                node = name,
                port = &*self.line().to.port,
                "the component panicked: {text}"
            );
            Err(Error::permanent(format!("the component of node `{name}` panicked: {text}")))
        })
    }

    /// What the error port comes to. It has the time of the caller, not what is left of the hop.
    fn caught(&self, error: Error) -> BoxFuture<'_, Result<Reply>> {
        let hop = self.hop.0.hop();
        hop.end.come();
        let after = Guarded(Ctx::new(Hop {
            run: hop.run.clone(),
            outlet: self.runner.clone(),
            sender: hop.sender.clone(),
            line: hop.line.clone(),
            depth: hop.depth,
            deadline: self.deadline,
            span: hop.span.clone(),
            parent: hop.parent,
            end: End::default(),
        }));
        Box::pin(async move {
            self.runner.caught(&self.line().to.port, &after.0, &self.body, error).await
        })
    }
}

pub(super) fn edge_gone(line: &Line) -> Error {
    Error::cancelled(format!("edge `{}` was removed", line.edge.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is allocated for every hop, and moved before that.
    #[test]
    fn a_hop_is_small() {
        fn size_of_future<A, F>(_: impl Fn(A) -> F) -> usize {
            size_of::<F>()
        }
        let size = size_of_future(Arrival::handled);
        assert!(size <= 640, "{size} bytes: which rare thing has no box of its own?");
    }
}
