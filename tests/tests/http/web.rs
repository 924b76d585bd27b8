//! What is served: one node, which says again what it is asked.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};
use tiny_tests::{Desk, Running, eventually};

/// A desk with the flow, and the ports that its replicas listen on.
pub(crate) struct Web {
    desk: Desk,
    file: String,
    pub(crate) ports: Vec<u16>,
}

impl Web {
    /// For so many replicas. `start` is what the signal says besides the addresses.
    pub(crate) fn new(replicas: usize, settings: Value, mut start: Value) -> Self {
        let (desk, ports) = (Desk::of("http-module"), free(replicas));
        let hostnames = ports.iter().map(|port| format!("localhost:{port}"));
        start["hostnames"] = hostnames.collect();
        let answer = json!({
            "id": "request-to-web",
            "port": "request",
            "to": "web:response",
            "configuration": {"body": "{{ $.requestURI }} {{ $.body }}"},
        });
        let node = object(
            "TinyNode",
            &json!({
                "module": "http-module",
                "component": "http_server",
                "ports": [{"port": "_settings", "configuration": settings}],
                "edges": [answer],
            }),
        );
        let signal = object("TinySignal", &json!({"node": "web", "port": "start", "data": start}));
        let file = desk.file("web.yaml", &format!("{node}\n---\n{signal}\n"));
        let file = file.to_str().unwrap().to_owned();
        Self { desk, file, ports }
    }

    /// Starts a process with the flow, and waits until it listens on the first port.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(&self, args: &[&str]) -> Running {
        let mut all = vec!["run", "--apply", &self.file];
        all.extend(args);
        self.listens(self.desk.start(&all), 0)
    }

    /// Starts another process of the module, and waits until it listens on this port.
    pub(crate) fn join(&self, nth: usize) -> Running {
        self.listens(self.desk.start(&["run"]), nth)
    }

    fn listens(&self, mut running: Running, nth: usize) -> Running {
        running.line("1 of 1 ready");
        eventually("it listens", || TcpStream::connect(self.address(nth)).ok());
        running
    }

    pub(crate) fn address(&self, nth: usize) -> String {
        format!("127.0.0.1:{}", self.ports[nth])
    }
}

/// JSON is YAML.
fn object(kind: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "operator.tinysystems.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": spec,
    })
}

/// Ports that nobody listens on, and that no connection gets while a replica is away: those are from 32 768 on.
pub(crate) fn free(count: usize) -> Vec<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Suites that run at once begin at places of their own.
    let first = (std::process::id() * 37 % 20_000) as u16;
    let next = || 10_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(next).take(20_000).filter(is_free).take(count).collect()
}
