//! Against nginx, which nobody here has written. `TINY_NGINX` names the program; without it these tests are skipped.

use std::time::Duration;

use tiny_runtime::serde_json::{Value, json};
use tiny_runtime::tokio::time::sleep;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::server::Nginx;
use super::*;

mod server;

fn bench(settings: Value) -> Bench<HttpClient> {
    let bench = Bench::new();
    bench.settings_json(settings);
    bench
}

fn here() -> Bench<HttpClient> {
    bench(json!({"allow": ["127.0.0.1"], "enableErrorPort": true}))
}

/// What came back on either port.
async fn ask(bench: &Bench<HttpClient>, request: Value) -> Result<Said> {
    // A hook looks at new settings first.
    sleep(Duration::from_millis(20)).await;
    let before = bench.sent(HttpClient::ERROR).len();
    bench.send_json("request", request).await?.ignore();
    let mut refused = bench.sent(HttpClient::ERROR);
    let answered = bench.sent(HttpClient::RESPONSE).pop().map(|it| it.response);
    let said = if refused.len() > before { refused.pop().map(|it| it.response) } else { answered };
    said.ok_or_else(|| Error::permanent("nothing came back"))
}

/// The methods and what comes with them, as nginx has read them.
const ECHO: &str =
    r#"location /echo { return 200 "$request_method $content_type $content_length"; }"#;

#[tokio::test]
async fn a_redirect_is_followed_as_its_status_says() -> Result<()> {
    let to = |status: u16| format!("location /{status} {{ return {status} /echo; }}");
    let all = [301, 302, 303, 307, 308].map(to).concat();
    // The server names a place on itself without saying who it is.
    let Some(nginx) = Nginx::serve(&format!("absolute_redirect off; {ECHO} {all}")).await else {
        return Ok(());
    };
    let bench = here();
    for (status, arrives) in [
        (301, "GET  "),
        (302, "GET  "),
        (303, "GET  "),
        (307, "POST application/json 2"),
        (308, "POST application/json 2"),
    ] {
        let url = nginx.url(&format!("/{status}"));
        let said = ask(&bench, json!({"url": url, "method": "POST", "body": "{}"})).await?;
        assert_eq!((said.status_code, said.body.as_str()), (200, arrives), "{status}");
        let said = ask(&bench, json!({"url": url, "method": "POST"})).await?;
        let arrives = if arrives.starts_with("GET") { "GET  " } else { "POST  0" };
        assert_eq!(said.body, arrives, "{status}, without a body");
    }
    Ok(())
}

