//! An exporter whose failures are told, now and then.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// How often it is said at most: a collector may be away for long.
const PAUSE: Duration = Duration::from_secs(300);

/// Says when spans do not reach the collector. The SDK itself keeps silent, or says it each time.
#[derive(Debug)]
pub(super) struct Watched<E> {
    inner: E,
    said: Mutex<Option<Instant>>,
}

impl<E> Watched<E> {
    pub(super) fn new(inner: E) -> Self {
        Self { inner, said: Mutex::default() }
    }

    /// Whether it is time to say it.
    fn is_due(&self, now: Instant) -> bool {
        let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_due = said.is_none_or(|said| now.duration_since(said) >= PAUSE);
        if is_due {
            *said = Some(now);
        }
        is_due
    }
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.inner.export(batch).await;
        if let Err(error) = &result
            && self.is_due(Instant::now())
        {
            tracing::warn!(
                "traces do not reach the collector, and are dropped while that is so: {error}"
            );
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_now_and_then() {
        let watched = Watched::new(());
        let now = Instant::now();
        assert!(watched.is_due(now));
        assert!(!watched.is_due(now + PAUSE / 2));
        assert!(watched.is_due(now + PAUSE));
    }
}
