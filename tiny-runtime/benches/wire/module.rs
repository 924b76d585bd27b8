//! Two modules of one node each: `n1` here sends to `n2` at the other end.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tiny_runtime::engine::{Backing, Dice, Peer, Scheduler, Waits};
use tiny_runtime::registry::Registry;
use tiny_runtime::wire::{Pool, Security, Server};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::end;
use crate::scenes::{Node, trigger, two_fields};

const COMPONENT: &str = "printer";

/// The module that is sent to, until nobody asks it any more.
pub(crate) async fn serve() {
    let scheduler = scheduler(Backing::default());
    let findings = scheduler.update(Node::end("n2", COMPONENT).declared(), |_| Peer::Absent);
    assert!(findings.is_empty(), "{findings:?}");
    let any = "127.0.0.1:0".parse().expect("it is an address");
    let server = Server::bind(any, Security::default()).await.expect("a port is free");
    let address = server.address().to_string();
    let (_drain, serving) = server.serve(scheduler, CancellationToken::new());
    tokio::select! {
        served = serving => served.expect("it serves"),
        () = end::answer(address) => {}
    }
}

/// The module that sends.
pub(crate) struct Module {
    scheduler: Scheduler,
    label: Value,
}

/// One whose node sends to `n2` there; with no address, to nobody.
pub(crate) async fn sending_to(address: Option<&str>) -> Module {
    let whose = |node: &str| (node == "n2").then(|| "b".into());
    let pool = Pool::new(whose, Security::default(), Dice::fresh());
    let scheduler = scheduler(Backing { abroad: Arc::new(pool.clone()), ..Backing::default() });
    let edges = address.map(|_| ("n2".to_owned(), Some(two_fields()))).into_iter().collect();
    let node = Node { name: "n1".into(), component: COMPONENT, edges };
    let peer = |_: &str| Peer::Foreign { module: "b".into(), is_known: true };
    let findings = scheduler.update(node.declared(), peer);
    assert!(findings.is_empty(), "{findings:?}");
    let known = address.map(|address| ("b".to_owned(), address.to_owned()));
    let (_keep, addresses) = watch::channel(known.into_iter().collect::<BTreeMap<_, _>>());
    tokio::spawn(async move { pool.follow("a", addresses, CancellationToken::new()).await });
    let module = Module { scheduler, label: json!({"name": "Ada", "total": 1.5}) };
    module.one().await;
    module
}

impl Module {
    /// One message to its end.
    pub(crate) async fn one(&self) {
        let outcome = self.scheduler.start(trigger("n1", &self.label)).await;
        assert!(outcome.result.is_ok(), "{outcome}");
    }

    /// So many messages, `window` at once.
    pub(crate) async fn many(&self, messages: u32, window: usize) {
        let each = messages / u32::try_from(window).expect("it is small");
        let clients = (0..window).map(|_| {
            let module = Self { scheduler: self.scheduler.clone(), label: self.label.clone() };
            tokio::spawn(async move {
                for _ in 0..each {
                    module.one().await;
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("no message fails");
        }
    }
}

fn scheduler(backing: Backing) -> Scheduler {
    let registry = Registry::collect().expect("each name stands for one component");
    Scheduler::on(backing, Arc::new(registry), Waits::default(), Dice::seeded(1))
}
