//! Nodes that are being deleted: they run no more, and their components delete what they made outside before the objects go.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::{Api, ResourceExt};
use tiny_crds::condition::{self, READY, Truth};
use tiny_crds::{TinyNode, TinyNodeStatus};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::directory::Directory;
use super::lease::Leadership;
use super::status::{self, Written};
use super::{backoff, declare, finalizer, state};
use crate::component::{Error, Result};
use crate::engine::{Doomed, Scheduler};

/// Nodes that are ended at once; more of them wait for their turn.
const AT_ONCE: usize = 32;

/// What it takes to end a node.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) api: Api<TinyNode>,
    pub(super) leadership: Leadership,
    pub(super) scheduler: Scheduler,
    pub(super) directory: Directory,
}

/// The nodes of this module that are being deleted.
pub(super) struct Leaving {
    nodes: BTreeMap<String, Leaver>,
    /// Each ends with whether there is nothing left to do.
    jobs: JoinSet<bool>,
    turns: Arc<Semaphore>,
}

struct Leaver {
    node: TinyNode,
    /// What ran here of it.
    doomed: Option<Doomed>,
    job: Option<AbortHandle>,
    is_released: bool,
}

impl Leaving {
    pub(super) fn new() -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { nodes: BTreeMap::new(), jobs: JoinSet::new(), turns }
    }

    /// The names of these nodes.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.nodes.keys()
    }

    /// Takes in a node that is being deleted, and what ran here of it.
    pub(super) fn put(&mut self, node: TinyNode, doomed: Option<Doomed>) {
        let name = node.name_any();
        match self.nodes.get_mut(&name).filter(|leaver| leaver.node.uid() == node.uid()) {
            Some(leaver) => leaver.node = node,
            None => {
                self.drop(&name);
                self.nodes.insert(name, Leaver { node, doomed, job: None, is_released: false });
            }
        }
    }

    /// Forgets a node: its object is gone, or is another one now.
    pub(super) fn drop(&mut self, name: &str) {
        let gone = self.nodes.remove(name);
        if let Some(job) = gone.and_then(|leaver| leaver.job) {
            job.abort();
        }
    }

    /// Ends what is under way: the term that it began in is over.
    pub(super) fn halt(&self) {
        self.nodes.values().filter_map(|leaver| leaver.job.as_ref()).for_each(AbortHandle::abort);
    }

    /// Begins to end the nodes whose objects wait for us; only the leader does.
    pub(super) fn start(&mut self, place: &Place) {
        if place.leadership.term().is_none() {
            return;
        }
        for (name, leaver) in &mut self.nodes {
            if leaver.job.is_some() || leaver.is_released || !finalizer::is_on(&leaver.node) {
                continue;
            }
            let end = End {
                place: place.clone(),
                name: name.clone(),
                uid: leaver.node.uid(),
                doomed: leaver.doomed.clone(),
                is_destroyed: false,
            };
            leaver.job = Some(self.jobs.spawn(end.come(self.turns.clone())));
        }
    }

    /// Waits until a job has ended, and takes note of it.
    pub(super) async fn ended(&mut self) {
        let (id, is_released) = match self.jobs.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok(ended)) => ended,
            Some(Err(e)) => {
                if e.is_panic() {
                    tracing::error!("the end of a node ended early: {e}");
                }
                // What panicked would do so again; what was ended may begin again, in another term.
                (e.id(), e.is_panic())
            }
        };
        let is_its = |job: &AbortHandle| job.id() == id;
        let mut leavers = self.nodes.values_mut();
        if let Some(leaver) = leavers.find(|leaver| leaver.job.as_ref().is_some_and(is_its)) {
            (leaver.job, leaver.is_released) = (None, is_released);
        }
    }
}

/// The end of one node.
struct End {
    place: Place,
    name: String,
    /// Of the object: one of the same name that was made anew is another node.
    uid: Option<String>,
    doomed: Option<Doomed>,
    /// True once the hook is not to be called any more.
    is_destroyed: bool,
}

