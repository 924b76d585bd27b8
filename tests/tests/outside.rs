//! What probes and Prometheus see of a module.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use tiny_tests::{Desk, eventually, get};

/// The value of a metric.
fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[test]
fn probes_and_metrics_tell_how_a_module_is() {
    let desk = Desk::new();
    let module = desk.greeting();
    let (metrics, probes) = (module.door("metrics"), module.door("probes"));
    eventually("readiness", || (get(&probes, "/readyz") == (200, "ok\n".into())).then_some(()));
    for path in ["/livez", "/healthz"] {
        assert_eq!(get(&probes, path), (200, "ok\n".into()));
    }
    let (status, lines) = get(&probes, "/readyz?verbose");
    assert_eq!(status, 200);
    assert_eq!(lines, "[+]shutdown ok\n[+]runtime ok\n[+]watches ok\n[+]wire ok\n");
    // What one door has, the other has not.
    assert_eq!((get(&probes, "/metrics").0, get(&metrics, "/readyz").0), (404, 404));

    desk.call(&["signal", "hello", "input", r#"{"name":"World"}"#, "--wait"]).ok();
    desk.call(&["signal", "hello", "input", r#"{"nobody":1}"#, "--wait"]).refused();
    let (status, text) = get(&metrics, "/metrics");
    assert_eq!(status, 200);
    let hops = |outcome: &str| {
        let labels = format!(r#"{{node="hello",component="hello",outcome="{outcome}"}}"#);
        value(&text, &format!("tiny_hops_total{labels}"))
    };
    assert_eq!(
        (hops("ok"), hops("permanent"), hops("transient")),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    let timed = r#"tiny_hop_seconds_count{node="hello",component="hello"}"#;
    assert_eq!(value(&text, timed), Some(2.0));
    assert_eq!(value(&text, "tiny_leader"), Some(1.0));
    assert_eq!(value(&text, r#"tiny_nodes{ready="true"}"#), Some(2.0));
    assert!(value(&text, "process_cpu_seconds_total").unwrap() > 0.0);
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(module.interrupt().success());
}

#[test]
fn one_address_may_be_for_both() {
    let desk = Desk::new();
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut module = desk.run(&["-m", &free, "-t", &free]);
    module.line("nodes ");
    assert_eq!(get(&free, "/livez").0, 200);
    assert_eq!(get(&free, "/metrics").0, 200);
    let refused = desk.call(&["run", "--name", "other", "-m", &free]).refused();
    assert!(
        refused.contains("cannot listen on") && refused.contains("--metrics-bind-address"),
        "{refused}"
    );
    assert!(module.interrupt().success());
}
