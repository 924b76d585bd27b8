//! Where spans and events go: to stderr, and to whoever collects traces.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::otlp::{self, Otlp};

/// How a process logs.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// Errors only.
    pub quiet: bool,
}

impl Log {
    /// Begins to log, and to hand spans to `otlp`. A process that has a subscriber already keeps it.
    pub fn start(self, otlp: &Otlp) {
        // What its client meets is told by whoever asked for it, who also knows what comes of it.
        let client = "kube_client::client=error,kube_client::client::builder=off";
        let usual =
            if self.quiet { "error" } else { "info,kube=warn,hyper=warn,tower=warn,rustls=warn" };
        let usual = format!("{usual},{client}");
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
        // On stderr, so that stdout holds what a command is asked for.
        let log = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .with_filter(filter);
        let spans = otlp.tracer().map(otlp::layer);
        // Fails when the process has a subscriber already, which then takes the log.
        drop(tracing_subscriber::registry().with(log).with(spans).try_init());
    }
}
