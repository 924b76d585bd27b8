//! How soon a node of many sees new settings, while all the others run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiny_runtime::engine::{NodeDecl, Peer, Scheduler};
use tiny_runtime::prelude::*;
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::meter::{cpu, median};
use super::row;
use super::scenes::{Document, Label, Node, TYPED, load, trigger, two_fields};

/// Chains, and the nodes of each: 10 000 in all.
const CHAINS: usize = 200;
const LENGTH: usize = 50;
/// Runs that go on at once.
const RUNS: usize = 64;
/// New settings, each for the last node of another chain; the runs go through the other chains.
const CHANGES: usize = 50;

/// How a dial stands.
#[message]
#[derive(Default)]
pub(crate) struct Level {
    /// The number that it answers.
    pub(crate) number: u64,
}

/// Passes documents on, and answers its number.
#[component(name = "dial")]
#[derive(Default)]
pub(crate) struct Dial {
    level: Settings<Level>,
}

#[component]
impl Dial {
    /// A label.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, _message: Label) -> Result<u64> {
        self.output(ctx, TYPED.clone()).await?.ignore();
        Ok(self.level.get().number)
    }

    /// The document.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Document) -> Result;
}

fn name(chain: usize, at: usize) -> String {
    format!("n{chain}-{at}")
}

fn node(chain: usize, at: usize) -> Node {
    let edges = match at < LENGTH {
        true => vec![(name(chain, at + 1), Some(two_fields()))],
        false => vec![],
    };
    Node { name: name(chain, at), component: "dial", edges }
}

fn label() -> Value {
    json!({"name": "Ada", "total": 1.5})
}

/// Runs through one chain after the other, from the first that is given.
async fn circulate(scheduler: Scheduler, first: usize) {
    for chain in (CHANGES..CHAINS).cycle().skip(first) {
        let outcome = scheduler.start(trigger(&name(chain, 1), &label())).await;
        assert!(outcome.result.is_ok(), "{outcome}");
        // Whoever waits for the thread has a turn between two runs.
        yield_now().await;
    }
}

/// Milliseconds by the wall clock, and of CPU of the thread, until a message to the last node of `chain` sees its new settings. The
/// change and each message queue for the thread like all the others.
async fn changed(scheduler: &Scheduler, chain: usize) -> [f64; 2] {
    let number = chain as u64 + 1;
    let settings = BTreeMap::from([("_settings".to_owned(), json!({"number": number}))]);
    let decl = NodeDecl { configurations: settings, ..node(chain, LENGTH).declared() };
    let (before, began) = (cpu(), Instant::now());
    let changing = scheduler.clone();
    let change =
        tokio::spawn(
            async move { changing.update(decl, |_| Peer::Ours { component: "dial".into() }) },
        );
    loop {
        yield_now().await;
        let outcome = scheduler.start(trigger(&name(chain, LENGTH), &label())).await;
        let reply = outcome.result.expect("a dial answers").to_json().expect("a number is JSON");
        if reply == Some(number.into()) {
            break;
        }
    }
    let took = [began.elapsed().as_secs_f64() * 1e3, (cpu() - before) / 1e6];
    let findings = change.await.expect("it ends");
    assert!(findings.is_empty(), "{findings:?}");
    took
}

pub(crate) fn rows(runtime: &Runtime) {
    let nodes = (0..CHAINS).flat_map(|chain| (1..=LENGTH).map(move |at| node(chain, at)));
    let scheduler = load(nodes.collect());
    let times: Vec<[f64; 2]> = runtime.block_on(async {
        let mut runs = JoinSet::new();
        for first in 0..RUNS {
            runs.spawn(circulate(scheduler.clone(), first));
        }
        // Each chain has been passed once before anything is measured.
        sleep(Duration::from_millis(100)).await;
        let mut times = Vec::new();
        for chain in 0..CHANGES {
            times.push(changed(&scheduler, chain).await);
        }
        times
    });
    let of = |clock: usize| times.iter().map(move |time| time[clock]);
    let worst = |clock: usize| of(clock).fold(0.0, f64::max);
    let note = format!("{RUNS} runs of {LENGTH} hops go on, on the same thread; wall clock");
    row("new settings reach a node of 10 000", median(of(0).collect()), "ms", &note);
    let note = format!("{:.2} ms of CPU of the thread, which is never idle", worst(1));
    row("new settings reach a node of 10 000, the worst of 50", worst(0), "ms", &note);
}
