//! What a hop costs: a message over an edge inside one process, against what moving a message costs at all.
//!
//! `cargo bench -p tiny-runtime --bench hop`. Times are medians of rounds, in nanoseconds a hop; the ratio is to a round trip
//! through a channel of tokio, measured in the same run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tiny_runtime::component::{ComponentType, NodeInfo};
use tiny_runtime::engine::{
    Address, Dice, EdgeDecl, NodeDecl, Peer, RetryBounds, Scheduler, Trigger, Waits,
};
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 21;
const MESSAGES: u32 = 2_000;

/// An order, large enough that copying it would show.
#[message]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// Who ordered.
    pub customer: String,
    /// What was ordered.
    pub lines: Vec<String>,
}

/// What a mapping makes of an order.
#[message]
pub struct Label {
    /// The text on the parcel.
    pub text: String,
}

/// Sends many orders for each that it receives.
#[component(name = "burst")]
#[derive(Default)]
pub struct Burst;

#[component]
impl Burst {
    /// How many.
    #[port(target)]
    async fn start(&self, ctx: &Ctx, count: u64) -> Result<()> {
        for id in 0..count {
            self.order(ctx, order(id)).await?.ignore();
        }
        Ok(())
    }

    /// An order.
    #[port(source)]
    async fn order(&self, ctx: &Ctx, message: Order) -> Result;
}

/// Takes orders and labels.
#[component(name = "sink")]
#[derive(Default)]
pub struct Sink;

#[component]
impl Sink {
    /// Borrows an order.
    #[port(target)]
    async fn order(&self, ctx: &Ctx, message: &Order) -> Result<()> {
        black_box((ctx.node(), message.id));
        Ok(())
    }

    /// Takes a label.
    #[port(target)]
    async fn label(&self, ctx: &Ctx, message: Label) -> Result<()> {
        black_box((ctx.node(), message.text));
        Ok(())
    }
}

fn order(id: u64) -> Order {
    // About 11 KB.
    Order { id, customer: "Ada".into(), lines: vec!["x".repeat(100); 110] }
}

/// A burst whose edge leads to `port` of a sink.
fn flow(port: &str, mapping: Option<serde_json::Value>) -> Scheduler {
    let mut registry = Registry::default();
    registry.insert(ComponentType::of::<Burst>());
    registry.insert(ComponentType::of::<Sink>());
    let scheduler = Scheduler::new(Arc::new(registry), Waits::default(), Dice::seeded(1));
    let node = |name: &str, component: &str, edges| NodeDecl {
        info: NodeInfo { name: name.into(), ..NodeInfo::default() },
        component: component.into(),
        edges,
        ..NodeDecl::default()
    };
    let edge = EdgeDecl {
        id: "e".into(),
        port: "order".into(),
        to: Address::new("sink", port),
        mapping,
        bounds: RetryBounds::default(),
        fault: None,
    };
    let peer = |_: &str| Peer::Ours { component: "sink".into() };
    for node in [node("sink", "sink", vec![]), node("burst", "burst", vec![edge])] {
        let findings = scheduler.update(node, peer);
        assert!(findings.is_empty(), "{findings:?}");
    }
    scheduler
}

/// The time for one hop, in nanoseconds; the sender's making of the order is part of it.
async fn hop(scheduler: &Scheduler) -> f64 {
    let trigger = Trigger {
        name: "bench".into(),
        to: Address::new("burst", "start"),
        data: Some(MESSAGES.into()),
        timeout: None,
        cancel: CancellationToken::new(),
    };
    let began = Instant::now();
    let outcome = scheduler.start(trigger).await;
    let took = began.elapsed();
    assert!(outcome.result.is_ok(), "{outcome}");
    each(took)
}

/// Making the order, which every row includes.
fn making() -> f64 {
    let began = Instant::now();
    for id in 0..u64::from(MESSAGES) {
        black_box(order(id));
    }
    each(began.elapsed())
}

/// A message into a task by a channel, and its answer back.
async fn channel() -> f64 {
    let (sender, mut receiver) = mpsc::channel::<(Order, oneshot::Sender<u64>)>(64);
    let task = tokio::spawn(async move {
        while let Some((order, answer)) = receiver.recv().await {
            answer.send(order.id).expect("the sender waits");
        }
    });
    let began = Instant::now();
    for id in 0..u64::from(MESSAGES) {
        let (answer, answered) = oneshot::channel();
        sender.send((order(id), answer)).await.expect("the task runs");
        black_box(answered.await.expect("the task answers"));
    }
    let took = began.elapsed();
    drop(sender);
    task.await.expect("the task ends");
    each(took)
}

/// The message as JSON text and back: what a hop would cost if it crossed a border.
fn json_round_trip() -> f64 {
    let began = Instant::now();
    for id in 0..u64::from(MESSAGES) {
        let text = serde_json::to_string(&order(id)).expect("an order is JSON");
        black_box(serde_json::from_str::<Order>(&text).expect("JSON is an order"));
    }
    each(began.elapsed())
}

fn each(took: Duration) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(MESSAGES)
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let identity = flow("order", None);
        let mapped = flow("label", Some(json!({"text": "{{ $.customer }}"})));
        let mut rows: [(&str, Vec<f64>); 5] = [
            ("making the message (11 KB)", vec![]),
            ("edge without mapping, `&T`", vec![]),
            ("edge with a mapping of one path", vec![]),
            ("channel there and back", vec![]),
            ("JSON text there and back", vec![]),
        ];
        for round in 0..=ROUNDS {
            let times = [
                making(),
                hop(&identity).await,
                hop(&mapped).await,
                channel().await,
                json_round_trip(),
            ];
            // The first round warms up.
            if round > 0 {
                rows.iter_mut().zip(times).for_each(|(row, time)| row.1.push(time));
            }
        }
        let rows = rows.map(|(name, times)| (name, median(times)));
        let (making, floor) = (rows[0].1, rows[3].1 - rows[0].1);
        println!("{:<34} {:>9} {:>12} {:>8}", "", "ns", "less making", "ratio");
        for (name, time) in rows {
            let own = time - making;
            println!("{name:<34} {time:>9.0} {own:>12.0} {:>8.2}", own / floor);
        }
    });
}
