//! One request and its response.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Version};
use tiny_runtime::prelude::*;
use tiny_runtime::serde_json::{self, Value};
use tiny_runtime::tokio::time::Instant;
use tiny_runtime::tracing;

use super::body::{self, Held, Unread};
use super::listening::Terms;
use super::messages::{Answer, Asked, Verb};
use super::routes::Taken;
use super::{HttpServer, Made};
use crate::header::{self, Header};

/// What the requests of one connection share.
pub(super) struct Exchange {
    pub(super) server: Arc<HttpServer>,
    pub(super) ctx: Ctx,
    pub(super) terms: Arc<Terms>,
    pub(super) peer: IpAddr,
    /// Set where a body was refused before all of it had been read.
    pub(super) unread: AtomicBool,
}

/// Why a request does not come to the flow: the client's fault, so that the status says 4xx.
struct Refusal {
    status: StatusCode,
    text: &'static str,
    allow: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text, allow: None }
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than may be sent here")
            }
            Unread::TooManyValues => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the JSON of the body has more values than may be sent here",
            ),
            Unread::TooMany => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too much is being sent at once; try again in a moment",
            ),
            Unread::TooSlow => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
            }
            Unread::Broken => Self::new(StatusCode::BAD_REQUEST, "the body is not as it says"),
        }
    }
}

impl Exchange {
    /// The response to a request, whatever happens.
    pub(super) async fn answered(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, mut body) = request.into_parts();
        // Where two lengths are said, a proxy may have read the other one: nothing that comes after such a body is believed.
        let is_chunked = head.headers.contains_key(TRANSFER_ENCODING);
        let (mut response, is_last) = match self.flow(&head, &mut body).await {
            Ok(response) => (response, is_chunked),
            Err(refusal) => {
                let is_read = body.is_end_stream();
                self.unread.store(!is_read, Ordering::Relaxed);
                let is_believed = refusal.status != StatusCode::BAD_REQUEST;
                (refused(refusal), is_chunked || !is_read || !is_believed)
            }
        };
        if is_last || self.terms.is_leaving.load(Ordering::Relaxed) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let status = status_label(response.status());
        self.ctx.counter("requests").label("status", status).add(1);
        Ok(response)
    }

    /// Whether the client has more to send that nobody has read.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// Asks the flow.
    async fn flow(
        &self,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let (start, settings) = (self.terms.start(), self.server.settings.get());
        let (method, host) = acceptable(head)?;
        let made = self.server.made();
        let (route, path_params) = match made.routes.take(method, head.uri.path()) {
            Taken::Any => (None, BTreeMap::new()),
            Taken::Route(route, params) => (Some(route), params),
            Taken::Methods(allow) => {
                let text = "this cannot be done here";
                let status = StatusCode::METHOD_NOT_ALLOWED;
                return Err(Refusal { status, text, allow: Some(allow) });
            }
            Taken::Nowhere => return Err(Refusal::new(StatusCode::NOT_FOUND, "nothing is here")),
        };
        let limit = start.read_limit();
        let read = body::read(body, settings.max_body_size, limit, &self.server.bodies);
        // Held for as long as the flow has it.
        let (body, mut held): (Bytes, Held) = read.await?;
        if is_json(&head.headers) {
            held.values(&body)?;
        }
        let limit = start.write_limit();
        let run = self.ctx.new_run("request");
        let came = Came { head, method, host, path_params, body };
        let asked = self.asked(&run, start.context.clone(), came, &made)?;
        let (server, end) = (&self.server, Instant::now() + limit);
        let asking = |ctx| async move { server.ask(&ctx, route, asked).await };
        let said = run.within(limit, asking).await;
        Ok(response(&run, end, said))
    }

    fn asked(
        &self,
        ctx: &Ctx,
        context: Json,
        came: Came<'_>,
        made: &Made,
    ) -> Result<Asked, Refusal> {
        let Came { head, method, host, path_params, body } = came;
        let json = match is_json(&head.headers) && !body.is_empty() {
            false => Value::Null,
            true => serde_json::from_slice(&body).map_err(|_| {
                Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "the body is no JSON, although its type says so",
                )
            })?,
        };
        let (body, is_base64) = match String::from_utf8(body.into()) {
            Ok(text) => (text, false),
            Err(e) => (STANDARD.encode(e.as_bytes()), true),
        };
        let mut request_params: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
        {
            request_params.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let (origin, scheme) = made.trusted.origin(self.peer, &head.headers);
        let uri = head.uri.path_and_query();
        Ok(Asked {
            context,
            request_id: uuid(&ctx.run().id().to_string()),
            request_uri: uri.map_or("/", |it| it.as_str()).to_owned(),
            request_params,
            path_params,
            host,
            method,
            real_ip: origin.to_string(),
            headers: headers(&head.headers),
            body,
            is_base64,
            json: json.into(),
            scheme: scheme.to_owned(),
        })
    }
}

