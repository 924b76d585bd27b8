//! `http_client`: asks a server.

mod client;
mod failed;

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use tiny_runtime::prelude::*;

use self::client::{Made, REDIRECTED};
use self::failed::{Failed, Limit};
use crate::header::{self, Header};

/// Where requests may go, and how much comes back.
#[message(default)]
#[derive(PartialEq)]
pub(crate) struct ClientSettings {
    /// Whether responses from 400 on have a port of their own.
    pub(crate) enable_error_port: bool,
    /// Networks, addresses and hosts that are not public and may be asked all the same: `10.0.0.0/8`, `127.0.0.1`, `api.internal`, `*.internal`.
    pub(crate) allow: Vec<String>,
    /// How many redirects are followed.
    #[ui(maximum = 20)]
    pub(crate) max_redirects: u32,
    /// How many bytes a response may have, unpacked.
    #[ui(minimum = 1, maximum = 104_857_600)]
    pub(crate) max_response_bytes: u64,
    /// Certificates to trust beside those of the system, PEM.
    #[ui(format = "textarea")]
    pub(crate) ca_certificates: String,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            enable_error_port: false,
            allow: Vec::new(),
            max_redirects: 5,
            max_response_bytes: 2 * 1024 * 1024,
            ca_certificates: String::new(),
        }
    }
}

/// What is done.
#[message]
#[derive(Copy, Default, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// Reads.
    #[default]
    Get,
    /// Sends.
    Post,
    /// Changes a part.
    Patch,
    /// Puts in the place of what is there.
    Put,
    /// Deletes.
    Delete,
    /// Reads the headers.
    Head,
    /// Asks what may be done.
    Options,
}

impl Method {
    fn name(self) -> reqwest::Method {
        match self {
            Self::Get => reqwest::Method::GET,
            Self::Post => reqwest::Method::POST,
            Self::Patch => reqwest::Method::PATCH,
            Self::Put => reqwest::Method::PUT,
            Self::Delete => reqwest::Method::DELETE,
            Self::Head => reqwest::Method::HEAD,
            Self::Options => reqwest::Method::OPTIONS,
        }
    }

    /// Whether a body is expected with it.
    fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Patch | Self::Put)
    }

    /// Whether doing it twice is as doing it once.
    fn may_be_repeated(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

/// Who asks.
#[message]
#[serde(tag = "scheme", rename_all = "lowercase")]
pub(crate) enum Auth {
    /// Whoever has a token.
    Bearer {
        /// The token.
        token: Secret<String>,
    },
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret<String>,
    },
}

