//! What a process counts, as text of `OpenMetrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use crate::component::{Instruments, Measured, Sample, VALUES};
use crate::control::{Leadership, ModuleId, Summary};
use crate::engine::{BOUNDS, OUTCOMES, Scheduler, Tallied};

/// The type of the text.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the numbers are, for whoever reads them.
pub(super) const HOPS: &str = "Messages that a node has handled, by what came of them";
pub(super) const RETRIES: &str = "Attempts after the first of a message";
pub(super) const LEADER: &str = "1 while this process leads its module";
pub(super) const NODES: &str = "Nodes of the module, by whether they are ready";

/// What is so now at a node: the end of a name, what it is, and how it is read.
pub(super) const LEVELS: [(&str, &str, Level); 2] = [
    ("in_flight", "Messages that a node handles now", |node| node.in_flight),
    ("waiting", "Messages that wait for a busy node", |node| node.waiting),
];
type Level = fn(&Tallied) -> u64;

/// The numbers of a running module.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) module: ModuleId,
    pub(crate) scheduler: Scheduler,
    pub(crate) summary: watch::Receiver<Summary>,
    pub(crate) leadership: Leadership,
    pub(crate) instruments: Arc<Instruments>,
}

impl Metrics {
    /// All of them, now.
    ///
    /// # Errors
    /// None that is known: it writes to memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    pub(super) fn leads(&self) -> bool {
        self.leadership.term().is_some()
    }

    /// Nodes that are ready, and those that are not.
    pub(super) fn nodes(&self) -> [(bool, u64); 2] {
        let now = self.summary.borrow();
        let (own, ready) = (now.own as u64, now.ready as u64);
        [(true, ready), (false, own.saturating_sub(ready))]
    }

    fn module(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let ModuleId { name, version } = &self.module;
        let labels = [("module", name.as_str()), ("version", version.as_str())];
        let gauge = MetricType::Gauge;
        encoder
            .encode_descriptor("tiny_build_info", "The module that runs here", None, gauge)?
            .encode_family(&labels)?
            .encode_gauge(&1_i64)?;
        let mut leader = encoder.encode_descriptor("tiny_leader", LEADER, None, gauge)?;
        leader.encode_gauge(&u64::from(self.leads()))?;
        let mut nodes = encoder.encode_descriptor("tiny_nodes", NODES, None, gauge)?;
        for (is_ready, count) in self.nodes() {
            nodes.encode_family(&[("ready", is_ready.to_string())])?.encode_gauge(&count)?;
        }
        Ok(())
    }

    fn hops(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let nodes = self.scheduler.tallied();
        let of =
            |node: &Tallied| [("node", node.node.clone()), ("component", node.component.clone())];
        let mut hops = encoder.encode_descriptor("tiny_hops", HOPS, None, MetricType::Counter)?;
        for node in &nodes {
            for (outcome, count) in OUTCOMES.iter().zip(node.done) {
                let [name, component] = of(node);
                let labels = [name, component, ("outcome", (*outcome).to_owned())];
                counter(&mut hops.encode_family(&labels)?, count)?;
            }
        }
        let mut retries =
            encoder.encode_descriptor("tiny_retries", RETRIES, None, MetricType::Counter)?;
        for node in &nodes {
            counter(&mut retries.encode_family(&of(node))?, node.retries)?;
        }
        for (name, help, level) in LEVELS {
            let name = format!("tiny_hops_{name}");
            let mut gauge = encoder.encode_descriptor(&name, help, None, MetricType::Gauge)?;
            for node in &nodes {
                gauge.encode_family(&of(node))?.encode_gauge(&level(node))?;
            }
        }
        let mut took = encoder.encode_descriptor(
            "tiny_hop_seconds",
            "How long messages took, retries and what they caused included; the first 256 of a node and every 16th after",
            None,
            MetricType::Histogram,
        )?;
        for node in &nodes {
            let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
            let sum = node.took.as_secs_f64();
            spread(&mut took.encode_family(&of(node))?, sum, bounds.zip(node.buckets))?;
        }
        Ok(())
    }

    /// What components measure, by the names that their authors gave.
    fn instruments(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        // Gauges come last: what they are called is nobody's ending.
        const KINDS: [&str; 3] = ["counter", "histogram", "gauge"];
        let mut families: BTreeMap<(usize, &str), Vec<Sample>> = BTreeMap::new();
        for sample in self.instruments.samples() {
            let kind = match sample.measured {
                Measured::Count(_) => 0,
                Measured::Spread { .. } => 1,
                Measured::Level(_) => 2,
            };
            families.entry((kind, sample.name)).or_default().push(sample);
        }
        let mut taken = BTreeSet::new();
        for ((kind, name), samples) in families {
            let kind = KINDS[kind];
            let name = unused(of_author(name, kind), kind, &mut taken);
            let kind = match kind {
                "counter" => MetricType::Counter,
                "gauge" => MetricType::Gauge,
                _ => MetricType::Histogram,
            };
            let mut family =
                encoder.encode_descriptor(&name, "Measured by a component", None, kind)?;
            for sample in samples {
                let mut labels = vec![("node".to_owned(), sample.node)];
                for (key, value) in sample.labels {
                    let mut key = sanitised(key);
                    if key.starts_with("__") {
                        // Prometheus keeps these for itself.
                        key = format!("label{key}");
                    }
                    while key == "le" || labels.iter().any(|(taken, _)| *taken == key) {
                        key.push('_');
                    }
                    labels.push((key, value));
                }
                let mut metric = family.encode_family(&labels)?;
                match sample.measured {
                    Measured::Count(count) => counter(&mut metric, count)?,
                    Measured::Level(level) => metric.encode_gauge(&level)?,
                    Measured::Spread { sum, buckets, .. } => {
                        let bounds = VALUES.into_iter().chain([f64::INFINITY]);
                        spread(&mut metric, sum, bounds.zip(buckets))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.module(&mut encoder)?;
        self.hops(&mut encoder)?;
        self.instruments(&mut encoder)?;
        process(&mut encoder)
    }
}

/// What the process itself uses.
fn process(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    let mut cpu =
        encoder.encode_descriptor("process_cpu_seconds", "CPU used", None, MetricType::Counter)?;
    cpu.encode_counter::<NoLabelSet, _, f64>(&seconds, None)?;
    // Where the system tells it.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        let help = "Memory in use";
        encoder
            .encode_descriptor("process_resident_memory_bytes", help, None, MetricType::Gauge)?
            .encode_gauge(&(kilobytes * 1024))?;
    }
    Ok(())
}

fn counter(metric: &mut MetricEncoder<'_>, count: u64) -> fmt::Result {
    metric.encode_counter::<NoLabelSet, _, f64>(&count, None)
}

fn spread(
    metric: &mut MetricEncoder<'_>,
    sum: f64,
    buckets: impl Iterator<Item = (f64, u64)>,
) -> fmt::Result {
    let buckets: Vec<(f64, u64)> = buckets.collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

/// The name that an author gave, apart from our own names; counters get their ending from the encoder.
fn of_author(name: &str, kind: &str) -> String {
    let name = sanitised(name);
    let name = match name.strip_suffix("_total") {
        Some(bare) if kind == "counter" && !bare.is_empty() => bare.to_owned(),
        _ => name,
    };
    match name.starts_with("tiny_") || name.starts_with("process_") {
        true => format!("component_{name}"),
        false => name,
    }
}

/// A name that stands for one family: whatever its series are called, no series of another is called so.
fn unused(mut name: String, kind: &str, taken: &mut BTreeSet<String>) -> String {
    let endings: &[&str] = match kind {
        "counter" => &["", "_total", "_created"],
        "histogram" => &["", "_sum", "_count", "_bucket", "_created"],
        _ => &[""],
    };
    let series =
        |name: &str| endings.iter().map(|ending| format!("{name}{ending}")).collect::<Vec<_>>();
    while series(&name).iter().any(|it| taken.contains(it)) {
        name = format!("{name}_{kind}");
    }
    taken.extend(series(&name));
    name
}

/// A name as `OpenMetrics` allows it.
fn sanitised(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => name,
        _ => format!("_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Counter, Gauge};
    use crate::engine::{Dice, Waits};

    fn metrics() -> Metrics {
        let registry = Arc::new(crate::registry::Registry::default());
        Metrics {
            module: ModuleId { name: "m".into(), version: "1".into() },
            scheduler: Scheduler::new(registry, Waits::default(), Dice::seeded(1)),
            summary: watch::channel(Summary::default()).1,
            leadership: Leadership::of_nobody(),
            instruments: Arc::default(),
        }
    }

    #[test]
    fn what_authors_name_and_label_is_made_to_fit() {
        let metrics = metrics();
        let all = &metrics.instruments;
        Counter::new(all, "a", "orders_total").label("of", "a\"b\\c\n").add(2);
        Counter::new(all, "b", "orders_total").add(1);
        Gauge::new(all, "a", "orders").set(0.5);
        Gauge::new(all, "a", "tiny_leader").label("node", "x").label("node-", "y").set(1.0);
        Gauge::new(all, "a", "2nd level").set(1.0);
        Gauge::new(all, "a", "2nd.level").label("__name__", "x").set(2.0);
        Gauge::new(all, "a", "orders_total").set(3.0);
        let text = metrics.text().unwrap();
        for line in [
            r#"orders_total{node="a",of="a\"b\\c\n"} 2"#,
            r#"orders_total{node="b"} 1"#,
            r#"orders_gauge{node="a"} 0.5"#,
            r#"component_tiny_leader{node="a",node_="x",node__="y"} 1.0"#,
            r#"_2nd_level{node="a"} 1.0"#,
            r#"_2nd_level_gauge{node="a",label__name__="x"} 2.0"#,
            r#"orders_total_gauge{node="a"} 3.0"#,
        ] {
            assert!(text.lines().any(|it| it == line), "no {line} in {text}");
        }
    }
}
