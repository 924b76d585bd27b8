//! The numbers of a module, as OTLP takes them: looked at whenever they are sent.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::metrics::{HOPS, LEADER, LEVELS, Metrics, NODES, RETRIES};
use crate::component::{Measured, Sample};
use crate::engine::{OUTCOMES, Tallied};

/// Has `meter` look at the numbers of a module, for as long as its provider lives.
pub(super) fn register(meter: &Meter, metrics: &Metrics) {
    let all = metrics.clone();
    let hops = meter.u64_observable_counter("tiny.hops").with_description(HOPS);
    hops.with_callback(move |observer| {
        for node in all.scheduler.tallied() {
            for (outcome, count) in OUTCOMES.iter().zip(node.done) {
                let [name, component] = of_node(&node);
                observer.observe(count, &[name, component, KeyValue::new("outcome", *outcome)]);
            }
        }
    })
    .build();
    let retries = meter.u64_observable_counter("tiny.retries").with_description(RETRIES);
    retries.with_callback(of_nodes(metrics, |node| node.retries)).build();
    for (name, help, level) in LEVELS {
        let gauge = meter.u64_observable_gauge(format!("tiny.hops.{name}"));
        gauge.with_description(help).with_callback(of_nodes(metrics, level)).build();
    }
    let all = metrics.clone();
    let leader = meter.u64_observable_gauge("tiny.leader").with_description(LEADER);
    leader.with_callback(move |observer| observer.observe(u64::from(all.leads()), &[])).build();
    let all = metrics.clone();
    let nodes = meter.u64_observable_gauge("tiny.nodes").with_description(NODES);
    nodes
        .with_callback(move |observer| {
            for (is_ready, count) in all.nodes() {
                observer.observe(count, &[KeyValue::new("ready", is_ready)]);
            }
        })
        .build();
    instruments(meter, metrics);
}

/// Looks at one number of each node.
fn of_nodes(
    metrics: &Metrics,
    number: fn(&Tallied) -> u64,
) -> impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static {
    let all = metrics.clone();
    move |observer| {
        for node in all.scheduler.tallied() {
            observer.observe(number(&node), &of_node(&node));
        }
    }
}

/// What components measure. Their names come and go, so they are attributes.
fn instruments(meter: &Meter, metrics: &Metrics) {
    let all = metrics.clone();
    meter
        .u64_observable_counter("tiny.component.counter")
        .with_description("Counters of components")
        .with_callback(move |observer| {
            for sample in all.instruments.samples() {
                if let Measured::Count(count) = sample.measured {
                    observer.observe(count, &of_sample(sample));
                }
            }
        })
        .build();
    let all = metrics.clone();
    meter
        .f64_observable_gauge("tiny.component.gauge")
        .with_description("Gauges of components")
        .with_callback(move |observer| {
            for sample in all.instruments.samples() {
                if let Measured::Level(level) = sample.measured {
                    observer.observe(level, &of_sample(sample));
                }
            }
        })
        .build();
}

fn of_node(node: &Tallied) -> [KeyValue; 2] {
    [KeyValue::new("node", node.node.clone()), KeyValue::new("component", node.component.clone())]
}

fn of_sample(sample: Sample) -> Vec<KeyValue> {
    let own = [KeyValue::new("node", sample.node), KeyValue::new("instrument", sample.name)];
    let labels = sample.labels.into_iter().map(|(key, value)| KeyValue::new(key, value));
    own.into_iter().chain(labels).collect()
}
