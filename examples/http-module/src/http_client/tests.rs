//! Against servers on this machine. Time passes as it does: what is waited for is not ours.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request as Asked};
use axum::http::StatusCode as Status;
use axum::response::Redirect;
use axum::routing::{any, get};
use futures::StreamExt;
use tiny_runtime::serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;

/// What it was asked, as JSON.
async fn echo(request: Asked) -> String {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    // Where one is sent twice, both are seen.
    let header = |name: &str| {
        let all = parts.headers.get_all(name).iter().filter_map(|it| it.to_str().ok());
        all.collect::<Vec<_>>().join("|")
    };
    json!({
        "method": parts.method.as_str(), "type": header("content-type"), "x": header("x-sent"),
        "auth": header("authorization"), "length": header("content-length"), "body": String::from_utf8_lossy(&body),
    })
    .to_string()
}

/// A body that begins, and never ends.
async fn endless() -> Body {
    let first = futures::stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"to"))]);
    Body::from_stream(first.chain(futures::stream::pending()))
}

/// Leads to itself under another name.
async fn by_name(Path(path): Path<String>, headers: HeaderMap) -> Redirect {
    let host = headers.get("host").and_then(|it| it.to_str().ok()).unwrap_or_default();
    Redirect::temporary(&format!("http://{}/{path}", host.replace("127.0.0.1", "localhost")))
}

fn routes() -> Router {
    let part = |_| Ok::<_, io::Error>(Bytes::from(vec![b'a'; 1024]));
    Router::new()
        .route("/echo", any(echo))
        .route("/to", get(|| async { Redirect::temporary("/echo") }))
        .route("/round", any(|| async { Redirect::temporary("/round") }))
        .route("/inside", any(|| async { Redirect::temporary("http://169.254.169.254/latest") }))
        .route("/done", any(|| async { Redirect::to("http://127.0.0.1:1/") }))
        .route("/file", get(|| async { Redirect::temporary("file:///etc/passwd") }))
        .route("/bad", get(|| async { (Status::IM_A_TEAPOT, "short and stout") }))
        .route(
            "/parts",
            any(move || async move { Body::from_stream(futures::stream::iter(0..8).map(part)) }),
        )
        .route("/endless", any(endless))
        .route("/by-name/{path}", any(by_name))
        .route("/mirror", any(|body: Bytes| async { body }))
        .route("/slow", any(|| async { tokio::time::sleep(Duration::from_secs(30)).await }))
}

/// Serves on a port of this machine, which it gives.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, routes()).await });
    port
}

fn bench(settings: Value) -> Bench<HttpClient> {
    let bench = Bench::new();
    bench.settings_json(settings);
    bench
}

fn here() -> Bench<HttpClient> {
    bench(json!({"allow": ["127.0.0.1"]}))
}

async fn ask(bench: &Bench<HttpClient>, request: Value) -> Result<Said> {
    // A hook looks at new settings first.
    tokio::time::sleep(Duration::from_millis(20)).await;
    bench.send_json("request", request).await?.ignore();
    let mut answered = bench.sent(HttpClient::RESPONSE);
    answered.pop().map(|it| it.response).ok_or_else(|| Error::permanent("nothing came back"))
}

fn body(said: &Said) -> Value {
    tiny_runtime::serde_json::from_str(&said.body).unwrap_or_default()
}

#[tokio::test]
async fn method_headers_body_and_type_arrive() -> Result<()> {
    let port = server().await;
    let request = json!({
        "method": "POST", "url": format!("http://127.0.0.1:{port}/echo"), "body": "{\"a\":1}",
        "headers": [{"key": "X-Sent", "value": "yes"}], "context": {"id": 7},
    });
    let bench = here();
    let said = ask(&bench, request).await?;
    assert_eq!((said.status_code, said.status.as_str()), (200, "200 OK"));
    let sent = json!({"method": "POST", "type": "application/json", "x": "yes", "auth": "", "length": "7", "body": "{\"a\":1}"});
    assert_eq!(body(&said), sent);
    assert_eq!(bench.sent(HttpClient::RESPONSE)[0].context, json!({"id": 7}).into());
    Ok(())
}

#[tokio::test]
async fn whatever_a_server_here_is_asked_can_be_asked_of_another() -> Result<()> {
    let port = server().await;
    let bench = here();
    // Where a body is expected it is said that there is none.
    for (method, length) in
        [("GET", ""), ("POST", "0"), ("PATCH", "0"), ("PUT", "0"), ("DELETE", ""), ("OPTIONS", "")]
    {
        let request = json!({"url": format!("http://127.0.0.1:{port}/echo"), "method": method});
        let seen = body(&ask(&bench, request).await?);
        assert_eq!((&seen["method"], &seen["length"]), (&json!(method), &json!(length)));
    }
    let head = json!({"url": format!("http://127.0.0.1:{port}/echo"), "method": "HEAD"});
    let said = ask(&bench, head).await?;
    assert_eq!((said.status_code, said.body.as_str()), (200, ""));
    Ok(())
}

