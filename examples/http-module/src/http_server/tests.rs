//! By real connections. Time passes as it does: what is waited for is not ours.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod framing;
mod life;

use reqwest::{Client, Method, RequestBuilder, Response as Got};
use tiny_runtime::serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::messages::Verb;
use super::*;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a bench, that was started.
struct Desk {
    bench: Bench<HttpServer>,
    started: JoinHandle<Result<()>>,
    address: String,
}

impl Desk {
    async fn new(settings: Value) -> Self {
        Self::started(settings, Start::default()).await
    }

    async fn started(settings: Value, start: Start) -> Self {
        let bench = Bench::new();
        bench.settings_json(settings);
        Self::on(bench, start).await
    }

    async fn on(bench: Bench<HttpServer>, start: Start) -> Self {
        let started = tokio::spawn(bench.send(HttpServer::START, start));
        let address = listening(&bench).await;
        Self { bench, started, address }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, format!("http://{}{path}", self.address))
    }

    async fn get(&self, path: &str) -> Got {
        self.ask(Method::GET, path).send().await.unwrap()
    }

    /// What the flow was asked.
    fn asked(&self) -> Vec<Asked> {
        self.bench.sent(HttpServer::REQUEST)
    }

    /// All that comes back for these bytes until the server closes, or is silent for a second.
    async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        // It may have been answered, and closed, before all was sent.
        drop(stream.write_all(bytes.as_ref()).await);
        let mut said = Vec::new();
        while let Ok(Ok(1..)) = timeout(Duration::from_secs(1), stream.read_buf(&mut said)).await {}
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.started.abort();
    }
}

