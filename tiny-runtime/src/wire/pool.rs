//! All other modules that messages go to.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::peer::Peer;
use super::security::Security;
use super::{PATIENCE, letter};
use crate::component::{BoxFuture, Error, Reply, Result};
use crate::engine::{Abroad, Dice, Envelope, Route, Sender};

/// The module of a node, if that is another one than this: its name as a plane has it.
type Whose = dyn Fn(&str) -> Option<Arc<str>> + Send + Sync;

/// Where modules are, by their names.
type Addresses = BTreeMap<String, String>;

/// How much later than its deadline a call is given up here: the module itself says more about it.
const GRACE: Duration = Duration::from_millis(50);

/// Keeps a warm connection to every other module of the namespace, and brings messages there.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    peers: watch::Sender<Arc<Peers>>,
    /// The same, to be read without a lock.
    now: ArcSwap<Peers>,
    whose: Box<Whose>,
    security: Security,
    dice: Arc<Dice>,
}

type Peers = BTreeMap<String, Arc<Peer>>;

impl Pool {
    /// A pool that knows no module yet; `whose` tells to which module a node belongs.
    pub fn new(
        whose: impl Fn(&str) -> Option<Arc<str>> + Send + Sync + 'static,
        security: Security,
        dice: Dice,
    ) -> Self {
        Self(Arc::new(Shared {
            peers: watch::Sender::default(),
            now: ArcSwap::default(),
            whose: Box::new(whose),
            security,
            dice: Arc::new(dice),
        }))
    }

    /// Follows where the modules are until `stop`; `own` is not called.
    pub async fn follow(
        &self,
        own: &str,
        mut addresses: watch::Receiver<Addresses>,
        stop: CancellationToken,
    ) {
        loop {
            let now = addresses.borrow_and_update().clone();
            self.place(own, &now);
            match stop.run_until_cancelled(addresses.changed()).await {
                Some(Ok(())) => {}
                Some(Err(_)) => return stop.cancelled().await,
                None => return,
            }
        }
    }

    /// Connects to modules that are new or elsewhere, and lets go of those that are gone.
    fn place(&self, own: &str, addresses: &Addresses) {
        let pool = &self.0;
        let before = pool.now.load();
        let mut after = Peers::new();
        for (name, address) in addresses.iter().filter(|(name, _)| *name != own) {
            let same = before.get(name).filter(|peer| peer.address() == address);
            let peer = same.cloned().unwrap_or_else(|| {
                Arc::new(Peer::at(name, address, pool.security.clone(), pool.dice.clone()))
            });
            after.insert(name.clone(), peer);
        }
        let is_kept = |peer: &Arc<Peer>| after.values().any(|kept| Arc::ptr_eq(kept, peer));
        let left: Vec<_> = before.values().filter(|peer| !is_kept(peer)).cloned().collect();
        let after = Arc::new(after);
        pool.now.store(after.clone());
        pool.peers.send_replace(after);
        left.iter().for_each(|peer| peer.retire());
    }

    /// The module called `name`, waited for until `until`.
    async fn peer(&self, name: &str, until: Instant) -> Option<Arc<Peer>> {
        if let Some(peer) = self.0.now.load().get(name) {
            return Some(peer.clone());
        }
        // Rare, so in a box of its own: each hop holds the future of this one.
        Box::pin(async move {
            let mut peers = self.0.peers.subscribe();
            let known = peers.wait_for(|peers| peers.contains_key(name));
            let known = timeout_at(until, known).await.ok()?.ok()?;
            known.get(name).cloned()
        })
        .await
    }

    async fn bring(&self, envelope: &Envelope) -> Result<Reply> {
        let to = &envelope.line.to;
        let whose = &self.0.whose;
        let Some(module) = whose(&to.node) else {
            return Err(Error::exhausted(format!(
                "node `{}` belongs to no other module now",
                to.node
            )));
        };
        let payload = letter::payload(envelope)?;
        // Looked up only when there is no credit.
        let is_inside = || match &envelope.sender {
            Sender::Hop(hop) => hop.passed().any(|node| whose(node).is_some_and(|it| it == module)),
            Sender::Nobody | Sender::Module(_) => false,
        };
        let ends = [envelope.deadline, envelope.expires].into_iter().flatten();
        let until = ends.chain([Instant::now() + PATIENCE]).min().unwrap_or_else(Instant::now);
        loop {
            let Some(peer) = self.peer(&module, until).await else {
                return Err(Error::exhausted(format!(
                    "module `{module}` of node `{}` does not run here: nobody has told its address; start it, or correct `spec.module`",
                    to.node
                )));
            };
            if let Some(result) = peer.deliver(envelope, &payload, is_inside, until).await {
                return result;
            }
        }
    }
}

impl Route for Pool {
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(async move {
            // Pinned here: moved into one of two futures, it would lie in three places.
            let brought = pin!(self.bring(&envelope));
            // What its edge allows the other module keeps, whose error port has the time of the run.
            let Some(end) = envelope.deadline else { return brought.await };
            timeout_at(end + GRACE, brought).await.unwrap_or_else(|_| {
                let to = &envelope.line.to;
                Err(Error::exhausted(format!("`{to}` did not end within the time of its run")))
            })
        })
    }
}

impl Abroad for Pool {
    fn has(&self, name: &str) -> bool {
        (self.0.whose)(name).is_some()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("modules", &self.0.now.load().keys()).finish_non_exhaustive()
    }
}