impl Auth {
    /// What stands in the header `Authorization`.
    fn value(&self) -> Result<HeaderValue, String> {
        let text = match self {
            Self::Bearer { token } => format!("Bearer {}", token.expose()),
            Self::Basic { user, password } => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
            }
        };
        let mut value = header::value_of("authorization", &text)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// What is asked.
#[message]
pub(crate) struct Request {
    /// What is handed on.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) context: Json,
    /// What is done.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) method: Method,
    /// The longest time for all of it, in seconds.
    #[ui(configurable, minimum = 1, maximum = 3600)]
    #[serde(default = "ten")]
    pub(crate) timeout: u64,
    /// Where.
    #[ui(configurable, format = "uri", title = "URL", minLength = 1)]
    pub(crate) url: String,
    /// What is added to the path of the URL, perhaps with a query: `/orders/7?full=1`. It never leads to another host, nor out of that path.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) path: String,
    /// Headers of the request.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) headers: Vec<Header>,
    /// What the body is, where there is one.
    #[ui(configurable)]
    #[serde(default = "of_json")]
    pub(crate) content_type: String,
    /// The body; none is sent where it is empty.
    #[ui(configurable, format = "textarea")]
    #[serde(default)]
    pub(crate) body: String,
    /// Whether the body is a text of base64, to be sent as the bytes that it stands for.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) is_base64: bool,
    /// Who asks. It takes the place of any `Authorization` in the headers, and of a user in the URL.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) auth: Option<Auth>,
}

fn ten() -> u64 {
    10
}

fn of_json() -> String {
    "application/json".into()
}

/// What a server has said.
#[message]
pub(crate) struct Said {
    /// Its headers.
    pub(crate) headers: Vec<Header>,
    /// Such as `200 OK`.
    pub(crate) status: String,
    /// Such as 200.
    #[ui(minimum = 100, maximum = 599)]
    pub(crate) status_code: u16,
    /// The body: text of UTF-8 as it is, anything else in base64.
    pub(crate) body: String,
    /// Whether the body is in base64.
    pub(crate) is_base64: bool,
}

/// What came back.
#[message]
pub(crate) struct Answered {
    /// What came with the request.
    #[ui(shared)]
    pub(crate) context: Json,
    /// What the server has said.
    #[ui(shared)]
    pub(crate) response: Said,
}

/// What came back and is no good.
#[message]
pub(crate) struct Refused {
    /// What came with the request.
    #[ui(shared)]
    pub(crate) context: Json,
    /// What the server has said.
    #[ui(shared)]
    pub(crate) response: Said,
    /// In words.
    pub(crate) error: String,
}

/// Asks a server over HTTP.
///
/// Only public addresses are asked, unless `allow` in the settings names others; that is looked at again at each redirect and when a name is
/// resolved. A server that cannot be reached is asked again as the edge says; what may already have been done is not done twice.
#[component(name = "http_client", tags = ["http"])]
#[derive(Default)]
pub(crate) struct HttpClient {
    settings: Settings<ClientSettings>,
    /// What the settings have made.
    made: Mutex<Option<Made>>,
}

impl HttpClient {
    fn has_error(&self) -> bool {
        self.settings.get().enable_error_port
    }

    /// What the last settings have made. The hook makes it before any message comes.
    fn made(&self) -> Result<Made> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        made.ok_or_else(|| Error::transient("the settings are not in force yet"))
    }
}

/// Where a message wants to go.
fn place(message: &Request) -> Result<Url, String> {
    let Request { url, path, .. } = message;
    let mut place = Url::parse(url)
        .map_err(|e| format!("`url` is no URL: {e}; write one like `https://host/path`"))?;
    if path.is_empty() {
        return Ok(place);
    }
    let (path, query) =
        path.split_once('?').map_or((&**path, None), |(it, query)| (it, Some(query)));
    let whole = quoted(&place);
    let base = place.path().trim_end_matches('/').to_owned();
    place.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
    // Where `..` stands in it, what is left may lie elsewhere.
    let added = place.path().strip_prefix(&base).and_then(|it| it.strip_prefix('/'));
    if added.is_none_or(leads_up) {
        return Err(format!(
            "`{path}` leads out of `{whole}`; only `url` itself can name what lies there"
        ));
    }
    if let Some(query) = query {
        let all = place.query().map_or(query.to_owned(), |before| format!("{before}&{query}"));
        place.set_query(Some(&all));
    }
    Ok(place)
}

/// A URL as errors quote it: a user and a query may be secret, and errors are logged.
fn quoted(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    // Without a host it is no path that follows.
    let path = if url.has_host() { url.path() } else { "" };
    format!("{}://{host}{port}{path}", url.scheme())
}

/// Whether a server may find `..` in a path: some decode it first, perhaps twice, take `\` for `/`, or cut off what stands behind `;`.
fn leads_up(path: &str) -> bool {
    let mut path = path.to_owned();
    for _ in 0..5 {
        let mut segments = path.split(['/', '\\']);
        if segments.any(|segment| segment.split(';').next() == Some("..")) {
            return true;
        }
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            return false;
        }
        path = decoded;
    }
    // Nobody encodes so often without something to hide.
    true
}

/// The bytes of a body.
fn bytes(message: &Request) -> Result<Vec<u8>, String> {
    if !message.is_base64 {
        return Ok(message.body.clone().into_bytes());
    }
    let decoded = STANDARD.decode(&message.body);
    decoded.map_err(|e| format!("`body` is no base64, as `isBase64` says that it is: {e}"))
}

