//! The module at this end: clients that send one message after the other to the module at the other end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::{NodeInfo, Reply};
use tiny_runtime::engine::{
    Address, Backing, EdgeDecl, NodeDecl, Peer as Known, RetryBounds, Scheduler, Trigger, Waits,
};
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tiny_runtime::wire::{Pool, Security};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::judge::{Answered, Report, memory, now};
use crate::peer::{Item, Options, Peer};
use crate::{Dice, RECOVERY};

/// Clients whose runs have time and are tried again.
const PATIENT: usize = 12;
/// Clients whose runs have none, and may fail in time.
const IMPATIENT: usize = 4;
/// The time that a run has.
const TIMES: [Duration; 2] = [Duration::from_secs(120), Duration::from_millis(1500)];
/// How late a run may end: a machine may be busy, and a hang is longer.
const LATE: Duration = Duration::from_secs(2);
/// What a process may hold: some of these tests are built without optimization.
const MEMORY: u64 = 400_000_000;

/// Asks the other module.
#[component(name = "courier")]
#[derive(Default)]
pub(crate) struct Courier;

#[component]
impl Courier {
    /// A message.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Item) -> Result<Item> {
        self.output(ctx, message).await
    }

    /// The same, to somebody who answers.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Item) -> Result<Item>;
}

/// Clients, the peer, and what is known of both.
pub(crate) struct Town {
    pub(crate) options: Options,
    pub(crate) dice: Dice,
    scheduler: Scheduler,
    addresses: watch::Sender<BTreeMap<String, String>>,
    stop: CancellationToken,
    clients: Vec<JoinHandle<()>>,
    seen: Arc<Seen>,
    folder: tempfile::TempDir,
}

#[derive(Default)]
struct Seen {
    answered: Answered,
    next: AtomicU64,
    faults: Mutex<Vec<String>>,
    late: Mutex<Duration>,
    memory: AtomicU64,
    /// Beginnings of answered messages with their ends, since somebody looks.
    ends: watch::Sender<Vec<(Duration, Duration)>>,
}

