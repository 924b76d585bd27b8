//! A run is one trace, whichever modules and tasks it passes.

use std::sync::OnceLock;

use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tiny_runtime::engine::Outcome;
use tiny_runtime::telemetry::{Otlp, layer};
use tracing_subscriber::layer::SubscriberExt;

use crate::seed::MessageRequest;
use crate::seed::module_service_client::ModuleServiceClient as Client;
use crate::stage::Act;
use crate::town::Town;

/// All spans of this process.
fn spans() -> &'static InMemorySpanExporter {
    static SPANS: OnceLock<InMemorySpanExporter> = OnceLock::new();
    SPANS.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let traces = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .with_id_generator(Otlp::ids())
            .build();
        let otlp = Otlp::by(traces);
        let subscriber = tracing_subscriber::registry().with(otlp.tracer().map(layer));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        // For as long as the process lives.
        std::mem::forget(otlp);
        exporter
    })
}

/// A trace as lines, each `name < name of the parent`.
fn trace(outcome: &Outcome) -> (Vec<SpanData>, Vec<String>) {
    let id = outcome.run.id().to_string();
    let mut spans = spans().get_finished_spans().unwrap();
    spans.retain(|span| span.span_context.trace_id().to_string() == id);
    let line = |span: &SpanData| {
        let is_parent = |it: &&SpanData| it.span_context.span_id() == span.parent_span_id;
        match spans.iter().find(is_parent) {
            Some(parent) => format!("{} < {}", span.name, parent.name),
            None => format!("{} ({})", span.name, span.parent_span_id),
        }
    };
    let mut lines: Vec<String> = spans.iter().map(line).collect();
    lines.sort();
    (spans, lines)
}

async fn traced(outcome: &Outcome, count: usize) -> (Vec<SpanData>, Vec<String>) {
    let all = async {
        loop {
            let (spans, lines) = trace(outcome);
            if lines.len() >= count {
                return (spans, lines);
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(crate::town::PATIENCE, all).await;
    found.unwrap_or_else(|_| panic!("{:#?}", trace(outcome).1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_through_modules_and_backgrounds_is_one_tree_and_its_id_is_that_of_the_run() {
    spans();
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "traced", &["out three:input", "later four:input"]);
    a.node("three", "actor", &[]).script("three", &[Act::Answer("back")]);
    a.node("four", "actor", &[]).script("four", &[Act::Permanent("no")]);
    let outcome = a.run("one:input").await;
    assert!(outcome.result.is_ok(), "{outcome}");
    let (spans, lines) = traced(&outcome, 6).await;
    assert_eq!(
        lines,
        [
            "deeper < own work",
            "four:input < two:input",
            "one:input (0000000000000000)",
            "own work < two:input",
            "three:input < two:input",
            "two:input < one:input",
        ]
    );
    let of = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(of("two:input").events.len(), 1, "the author's event");
    assert!(of("two:input").parent_span_is_remote && !of("one:input").parent_span_is_remote);
    assert!(
        matches!(of("four:input").status, Status::Error { .. }),
        "{:?}",
        of("four:input").status
    );
    assert_eq!(of("three:input").status, Status::Unset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_says_its_trace_in_a_header_is_part_of_it() {
    let spans = spans();
    let b = Town::new().module("b").await;
    b.node("two", "actor", &[]);
    let mut client = Client::connect(format!("http://{}", b.address)).await.unwrap();
    let mut request = tonic::Request::new(MessageRequest {
        to: "two:input".into(),
        payload: r#"{"text":"go"}"#.into(),
        ..MessageRequest::default()
    });
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let header = format!("00-{trace}-{parent}-01").parse().unwrap();
    request.metadata_mut().insert("traceparent", header);
    client.message(request).await.unwrap();
    let all = spans.get_finished_spans().unwrap();
    let found = all.iter().find(|span| span.span_context.trace_id().to_string() == trace);
    assert_eq!(found.unwrap().parent_span_id.to_string(), parent);
}