/// What comes of what the flow has said. Its time was over at `end`.
fn response(ctx: &Ctx, end: Instant, said: Result<Option<Answer>>) -> Response<Full<Bytes>> {
    let (status, why) = match said {
        Ok(Some(answer)) => match written(answer) {
            Ok(response) => return response,
            Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("invalid response: {why}")),
        },
        Ok(None) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "invalid response: nothing replied; an edge should lead to the port `response`".into(),
        ),
        Err(e) => {
            let status = match (end <= Instant::now(), e.is_retryable()) {
                (true, _) => StatusCode::GATEWAY_TIMEOUT,
                (false, true) => StatusCode::SERVICE_UNAVAILABLE,
                (false, false) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, e.to_string())
        }
    };
    let run = ctx.run().id();
    tracing::warn!(node = ctx.node(), %run, "a request gets {status}: {why}");
    // What went wrong inside is not for everybody who asks.
    let id = uuid(&run.to_string());
    plain(status, format!("the flow behind this has failed; its log says why (request {id})\n"))
}

/// What came of a request.
struct Came<'a> {
    head: &'a Parts,
    method: Verb,
    host: String,
    path_params: BTreeMap<String, String>,
    body: Bytes,
}

/// The method and the host of a request that is one, and that is understood by whoever passed it on as it is here.
fn acceptable(head: &Parts) -> Result<(Verb, String), Refusal> {
    let bad = |text| Refusal::new(StatusCode::BAD_REQUEST, text);
    let Some(method) = Verb::of(head.method.as_str()) else {
        let allow = Verb::ALL.map(Verb::name).join(", ");
        let text = "there is no such method here";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(Refusal { status, text, allow: Some(allow) });
    };
    if head.headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(bad("the length of the body is said twice"));
    }
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(bad("a body may come in chunks, and in no other coding"));
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map_err(|_| bad("the host is no text"))?,
        (None, _) if head.version < Version::HTTP_11 => "",
        (None, _) => return Err(bad("the host is missing")),
        (Some(_), Some(_)) => return Err(bad("the host is said twice")),
    };
    // What stands in the request line comes before what stands in the header.
    let host = head.uri.authority().map_or(host, |authority| authority.as_str());
    Ok((method, host.to_owned()))
}

/// As flows have them, in the order of their names. How the message was framed, and for whom, is not among them.
fn headers(headers: &HeaderMap) -> Vec<Header> {
    let is_told = |name: &HeaderName| *name != HOST && *name != TRANSFER_ENCODING;
    let told = headers.iter().filter(|(name, _)| is_told(name));
    let mut told: Vec<Header> = told.map(|(name, value)| Header::of(name, value)).collect();
    told.sort_by(|one, other| one.key.cmp(&other.key));
    told
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()) else {
        return false;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// An id of 32 digits as UUIDs are written.
fn uuid(id: &str) -> String {
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| id.get(part).unwrap_or_default());
    parts.join("-")
}

/// The response that the flow wants.
fn written(answer: Answer) -> Result<Response<Full<Bytes>>, String> {
    let status = StatusCode::from_u16(answer.status_code).map_err(|e| e.to_string())?;
    if status.is_informational() {
        return Err(format!("{status} is not the end of a response"));
    }
    let (body, kind) = match (&*answer.body, answer.is_base64) {
        (Value::Null, _) => (Bytes::new(), ""),
        (Value::String(text), true) => {
            let bytes = STANDARD.decode(text);
            let bytes = bytes.map_err(|e| format!("the body is no base64: {e}"))?;
            (bytes.into(), "application/octet-stream")
        }
        (_, true) => return Err("a body of base64 is a text".into()),
        (Value::String(text), false) => {
            (Bytes::copy_from_slice(text.as_bytes()), "text/plain; charset=utf-8")
        }
        (any, false) => {
            let text = serde_json::to_vec(any).map_err(|e| e.to_string())?;
            (text.into(), "application/json")
        }
    };
    let mut headers = header::map(&answer.headers)?;
    let is_said = !answer.content_type.is_empty();
    let kind = if is_said { &answer.content_type } else { kind };
    if is_said || (!kind.is_empty() && !headers.contains_key(CONTENT_TYPE)) {
        headers.insert(CONTENT_TYPE, header::value_of("contentType", kind)?);
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let mut response = plain(refusal.status, format!("{}\n", refusal.text));
    if let Some(allow) = refusal.allow.and_then(|it| HeaderValue::from_str(&it).ok()) {
        response.headers_mut().insert(ALLOW, allow);
    }
    if refusal.status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Of each hundred one label: more would be for anybody to choose.
fn status_label(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_type() {
        let said = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
            is_json(&headers)
        };
        assert!(said("application/json; charset=utf-8"));
        assert!(said("Application/Problem+JSON"));
        assert!(!said("text/plain"));
        assert!(!said("application/jsonl"));
    }

    #[test]
    fn a_run_gives_a_uuid() {
        assert_eq!(
            uuid("0123456789abcdef0123456789abcdef"),
            "01234567-89ab-cdef-0123-456789abcdef"
        );
    }
}
