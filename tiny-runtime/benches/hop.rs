//! The chains of `--bench flow`, by criterion: each in three lengths, to see what a change did to one of them.
//!
//! `cargo bench -p tiny-runtime --bench hop`, with `-- --quick` for a first look. CPU time of the thread that runs the flow: the wall
//! clock counts what else the machine does.

#[path = "flow/meter.rs"]
#[allow(dead_code, reason = "each bench measures in its own way")]
mod meter;
#[path = "flow/scenes.rs"]
#[allow(dead_code, reason = "each bench measures some of them")]
mod scenes;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Bencher, BenchmarkId, Criterion, Throughput};
use meter::cpu;
use scenes::{asking, chain, drive, fan, load, scenes};
use serde_json::{Value, json};
use tiny_runtime::engine::Scheduler;
use tokio::runtime::Runtime;

/// The one that `tiny_runtime::main!` gives to a module.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nanoseconds of CPU of this thread.
struct Cpu;

impl Measurement for Cpu {
    type Intermediate = f64;
    type Value = f64;

    fn start(&self) -> f64 {
        cpu()
    }

    fn end(&self, before: f64) -> f64 {
        cpu() - before
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        // It writes nanoseconds, whatever clock they come from.
        WallTime.formatter()
    }
}

/// Messages through one flow, one after the other.
fn flow(bencher: &mut Bencher<'_, Cpu>, runtime: &Runtime, scheduler: &Scheduler, data: &Value) {
    bencher.iter_custom(|times| {
        let times = u32::try_from(times).expect("criterion asks for less");
        let before = cpu();
        runtime.block_on(drive(scheduler, data, times));
        cpu() - before
    });
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let mut criterion = Criterion::default().with_measurement(Cpu).configure_from_args();
    for scene in scenes() {
        let mut group = criterion.benchmark_group(scene.title);
        for hops in [1, 10, 50] {
            let chain = chain(scene.component, hops, scene.mapping.as_ref());
            group.throughput(Throughput::Elements(hops as u64));
            group.bench_function(BenchmarkId::from_parameter(hops), |bencher| {
                flow(bencher, &runtime, &chain, &scene.data);
            });
        }
    }
    let (fan, asked) = (fan(), load(asking(5)));
    let shared = json!({"n": 1, "context": null});
    criterion.bench_function("fan-out 1 → 10 → 1", |bencher| {
        flow(bencher, &runtime, &fan, &shared);
    });
    let label = json!({"name": "Ada", "total": 1.5});
    criterion.bench_function("request and reply through 5 nodes", |bencher| {
        flow(bencher, &runtime, &asked, &label);
    });
    criterion.final_summary();
}
