//! Traces and metrics for a collector, over OTLP. Off without a word when nobody has named one.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{SpanId, TraceId, TracerProvider};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider};
use tonic::metadata::{MetadataMap, MetadataValue};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::metrics::Metrics;
use super::observed;
use super::watched::Watched;
use crate::engine::trace;

/// The name of this library among the spans of a process.
const SCOPE: &str = "tiny";
/// The longest wait for a collector at the end of a process.
const FLUSH: Duration = Duration::from_secs(3);
/// The port of a DSN that names none, as the first version has it.
const DSN_PORT: &str = "413";

/// What a process exports. Nothing waits for the collector: spans that it does not take are dropped.
#[derive(Clone, Debug, Default)]
pub struct Otlp {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

/// Where a collector is.
#[derive(Debug, PartialEq, Eq)]
enum Collector {
    /// The standard variables say it, which the exporter reads itself.
    Standard,
    /// `OTLP_DSN` says it.
    Dsn { endpoint: String, token: Option<String> },
}

impl Otlp {
    /// What the environment asks for, in a process that is called `service`. Must be called within a runtime of tokio.
    ///
    /// # Errors
    /// Why nothing is exported though somebody asked for it. A process goes on without.
    pub fn of_env(service: &str, version: &str) -> Result<Self, String> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wrong = |e: ExporterBuildError| format!("nothing is exported over OTLP: {e}");
        let resource = resource(service, version, var);
        let traces = match collector(&TRACES, var)? {
            None => None,
            Some(collector) => {
                let exporter = at(SpanExporter::builder().with_tonic(), &collector)?;
                let exporter = exporter.build().map_err(wrong)?;
                let traces = SdkTracerProvider::builder()
                    .with_batch_exporter(Watched::new(exporter))
                    .with_id_generator(Self::ids())
                    .with_resource(resource.clone());
                Some(traces.build())
            }
        };
        let metrics = match collector(&METRICS, var)? {
            None => None,
            Some(collector) => {
                let exporter = at(MetricExporter::builder().with_tonic(), &collector)?;
                let exporter = exporter.build().map_err(wrong)?;
                let metrics = SdkMeterProvider::builder().with_periodic_exporter(exporter);
                Some(metrics.with_resource(resource).build())
            }
        };
        Ok(Self { traces, metrics })
    }

    /// What exports by `traces`, whose ids must be made by [`Otlp::ids`].
    pub fn by(traces: SdkTracerProvider) -> Self {
        Self { traces: Some(traces), metrics: None }
    }

    /// Makes ids: those of traces are those of runs.
    pub fn ids() -> impl IdGenerator + 'static {
        Ids(RandomIdGenerator::default())
    }

    /// Makes the spans; `None` where nobody collects them.
    pub fn tracer(&self) -> Option<SdkTracer> {
        self.traces.as_ref().map(|traces| traces.tracer(SCOPE))
    }

    /// Has the numbers of a module exported, where somebody collects them.
    pub(crate) fn observe(&self, metrics: &Metrics) {
        if let Some(provider) = &self.metrics {
            observed::register(&provider.meter(SCOPE), metrics);
        }
    }

    /// Sends what is left, for three seconds at most.
    pub async fn flush(self) {
        // They block their threads until the collector has answered, over this runtime; and there is nobody left to tell.
        let traces = self.traces.map(|traces| {
            tokio::task::spawn_blocking(move || drop(traces.shutdown_with_timeout(FLUSH)))
        });
        let metrics = self.metrics.map(|metrics| {
            tokio::task::spawn_blocking(move || drop(metrics.shutdown_with_timeout(FLUSH)))
        });
        let both = futures::future::join_all(traces.into_iter().chain(metrics));
        drop(tokio::time::timeout(FLUSH, both).await);
    }
}

/// Hands spans to a tracer: those of hops, and those of authors at the level of information. Not those of the exporter itself.
pub fn layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let silent = ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry", "kube", "rustls"];
    let targets = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target(trace::TARGET, LevelFilter::DEBUG)
        .with_targets(silent.map(|target| (target, LevelFilter::OFF)));
    // What is always the same of a place, a thread, a level costs as much as the rest.
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_target(false)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(targets)
}

/// What is said of the process. The standard variables have the last word.
fn resource(service: &str, version: &str, var: impl Fn(&str) -> Option<String>) -> Resource {
    let attributes = var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let says = |key: &str| attributes.split(',').any(|pair| pair.trim_start().starts_with(key));
    let mut resource = Resource::builder();
    if var("OTEL_SERVICE_NAME").is_none() && !says("service.name=") {
        resource = resource.with_service_name(service.to_owned());
    }
    if !says("service.version=") {
        resource = resource.with_attribute(KeyValue::new("service.version", version.to_owned()));
    }
    resource.build()
}