#[tokio::test]
async fn redirects_end_and_lead_nowhere_that_is_not_allowed() -> Result<()> {
    let server = "location /round { return 302 /round; }
        location /inside { return 302 http://169.254.169.254/latest; }
        location /name { return 302 http://127.0.0.1:PORT/; }";
    let Some(nginx) = Nginx::serve(server).await else { return Ok(()) };
    let by_address = bench(json!({"allow": ["127.0.0.1"], "maxRedirects": 3}));
    let by_name = bench(json!({"allow": ["localhost"]}));
    let named = format!("http://localhost:{}/name", nginx.port);
    for (bench, url, why, requests) in [
        (&by_address, nginx.url("/round"), "redirected more than 3 times", 4),
        (&by_address, nginx.url("/inside"), "`169.254.169.254` is no public address", 5),
        (&by_name, named, "`127.0.0.1` is no public address", 6),
    ] {
        let error = ask(bench, json!({"url": url})).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains(why), "{url}: {error}");
        assert_eq!(nginx.served(requests).await.len(), requests, "{url}");
    }
    Ok(())
}

#[tokio::test]
async fn another_server_does_not_learn_who_asked_or_what() -> Result<()> {
    let server = r#"location /seen { return 200 "[$http_authorization|$http_referer]"; }
        location /away { return 307 http://127.0.0.1:OTHER/seen; }
        location /here { return 307 /seen; }"#;
    let Some(nginx) = Nginx::serve(server).await else { return Ok(()) };
    let auth = json!({"scheme": "bearer", "token": "t0k"});
    for (path, seen) in [("/here?key=k3y", "[Bearer t0k|]"), ("/away?key=k3y", "[|]")] {
        let said = ask(&here(), json!({"url": nginx.url(path), "auth": auth})).await?;
        assert_eq!(said.body, seen);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_done_before_a_redirect_is_not_done_twice() -> Result<()> {
    let server = "location / { return 303 http://127.0.0.1:1/; }";
    let Some(nginx) = Nginx::serve(server).await else { return Ok(()) };
    let error = ask(&here(), json!({"url": nginx.url("/"), "method": "POST"})).await.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(nginx.served(1).await.len(), 1);
    repeats(&nginx, json!({"url": nginx.url("/"), "method": "GET"})).await;
    Ok(())
}

/// That this is asked again and again, as nginx has seen it; the end of it is not waited for.
async fn repeats(nginx: &Nginx, request: Value) {
    let is_this = |served: &&Value| {
        let path = served["uri"].as_str().unwrap_or_default();
        served["method"] == request["method"] && request["url"] == nginx.url(path)
    };
    let twice = async {
        while nginx.served(0).await.iter().filter(is_this).count() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let bench = here();
    tokio::select! {
        done = ask(&bench, request.clone()) => panic!("it is not tried again: {done:?}"),
        () = twice => {}
    }
}

const GZIP: &str = "gzip on; gzip_types *; gzip_min_length 1;";

/// All that nginx sends for a GET, as it is on the wire.
async fn raw(nginx: &Nginx, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", nginx.port)).await.expect("a connection");
    let asked = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.expect("it is asked");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn what_comes_packed_and_in_chunks_arrives_unpacked() -> Result<()> {
    let Some(nginx) = Nginx::serve(GZIP).await else { return Ok(()) };
    let text = "All that is said. ".repeat(5000);
    nginx.file("text", &text);
    let answer = raw(&nginx, "/text").await;
    let head = String::from_utf8_lossy(&answer[..500.min(answer.len())]).to_lowercase();
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{head}");
    let said = ask(&here(), json!({"url": nginx.url("/text")})).await?;
    assert_eq!(said.body, text);
    assert_eq!(header::value(&said.headers, "content-type"), Some("text/plain"));
    let packed = header::value(&said.headers, "content-encoding");
    assert_eq!(packed, None, "nobody may unpack it again: {:?}", said.headers);
    let served = &nginx.served(2).await[1];
    assert_eq!((&served["encoding"], &served["framing"]), (&json!("gzip"), &json!("chunked")));
    // Nothing is there to unpack when only the headers come.
    let said = ask(&here(), json!({"url": nginx.url("/text"), "method": "HEAD"})).await?;
    assert_eq!((said.status_code, said.body.as_str()), (200, ""));
    Ok(())
}

#[tokio::test]
async fn a_bomb_is_measured_unpacked() -> Result<()> {
    let Some(nginx) = Nginx::serve(GZIP).await else { return Ok(()) };
    nginx.file("bomb", &"0".repeat(16 << 20));
    let packed = raw(&nginx, "/bomb").await.len();
    assert!(packed < 1 << 20, "{packed}");
    let bench = bench(json!({"allow": ["127.0.0.1"], "maxResponseBytes": 1 << 20}));
    let error = ask(&bench, json!({"url": nginx.url("/bomb")})).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("more than 1048576 "), "{error}");
    Ok(())
}

#[tokio::test]
async fn one_connection_serves_requests_of_all_kinds() -> Result<()> {
    let server = format!("{ECHO} {GZIP} location /to {{ return 302 /text; }}");
    let Some(nginx) = Nginx::serve(&server).await else { return Ok(()) };
    nginx.file("text", &"text".repeat(5000));
    let bench = here();
    for (method, path, status) in [
        ("GET", "/text", 200),
        ("POST", "/echo", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/text", 405),
        ("GET", "/to", 200),
        ("GET", "/text", 200),
    ] {
        let request = json!({"url": nginx.url(path), "method": method, "body": "{}"});
        assert_eq!(ask(&bench, request).await?.status_code, status, "{method} {path}");
    }
    let served = nginx.served(7).await;
    let is_next = |(before, request): (u64, &Value)| {
        request["connection"] == served[0]["connection"] && request["nth"] == before + 1
    };
    assert!((0..).zip(&served).all(is_next), "{served:#?}");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_nginx_closes_harms_no_request() -> Result<()> {
    for keeps in ["keepalive_requests 2;", "keepalive_timeout 10ms;"] {
        let Some(nginx) = Nginx::serve(&format!("{keeps} {ECHO}")).await else { return Ok(()) };
        let bench = here();
        for _ in 0..6 {
            // One that is never tried again, when the connection has grown old.
            sleep(Duration::from_millis(100)).await;
            let request = json!({"url": nginx.url("/echo"), "method": "POST", "body": "{}"});
            assert_eq!(ask(&bench, request).await?.status_code, 200);
        }
        let served = nginx.served(6).await;
        assert_ne!(served[0]["connection"], served[5]["connection"], "{keeps} {served:#?}");
    }
    Ok(())
}

/// An authority, and a certificate of it for a name with its key; all PEM.
fn certificate(name: &str) -> (String, String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("an authority").pem();
    let issuer = rcgen::Issuer::new(params, key);
    let own = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&own, &issuer).expect("a certificate");
    (authority, certificate.pem(), own.serialize_pem())
}

/// Asks over TLS an nginx which has a certificate for this name; the client trusts its authority or does not.
async fn ask_tls(listen: &str, name: &str, is_trusted: bool) -> Option<(Nginx, Result<Said>)> {
    let (authority, certificate, key) = certificate(name);
    let files = [("own.pem", certificate.as_str()), ("key.pem", key.as_str())];
    let server = format!("ssl_certificate own.pem; ssl_certificate_key key.pem; {ECHO}");
    let nginx = Nginx::listen(listen, &server, &files).await?;
    let trusted = if is_trusted { authority } else { String::new() };
    let bench = bench(json!({"allow": ["localhost"], "caCertificates": trusted}));
    let url = format!("https://localhost:{}/echo", nginx.port);
    let said = ask(&bench, json!({"url": url, "method": "POST", "body": "{}"})).await;
    Some((nginx, said))
}

#[tokio::test]
async fn tls_is_spoken_with_whom_a_trusted_authority_vouches_for() -> Result<()> {
    for (listen, protocol) in [("ssl", "HTTP/1.1"), ("ssl http2", "HTTP/2.0")] {
        let listen = format!("listen 127.0.0.1:PORT {listen};");
        let Some((nginx, said)) = ask_tls(&listen, "localhost", true).await else { return Ok(()) };
        assert_eq!(said?.body, "POST application/json 2");
        assert_eq!(nginx.served(1).await[0]["protocol"], protocol);
    }
    for (name, is_trusted, why) in [
        ("localhost", false, "nobody who is trusted vouches for its certificate"),
        ("other.test", true, "invalid peer certificate: certificate not valid for name"),
    ] {
        let asked = ask_tls("listen 127.0.0.1:PORT ssl;", name, is_trusted).await;
        let error = asked.expect("there is an nginx").1.unwrap_err().to_string();
        // Not after many attempts, which would be said before.
        assert!(error.starts_with(&format!("localhost cannot be asked: {why}")), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_user_with_a_password_is_let_in() -> Result<()> {
    let listen = "listen 127.0.0.1:PORT;";
    let server = r#"auth_basic "who?"; auth_basic_user_file users;"#;
    let users = [("users", "ada:{PLAIN}pass wörd\n")];
    let Some(nginx) = Nginx::listen(listen, server, &users).await else { return Ok(()) };
    nginx.file("text", "hers");
    let bench = here();
    let with = |password: &str| json!({"scheme": "basic", "user": "ada", "password": password});
    for (auth, status) in [(with("pass wörd"), 200), (with("other"), 401), (Value::Null, 401)] {
        let said = ask(&bench, json!({"url": nginx.url("/text"), "auth": auth})).await?;
        assert_eq!(said.status_code, status, "{}", said.body);
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_status_is_an_answer_and_asked_for_once() -> Result<()> {
    let all = [400, 403, 404, 410, 429, 500, 503];
    let own = all.map(|status| format!("location /{status} {{ return {status}; }}")).concat();
    // Nobody listens behind this gateway.
    let server = format!("{own} location /502 {{ proxy_pass http://127.0.0.1:1; }}");
    let Some(nginx) = Nginx::serve(&server).await else { return Ok(()) };
    let bench = here();
    for status in all.into_iter().chain([502]) {
        let said = ask(&bench, json!({"url": nginx.url(&format!("/{status}"))})).await?;
        assert_eq!(said.status_code, status);
        let refused = bench.sent(HttpClient::ERROR).pop().expect("it goes to the other port");
        assert_eq!(refused.error, format!("the server says {}", said.status));
    }
    assert_eq!(nginx.served(8).await.len(), 8);
    Ok(())
}

#[tokio::test]
async fn a_response_that_drips_is_not_waited_for() -> Result<()> {
    let text = "slow".repeat(200);
    // The one drips from its first byte on, the other after its headers.
    let server = format!(
        r#"location /head {{ limit_rate 1; return 200 "{text}"; }}
        location /body {{ limit_rate 1; limit_rate_after 400; return 200 "{text}"; }}"#
    );
    let Some(nginx) = Nginx::serve(&server).await else { return Ok(()) };
    for path in ["/head", "/body"] {
        let request =
            |method: &str| json!({"url": nginx.url(path), "method": method, "timeout": 1});
        let error = ask(&here(), request("POST")).await.unwrap_err();
        assert!(error.is_permanent(), "{path}: {error}");
        assert_eq!(error.to_string(), "127.0.0.1 has not answered within 1 s", "{path}");
        repeats(&nginx, request("GET")).await;
    }
    Ok(())
}

#[tokio::test]
async fn who_hangs_up_is_asked_again_for_what_may_be_done_twice() -> Result<()> {
    let Some(nginx) = Nginx::serve("location / { return 444; }").await else { return Ok(()) };
    let request = |method: &str| json!({"url": nginx.url("/"), "method": method});
    for (count, method) in [(1, "POST"), (2, "PATCH")] {
        let error = ask(&here(), request(method)).await.unwrap_err();
        assert!(error.is_permanent() && error.to_string().contains("closed before"), "{error}");
        assert_eq!(nginx.served(count).await.len(), count);
    }
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        repeats(&nginx, request(method)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_too_large_for_nginx_is_answered() -> Result<()> {
    let server = "client_max_body_size 1k; location / { proxy_pass http://127.0.0.1:1; }";
    let Some(nginx) = Nginx::serve(server).await else { return Ok(()) };
    // The larger one is under way still when nginx answers.
    for size in [2000, 1_500_000] {
        let body = "x".repeat(size);
        let request = json!({"url": nginx.url("/"), "method": "POST", "body": body});
        let said = ask(&here(), request).await?;
        assert_eq!(said.status, "413 Payload Too Large", "{size}");
    }
    Ok(())
}

#[tokio::test]
async fn a_file_is_put_read_and_deleted() -> Result<()> {
    let server = format!("dav_methods PUT DELETE; create_full_put_path on; {ECHO}");
    let Some(nginx) = Nginx::serve(&server).await else { return Ok(()) };
    let bench = here();
    for (method, path, sent, status, came) in [
        ("PUT", "/a/b", "one", 201, ""),
        ("PUT", "/a/b", "two, ünd", 204, ""),
        ("GET", "/a/b", "", 200, "two, ünd"),
        ("DELETE", "/a/b", "", 204, ""),
        ("PATCH", "/echo", "{}", 200, "PATCH application/json 2"),
    ] {
        let request = json!({"url": nginx.url(path), "method": method, "body": sent});
        let said = ask(&bench, request).await?;
        assert_eq!((said.status_code, said.body.as_str()), (status, came), "{method} {path}");
    }
    assert_eq!(ask(&bench, json!({"url": nginx.url("/a/b")})).await?.status_code, 404);
    Ok(())
}
