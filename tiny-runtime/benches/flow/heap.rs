//! What flows allocate: each hop, large flows at rest, and messages that wait.
//!
//! `cargo bench -p tiny-runtime --bench heap`. Apart from the times of `--bench flow`, because counting costs time.

#[allow(dead_code, reason = "each bench measures some of them")]
mod scenes;

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use scenes::{Document, Label, Node, Scene, TYPED, chain, drive, large, load, scenes, trigger};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tiny_runtime::engine::{Scheduler, Trigger};
use tiny_runtime::prelude::*;
use tokio::time::{Instant, sleep};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MESSAGES: u32 = 200;
const LONG: usize = 50;

/// Sends a document for each label, and does not wait for what comes of it.
#[component(name = "feeder")]
#[derive(Default)]
pub(crate) struct Feeder;

#[component]
impl Feeder {
    /// A label.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, _message: Label) -> Result<()> {
        ctx.spawn(self, |me, ctx| async move { me.output(&ctx, TYPED.clone()).await })
    }

    /// The document.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Document) -> Result;
}

/// Takes ten documents a second.
#[component(name = "slow", sequential)]
#[derive(Default)]
pub(crate) struct Slow;

#[component]
impl Slow {
    /// The document.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, message: Document) -> Result<()> {
        sleep(Duration::from_millis(100)).await;
        black_box(message);
        Ok(())
    }
}

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

/// Feeds for so many seconds as fast as it is taken, a thousand times a second at most.
async fn feed(scheduler: &Scheduler, seconds: u64) {
    let label = json!({"name": "Ada", "total": 1.5});
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        // The feeder that has all the tasks that it may have refuses: nobody waits for that.
        let timeout = Some(Duration::from_millis(1));
        let outcome = scheduler.start(Trigger { timeout, ..trigger("feeder", &label) }).await;
        black_box(outcome);
        sleep(Duration::from_millis(1)).await;
    }
}

/// A fast producer before a slow consumer, on a clock that jumps. A node may have 1000 tasks in the background.
async fn waiting() {
    const WAITING: f64 = 1000.0;
    let feeder =
        Node { name: "feeder".into(), component: "feeder", edges: vec![("slow".into(), None)] };
    let scheduler = load(vec![Node::end("slow", "slow"), feeder]);
    let empty = live();
    feed(&scheduler, 5).await;
    let full = live();
    feed(&scheduler, 10).await;
    let later = live();
    println!(
        "| messages that wait for a slow consumer | {:.0} bytes a message | 1000 wait, {:.2} MB in all |",
        (full - empty) / WAITING,
        (full - empty) / 1e6
    );
    println!(
        "| the same, 10 s later | {:.0} bytes a message | {:+.2} % |",
        (later - empty) / WAITING,
        (later - full) / (full - empty) * 100.0
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    println!("| what | figure | beside it |\n|---|---|---|");
    runtime.block_on(async {
        for scene in scenes() {
            let of = |hops| chain(scene.component, hops, scene.mapping.as_ref());
            let (one, long) = (of(1), of(LONG));
            let more = counted(&long, &scene).await - counted(&one, &scene).await;
            println!("| {} | {:.1} allocations a hop | |", scene.title, more / (LONG - 1) as f64);
        }
        const NODES: usize = 10_000;
        let declared = large(NODES);
        let before = live();
        let scheduler = load(declared);
        let bytes = live() - before;
        println!(
            "| 10 000 nodes with 20 000 mapped edges | {:.1} MB | {:.1} KB a node |",
            bytes / 1e6,
            bytes / 1e3 / NODES as f64
        );
        drop(scheduler);
    });
    let jumping = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    jumping.block_on(waiting());
}