fn headers(message: &Request) -> Result<HeaderMap, String> {
    let mut headers = header::map(&message.headers)?;
    if let Some(auth) = &message.auth {
        headers.insert(AUTHORIZATION, auth.value()?);
    }
    if message.body.is_empty() {
        // Some servers refuse what should have a body and does not say that it has none.
        if message.method.has_body() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, header::value_of("contentType", &message.content_type)?);
    }
    Ok(headers)
}

/// Sends a request, and reads what comes back.
async fn exchange(request: RequestBuilder, most: u64) -> Result<Said, Failed> {
    let sent = async {
        request.send().await.map_err(|error| {
            let redirected = REDIRECTED.with(Cell::take);
            // Who redirects has been reached, and may have done what was asked before.
            let did_not_reach = error.is_connect() && redirected.is_none();
            // The error itself knows only where the request began.
            let error = match redirected {
                Some(place) => error.with_url(place),
                None => error,
            };
            Failed::Http { error, did_not_reach }
        })
    };
    said(REDIRECTED.scope(Cell::default(), sent).await?, most).await
}

/// What a server has said, if that is no more than may be.
async fn said(mut response: Response, most: u64) -> Result<Said, Failed> {
    let (status, place) = (response.status(), response.url().clone());
    if status.as_u16() > 599 {
        return Err(Failed::NoStatus(place, status.as_u16()));
    }
    let headers = response.headers().iter().map(|(name, value)| Header::of(name, value)).collect();
    let mut body = Vec::new();
    let torn = |error: reqwest::Error| {
        let error = error.with_url(place.clone());
        // What fails in the midst of a response has reached a server.
        Failed::Http { error, did_not_reach: false }
    };
    while let Some(part) = response.chunk().await.map_err(torn)? {
        if (body.len() + part.len()) as u64 > most {
            return Err(Failed::TooLarge(place, most));
        }
        body.extend_from_slice(&part);
    }
    let (body, is_base64) = match String::from_utf8(body) {
        Ok(text) => (text, false),
        Err(e) => (STANDARD.encode(e.as_bytes()), true),
    };
    let (status, status_code) = (status.to_string(), status.as_u16());
    Ok(Said { headers, status, status_code, body, is_base64 })
}

#[component]
impl HttpClient {
    /// Makes a client of new settings, or refuses them.
    #[port(settings)]
    async fn prepare(&self, _ctx: &Ctx, settings: &ClientSettings) -> Result<()> {
        let made = Made::of(settings).map_err(Error::permanent)?;
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(())
    }

    /// What is asked.
    #[port(target, position = "left")]
    async fn request(&self, ctx: &Ctx, message: Request) -> Result {
        let settings = self.settings.get();
        let url = place(&message).map_err(Error::permanent)?;
        let Made { allowed, client } = self.made()?;
        allowed.check(&url).map_err(Error::permanent)?;
        let limit = Limit::of(message.timeout, ctx.deadline());
        let mut request = client
            .request(message.method.name(), url)
            .headers(headers(&message).map_err(Error::permanent)?)
            .timeout(limit.time);
        let body = bytes(&message).map_err(Error::permanent)?;
        if !body.is_empty() {
            request = request.body(body);
        }
        let asked = exchange(request, settings.max_response_bytes).await;
        let response = asked.map_err(|failed| failed.into_error(message.method, limit))?;
        let context = message.context;
        let is_bad = StatusCode::from_u16(response.status_code)
            .is_ok_and(|status| status.is_client_error() || status.is_server_error());
        if is_bad && settings.enable_error_port {
            let error = format!("the server says {}", response.status);
            return self.error(ctx, Refused { context, response, error }).await;
        }
        self.response(ctx, Answered { context, response }).await
    }

    /// What came back.
    #[port(source, position = "right")]
    async fn response(&self, ctx: &Ctx, message: Answered) -> Result;

    /// What came back with a status from 400 on.
    #[port(source, position = "bottom", when = Self::has_error)]
    async fn error(&self, ctx: &Ctx, message: Refused) -> Result;
}

#[cfg(test)]
mod nginx;
#[cfg(test)]
mod tests;