fn client() -> Client {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// Waits until it listens, and says where.
async fn listening(bench: &Bench<HttpServer>) -> String {
    eventually(|| {
        let view = bench.view()?;
        let url = view["listenAddr"][0].as_str()?.to_owned();
        Some(url.strip_prefix("http://")?.to_owned())
    })
    .await
}

async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not seen within {PATIENCE:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn answer(body: Value) -> Answer {
    Answer {
        request_id: String::new(),
        status_code: 200,
        content_type: String::new(),
        headers: Vec::new(),
        body: body.into(),
        is_base64: false,
    }
}

fn kind(got: &Got) -> &str {
    got.headers()["content-type"].to_str().unwrap()
}

#[tokio::test]
async fn a_request_becomes_a_message_and_the_reply_a_response() {
    let start = Start { context: json!({"shop": 1}).into(), ..Start::default() };
    let desk = Desk::started(json!({}), start).await;
    let mut said = answer(json!({"id": 7}));
    said.status_code = 201;
    said.headers = vec![crate::header::Header { key: "X-Seen".into(), value: "yes".into() }];
    desk.bench.reply(HttpServer::REQUEST, said);

    let asked = desk.ask(Method::POST, "/orders?tag=a&tag=b%20c&x").header("x-one", "1");
    let got = asked.json(&json!({"name": "Ada"})).send().await.unwrap();
    assert_eq!(got.status(), 201);
    assert_eq!(kind(&got), "application/json");
    assert_eq!(got.headers()["x-seen"], "yes");
    assert_eq!(got.text().await.unwrap(), r#"{"id":7}"#);

    let asked = &desk.asked()[0];
    assert_eq!(*asked.context, json!({"shop": 1}));
    assert_eq!(asked.request_uri, "/orders?tag=a&tag=b%20c&x");
    assert_eq!(json!(asked.request_params), json!({"tag": ["a", "b c"], "x": [""]}));
    assert_eq!((asked.method, &*asked.real_ip, &*asked.scheme), (Verb::Post, "127.0.0.1", "http"));
    assert_eq!(asked.host, desk.address);
    assert_eq!((&*asked.body, asked.is_base64), (r#"{"name":"Ada"}"#, false));
    assert_eq!(asked.json["name"], "Ada");
    let keys: Vec<&str> = asked.headers.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["Accept", "Accept-Encoding", "Content-Length", "Content-Type", "X-One"]);
    assert_eq!(asked.request_id.len(), 36);
}

#[tokio::test]
async fn a_body_is_text_or_base64_both_ways() {
    let desk = Desk::new(json!({})).await;
    let mut binary = answer(json!("AP8="));
    binary.is_base64 = true;
    let mut page = answer(json!("<p>"));
    page.content_type = "text/html".into();
    desk.bench
        .reply(HttpServer::REQUEST, answer(json!("hi")))
        .reply(HttpServer::REQUEST, binary)
        .reply(HttpServer::REQUEST, page)
        .reply(HttpServer::REQUEST, answer(Value::Null));

    let got = desk.ask(Method::PUT, "/").body(vec![0xff, 0]).send().await.unwrap();
    assert_eq!((kind(&got), got.content_length()), ("text/plain; charset=utf-8", Some(2)));
    let asked = &desk.asked()[0];
    assert_eq!((&*asked.body, asked.is_base64, asked.json.is_null()), ("/wA=", true, true));
    let got = desk.get("/").await;
    assert_eq!(kind(&got), "application/octet-stream");
    assert_eq!(&*got.bytes().await.unwrap(), [0, 0xff]);
    assert_eq!(kind(&desk.get("/").await), "text/html");
    let got = desk.get("/").await;
    assert_eq!((got.content_length(), got.headers().get("content-type")), (Some(0), None));
    let header =
        |key: &str, value: &str| crate::header::Header { key: key.into(), value: value.into() };
    let mut handed_on = answer(json!("as it came"));
    handed_on.headers = vec![
        header("Content-Length", "7"),
        header("Connection", "keep-alive"),
        header("Content-Type", "text/html"),
        header("X-A", "1"),
    ];
    handed_on.content_type = "text/csv".into();
    desk.bench.reply(HttpServer::REQUEST, handed_on);
    let got = desk.get("/").await;
    assert_eq!((kind(&got), got.content_length()), ("text/csv", Some(10)));
    assert_eq!(got.headers()["x-a"], "1", "what frames another response is left out of this one");
}

#[tokio::test]
async fn a_5xx_is_the_flows_own_and_tells_nobody_why() {
    let desk = Desk::started(json!({}), Start { write_timeout: 1, ..Start::default() }).await;
    let mut informational = answer(Value::Null);
    informational.status_code = 101;
    let mut split = answer(Value::Null);
    split.headers = vec![crate::header::Header { key: "X-A".into(), value: "1\r\nX-B: 2".into() }];
    let mut no_base64 = answer(json!("?"));
    no_base64.is_base64 = true;
    desk.bench.fail(HttpServer::REQUEST, Error::permanent("the password is hunter2"));
    desk.bench.fail(HttpServer::REQUEST, Error::transient("the database is away"));
    desk.bench.reply(HttpServer::REQUEST, informational);
    desk.bench.reply(HttpServer::REQUEST, split).reply(HttpServer::REQUEST, no_base64);
    desk.bench.stall(HttpServer::REQUEST);
    for status in [500, 503, 500, 500, 500, 504] {
        let got = desk.get("/").await;
        assert_eq!(got.status(), status);
        let said = got.text().await.unwrap();
        let id = desk.asked().pop().unwrap().request_id;
        let wanted = format!("the flow behind this has failed; its log says why (request {id})\n");
        assert_eq!(said, wanted);
    }
}

#[tokio::test]
async fn no_reply_is_no_response() {
    let desk = Desk::new(json!({})).await;
    assert_eq!(desk.get("/").await.status(), 500);
}

#[tokio::test]
async fn routes_are_ports_and_the_rest_is_refused_without_the_flow() {
    let routes = json!([
        {"name": "one", "methods": ["GET"], "path": "/orders/{id}"},
        {"name": "add", "methods": ["POST"], "path": "/orders"},
    ]);
    let desk = Desk::new(json!({"routes": routes})).await;
    assert!(desk.bench.ports().contains(&"request_one".to_owned()));
    assert!(!desk.bench.ports().contains(&"request".to_owned()));
    let one = HttpServer::REQUEST_OF.of("one");
    desk.bench.reply(one.clone(), answer(json!("seven")));
    assert_eq!(desk.get("/orders/7").await.text().await.unwrap(), "seven");
    assert_eq!(desk.bench.sent(one)[0].path_params["id"], "7");
    assert_eq!(desk.get("/else").await.status(), 404);
    let got = desk.ask(Method::DELETE, "/orders/7").send().await.unwrap();
    assert_eq!(
        (got.status().as_u16(), &got.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    let twice = desk.raw("GET /else HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await;
    assert_eq!(twice.matches("HTTP/1.1 404").count(), 2, "the connection goes on: {twice}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_a_sentence() {
    let refused = |settings: Value| async {
        let bench = Bench::<HttpServer>::new();
        bench.settings_json(settings);
        eventually(|| bench.faults().into_iter().find(|it| it.contains("refuses"))).await
    };
    let twice = json!({"routes": [{"name": "a", "path": "/a"}, {"name": "a", "path": "/b"}]});
    assert!(refused(twice).await.contains("two routes are called `a`, and would share a port"));
    let proxies = refused(json!({"trustedProxies": ["nginx"]})).await;
    assert!(proxies.contains("`nginx` in `trustedProxies` is no network"), "{proxies}");
}

#[tokio::test]
async fn requests_are_counted_by_the_kind_of_their_status() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    for _ in 0..3 {
        desk.get("/").await;
    }
    let samples = desk.bench.measured();
    assert!(format!("{samples:?}").contains("2xx"), "{samples:?}");
}