#[derive(Debug)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        trace::root().map_or_else(|| self.0.new_trace_id(), TraceId::from)
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// The variables of one kind of telemetry.
struct Kind {
    exporter: &'static str,
    endpoint: &'static str,
    protocol: &'static str,
}

const TRACES: Kind = Kind {
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
};

const METRICS: Kind = Kind {
    exporter: "OTEL_METRICS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
};

/// Where the environment says that a collector is.
fn collector(
    kind: &Kind,
    var: impl Fn(&str) -> Option<String>,
) -> Result<Option<Collector>, String> {
    let is = |name: &str, value: &str| var(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    if is("OTEL_SDK_DISABLED", "true") || is(kind.exporter, "none") {
        return Ok(None);
    }
    if ["OTEL_EXPORTER_OTLP_ENDPOINT", kind.endpoint].into_iter().any(|name| var(name).is_some()) {
        let protocol = var(kind.protocol).or_else(|| var("OTEL_EXPORTER_OTLP_PROTOCOL"));
        return match protocol.as_deref() {
            None | Some("grpc") => Ok(Some(Collector::Standard)),
            Some(other) => Err(format!(
                "nothing is exported over OTLP: it goes over gRPC here, and OTEL_EXPORTER_OTLP_PROTOCOL is `{other}`; name the collector's port for gRPC, \
                 mostly 4317, and say `grpc`"
            )),
        };
    }
    var("OTLP_DSN").map(|dsn| of_dsn(&dsn)).transpose()
}

/// `http(s)://token@host:port`
fn of_dsn(dsn: &str) -> Result<Collector, String> {
    // It may hold a secret, so it is not repeated.
    let wrong =
        || "nothing is exported over OTLP: OTLP_DSN must be `https://TOKEN@HOST:PORT`".to_owned();
    let (scheme, rest) = dsn.split_once("://").ok_or_else(wrong)?;
    if !["http", "https"].contains(&scheme) {
        return Err(wrong());
    }
    let (token, host) = match rest.rsplit_once('@') {
        Some((token, host)) => (Some(token.to_owned()), host),
        None => (None, rest),
    };
    let host = host.trim_end_matches('/');
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if host.is_empty() || host.contains('/') {
        return Err(wrong());
    }
    let port = if has_port { String::new() } else { format!(":{DSN_PORT}") };
    let token = token.filter(|token| !token.is_empty());
    Ok(Collector::Dsn { endpoint: format!("{scheme}://{host}{port}"), token })
}

fn at<B: WithExportConfig + WithTonicConfig>(
    builder: B,
    collector: &Collector,
) -> Result<B, String> {
    match collector {
        Collector::Standard => Ok(builder),
        Collector::Dsn { endpoint, token } => {
            Ok(builder.with_endpoint(endpoint).with_metadata(authorization(token.as_deref())?))
        }
    }
}

fn authorization(token: Option<&str>) -> Result<MetadataMap, String> {
    let mut headers = MetadataMap::new();
    if let Some(token) = token {
        let mut value = MetadataValue::try_from(format!("Bearer {token}")).map_err(|_| {
            "nothing is exported over OTLP: the token of OTLP_DSN cannot be a header".to_owned()
        })?;
        value.set_sensitive(true);
        headers.insert("authorization", value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        let var =
            |name: &str| vars.iter().find(|(it, _)| *it == name).map(|(_, v)| (*v).to_owned());
        collector(&TRACES, var)
    }

    #[test]
    fn nothing_is_exported_where_nobody_names_a_collector() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[("OTEL_SERVICE_NAME", "x")]), Ok(None));
        assert_eq!(of(&[endpoint]), Ok(Some(Collector::Standard)));
        assert_eq!(of(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert_eq!(of(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert_eq!(of(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://x")]), Ok(None));
        let refused =
            of(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]).unwrap_err();
        assert!(refused.contains("4317"), "{refused}");
    }

    #[test]
    fn the_dsn_of_the_first_version_is_understood() {
        let dsn = |text: &str| of(&[("OTLP_DSN", text)]);
        let found = |endpoint: &str, token: Option<&str>| {
            let (endpoint, token) = (endpoint.to_owned(), token.map(str::to_owned));
            Ok(Some(Collector::Dsn { endpoint, token }))
        };
        assert_eq!(
            dsn("https://secret@otel.example:4317"),
            found("https://otel.example:4317", Some("secret"))
        );
        assert_eq!(dsn("http://otel.example/"), found("http://otel.example:413", None));
        for wrong in ["otel.example", "ftp://a@b", "https://a@b/path", "http://secret@"] {
            let said = dsn(wrong).unwrap_err();
            assert!(said.contains("OTLP_DSN must be") && !said.contains("secret"), "{said}");
        }
        assert!(authorization(Some("a\nb")).is_err());
        let standard = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4317");
        assert_eq!(of(&[("OTLP_DSN", "https://x"), standard]), Ok(Some(Collector::Standard)));
    }
}
