//! What flows allocate: each hop, and large flows at rest.
//!
//! `cargo bench -p tiny-runtime --bench heap`. Apart from the times of `--bench flow`, because counting costs time.

mod scenes;

use std::alloc::System;

use scenes::{Scene, chain, drive, large, load, scenes};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tiny_runtime::engine::Scheduler;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MESSAGES: u32 = 200;
const LONG: usize = 50;

/// Allocations so far; growing in place counts as one.
fn allocations() -> f64 {
    let stats = HEAP.stats();
    (stats.allocations + stats.reallocations) as f64
}

/// Bytes that are allocated now.
fn live() -> f64 {
    let stats = HEAP.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Allocations of one message through `scheduler`.
async fn counted(scheduler: &Scheduler, scene: &Scene) -> f64 {
    drive(scheduler, &scene.data, MESSAGES).await;
    let before = allocations();
    drive(scheduler, &scene.data, MESSAGES).await;
    (allocations() - before) / f64::from(MESSAGES)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    println!("| what | figure |\n|---|---|");
    runtime.block_on(async {
        for scene in scenes() {
            let of = |hops| chain(scene.component, hops, scene.mapping.as_ref());
            let (one, long) = (of(1), of(LONG));
            let more = counted(&long, &scene).await - counted(&one, &scene).await;
            println!("| {} | {:.1} allocations a hop |", scene.title, more / (LONG - 1) as f64);
        }
        const NODES: usize = 10_000;
        let declared = large(NODES);
        let before = live();
        let scheduler = load(declared);
        let bytes = live() - before;
        println!(
            "| 10 000 nodes with 20 000 mapped edges | {:.1} MB, {:.1} KB a node |",
            bytes / 1e6,
            bytes / 1e3 / NODES as f64
        );
        drop(scheduler);
    });
}