#[tokio::test]
async fn who_asks_is_said_and_no_type_goes_without_a_body() -> Result<()> {
    let port = server().await;
    let url = format!("http://127.0.0.1:{port}/echo");
    let bench = here();
    let bearer = json!({"scheme": "bearer", "token": "t0k"});
    let said = ask(&bench, json!({"url": url, "auth": bearer})).await?;
    assert_eq!(body(&said)["auth"], "Bearer t0k");
    assert_eq!((&body(&said)["type"], &body(&said)["method"]), (&json!(""), &json!("GET")));
    let basic = json!({"scheme": "basic", "user": "ada", "password": "x"});
    let said = ask(&bench, json!({"url": url, "auth": basic})).await?;
    assert_eq!(body(&said)["auth"], "Basic YWRhOng=");
    // It is said once, however often there would be something to say.
    let headers = json!([{"key": "authorization", "value": "Bearer other"}]);
    let with_user = format!("http://eve:y@127.0.0.1:{port}/echo");
    for request in [
        json!({"url": url, "auth": basic, "headers": headers}),
        json!({"url": with_user, "auth": basic}),
        json!({"url": with_user, "auth": basic, "headers": headers}),
    ] {
        assert_eq!(body(&ask(&bench, request).await?)["auth"], "Basic YWRhOng=");
    }
    let torn = json!({"scheme": "bearer", "token": "t0k\r\nX-A: 1"});
    let error = ask(&bench, json!({"url": url, "auth": torn})).await.unwrap_err();
    let why = "the header `authorization` has a value that no header can have";
    assert!(error.is_permanent() && error.to_string().contains(why), "{error}");
    Ok(())
}

#[tokio::test]
async fn bytes_that_are_no_text_go_and_come_in_base64() -> Result<()> {
    let port = server().await;
    let bench = here();
    let with = |body: &str, is_base64: bool| {
        let url = format!("http://127.0.0.1:{port}/mirror");
        json!({"url": url, "method": "PUT", "body": body, "isBase64": is_base64})
    };
    for (sent, came) in [
        // Half of a zip, the text `ü` in UTF-8, and in a charset that is another.
        (("UEsDBP8A", true), ("UEsDBP8A", true)),
        (("w7w=", true), ("ü", false)),
        (("/A==", true), ("/A==", true)),
        (("/A==", false), ("/A==", false)),
    ] {
        let said = ask(&bench, with(sent.0, sent.1)).await?;
        assert_eq!((said.body.as_str(), said.is_base64), came, "{sent:?}");
    }
    let error = ask(&bench, with("ü", true)).await.unwrap_err();
    let why = "`body` is no base64, as `isBase64` says that it is";
    assert!(error.is_permanent() && error.to_string().contains(why), "{error}");
    Ok(())
}

#[tokio::test]
async fn redirects_are_followed_within_bounds_and_looked_at() -> Result<()> {
    let port = server().await;
    let url = |path: &str| json!({"url": format!("http://127.0.0.1:{port}{path}")});
    let bench = here();
    assert_eq!(ask(&bench, url("/to")).await?.status_code, 200);
    for (path, why) in [
        ("/round", "redirected more than 5 times"),
        ("/inside", "`169.254.169.254` is no public address"),
    ] {
        let error = ask(&bench, url(path)).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains(why), "{path}: {error}");
    }
    assert_eq!(ask(&bench, url("/file")).await?.status_code, 307, "it is not followed");
    Ok(())
}

#[tokio::test]
async fn what_is_not_public_is_not_asked_by_its_address_or_by_its_name() -> Result<()> {
    let port = server().await;
    let closed = bench(json!({}));
    for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST"] {
        let request = json!({"url": format!("http://{host}:{port}/echo")});
        let error = ask(&closed, request).await.unwrap_err();
        let said = error.to_string();
        assert!(error.is_permanent() && said.contains("is no public address"), "{host}: {said}");
    }
    let by_name = bench(json!({"allow": ["localhost"]}));
    let said = ask(&by_name, json!({"url": format!("http://localhost:{port}/echo")})).await?;
    assert_eq!(said.status_code, 200);
    let error = ask(&by_name, json!({"url": format!("http://127.0.0.1:{port}/echo")})).await;
    assert!(error.is_err(), "the name is allowed, the address is not");
    Ok(())
}

