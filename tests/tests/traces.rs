//! What a collector gets of two modules, each in a process of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use tiny_tests::{Desk, Running, eventually, root};

/// A port that nobody listens on.
fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A desk whose processes export to this port, soon after a span has ended.
fn desk(port: u16) -> Desk {
    Desk::new()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://127.0.0.1:{port}"))
        .with("OTEL_BSP_SCHEDULE_DELAY", "100")
        .with("OTEL_METRIC_EXPORT_INTERVAL", "200")
}

fn two_modules(desk: &Desk) -> (Running, Running) {
    let modules = (desk.module("a"), desk.module("b"));
    let flow = root().join("examples/hello-module/two-modules.yaml");
    desk.call(&["apply", "-f", flow.to_str().unwrap()]).ok();
    modules
}

fn greet(desk: &Desk) -> String {
    desk.call(&["signal", "first", "input", r#"{"name":"World"}"#, "--wait"]).ok()
}

/// What rotel prints of a span.
#[derive(Default, Debug)]
struct Span {
    service: String,
    trace: String,
    parent: String,
    id: String,
    name: String,
}

/// The spans of hops in the log of rotel.
fn spans(log: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut service = String::new();
    for line in log.lines() {
        let Some((key, value)) = line.trim().split_once(':') else { continue };
        let value = value.trim().to_owned();
        match key.trim() {
            "-> service.name" => service = value,
            "Trace ID" => {
                spans.push(Span { service: service.clone(), trace: value, ..Span::default() })
            }
            key => {
                let Some(span) = spans.last_mut() else { continue };
                match key {
                    "Parent ID" => span.parent = value,
                    "ID" => span.id = value,
                    "Name" => span.name = value,
                    _ => {}
                }
            }
        }
    }
    spans
}

/// A collector that nobody here wrote, and where it listens.
fn rotel() -> Option<(Running, u16)> {
    let Some(rotel) = std::env::var_os("TINY_ROTEL").map(PathBuf::from) else {
        eprintln!("skipped: TINY_ROTEL names no rotel-agent");
        return None;
    };
    let port = free();
    let mut command = Command::new(rotel);
    command
        .args([
            "start",
            "--exporter",
            "blackhole",
            "--debug-log",
            "traces",
            "--debug-log",
            "metrics",
        ])
        .args(["--debug-log-verbosity", "detailed"])
        .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{port}")])
        .args(["--otlp-http-endpoint", &format!("127.0.0.1:{}", free())])
        .current_dir(std::env::temp_dir());
    let mut rotel = Running::start(command);
    rotel.line("Starting Rotel");
    Some((rotel, port))
}

/// So many spans, by their names.
fn received(rotel: &mut Running, count: usize) -> Vec<Span> {
    let mut found = eventually("the spans", || {
        rotel.has("");
        let found = spans(&rotel.printed.join("\n"));
        (found.len() >= count && found.iter().all(|span| !span.name.is_empty())).then_some(found)
    });
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

#[test]
fn one_trace_goes_from_a_signal_through_both_modules_as_one_tree() {
    let Some((mut rotel, port)) = rotel() else { return };
    let desk = desk(port);
    let (_a, _b) = two_modules(&desk);
    assert_eq!(greet(&desk), "Welcome, Hello, World!!\n");
    let found = received(&mut rotel, 3);
    let [first, second, third] = &found[..] else { panic!("{found:#?}") };
    let service = |span: &Span, name: &str| span.service == format!("Str({name})");
    assert!(service(first, "a") && service(second, "b") && service(third, "a"), "{found:#?}");
    assert_eq!(first.parent, "", "{found:#?}");
    assert_eq!((&second.parent, &third.parent), (&first.id, &second.id), "{found:#?}");
    assert!(found.iter().all(|span| span.trace == first.trace), "{found:#?}");
    eventually("metrics", || rotel.has("tiny.hops").then_some(()));
}

#[test]
fn a_module_that_exports_nothing_does_not_break_a_trace() {
    let Some((mut rotel, port)) = rotel() else { return };
    let desk = desk(port);
    let _a = desk.module("a");
    let desk = desk.with("OTEL_SDK_DISABLED", "true");
    let _b = desk.module("b");
    let flow = root().join("examples/hello-module/two-modules.yaml");
    desk.call(&["apply", "-f", flow.to_str().unwrap()]).ok();
    assert_eq!(greet(&desk), "Welcome, Hello, World!!\n");
    let found = received(&mut rotel, 2);
    let [first, third] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((&third.parent, &third.trace), (&first.id, &first.trace), "{found:#?}");
}

#[test]
fn a_collector_that_is_away_is_missed_by_nobody() {
    let desk = desk(free());
    let (mut a, b) = two_modules(&desk);
    for _ in 0..3 {
        assert_eq!(greet(&desk), "Welcome, Hello, World!!\n");
    }
    eventually("a word about it", || a.has("traces do not reach the collector").then_some(()));
    let said = a.printed.iter().filter(|line| line.contains("collector")).count();
    assert_eq!(said, 1, "{:#?}", a.printed);
    let asked = Instant::now();
    assert!(a.terminate().success());
    assert!(b.terminate().success());
    // Three seconds of flushing each, and what else a process has to do.
    assert!(asked.elapsed().as_secs() < 20, "{:?}", asked.elapsed());
}

#[test]
fn what_cannot_be_exported_to_is_said_and_the_module_runs() {
    let desk = Desk::new().with("OTLP_DSN", "collector");
    let mut module = desk.greeting();
    assert!(module.has("nothing is exported over OTLP: OTLP_DSN must be"), "{:#?}", module.printed);
    assert!(module.interrupt().success());
}
