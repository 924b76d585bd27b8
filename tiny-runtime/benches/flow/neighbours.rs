//! What bad neighbours cost a healthy flow: its latency beside them, on the one thread that they share.

use std::future::pending;
use std::panic::{set_hook, take_hook};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tiny_runtime::engine::{Peer, Scheduler, Trigger};
use tiny_runtime::prelude::*;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::meter::{cpu, median};
use super::row;
use super::scenes::{Label, Node, asking, load, trigger};

const ROUNDS: usize = 15;
/// Clients of the healthy flow, and as many of the neighbour; each waits for its answer, then sends the next message.
const CLIENTS: usize = 16;
/// Healthy messages of each client in one round.
const MESSAGES: usize = 1_000;
/// How long a client of a neighbour waits: some never answer.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long neighbours have, before and after they are replaced, to get as bad as they will.
const SETTLING: Duration = Duration::from_millis(50);

/// Milliseconds between two looks of work that ignores its end. A node may have 1000 of it, and the one before it had as many: they wake
/// 100 000 times a second, about as often as the other neighbours get a message.
const PERIOD: u64 = 20;

/// Panics at every message.
#[component(name = "panicker")]
#[derive(Default)]
pub(crate) struct Panicker;

#[component]
impl Panicker {
    /// What it cannot stand.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, message: Label) -> Result<()> {
        panic!("it cannot stand `{}`", message.name)
    }
}

/// Awaits what never comes.
#[component(name = "sleeper")]
#[derive(Default)]
pub(crate) struct Sleeper;

#[component]
impl Sleeper {
    /// What it never answers.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: Label) -> Result<()> {
        pending().await
    }
}

/// Goes on in the background, whoever tells it to end.
#[component(name = "deaf")]
#[derive(Default)]
pub(crate) struct Deaf {
    count: AtomicU64,
}

#[component]
impl Deaf {
    /// What it never ceases to work at.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, _message: Label) -> Result<()> {
        // Clients begin all at once. Work that woke at once for ever would measure that.
        let phase = self.count.fetch_add(1, Ordering::Relaxed) % PERIOD;
        ctx.spawn(self, move |_me, _ctx| async move {
            sleep(Duration::from_millis(phase)).await;
            loop {
                sleep(Duration::from_millis(PERIOD)).await;
            }
            #[allow(unreachable_code, reason = "it says what the work would give")]
            Ok(())
        })
    }
}

/// Runs `trigger` as a task of its own: it queues for the thread like what comes from outside.
async fn sent(scheduler: &Scheduler, trigger: Trigger) -> bool {
    let scheduler = scheduler.clone();
    let run = tokio::spawn(async move { scheduler.start(trigger).await.result.is_ok() });
    run.await.expect("a run ends")
}

/// Sends to the neighbour for ever.
async fn bother(scheduler: Scheduler) {
    let label = json!({"name": "Ada", "total": 1.5});
    loop {
        let trigger = Trigger { timeout: Some(PATIENCE), ..trigger("neighbour", &label) };
        sent(&scheduler, trigger).await;
    }
}

/// Asks the healthy flow. Gives the latency of each answer in CPU of the thread, which is never idle here, and by the wall clock: in
/// microseconds.
async fn ask(scheduler: Scheduler) -> Vec<[f64; 2]> {
    let label = json!({"name": "Ada", "total": 1.5});
    let mut latencies = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        let (before, began) = (cpu(), Instant::now());
        assert!(sent(&scheduler, trigger("n1", &label)).await, "the healthy flow answers");
        latencies.push([(cpu() - before) / 1e3, began.elapsed().as_secs_f64() * 1e6]);
    }
    latencies
}

/// The 99th of a hundred.
fn p99(latencies: &[[f64; 2]], clock: usize) -> f64 {
    let mut values: Vec<f64> = latencies.iter().map(|latency| latency[clock]).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() * 99 / 100]
}

/// Both p99 of one round beside a node of `component`, on a thread and an engine of its own.
fn round(component: Option<&'static str>) -> [f64; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts");
    let mut nodes = asking(5);
    nodes.extend(component.map(|component| Node::end("neighbour", component)));
    let scheduler = load(nodes);
    let latencies = runtime.block_on(async {
        for _ in component.into_iter().cycle().take(CLIENTS) {
            tokio::spawn(bother(scheduler.clone()));
        }
        sleep(SETTLING).await;
        // What ignores that its node was removed is there from now on, beside what the new one does.
        if let Some(component) = component {
            scheduler.remove("neighbour");
            let peer = |_: &str| Peer::Absent;
            scheduler.update(Node::end("neighbour", component).declared(), peer);
        }
        sleep(SETTLING).await;
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask(scheduler.clone()));
        }
        clients.join_all().await.concat()
    });
    [p99(&latencies, 0), p99(&latencies, 1)]
}

pub(crate) fn rows() {
    let neighbours = [
        ("alone", None),
        ("beside one that answers", Some("knower")),
        ("beside one that panics at every message", Some("panicker")),
        ("beside one that awaits for ever", Some("sleeper")),
        ("beside one that ignores that it is cancelled", Some("deaf")),
    ];
    let mut p99s = neighbours.map(|_| [vec![], vec![]]);
    // A million panics have nothing to say.
    let hook = take_hook();
    set_hook(Box::new(|_| ()));
    for counts in (0..=ROUNDS).map(|round| round > 0) {
        for ((_, component), p99s) in neighbours.iter().zip(&mut p99s) {
            let both = round(*component);
            if counts {
                p99s.iter_mut().zip(both).for_each(|(p99s, p99)| p99s.push(p99));
            }
        }
    }
    set_hook(hook);
    let p99s = p99s.map(|both| both.map(median));
    let [cpu, wall] = p99s[0];
    let note = format!("{CLIENTS} clients at once; {wall:.0} µs by the wall clock");
    row("p99 of request and reply through 5 nodes, alone", cpu, "µs", &note);
    for ((title, _), [beside, clock]) in neighbours.iter().zip(p99s).skip(1) {
        let note = format!("{beside:.0} µs; by the wall clock {:.2} of alone", clock / wall);
        row(&format!("p99 {title} / alone"), beside / cpu, "", &note);
    }
}
