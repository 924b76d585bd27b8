//! What the server is told, and what it tells.

use std::collections::BTreeMap;
use std::time::Duration;

use tiny_runtime::prelude::*;

use super::routes::Route;
use crate::header::Header;

/// What is served, and how much of it.
#[message(default)]
pub(crate) struct ServerSettings {
    /// Whether starts and stops have a port of their own.
    pub(crate) enable_status_port: bool,
    /// What may be asked; each has a port of its own, and what fits none is refused. Without any, all goes to `request`.
    pub(crate) routes: Vec<Route>,
    /// How many bytes the body of a request may have.
    #[ui(maximum = 16_777_216)]
    pub(crate) max_body_size: u64,
    /// How many connections there may be at once; who comes then waits.
    #[ui(minimum = 1, maximum = 65_535)]
    pub(crate) max_connections: u32,
    /// Networks and addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub(crate) trusted_proxies: Vec<String>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            enable_status_port: false,
            routes: Vec::new(),
            max_body_size: 1024 * 1024,
            max_connections: 4096,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Where and how to serve.
#[message(default)]
#[derive(PartialEq)]
pub(crate) struct Start {
    /// What is handed on with each request.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// Of the original, which made an Ingress of it. Here the chart does.
    pub(crate) auto_host_name: bool,
    /// Addresses to listen on, `127.0.0.1:8080` or `localhost:8080`: each replica takes the first that is free. Without a port it takes any.
    pub(crate) hostnames: Vec<String>,
    /// How long the body of a request may take to come in, in seconds, and its headers 15 seconds longer. 0 is the longest, an hour.
    #[ui(maximum = 3600)]
    pub(crate) read_timeout: u64,
    /// How long the flow may take to answer, in seconds; and a client to take a piece of the answer. 0 is the longest, an hour.
    #[ui(maximum = 3600)]
    pub(crate) write_timeout: u64,
}

impl Start {
    /// `readTimeout`.
    pub(super) fn read_limit(&self) -> Duration {
        limit(self.read_timeout)
    }

    /// `writeTimeout`.
    pub(super) fn write_limit(&self) -> Duration {
        limit(self.write_timeout)
    }
}

/// In the original 0 is no limit; here everything ends.
fn limit(seconds: u64) -> Duration {
    Duration::from_secs(if seconds == 0 { 3600 } else { seconds })
}

impl Default for Start {
    fn default() -> Self {
        Self {
            context: Json::default(),
            auto_host_name: true,
            hostnames: Vec::new(),
            read_timeout: 60,
            write_timeout: 10,
        }
    }
}

/// What all replicas serve.
#[message]
#[derive(Default)]
pub(crate) struct Served {
    /// What was started; nothing where nothing is served.
    pub(crate) start: Option<Start>,
    /// The run that did.
    pub(crate) by: String,
    /// The port that the first replica got, where none was asked for.
    pub(crate) port: u16,
}

/// What is done.
#[message]
#[derive(Copy, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verb {
    /// Reads.
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

impl Verb {
    /// All of them.
    pub(super) const ALL: [Self; 7] =
        [Self::Get, Self::Post, Self::Patch, Self::Put, Self::Delete, Self::Head, Self::Options];

    /// As it stands in a request.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }

    /// The one of this name; `None` where a flow has no word for it.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

/// What somebody asks.
#[message]
pub(crate) struct Asked {
    /// What came with `start`.
    #[ui(shared)]
    pub(crate) context: Json,
    /// The id of the run, which is that of its trace too, as a UUID.
    #[serde(rename = "requestID")]
    pub(crate) request_id: String,
    /// Path and query, as they came.
    #[serde(rename = "requestURI")]
    pub(crate) request_uri: String,
    /// The query: for each name the values in their order.
    pub(crate) request_params: BTreeMap<String, Vec<String>>,
    /// What stands in the path where the route has a name in braces.
    pub(crate) path_params: BTreeMap<String, String>,
    /// The host that was asked, with its port if that was said.
    pub(crate) host: String,
    /// What is done.
    pub(crate) method: Verb,
    /// The address of who asks; behind a trusted proxy the one that it tells.
    #[serde(rename = "realIP")]
    pub(crate) real_ip: String,
    /// The headers in the order of their names, which are written like `Content-Type`.
    pub(crate) headers: Vec<Header>,
    /// The body: text as it is, anything else in base64.
    pub(crate) body: String,
    /// Whether the body is in base64.
    pub(crate) is_base64: bool,
    /// The body as JSON, where its type says that it is.
    #[ui(shared)]
    pub(crate) json: Json,
    /// `http`, or what a trusted proxy tells.
    pub(crate) scheme: String,
}

/// The response.
#[message]
pub(crate) struct Answer {
    /// Of the request; it need not be said, because the reply finds its way.
    #[ui(configurable)]
    #[serde(rename = "requestID", default)]
    pub(crate) request_id: String,
    /// Such as 200.
    #[ui(configurable, minimum = 100, maximum = 599)]
    #[serde(default = "ok")]
    pub(crate) status_code: u16,
    /// What the body is. Unless it is said, text is `text/plain; charset=utf-8`, and anything else `application/json`.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) content_type: String,
    /// Headers of the response.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) headers: Vec<Header>,
    /// The body: a text as it is, nothing for null, anything else as JSON.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) body: Json,
    /// Whether the body is a text of base64, to be sent as the bytes that it stands for.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) is_base64: bool,
}

fn ok() -> u16 {
    200
}

/// That it listens, or does no more.
#[message]
pub(crate) struct ServerStatus {
    /// What came with `start`.
    #[ui(shared)]
    pub(crate) context: Json,
    /// Where the replica listens that was told to start.
    pub(crate) listen_addr: Vec<String>,
    /// Whether it listens.
    pub(crate) is_running: bool,
}

/// What people see and do.
#[message]
#[derive(Default)]
pub(crate) struct ServerPanel {
    /// Whether the leading replica listens, or why it cannot.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) status: String,
    /// Where.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) listen_addr: Vec<String>,
    /// Stops it on all replicas.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) stop: bool,
}
