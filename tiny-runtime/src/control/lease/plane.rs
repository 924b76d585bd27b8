//! The API server of one lease, and links to it that fail in all ways that links fail.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use k8s_openapi::api::coordination::v1::Lease as Record;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::service_fn;

pub(super) type Shared<T> = Arc<Mutex<T>>;

pub(super) fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap()
}

/// The API server of one lease, as far as that goes without a server.
#[derive(Default)]
pub(super) struct Plane {
    pub(super) record: Option<Record>,
    version: u64,
    pub(super) writes: Vec<Write>,
}

/// A write that was stored.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) method: Method,
    pub(super) at: Instant,
    pub(super) holder: String,
    pub(super) term: i32,
}

/// What happens to the requests of one process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    Fine,
    /// Answers 500.
    Fails,
    /// Never arrives.
    Hangs,
    /// Is carried out, and the answer is lost.
    LosesAnswers,
    /// Is carried out after this many milliseconds, whether or not anybody still waits.
    Delays(u64),
    /// Somebody else touches the record first.
    Races,
}

impl Plane {
    fn answer(&mut self, method: &Method, sent: Option<Record>) -> (StatusCode, Value) {
        let refusal = |code: StatusCode, reason: &str| {
            let code_number = code.as_u16();
            (
                code,
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": reason, "reason": reason, "code": code_number}),
            )
        };
        let version = |record: &Record| record.metadata.resource_version.clone();
        match (method, sent, &self.record) {
            (&Method::GET, _, None) => refusal(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::GET, _, Some(record)) => (StatusCode::OK, json!(record)),
            (&Method::POST, _, Some(_)) => refusal(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::POST, Some(sent), None) => (StatusCode::CREATED, self.store(method, sent)),
            (&Method::PUT, _, None) => refusal(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::PUT, Some(sent), Some(record)) if version(&sent) != version(record) => {
                refusal(StatusCode::CONFLICT, "Conflict")
            }
            (&Method::PUT, Some(sent), Some(_)) => (StatusCode::OK, self.store(method, sent)),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    pub(super) fn store(&mut self, method: &Method, mut record: Record) -> Value {
        let spec = record.spec.clone().unwrap_or_default();
        self.writes.push(Write {
            method: method.clone(),
            at: Instant::now(),
            holder: spec.holder_identity.unwrap_or_default(),
            term: spec.lease_transitions.unwrap_or_default(),
        });
        self.version += 1;
        record.metadata.resource_version = Some(self.version.to_string());
        let stored = json!(record);
        self.record = Some(record);
        stored
    }

    pub(super) fn touch(&mut self) {
        self.version += 1;
        if let Some(record) = &mut self.record {
            record.metadata.resource_version = Some(self.version.to_string());
        }
    }
}

pub(super) fn connect(plane: Shared<Plane>, link: Shared<Link>) -> Client {
    let serve = move |request: Request<Body>| {
        let (plane, link) = (Arc::clone(&plane), *lock(&link));
        async move { Ok::<_, std::convert::Infallible>(respond(plane, link, request).await) }
    };
    Client::new(service_fn(serve), "ns")
}

async fn respond(plane: Shared<Plane>, link: Link, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";
    let named = format!("{path}/hello-module-lock");
    assert_eq!(head.uri.path(), if head.method == Method::POST { path } else { &named });
    let body = body.collect_bytes().await.unwrap();
    let sent = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap());
    let carried_out = async move {
        if let Link::Delays(millis) = link {
            sleep(Duration::from_millis(millis)).await;
        }
        let mut plane = lock(&plane);
        if link == Link::Races && head.method != Method::GET {
            plane.touch();
        }
        plane.answer(&head.method, sent)
    };
    let (code, answer) = match link {
        Link::Hangs => std::future::pending().await,
        Link::Fails => (StatusCode::INTERNAL_SERVER_ERROR, json!({"kind": "Status", "code": 500})),
        Link::LosesAnswers => {
            carried_out.await;
            std::future::pending().await
        }
        _ => tokio::spawn(carried_out).await.unwrap(),
    };
    Response::builder().status(code).body(Body::from(answer.to_string().into_bytes())).unwrap()
}