#[tokio::test]
async fn a_response_has_a_limit() -> Result<()> {
    let port = server().await;
    let url = json!({"url": format!("http://127.0.0.1:{port}/parts")});
    assert_eq!(ask(&here(), url.clone()).await?.body.len(), 8192);
    let small = bench(json!({"allow": ["127.0.0.1"], "maxResponseBytes": 4096}));
    let error = ask(&small, url).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("more than 4096 bytes"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bad_status_has_a_port_where_it_is_enabled() -> Result<()> {
    let port = server().await;
    let url = json!({"url": format!("http://127.0.0.1:{port}/bad")});
    assert_eq!(ask(&here(), url.clone()).await?.status_code, 418);
    let ported = bench(json!({"allow": ["127.0.0.1"], "enableErrorPort": true}));
    assert!(ask(&ported, url).await.is_err(), "it went to the other port");
    let refused = ported.sent(HttpClient::ERROR).remove(0);
    assert_eq!(refused.error, "the server says 418 I'm a teapot");
    assert_eq!(refused.response.body, "short and stout");
    Ok(())
}

#[tokio::test]
async fn only_what_can_be_done_twice_is_tried_again() -> Result<()> {
    let port = server().await;
    let slow = |method: &str| json!({"url": format!("http://127.0.0.1:{port}/slow"), "method": method, "timeout": 1});
    let error = ask(&here(), slow("POST")).await.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(error.to_string(), "127.0.0.1 has not answered within 1 s");
    // It was done before it led to where nobody listens.
    let done = json!({"url": format!("http://127.0.0.1:{port}/done"), "method": "POST"});
    let error = ask(&here(), done).await.unwrap_err();
    assert!(error.to_string().starts_with("127.0.0.1 cannot be asked"), "{error}");
    // What fails for now is tried again by the engine, for longer than a test has.
    let bench = here();
    let again = tokio::time::timeout(Duration::from_millis(2500), ask(&bench, slow("GET"))).await;
    assert!(again.is_err(), "it is tried again");
    Ok(())
}

#[tokio::test]
async fn an_error_names_the_server_that_was_asked_at_last() -> Result<()> {
    let port = server().await;
    let allow = ["127.0.0.1", "localhost"];
    let bench = bench(json!({"allow": allow, "maxResponseBytes": 4096}));
    for (path, said) in [
        ("parts", "localhost answers with more than 4096 bytes"),
        ("slow", "localhost has not answered within 1 s"),
        ("round", "localhost cannot be asked: it was redirected more than 5 times"),
        ("inside", "localhost cannot be asked: it was redirected, and `169.254.169.254`"),
        ("endless", "localhost has not answered within 1 s"),
        ("done", "127.0.0.1 cannot be asked: "),
    ] {
        let url = format!("http://127.0.0.1:{port}/by-name/{path}");
        let request = json!({"url": url, "method": "POST", "timeout": 1});
        let error = ask(&bench, request).await.unwrap_err();
        assert!(error.to_string().starts_with(said), "{path}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_error_tells_the_time_that_was_the_bound() -> Result<()> {
    let port = server().await;
    let client = Made::of(&ClientSettings::default()).map_err(Error::permanent)?.client;
    let url = format!("http://127.0.0.1:{port}/slow");
    for (timeout, left, is_of_run) in
        [(1, None, false), (1, Some(60_000), false), (60, Some(300), true)]
    {
        let deadline = left.map(|left| Instant::now() + Duration::from_millis(left));
        let limit = Limit::of(timeout, deadline);
        let asked = exchange(client.get(&url).timeout(limit.time), 1).await;
        let failed = asked.err().ok_or_else(|| Error::permanent("it is slow"))?;
        let said = failed.into_error(Method::Get, limit).to_string();
        let within = said.strip_prefix("127.0.0.1 has not answered within ").unwrap_or(&said);
        if is_of_run {
            let left = within
                .strip_suffix(" ms, which was all the time that the run or its edge had left");
            let left: u64 = left.and_then(|it| it.parse().ok()).expect(&said);
            assert!(left <= 300, "{said}");
        } else {
            assert_eq!(within, "1 s");
        }
    }
    Ok(())
}

/// Time passes here when nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_connection_is_not_waited_for_as_an_answer_is() -> Result<()> {
    use socket2::{Domain, Socket, Type};
    // Nobody accepts, and who waits to be is one too many.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    full.bind(&any.into()).expect("a port");
    full.listen(0).expect("it listens");
    let address = full.local_addr().expect("an address").as_socket().expect("an address");
    let _waits = std::net::TcpStream::connect(address).expect("it waits");
    let request = json!({"url": format!("http://{address}/"), "timeout": 60});
    let error = ask(&here(), request).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1 cannot be connected to within 10 s"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_flow_cannot_frame_a_request() -> Result<()> {
    let port = server().await;
    let with = |key: &str, value: &str| json!({"url": format!("http://127.0.0.1:{port}/echo"), "headers": [{"key": key, "value": value}]});
    for (key, value) in
        [("Host", "other"), ("X-A\r\nX-B", "1"), ("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("", "1")]
    {
        let error = ask(&here(), with(key, value)).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains("header"), "{key}: {error}");
    }
    for (key, value) in
        [("Content-Length", "9"), ("Transfer-Encoding", "chunked"), ("Connection", "upgrade")]
    {
        let said = ask(&here(), with(key, value)).await?;
        assert_eq!(said.status_code, 200, "{key} is of another message, and left out");
    }
    let error = ask(&here(), json!({"url": "no url"})).await.unwrap_err();
    assert!(error.to_string().starts_with("`url` is no URL"), "{error}");
    Ok(())
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() -> Result<()> {
    for (settings, why) in [
        (json!({"allow": ["http://x/"]}), "no network, no address and no host"),
        (
            json!({"caCertificates": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}),
            "cannot make an HTTP client",
        ),
    ] {
        let bench = bench(settings);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let faults = bench.faults();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{faults:?}");
    }
    Ok(())
}

/// Serves one certificate of an authority of its own, whose PEM it gives, and answers `ok` to each request.
async fn tls_server() -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("an authority");
    let issuer = rcgen::Issuer::new(params, key);
    let own = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".into()]).expect("parameters");
    let certificate = params.signed_by(&own, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], own.into())
        .expect("a configuration");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust it hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = [0; 4096];
            drop(stream.read(&mut asked).await);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            drop(stream.write_all(answer).await);
            drop(stream.shutdown().await);
        }
    });
    (port, authority.pem())
}

