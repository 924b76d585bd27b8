//! The plane as a service that a `kube::Client` speaks to, with no socket in between.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::{Plane, verbs};

/// The way into the plane; cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    plane: Arc<Plane>,
}

impl Door {
    pub(super) fn new(plane: Arc<Plane>) -> Self {
        Self { plane }
    }

    /// Cancelled when the plane shuts down.
    pub(super) fn closing(&self) -> CancellationToken {
        self.plane.closing.clone()
    }

    /// A connection has ended: perhaps its process was killed.
    pub(super) fn part(&self) {
        self.plane.parted.notify_one();
    }

    /// What the plane waits for when it shuts down.
    pub(super) fn talks(&self) -> &TaskTracker {
        &self.plane.talks
    }
}

impl<B> Service<Request<B>> for Door
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
        let plane = Arc::clone(&self.plane);
        Box::pin(async move { Ok(verbs::answer(plane, request.map(Body::new)).await) })
    }
}
