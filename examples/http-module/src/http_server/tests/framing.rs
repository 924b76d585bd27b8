//! Requests that are large, slow, wrong, or two in one.

use super::*;

fn head(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

/// The status line that comes first.
fn status(said: &str) -> &str {
    said.strip_prefix("HTTP/1.1 ").and_then(|it| it.get(..3)).unwrap_or("none")
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_its_kind() {
    let desk = Desk::new(json!({"maxBodySize": 1000})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let cases = [
        ("413", head("Content-Length: 1001\r\n")),
        ("413", head("Content-Length: 9007199254740993\r\n")),
        ("413", head("Expect: 100-continue\r\nContent-Length: 1001\r\n")),
        (
            "413",
            head("Transfer-Encoding: chunked\r\n")
                + "3e9\r\n"
                + &"a".repeat(1001)
                + "\r\n0\r\n\r\n",
        ),
        ("431", head(&format!("A: {}\r\n", "a".repeat(200_000)))),
        ("431", head(&"A: a\r\n".repeat(200))),
        ("414", format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(65_534))),
        ("431", head("Content-Length: 18446744073709551614\r\n")),
        ("400", head("Content-Length: 18446744073709551616\r\n")),
    ];
    for (wanted, request) in cases {
        let said = desk.raw(&request).await;
        assert_eq!(status(&said), wanted, "{}", &request[..request.len().min(80)]);
    }
    assert!(desk.asked().is_empty(), "the flow hears of none");
    let most = desk.raw(head("Content-Length: 1000\r\n") + &"a".repeat(1000)).await;
    assert_eq!(status(&most), "200");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let cases = [
        ("400", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("400", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        ("400", "GET / HTTP/9.9\r\nHost: a\r\n\r\n".into()),
        ("400", "nonsense\r\n\r\n".into()),
        ("400", "\u{16}\u{3}\u{1}TLS\r\n\r\n".into()),
        ("405", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("405", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("400", head("Content-Type: application/json\r\nContent-Length: 1\r\n") + "{"),
        ("400", head("Transfer-Encoding: gzip, chunked\r\n") + "1\r\na\r\n0\r\n\r\n"),
    ];
    for (wanted, request) in cases {
        assert_eq!(status(&desk.raw(&request).await), wanted, "{request}");
    }
    assert!(desk.asked().is_empty(), "the flow hears of none");
}

/// Many clients look for an answer only when they have sent all, and say nothing of one when that fails.
#[tokio::test]
async fn who_is_refused_may_send_all_of_it() {
    let desk = Desk::new(json!({})).await;
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&desk.address).await.unwrap();
        let request = head("Content-Length: 8000000\r\n") + &"a".repeat(8_000_000);
        timeout(PATIENCE, stream.write_all(request.as_bytes())).await.unwrap().unwrap();
        let mut said = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut said)).await.unwrap().unwrap();
        assert_eq!(status(&said), "413");
    }
}

/// A small text of JSON may become large in memory.
#[tokio::test]
async fn values_are_bounded_like_bytes() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let sent = |kind: &str, value: &str| {
        let body = format!("[{}]", vec![value; 100_000].join(","));
        head(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len())) + &body
    };
    assert_eq!(status(&desk.raw(sent("application/json", r#"{"":0}"#)).await), "413");
    assert_eq!(status(&desk.raw(sent("text/plain", r#"{"":0}"#)).await), "200");
    assert_eq!(status(&desk.raw(sent("application/json", "0")).await), "200");
}

#[tokio::test]
async fn what_comes_too_slowly_is_refused() {
    let desk = Desk::started(json!({}), Start { read_timeout: 1, ..Start::default() }).await;
    let mut stream = TcpStream::connect(&desk.address).await.unwrap();
    stream.write_all(head("Content-Length: 5\r\n").as_bytes()).await.unwrap();
    stream.write_all(b"a").await.unwrap();
    let mut said = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut said)).await.unwrap().unwrap();
    assert_eq!(status(&said), "408");
    assert!(desk.asked().is_empty());
}

/// Where a request could hide in another one. Whoever stands before the server may have taken all of it for one.
#[tokio::test]
async fn a_request_that_hides_in_another_is_never_answered() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = hidden.len();
    let body = |lines: &str, body: &str| head(lines) + body + hidden;
    let cases = [
        // Both lengths, in either order; the body is that of the chunks.
        body(
            &format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", 5 + length),
            "0\r\n\r\n",
        ),
        body(
            &format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", 5 + length),
            "0\r\n\r\n",
        ),
        // Chunks that are called by another name, or by two.
        body("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding: identity\r\nContent-Length: 0\r\n", ""),
        body("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        body("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding\r\n: chunked\r\n", "0\r\n\r\n"),
        body("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        body("Transfer-Encoding: chunked\u{0}\r\n", "0\r\n\r\n"),
        // Lengths that can be read in two ways.
        body(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), ""),
        body(&format!("Content-Length: 0, {length}\r\n"), ""),
        body("Content-Length: +0\r\n", ""),
        body("Content-Length: -0\r\n", ""),
        body("Content-Length: 0x0\r\n", ""),
        body("Content-Length: 0 0\r\n", ""),
        body("Content-Length : 0\r\n", ""),
        body("Content-Length:\r\n", ""),
        // Chunks that can be read in two ways.
        body("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\n", "+0\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\n", "0\n\n"),
        body("Transfer-Encoding: chunked\r\n", "1\r\naX\r\n0\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\n", "0;a\nb\r\n\r\n"),
        body("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 5\r\n\r\n"),
        // Older versions know no chunks.
        format!(
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ),
        // Protocols that are not spoken.
        body("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 9999\r\n", ""),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{hidden}"),
    ];
    for request in cases {
        let said = desk.raw(&request).await;
        let hidden = desk.asked().iter().any(|asked| asked.request_uri == "/hidden");
        assert!(!hidden, "it got through: {request:?}");
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "answered twice: {request:?}: {said}");
        assert!(!status(&said).starts_with('5'), "{request:?}: {said}");
    }
    let pipelined = desk.raw(body("Content-Length: 1\r\n", "a")).await;
    assert_eq!(pipelined.matches("HTTP/1.1 200").count(), 2, "two that are two are two");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(desk.raw(get.repeat(3)).await.matches("200 OK").count(), 3);
    let closes = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned() + get;
    assert_eq!(desk.raw(closes).await.matches("200 OK").count(), 1);
    let old = desk.raw("GET / HTTP/1.0\r\n\r\n".to_owned() + get).await;
    assert_eq!(old.matches("200 OK").count(), 1);
    let only_head = desk.raw("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(only_head.contains("content-length: 2\r\n") && only_head.ends_with("\r\n\r\n"));
    let waits = head("Expect: 100-continue\r\nContent-Length: 1\r\n") + "a";
    assert!(desk.raw(waits).await.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
    let absolute = desk.raw("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(status(&absolute), "200");
    let asked = desk.asked().pop().unwrap();
    assert_eq!((&*asked.host, &*asked.request_uri), ("b", "/x"));
}
