//! What it costs that hops are spans: where nobody listens, where a collector takes them, and where it is away.
//!
//! `cargo bench -p tiny-runtime --bench spans` prints a table. `TINY_COLLECTOR=http://HOST:PORT` names a collector (OTLP over gRPC); without,
//! its rows are left out. CPU is that of the thread that runs the flow, throughput by the wall clock; a chain of 50 hops, medians of rounds, in
//! which the rows take turns.

#[path = "flow/meter.rs"]
mod meter;
#[path = "flow/scenes.rs"]
#[allow(dead_code, reason = "one chain of many")]
mod scenes;

use std::time::Instant;

use meter::{cpu, median};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use scenes::{chain, drive, scenes, two_fields};
use tiny_runtime::telemetry::{Otlp, layer};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// The one that `tiny_runtime::main!` gives to a module.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;
const MESSAGES: u32 = 400;
const HOPS: usize = 50;

/// Somebody who listens, or not.
struct Ear {
    title: &'static str,
    dispatch: Dispatch,
    /// Nanoseconds a hop: CPU, and by the wall clock.
    times: [Vec<f64>; 2],
}

impl Ear {
    fn of(title: &'static str, dispatch: Dispatch) -> Self {
        Self { title, dispatch, times: Default::default() }
    }

    fn middle(&self, which: usize) -> f64 {
        median(self.times[which].iter().skip(1).copied().collect())
    }
}

/// Exports what is sampled.
fn exporting(endpoint: &str, sampler: Sampler) -> Dispatch {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
    let exporter = exporter.build().expect("the address is one");
    let traces = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_id_generator(Otlp::ids())
        .with_sampler(sampler)
        .build();
    let spans = Otlp::by(traces).tracer().map(layer);
    Dispatch::new(tracing_subscriber::registry().with(spans))
}

fn main() {
    let exporters = tokio::runtime::Runtime::new().expect("a runtime starts");
    let running = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let _in_it = exporters.enter();
    let nobody = "http://127.0.0.1:9";
    let mut ears = vec![
        Ear::of("nobody listens", Dispatch::none()),
        Ear::of("a collector that is away", exporting(nobody, Sampler::AlwaysOn)),
        Ear::of("no trace is sampled", exporting(nobody, Sampler::AlwaysOff)),
    ];
    if let Ok(endpoint) = std::env::var("TINY_COLLECTOR") {
        ears.push(Ear::of("a collector that takes them", exporting(&endpoint, Sampler::AlwaysOn)));
    }
    let scene = scenes().into_iter().find(|scene| scene.component == "printer");
    let scene = scene.expect("a component of the table");
    let chain = chain(scene.component, HOPS, Some(&two_fields()));
    for _ in 0..=ROUNDS {
        for ear in &mut ears {
            let before = (cpu(), Instant::now());
            tracing::dispatcher::with_default(&ear.dispatch, || {
                running.block_on(drive(&chain, &scene.data, MESSAGES));
            });
            let hops = f64::from(MESSAGES) * HOPS as f64;
            ear.times[0].push((cpu() - before.0) / hops);
            ear.times[1].push(before.1.elapsed().as_secs_f64() * 1e9 / hops);
        }
    }
    println!("| what | figure | beside it |\n|---|---|---|");
    for ear in &ears {
        let beside = format!("{:.0} hops a second", 1e9 / ear.middle(1));
        println!("| typed mapped hop, {} | {:.0} ns | {beside} |", ear.title, ear.middle(0));
    }
    if let [_, away, _, takes] = &ears[..] {
        let ratio = takes.middle(1) / away.middle(1);
        println!(
            "| throughput with the collector away / with it | {ratio:.2}  | by the wall clock |"
        );
    }
}