#[tokio::test]
async fn a_server_is_trusted_by_its_authority_only() -> Result<()> {
    let (port, authority) = tls_server().await;
    let url = json!({"url": format!("https://localhost:{port}/"), "method": "POST"});
    let trusting = bench(json!({"allow": ["localhost"], "caCertificates": authority}));
    assert_eq!(ask(&trusting, url.clone()).await?.body, "ok");
    let error = ask(&bench(json!({"allow": ["localhost"]})), url).await.unwrap_err();
    let why = "localhost cannot be asked: nobody who is trusted vouches for its certificate";
    assert!(error.to_string().starts_with(why), "not after many attempts: {error}");
    Ok(())
}

#[test]
fn a_path_is_added_and_leads_nowhere_else() {
    let place = |url: &str, path: &str| {
        let message = json!({"url": url, "path": path});
        let message: Request = tiny_runtime::serde_json::from_value(message).expect("a request");
        place(&message).map_or_else(|e| e, |url| url.to_string())
    };
    assert_eq!(place("http://a/v1", ""), "http://a/v1");
    assert_eq!(place("http://a/v1/", "/b c?d=1"), "http://a/v1/b%20c?d=1");
    assert_eq!(place("http://a/v1?k=2", "b?d=1&e"), "http://a/v1/b?k=2&d=1&e");
    assert_eq!(place("http://a", "@evil.example/x"), "http://a/@evil.example/x");
    assert_eq!(place("http://a", "//evil.example/x"), "http://a/evil.example/x");
    assert_eq!(place("http://a/v1", "/b#c"), "http://a/v1/b%23c");
    for path in [
        "/../admin",
        "..",
        "/%2e%2E/admin",
        "/..\\admin",
        "/b/../../admin",
        // What is `..` only to a server that decodes it, or cuts it.
        "..%2Fx",
        "..%5Cx",
        "a/..%2F..%2Fx",
        ".\t.%2Fx",
        "..;/x",
        "..%3Bv=1/x",
        "%252e%252e%252fx",
        "%25252525252e%25252525252e/x",
    ] {
        let why = "only `url` itself can name what lies there";
        let refused = format!("`{path}` leads out of `http://a/v1`; {why}");
        assert_eq!(place("http://a/v1", path), refused);
    }
    for path in ["a..b", "a%2Fb", "v1.2/..x", "...", "a;b..", "100%25", "%E4"] {
        assert_eq!(place("http://a/v1", path), format!("http://a/v1/{path}"));
    }
    // What may be secret is not told.
    let why = "only `url` itself can name what lies there";
    let refused = format!("`..` leads out of `http://a:81/v1`; {why}");
    assert_eq!(place("http://ada:s3cret@a:81/v1?key=s3cret#s3cret", "..?k=s3cret"), refused);
    assert_eq!(place("ada:s3cret", ".."), format!("`..` leads out of `ada://`; {why}"));
    let refused =
        "`url` is no URL: relative URL without a base; write one like `https://host/path`";
    assert_eq!(place("s3cret", "c"), refused);
}