impl Town {
    /// A town whose messages nobody takes yet.
    pub(crate) fn new(dice: Dice, security: Security) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let whose = |node: &str| (node == "two").then(|| "b".into());
        let pool = Pool::new(whose, security, tiny_runtime::engine::Dice::fresh());
        let backing = Backing { abroad: Arc::new(pool.clone()), ..Backing::default() };
        let registry = Arc::new(Registry::collect().unwrap());
        let dice_of_engine = tiny_runtime::engine::Dice::fresh();
        let scheduler = Scheduler::on(backing, registry, Waits::default(), dice_of_engine);
        let edge = EdgeDecl {
            id: "e".into(),
            port: "output".into(),
            to: Address::new("two", "input"),
            mapping: Some(json!({"id": "{{ $.id }}"})),
            bounds: RetryBounds::default(),
            fault: None,
        };
        let node = NodeDecl {
            info: NodeInfo { name: "one".into(), ..NodeInfo::default() },
            component: "courier".into(),
            edges: vec![edge],
            ..NodeDecl::default()
        };
        let foreign = |_: &str| Known::Foreign { module: "b".into(), is_known: true };
        let findings = scheduler.update(node, foreign);
        assert!(findings.is_empty(), "{findings:?}");
        let addresses = watch::Sender::default();
        let (told, stop) = (addresses.subscribe(), CancellationToken::new());
        let until = stop.clone();
        tokio::spawn(async move { pool.follow("a", told, until).await });
        let options = Options {
            address: "127.0.0.1:0".into(),
            ledger: folder.path().join("ledger"),
            papers: None,
            network: None,
        };
        let (clients, seen) = (Vec::new(), Arc::default());
        Self { options, dice, scheduler, addresses, stop, clients, seen, folder }
    }

    /// A town whose messages go to a peer already.
    pub(crate) async fn that_talks(dice: Dice) -> (Self, Peer) {
        let mut town = Self::new(dice, Security::default());
        let peer = town.peer();
        town.tell(&peer.address);
        town.begin().await;
        (town, peer)
    }

    /// A peer that nobody knows of yet.
    pub(crate) fn peer(&self) -> Peer {
        Peer::start(&self.options)
    }

    /// A folder for whatever the round needs.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Says where the other module is.
    pub(crate) fn tell(&self, address: &str) {
        self.addresses.send_replace(BTreeMap::from([("b".to_owned(), address.to_owned())]));
    }

    /// Lets the clients begin, and waits until messages go through.
    pub(crate) async fn begin(&mut self) {
        for at in 0..PATIENT + IMPATIENT {
            let client =
                client(self.scheduler.clone(), self.seen.clone(), self.stop.clone(), at < PATIENT);
            self.clients.push(tokio::spawn(client));
        }
        self.recovered("the beginning").await;
    }

    /// Waits for so long, and a random while more.
    pub(crate) async fn pass(&mut self, least: Duration, more: Duration) {
        let more = more.mul_f64(self.dice.f64());
        tokio::time::sleep(least + more).await;
    }

    /// Waits until messages that begin now go through; says how long that took.
    pub(crate) async fn recovered(&self, after: &str) -> Duration {
        let began = now();
        self.seen.ends.send_replace(Vec::new());
        let mut ends = self.seen.ends.subscribe();
        let through = |ends: &Vec<(Duration, Duration)>| {
            // As many as there are clients: not one lucky one.
            ends.iter().filter(|(start, _)| *start >= began).count() >= PATIENT
        };
        let patience = RECOVERY * 12;
        if tokio::time::timeout(patience, ends.wait_for(through)).await.is_err() {
            self.fault(format!("nothing goes through {patience:?} after {after}"));
        }
        let took = now() - began;
        if took > RECOVERY {
            self.fault(format!("messages go through only {took:.1?} after {after}"));
        }
        took
    }

    pub(crate) fn fault(&self, why: String) {
        self.seen.faults.lock().unwrap().push(why);
    }

    /// Looks at what the processes hold.
    pub(crate) fn weigh(&self, peer: &Peer) {
        let most = peer.memory().max(memory(std::process::id()));
        self.seen.memory.fetch_max(most, Ordering::Relaxed);
        if most > MEMORY {
            self.fault(format!("a process holds {} MB", most / 1_000_000));
        }
    }

    /// Lets all clients end what they have begun, and says what the round came to.
    pub(crate) async fn end(mut self, peer: &Peer, recovery: Duration) -> Report {
        self.stop.cancel();
        let clients = futures::future::join_all(std::mem::take(&mut self.clients));
        match tokio::time::timeout(TIMES[0], clients).await {
            Ok(ended) => ended.into_iter().for_each(|client| client.unwrap()),
            Err(_) => self.fault("a client hangs".into()),
        }
        self.weigh(peer);
        let seen = &self.seen;
        let mut faults = seen.faults.lock().unwrap().clone();
        faults.extend(seen.answered.compared(&self.options.ledger));
        Report {
            messages: seen.answered.count(),
            recovery,
            late: *seen.late.lock().unwrap(),
            memory: seen.memory.load(Ordering::Relaxed),
            faults,
        }
    }
}

/// Sends one message after the other.
async fn client(scheduler: Scheduler, seen: Arc<Seen>, stop: CancellationToken, is_patient: bool) {
    let time = TIMES[usize::from(!is_patient)];
    while !stop.is_cancelled() {
        let id = seen.next.fetch_add(1, Ordering::Relaxed);
        let trigger = Trigger {
            name: format!("message {id}"),
            to: Address::new("one", "input"),
            data: Some(json!({"id": id})),
            timeout: Some(time),
            cancel: CancellationToken::new(),
        };
        let began = now();
        let outcome = scheduler.start(trigger).await;
        let ended = now();
        let late = (ended - began).saturating_sub(time);
        let latest = &mut *seen.late.lock().unwrap();
        *latest = late.max(*latest);
        let fault = |why: String| seen.faults.lock().unwrap().push(why);
        if late > LATE {
            fault(format!("message {id} ended {late:.1?} after its deadline"));
        }
        match outcome.result.and_then(|reply: Reply| reply.to_json()) {
            Ok(reply) if reply == Some(json!({"id": id})) => {
                seen.answered.note(id);
                seen.ends.send_modify(|ends| ends.push((began, ended)));
            }
            Ok(reply) => fault(format!("message {id} was answered with {reply:?}")),
            Err(error) if is_patient => fault(format!("message {id} is lost: {error}")),
            // It had no time.
            Err(_) => {}
        }
    }
}
