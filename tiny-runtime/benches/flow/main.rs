//! What flows cost: hops, replies, fan-outs, large flows at rest, and what they owe each other.
//!
//! `cargo bench -p tiny-runtime --bench flow` prints a table. Times are CPU of the thread that runs the flow, marginal where a
//! row says so: a chain of 50 hops against a chain of 1, so that the trigger does not count. Medians of rounds, in which the
//! rows take turns. Compare ratios: `just benchmarks` runs this beside its peers and writes docs/benchmarks.md.

mod meter;
mod neighbours;
mod scenes;
mod tuned;

use std::hint::black_box;

use meter::{cpu, median};
use scenes::{
    Document, Label, Scene, TYPED, asking, chain, document, drive, fan, large, load, scenes,
    two_fields,
};
use serde_json::json;
use tiny_runtime::component::Json;
use tiny_runtime::engine::Scheduler;
use tiny_runtime::mapping::Mapping;
use tokio::sync::{mpsc, oneshot};

/// The one that `tiny_runtime::main!` gives to a module.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;
/// Messages in one round of one chain.
const MESSAGES: u32 = 400;
/// Hops of the long chains.
const LONG: usize = 50;

/// One chain in three lengths.
struct Chain {
    scene: Scene,
    one: Scheduler,
    ten: Scheduler,
    fifty: Scheduler,
    /// Nanoseconds a message, of each length, in each round.
    times: [Vec<f64>; 3],
}

impl Chain {
    fn new(scene: Scene) -> Self {
        let of = |hops| chain(scene.component, hops, scene.mapping.as_ref());
        let (one, ten, fifty) = (of(1), of(10), of(LONG));
        Self { scene, one, ten, fifty, times: Default::default() }
    }

    async fn round(&mut self) {
        let lengths = [&self.one, &self.ten, &self.fifty];
        for (scheduler, times) in lengths.into_iter().zip(&mut self.times) {
            let before = cpu();
            drive(scheduler, &self.scene.data, MESSAGES).await;
            times.push((cpu() - before) / f64::from(MESSAGES));
        }
    }

    /// Nanoseconds of one hop more: each round for itself, then the middle of them.
    fn hop(&self) -> f64 {
        let pairs = self.times[0].iter().zip(&self.times[2]);
        median(pairs.skip(1).map(|(one, fifty)| (fifty - one) / (LONG - 1) as f64).collect())
    }

    fn of(&self, length: usize) -> f64 {
        median(self.times[length].iter().skip(1).copied().collect())
    }
}

/// Nanoseconds of one call.
fn measured(times: u32, mut call: impl FnMut()) -> f64 {
    let rounds = (0..=ROUNDS).map(|_| {
        let before = cpu();
        (0..times).for_each(|_| call());
        (cpu() - before) / f64::from(times)
    });
    median(rounds.skip(1).collect())
}

fn row(title: &str, value: f64, unit: &str, note: &str) {
    println!("| {title} | {value:.*} {unit} | {note} |", usize::from(value < 100.0) * 2);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    // `flow only COMPONENT MESSAGES`: one chain of 50, for whoever counts instructions.
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [only, component, messages] = &words[..]
        && only == "only"
    {
        let messages = messages.parse().expect("a number of messages");
        let scene = scenes().into_iter().find(|scene| scene.component == component);
        let scene = scene.expect("a component of the table");
        let chain = chain(scene.component, LONG, scene.mapping.as_ref());
        return runtime.block_on(drive(&chain, &scene.data, messages));
    }
    println!("| what | figure | beside it |\n|---|---|---|");
    runtime.block_on(async {
        hops().await;
        asked().await;
    });
    loaded();
    tuned::rows(&runtime);
    neighbours::rows();
    contended();
}