impl End {
    /// Tries until the object is let go, or this process no longer leads. Returns whether there is nothing left to do.
    async fn come(mut self, turns: Arc<Semaphore>) -> bool {
        let mut failures = 0;
        loop {
            let turn = turns.acquire().await;
            let done = self.attempt().await;
            drop(turn);
            match done {
                Ok(is_released) => return is_released,
                Err(why) => {
                    let node = &self.name;
                    tracing::warn!(
                        node,
                        "is being deleted, and cannot go yet, trying again: {why}"
                    );
                }
            }
            failures += 1;
            sleep(backoff(failures)).await;
        }
    }

    async fn attempt(&mut self) -> Result<bool> {
        let Some(node) = self.waiting().await? else { return Ok(true) };
        if self.place.leadership.term().is_none() {
            return Ok(false);
        }
        if !self.is_destroyed {
            match self.destroy(&node).await {
                Err(why) if why.is_retryable() => {
                    self.tell(&why).await?;
                    return Err(why);
                }
                // It must be possible to delete a node whatever its component does.
                Err(why) => tracing::error!(
                    node = self.name,
                    "is deleted, and what its component made outside may be left: {why}"
                ),
                Ok(()) => {}
            }
            self.is_destroyed = true;
        }
        self.release().await
    }

    /// The object as it is now, while it waits for us.
    async fn waiting(&self) -> Result<Option<TinyNode>> {
        let node = status::answered(self.place.api.get_opt(&self.name)).await?;
        Ok(node.filter(|node| node.uid() == self.uid && finalizer::is_on(node)))
    }

    /// Has the component delete what it made outside: the one that ran here, or else one that is made for that.
    async fn destroy(&mut self, node: &TinyNode) -> Result<()> {
        let stored = state::stored(node);
        match &self.doomed {
            Some(doomed) => doomed.seen(stored),
            None => {
                let directory = self.place.directory.clone();
                let peer = move |name: &str| directory.peer(name);
                let revived = self.place.scheduler.revive(declare(node), stored, peer);
                self.doomed = revived.await?;
            }
        }
        match &self.doomed {
            Some(doomed) => doomed.destroy().await,
            // A component that this module has no more, or that lost its hook: nobody knows how.
            None => Ok(()),
        }
    }

    /// Takes our finalizer from the object.
    async fn release(&self) -> Result<bool> {
        // Read again: the hook may have written state.
        let Some(node) = self.waiting().await? else { return Ok(true) };
        let Some(finalizers) = finalizer::desired(&node, false) else { return Ok(true) };
        let (Place { api, leadership, .. }, version) = (&self.place, node.resource_version());
        match finalizer::write(api, leadership, &self.name, version.as_deref(), &finalizers).await?
        {
            Written::Stored(_) => Ok(true),
            Written::NotLeading => Ok(false),
            Written::Stale => Err(Error::transient("somebody else wrote meanwhile")),
        }
    }

    /// Says in the status why the object stays.
    async fn tell(&self, why: &Error) -> Result<()> {
        let Some(node) = self.waiting().await? else { return Ok(()) };
        let why = format!(
            "node `{}` is being deleted, and its component will be called again to delete what it made outside: {why}",
            self.name
        );
        let before = node.status.clone().unwrap_or_default();
        let after = kept_by(&node, &before, &why);
        if after == before {
            return Ok(());
        }
        let (Place { api, leadership, .. }, version) = (&self.place, node.resource_version());
        let over = version.as_deref();
        // Whatever came of it: the next attempt says it again.
        status::write(api, leadership, &self.name, over, Some(&before), &after).await?;
        Ok(())
    }
}

/// The status of a node whose object stays because of `why`.
fn kept_by(node: &TinyNode, before: &TinyNodeStatus, why: &str) -> TinyNodeStatus {
    let mut status = before.clone();
    let (generation, now) = (node.metadata.generation, Timestamp::now());
    let why = status::sentences([why].into_iter());
    let not_ready =
        condition::new(READY, Truth::False, "DestroyFailed", why.as_str(), generation, now);
    condition::set(&mut status.conditions, not_ready);
    status.status = why;
    status
}
