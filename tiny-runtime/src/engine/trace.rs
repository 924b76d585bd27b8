//! Spans: one for each hop, in a trace that has the id of its run.
//!
//! Hops are spans of `tracing`, so that an author's own spans and events nest in them. Where a process exports traces, the layer of
//! `tracing-opentelemetry` makes of each what goes out; this file, and no other of the engine, knows of it: parents come from envelopes and not
//! from the task that happens to run, and a run that begins a trace says its id.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::{Level, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::Line;
use crate::component::{Error, Parent, Run, Sender};

/// The target of the spans of hops, for whoever filters them. Their level is debug: a log at the usual level does not tell of each.
pub const TARGET: &str = "tiny::hop";

thread_local! {
    static ROOT: Cell<Option<u128>> = const { Cell::new(None) };
}

/// The id that a trace must have which begins now, on this thread: that of its run. For the generator of ids of whoever exports.
pub fn root() -> Option<u128> {
    ROOT.get()
}

/// The span of a hop over `line`; none while nobody listens.
pub(super) fn hop(node: &str, line: &Line, run: &Run, sender: &Sender) -> Span {
    if !tracing::enabled!(target: TARGET, Level::DEBUG) {
        return Span::none();
    }
    let parent = match sender {
        Sender::Hop(hop) => hop.span.id(),
        Sender::Module(_) | Sender::Nobody => None,
    };
    let is_child = parent.is_some();
    let span = tracing::debug_span!(
        target: TARGET,
        parent: parent,
        "hop",
        otel.name = %line.to,
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        node,
        port = &*line.to.port,
        edge = line.edge.as_deref(),
        run = %run.id(),
        trigger = field::Empty,
    );
    if span.is_disabled() {
        return Span::none();
    }
    match told(sender) {
        _ if is_child => {}
        // Fails where traces go nowhere, and the span is one of the log only.
        Some(parent) => drop(span.set_parent(remote(run, parent))),
        None => {
            span.record("trigger", run.trigger());
            ROOT.set(Some(run.id().0));
            // It is made now, while its id is known.
            drop(span.context());
            ROOT.set(None);
        }
    }
    span
}

/// The span, in another task or another module, that a hop comes from. It goes on to those that come from the hop where that has no span:
/// a module that exports nothing does not break a trace in two.
pub(super) fn told(sender: &Sender) -> Option<Parent> {
    match sender {
        Sender::Hop(hop) => hop.parent,
        Sender::Module(passed) => passed.parent,
        Sender::Nobody => None,
    }
}

/// Says in the span of a hop why it failed.
pub(super) fn failed(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", field::display(error));
}

/// What whoever comes after `span` in another task or another module is told of it; nothing where it goes nowhere.
pub(super) fn parent(span: &Span) -> Option<Parent> {
    if span.is_none() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    let span = u64::from_be_bytes(context.span_id().to_bytes());
    context.is_valid().then(|| Parent { span, sampled: context.is_sampled() })
}

fn remote(run: &Run, parent: Parent) -> Context {
    let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace, span) = (TraceId::from(run.id().0), SpanId::from(parent.span));
    Context::new().with_remote_span_context(SpanContext::new(
        trace,
        span,
        flags,
        true,
        TraceState::NONE,
    ))
}