/// Chains.
async fn hops() {
    let mut chains = scenes().map(Chain::new);
    for _ in 0..=ROUNDS {
        for chain in &mut chains {
            chain.round().await;
        }
    }
    let doc = document();
    let compiled = Mapping::compile(&two_fields()).expect("it compiles");
    let bare_json = measured(20_000, || {
        black_box(
            compiled.decode::<Json>(|| compiled.read_value(black_box(&doc))).expect("it decodes"),
        );
    });
    let typed: &Document = &TYPED;
    let bare_typed = measured(20_000, || {
        black_box(
            compiled.decode::<Label>(|| compiled.read(black_box(typed))).expect("it decodes"),
        );
    });
    let bare_into = measured(20_000, || {
        black_box(
            compiled.decode::<Label>(|| compiled.read_value(black_box(&doc))).expect("it decodes"),
        );
    });
    let fresh = measured(20_000, || drop(black_box(black_box(typed).clone())));
    for chain in &chains {
        let note = format!(
            "a message: 1 hop {:.2} µs, 10 {:.2}, 50 {:.2}",
            chain.of(0) / 1e3,
            chain.of(1) / 1e3,
            chain.of(2) / 1e3,
        );
        row(chain.scene.title, chain.hop(), "ns a hop", &note);
    }
    row("the bare mapping, JSON to JSON", bare_json, "ns", "");
    row("the bare mapping, typed to typed", bare_typed, "ns", "");
    row("the bare mapping, JSON to typed", bare_into, "ns", "");
    row("a clone of the typed 313 B", fresh, "ns", "");
    let [json, typed, into, _, _, empty, full] = &chains;
    row("mapped hop on JSON / its bare mapping", json.hop() / bare_json, "", "");
    let own = (typed.hop() - fresh) / bare_typed;
    row("typed mapped hop less the clone / its bare mapping", own, "", "");
    row("typed mapped hop on JSON / its bare mapping", into.hop() / bare_into, "", "");
    row("11 KB passthrough / empty", full.hop() / empty.hop(), "", "");
}

/// Fan-outs and replies, and what a task costs that is asked through channels.
async fn asked() {
    let label = json!({"name": "Ada", "total": 1.5});
    let shared = json!({"n": 1, "context": null});
    let (fan, asked) = (fan(), load(asking(5)));
    let (mut fans, mut questions, mut channels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        let before = cpu();
        drive(&fan, &shared, MESSAGES).await;
        fans.push((cpu() - before) / f64::from(MESSAGES));
        let before = cpu();
        drive(&asked, &label, MESSAGES).await;
        questions.push((cpu() - before) / f64::from(MESSAGES));
        channels.push(channel().await);
    }
    let fan = median(fans.split_off(1));
    row(
        "fan-out 1 → 10 → 1",
        fan / 1e3,
        "µs a message",
        &format!("21 hops, {:.0} ns each", fan / 21.0),
    );
    let question = median(questions.split_off(1));
    row("request and reply through 5 nodes", question / 1e3, "µs", "the trigger included");
    let channel = median(channels.split_off(1));
    row("round trip through a channel of tokio", channel, "ns", "a clone of the 313 B included");
}

/// A document into a task by a channel, and its answer back.
async fn channel() -> f64 {
    let (sender, mut receiver) = mpsc::channel::<(Document, oneshot::Sender<u32>)>(64);
    let task = tokio::spawn(async move {
        while let Some((document, answer)) = receiver.recv().await {
            answer.send(document.attempt).expect("the sender waits");
        }
    });
    let before = cpu();
    for _ in 0..MESSAGES {
        let (answer, answered) = oneshot::channel();
        sender.send((TYPED.clone(), answer)).await.expect("the task runs");
        black_box(answered.await.expect("the task answers"));
    }
    let spent = cpu() - before;
    drop(sender);
    task.await.expect("the task ends");
    spent / f64::from(MESSAGES)
}

/// 10 000 nodes with 20 000 edges.
fn loaded() {
    let times = (0..5).map(|_| {
        let declared = large(10_000);
        let before = cpu();
        let scheduler = load(declared);
        let spent = cpu() - before;
        drop(scheduler);
        spent / 1e9
    });
    row("10 000 nodes with 20 000 mapped edges: load", median(times.collect()), "s", "");
}

/// The same hops on two threads at once: what sharing costs.
fn contended() {
    let shared = chain("reader", LONG, None);
    let data = json!({"n": 1, "context": null});
    let rounds = |threads: usize| {
        let work = || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
            let before = cpu();
            runtime.block_on(drive(&shared, &data, 20 * MESSAGES));
            (cpu() - before) / f64::from(20 * MESSAGES) / LONG as f64
        };
        let times = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect::<Vec<f64>>()
        });
        times.iter().sum::<f64>() / times.len() as f64
    };
    let (mut alone, mut both) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        alone.push(rounds(1));
        both.push(rounds(2));
    }
    let (alone, both) = (median(alone), median(both));
    row("one thread, `&T`", alone, "ns a hop", "");
    row(
        "two threads through the same nodes",
        both,
        "ns a hop",
        &format!("{:.2} of one alone", both / alone),
    );
}
