//! The numbers of a module, as OTLP takes them: looked at whenever they are sent.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use super::metrics::Metrics;
use crate::component::{Measured, Sample};
use crate::engine::{OUTCOMES, Tallied};

/// Has `meter` look at the numbers of a module, for as long as its provider lives.
pub(super) fn register(meter: &Meter, metrics: &Metrics) {
    let all = metrics.clone();
    let hops = meter
        .u64_observable_counter("tiny.hops")
        .with_description("Messages that a node has handled");
    hops.with_callback(move |observer| {
        for node in all.scheduler.tallied() {
            for (outcome, count) in OUTCOMES.iter().zip(node.done) {
                let [name, component] = of_node(&node);
                observer.observe(count, &[name, component, KeyValue::new("outcome", *outcome)]);
            }
        }
    })
    .build();
    let all = metrics.clone();
    meter
        .u64_observable_counter("tiny.retries")
        .with_description("Attempts after the first of a message")
        .with_callback(move |observer| {
            for node in all.scheduler.tallied() {
                observer.observe(node.retries, &of_node(&node));
            }
        })
        .build();
    type Level = fn(&Tallied) -> u64;
    let levels: [(&str, &str, Level); 2] = [
        ("tiny.hops.in_flight", "Messages that a node handles now", |node| node.in_flight),
        ("tiny.hops.waiting", "Messages that wait for a busy node", |node| node.waiting),
    ];
    for (name, help, level) in levels {
        let all = metrics.clone();
        meter
            .u64_observable_gauge(name)
            .with_description(help)
            .with_callback(move |observer| {
                for node in all.scheduler.tallied() {
                    observer.observe(level(&node), &of_node(&node));
                }
            })
            .build();
    }
    let all = metrics.clone();
    meter
        .u64_observable_gauge("tiny.leader")
        .with_description("1 while this process leads its module")
        .with_callback(move |observer| {
            observer.observe(u64::from(all.leadership.term().is_some()), &[]);
        })
        .build();
    let all = metrics.clone();
    meter
        .u64_observable_gauge("tiny.nodes")
        .with_description("Nodes of the module, by whether they are ready")
        .with_callback(move |observer| {
            let (own, ready) = {
                let now = all.summary.borrow();
                (now.own as u64, now.ready as u64)
            };
            observer.observe(ready, &[KeyValue::new("ready", true)]);
            observer.observe(own.saturating_sub(ready), &[KeyValue::new("ready", false)]);
        })
        .build();
    instruments(meter, metrics);
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
