//! What can be asked of the plane: one file a verb.

mod create;
mod delete;
mod read;
mod update;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use super::failure::{Failure, quoted};
use super::index::{Key, Stored};
use super::kinds::Kind;
use super::request::{Parameters, Shape, Target};
use super::selector::Selector;
use super::table::{Include, partial};
use super::{Plane, discovery, form};

/// Most bytes of a request's body.
pub(super) const BODY: usize = 8 * 1024 * 1024;

/// A request for a resource, understood.
pub(super) struct Call {
    plane: Arc<Plane>,
    kind: Arc<Kind>,
    target: Target,
    parameters: Parameters,
    headers: HeaderMap,
    shape: Shape,
}

/// Answers any request; a refusal is an answer too.
pub(super) async fn answer(plane: Arc<Plane>, request: Request<Body>) -> Response<Body> {
    match route(plane, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn route(plane: Arc<Plane>, request: Request<Body>) -> Result<Response<Body>, Failure> {
    if let Some(known) = discovery::answer(&plane, &request) {
        return known;
    }
    let (head, body) = request.into_parts();
    let target = Target::parse(head.uri.path(), &plane.kinds)?;
    let call = Call {
        kind: Arc::clone(&target.kind),
        parameters: Parameters::parse(&head.uri)?,
        shape: Shape::accepted(&head.headers),
        headers: head.headers,
        plane,
        target,
    };
    let named = call.target.name.is_some();
    let writes = !call.kind.read_only;
    if matches!(head.method, Method::POST | Method::PUT) {
        expect_json(&call.headers)?;
    }
    match head.method {
        Method::GET if named => call.get(),
        Method::GET if call.parameters.flag("watch") => call.watch(),
        Method::GET => call.list(),
        Method::POST if writes && !named => call.create(read_body(body).await?).await,
        Method::PUT if writes && named => call.replace(read_body(body).await?).await,
        Method::PATCH if writes && named => call.patch(read_body(body).await?).await,
        Method::DELETE if writes && named && !call.target.status => {
            call.delete(read_body(body).await?).await
        }
        Method::DELETE if writes && !named => call.delete_collection(read_body(body).await?).await,
        _ => Err(Failure::no_such_verb()),
    }
}

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);

async fn read_body(body: Body) -> Result<Bytes, Failure> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The limit is the only thing that fails here, besides a client that went away.
        Ok(Err(_)) => Err(Failure::too_large(BODY)),
        Err(_) => Err(Failure::bad_request("the body did not arrive within 60 s")),
    }
}

/// Refuses a body of an object that is not JSON.
fn expect_json(headers: &HeaderMap) -> Result<(), Failure> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match content.unwrap_or_default().split(';').next().unwrap_or_default().trim() {
        "" | "application/json" => Ok(()),
        other => Err(Failure::unsupported_media(format!(
            "the body of the request was in an unknown format - accepted media types include: \
             application/json (it is `{other}`; with kubectl, `apply -f` a file)"
        ))),
    }
}

impl Call {
    /// Where the named object is kept.
    fn key(&self, name: &str) -> Key {
        Key {
            kind: self.kind.home,
            namespace: self.target.namespace.clone().unwrap_or_default(),
            name: name.to_owned(),
        }
    }

    fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    fn selector(&self) -> Result<Selector, Failure> {
        let text = |name| self.parameters.text(name);
        Selector::parse(text("labelSelector"), text("fieldSelector"), &self.kind)
    }

    fn include(&self) -> Include {
        Include::parse(self.parameters.text("includeObject"))
    }

    /// One object in the accepted form. `definitions` says whether a table describes its columns.
    fn shaped(&self, stored: &Stored, definitions: bool) -> Bytes {
        let value = match self.shape {
            Shape::Whole => return form::text(&self.kind, stored),
            Shape::Partial => partial(&stored.value()),
            Shape::Table => {
                let rows = [stored.value()];
                self.kind.columns.table(&rows, Some(stored.version), self.include(), definitions)
            }
        };
        Bytes::from(value.to_string())
    }

    /// An answer with one object.
    fn object(&self, status: StatusCode, stored: &Stored, warnings: &[String]) -> Response<Body> {
        let mut response = json(status, self.shaped(stored, true));
        for warning in warnings {
            let text = format!("299 - {}", quoted(warning));
            // A field name may hold anything; what no header can carry is left out.
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
        response
    }
}

/// An answer with JSON.
pub(super) fn json(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
