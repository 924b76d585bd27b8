//! The node controller: each [`TinyNode`] becomes a live node of the engine, and its status says what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, ResourceExt};
use tiny_crds::{Payload, PortStatus, TinyModule, TinyNode, TinyNodeStatus, names};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::lease::Leadership;
use super::leaving::{Leaving, Place};
use super::neighbours::{Known, Neighbours};
use super::own::{New, Own};
use super::pause::{broke, pauses};
use super::sharing::{Member, PortSchema, Sharing};
use super::status::{self, Written};
use super::{Catalogue, ModuleId, Summary, backoff, declare, face, finalizer, node_status, state};
use crate::component::{ComponentType, OfferedPort};
use crate::engine::{Face, Peer, Proofs, Scheduler, What};

/// The shortest time between two looks at what components say of themselves.
const NEWS: Duration = Duration::from_secs(1);

/// The longest wait for the modules of the namespace before the first node is judged.
const MODULES: Duration = Duration::from_secs(5);

/// Status writes on their way at once.
const WRITES: usize = 8;

/// What the module makes of the namespace's nodes.
pub(crate) struct Nodes {
    module: ModuleId,
    scheduler: Scheduler,
    directory: Directory,
    own: BTreeMap<String, Own>,
    /// Those that are being deleted.
    leaving: Leaving,
    /// Nodes whose status may differ from what it should be.
    dirty: BTreeSet<String>,
    /// Nodes whose status was to be written when somebody else wrote.
    outrun: BTreeSet<String>,
    /// What a list that is under way has brought so far.
    listing: Option<Vec<TinyNode>>,
    catalogue: Arc<Catalogue>,
    sharing: Sharing,
    proofs: Proofs,
    neighbours: Neighbours,
    /// True while the module's own object is there.
    is_installed: bool,
    /// True once it is there no more: whoever deleted it uninstalls the module, which keeps no further object of a node.
    is_uninstalled: bool,
    summary: watch::Sender<Summary>,
}

/// A status write that has ended: of which node, over which version, and what came of it.
type Ended = (String, Option<String>, kube::Result<Written<TinyNode>>);

impl Nodes {
    pub(crate) fn new(
        module: ModuleId,
        catalogue: Arc<Catalogue>,
        scheduler: Scheduler,
        directory: Directory,
    ) -> Self {
        Self {
            neighbours: Neighbours::of(&module.name),
            module,
            catalogue,
            sharing: Sharing::default(),
            proofs: Proofs::default(),
            scheduler,
            directory,
            own: BTreeMap::new(),
            leaving: Leaving::new(),
            dirty: BTreeSet::new(),
            outrun: BTreeSet::new(),
            listing: None,
            is_installed: false,
            is_uninstalled: false,
            summary: watch::Sender::default(),
        }
    }

    /// Tells how the nodes are, whenever that changes.
    pub(crate) fn summary(&self) -> watch::Receiver<Summary> {
        self.summary.subscribe()
    }

    /// Follows the nodes of the namespace until `shutdown`.
    pub(crate) async fn run(
        mut self,
        api: Api<TinyNode>,
        modules: Api<TinyModule>,
        mut leadership: Leadership,
        shutdown: CancellationToken,
    ) {
        let events = watcher::watcher(api.clone(), watcher::Config::default());
        // Nobody here reads managed fields, and they are the larger part of an object.
        let events = events.backoff(pauses()).modify(|node| node.managed_fields_mut().clear());
        let mut events = std::pin::pin!(events);
        let modules = watcher::watcher(modules, watcher::Config::default());
        let modules = modules.backoff(pauses());
        let mut modules = std::pin::pin!(modules);
        // What others take and send is known before the first node is judged, if that can be known in time.
        let first = async {
            loop {
                match modules.next().await {
                    Some(Ok(event)) => {
                        let is_last = matches!(event, Event::InitDone);
                        self.observe_module(event);
                        if is_last {
                            return;
                        }
                    }
                    Some(Err(e)) => broke("the modules", &e),
                    None => return,
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            listed = tokio::time::timeout(MODULES, first) => if listed.is_err() {
                tracing::warn!("the modules could not be listed within {MODULES:?}; edges to their nodes are not checked until they are");
            },
        }
        let place = Place {
            api: api.clone(),
            leadership: leadership.clone(),
            scheduler: self.scheduler.clone(),
            directory: self.directory.clone(),
        };
        let mut writes = JoinSet::new();
        let mut failures = 0;
        let mut pause = None;
        // What components say of themselves is taken at once, and then not for a while: it may be said often.
        let mut hush = None;
        loop {
            if pause.is_none() {
                self.start_writes(&mut writes, &api, &leadership);
            }
            self.leaving.start(&place);
            tokio::select! {
                () = shutdown.cancelled() => return,
                event = events.next() => match event {
                    Some(Ok(event)) => self.observe(event),
                    Some(Err(e)) => broke("the nodes", &e),
                    None => return,
                },
                event = modules.next() => match event {
                    Some(Ok(event)) => self.observe_module(event),
                    Some(Err(e)) => broke("the modules", &e),
                    None => return,
                },
                _ = leadership.changed() => {
                    self.mark_all();
                    self.leaving.halt();
                }
                () = self.leaving.ended() => {}
                news = self.scheduler.news(), if hush.is_none() => {
                    self.hear(&news);
                    hush = Some(Instant::now() + NEWS);
                }
                () = sleep_until(hush.unwrap_or_else(far)), if hush.is_some() => hush = None,
                Some(written) = writes.join_next() => match written {
                    Ok((_, _, Ok(Written::Stored(_)))) => failures = 0,
                    Ok((name, version, Ok(Written::Stale))) => {
                        failures = 0;
                        self.was_outrun(name, version.as_deref());
                    }
                    Ok((name, _, Ok(Written::NotLeading))) => drop(self.dirty.insert(name)),
                    Ok((name, _, Err(e))) => {
                        tracing::warn!(node = name, "cannot write its status, trying again: {e}");
                        self.dirty.insert(name);
                        failures += 1;
                        pause = Some(Instant::now() + backoff(failures));
                    }
                    Err(e) => tracing::error!("a status write ended early: {e}"),
                },
                () = sleep_until(pause.unwrap_or_else(far)), if pause.is_some() => pause = None,
            }
        }
    }

    /// Takes in one event of the watch of modules.
    fn observe_module(&mut self, event: Event<TinyModule>) {
        let moved = self.directory.observe(&event);
        let installed = self.directory.is_installed(&names::sanitise(&self.module.name));
        if installed != std::mem::replace(&mut self.is_installed, installed) {
            self.is_uninstalled = !installed;
            self.mark_all();
        }
        self.neighbours
            .observe(event, &mut Known { sharing: &mut self.sharing, proofs: &mut self.proofs });
        let leads = |own: &Own| {
            own.decl.edges.iter().any(|edge| match self.directory.peer(&edge.to.node) {
                Peer::Foreign { module, .. } => moved.contains(&names::sanitise(&module)),
                Peer::Ours { .. } | Peer::Absent => false,
            })
        };
        let touched = self.own.iter().filter(|(_, own)| !moved.is_empty() && leads(own));
        self.judge_all(touched.map(|(name, _)| name.clone()).collect());
    }

    /// Takes in one event of the watch.
    fn observe(&mut self, event: Event<TinyNode>) {
        match event {
            Event::Init => self.listing = Some(Vec::new()),
            Event::InitApply(node) => self.listing.get_or_insert_default().push(node),
            Event::InitDone => {
                let listed = self.listing.take().unwrap_or_default();
                let names: BTreeSet<String> = listed.iter().map(ResourceExt::name_any).collect();
                let known = self.directory.names().into_iter().chain(self.leaving.names().cloned());
                let gone: Vec<String> = known.filter(|name| !names.contains(name)).collect();
                self.take_in(listed, &gone);
                self.publish(true);
            }
            Event::Apply(node) => self.take_in(vec![node], &[]),
            Event::Delete(node) => self.take_in(Vec::new(), &[node.name_any()]),
        }
    }

    /// Takes in what was written and what is gone, and judges again whatever that touches.
    fn take_in(&mut self, written: Vec<TinyNode>, gone: &[String]) {
        // All neighbours first, so that a list is judged once, as a whole.
        let mut moved = BTreeSet::new();
        for node in &written {
            if self.directory.put(&node.name_any(), self.peer(node)) {
                moved.insert(node.name_any());
            }
        }
        for name in gone {
            self.directory.put(name, Peer::Absent);
            self.leaving.drop(name);
            self.forget(name);
            moved.insert(name.clone());
        }
        let mut stale = BTreeSet::new();
        for node in written {
            let name = node.name_any();
            if !node.belongs_to(&self.module.name) {
                self.leaving.drop(&name);
                self.drop_own(&name);
                let mut known = Known { sharing: &mut self.sharing, proofs: &mut self.proofs };
                self.neighbours.put_node(node, &mut known);
                continue;
            }
            if is_leaving(&node) {
                let doomed = self.scheduler.doom(&name);
                self.forget(&name);
                self.leaving.put(node, doomed);
                continue;
            }
            self.leaving.drop(&name);
            self.neighbours.drop_node(&name);
            self.scheduler.seen(&name, state::stored(&node));
            match self.taken_in(node) {
                New::Declaration => {
                    self.place(&name);
                    stale.insert(name);
                }
                New::Status => {
                    // A schema that somebody wrote for a port declares nothing to the engine.
                    self.share(&name);
                    self.place(&name);
                    self.dirty.insert(name);
                }
                New::State if self.outrun.remove(&name) => drop(self.dirty.insert(name)),
                // What a component shows of its state is published when it says so, and not with every change.
                New::State => {}
            }
        }
        if !moved.is_empty() {
            self.scheduler.moved();
        }
        let touched = |own: &Own| own.decl.edges.iter().any(|edge| moved.contains(&*edge.to.node));
        let neighbours = self.own.iter().filter(|(_, own)| touched(own));
        stale.extend(neighbours.map(|(name, _)| name.clone()));
        self.judge_all(stale);
    }

    /// Judges these nodes, and all whose edges now stand another way than before.
    fn judge_all(&mut self, mut stale: BTreeSet<String>) {
        stale.extend(self.proofs.settle().into_iter().filter(|name| self.own.contains_key(name)));
        for name in stale {
            self.judge(&name);
        }
        self.tell_the_stirred();
        self.publish(false);
    }

    fn peer(&self, node: &TinyNode) -> Peer {
        if node.belongs_to(&self.module.name) {
            // It takes no messages any more, whoever still holds its object.
            if is_leaving(node) {
                return Peer::Absent;
            }
            Peer::Ours { component: node.spec.component.clone() }
        } else {
            Peer::Foreign { module: node.spec.module.clone(), is_known: false }
        }
    }

    /// Stores a node of this module, and says what is new of it.
    fn taken_in(&mut self, node: TinyNode) -> New {
        let decl = declare(&node);
        match self.own.get_mut(&decl.info.name) {
            Some(own) => own.take(node, decl),
            None => {
                self.own.insert(decl.info.name.clone(), Own::new(node, decl));
                New::Declaration
            }
        }
    }

    /// A write came too late. What outran it is here already, or the watch brings it.
    fn was_outrun(&mut self, name: String, version: Option<&str>) {
        let known = self.own.get(&name).and_then(|own| own.node.resource_version());
        if known.as_deref() == version {
            self.outrun.insert(name);
        } else {
            self.dirty.insert(name);
        }
    }

    /// Takes in what the engine tells of live nodes: hooks have ended, ports or views have changed.
    fn hear(&mut self, news: &BTreeMap<String, What>) {
        let moved: Vec<&String> =
            news.iter().filter(|(_, what)| what.ports).map(|(name, _)| name).collect();
        let mut stale: BTreeSet<String> =
            news.keys().filter(|name| self.own.contains_key(*name)).cloned().collect();
        let leads = |own: &Own| {
            own.decl.edges.iter().any(|edge| moved.iter().any(|name| **name == *edge.to.node))
        };
        if !moved.is_empty() {
            let neighbours = self.own.iter().filter(|(_, own)| leads(own));
            stale.extend(neighbours.map(|(name, _)| name.clone()));
        }
        self.judge_all(stale);
    }

    /// Nodes with which something may be shared that was not before.
    fn tell_the_stirred(&mut self) {
        let stirred = self.sharing.stirred().into_iter();
        self.dirty.extend(stirred.filter(|name| self.own.contains_key(name)));
    }

    /// Forgets all that is known of a node that is gone.
    fn forget(&mut self, name: &str) {
        self.neighbours.drop_node(name);
        self.sharing.put(name, None);
        self.proofs.put(name, None);
        self.drop_own(name);
    }

    fn drop_own(&mut self, name: &str) {
        if self.own.remove(name).is_some() {
            self.scheduler.remove(name);
            self.dirty.remove(name);
            self.outrun.remove(name);
        }
    }

    /// Has the engine make the node what it declares.
    fn judge(&mut self, name: &str) {
        let Some(own) = self.own.get_mut(name) else { return };
        let directory = &self.directory;
        let stored = state::stored(&own.node);
        let peer = |peer: &str| directory.peer(peer);
        let standing = |edge: &str| own.standing(&self.proofs, edge);
        let findings = self.scheduler.restore(own.decl.clone(), stored, peer, standing);
        own.judged(findings);
        self.dirty.insert(name.to_owned());
        self.share(name);
    }

    /// Notes what its edges are proved of.
    fn place(&mut self, name: &str) {
        let Some(own) = self.own.get(name) else { return };
        let component = self.scheduler.registry().get(&own.decl.component).cloned();
        let face = component.map_or(Face::Unknown, Face::Ours);
        let site = face::site(&own.node, &own.decl, face);
        self.proofs.put(name, Some(site));
    }

    /// Notes what the node has to share.
    fn share(&mut self, name: &str) {
        let Some(own) = self.own.get(name) else { return };
        let member = Member::new(&own.node, &own.decl.edges, self.schemas(own));
        self.sharing.put(name, Some(member));
    }

    /// The ports of a node: as it has them now or, where it does not run here, as its component has them at first.
    fn offered(&self, own: &Own, component: &ComponentType) -> Vec<OfferedPort> {
        let name = &own.decl.info.name;
        match self.scheduler.ports(name) {
            Some(_) => self.scheduler.offered(name),
            None => component.at_first().to_vec(),
        }
    }

    fn component(&self, own: &Own) -> Option<&ComponentType> {
        self.scheduler.registry().get(&own.decl.component).map(AsRef::as_ref)
    }

    /// The schemas of its ports, before others share theirs.
    fn schemas(&self, own: &Own) -> Vec<PortSchema> {
        let Some(component) = self.component(own) else { return Vec::new() };
        let schema = |offered: &OfferedPort| {
            let info = &component.ports()[offered.port.row];
            let text = offered.shaped.clone().unwrap_or_else(|| (info.schema)());
            PortSchema {
                name: offered.port.name.to_string().into(),
                is_source: info.is_source(),
                text,
            }
        };
        self.offered(own, component).iter().map(schema).collect()
    }

    /// The ports of a node as its status shows them.
    fn shown(&self, own: &Own, component: &ComponentType) -> Vec<PortStatus> {
        let shared = self.sharing.effective(&own.decl.info.name);
        let shown = |offered: &OfferedPort| {
            let mut port = node_status::shown(component, offered, self.catalogue.has_schemas);
            if let Some(text) = shared.get(&*port.name) {
                port.schema = Payload::of_object(text.shared());
            }
            port
        };
        self.offered(own, component).iter().map(shown).collect()
    }

    fn mark_all(&mut self) {
        self.dirty.extend(self.own.keys().cloned());
    }

    /// Starts the writes of what is dirty and really differs; only the leader writes.
    fn start_writes(
        &mut self,
        writes: &mut JoinSet<Ended>,
        api: &Api<TinyNode>,
        leadership: &Leadership,
    ) {
        while leadership.term().is_some() && writes.len() < WRITES {
            let Some(name) = self.dirty.pop_first() else { return };
            let Some(own) = self.own.get(&name) else { continue };
            let (api, leadership) = (api.clone(), leadership.clone());
            let (version, before) = (own.node.resource_version(), own.node.status.clone());
            if let Some(finalizers) = self.finalizers(own) {
                // The status follows when the watch brings the node with them.
                writes.spawn(async move {
                    let over = version.as_deref();
                    let write = finalizer::write(&api, &leadership, &name, over, &finalizers);
                    let written = write.await;
                    (name, version, written)
                });
                continue;
            }
            let Some(desired) = self.desired(own) else { continue };
            writes.spawn(async move {
                let (over, before) = (version.as_deref(), before.as_ref());
                let write = status::write(&api, &leadership, &name, over, before, &desired);
                let written = write.await;
                (name, version, written)
            });
        }
    }

    /// The finalizers that the node should have; `None` when it has them, or when nobody can tell because its component is not
    /// known here.
    fn finalizers(&self, own: &Own) -> Option<Vec<String>> {
        let has_destroy = self.component(own)?.has.destroy;
        let may_be_added = !self.is_uninstalled || finalizer::is_on(&own.node);
        finalizer::desired(&own.node, has_destroy && may_be_added)
    }

    /// The status that the node should have; `None` when it has it.
    fn desired(&self, own: &Own) -> Option<TinyNodeStatus> {
        let component = self.component(own);
        let now = Timestamp::now();
        let ports = component.map(|component| self.shown(own, component)).unwrap_or_default();
        let desired = node_status::desired(
            &own.node,
            &self.module,
            component,
            ports,
            &own.good,
            &own.findings,
            now,
        );
        (own.node.status.as_ref() != Some(&desired)).then_some(desired)
    }

    /// What is refuted of edges from and to nodes of this module.
    fn refuted(&self) -> Vec<String> {
        let from = self.own.keys().flat_map(|node| {
            self.proofs.of(node).iter().map(move |(edge, proof)| (node.as_str(), &**edge, proof))
        });
        let into = self.own.keys().flat_map(|node| self.proofs.feeding(node)).filter_map(
            |(source, edge)| {
                let proof = self.proofs.of(source).iter().find(|(id, _)| id == edge)?;
                (!self.own.contains_key(&**source)).then_some((&**source, &**edge, &proof.1))
            },
        );
        let told = from.chain(into).flat_map(|(node, edge, proof)| {
            proof.refuted().map(move |why| format!("node `{node}`, edge `{edge}`: {why}"))
        });
        told.collect()
    }

    fn publish(&self, listed: bool) {
        let is_ready =
            |(name, own): &(&String, &Own)| own.findings.is_empty() && self.scheduler.is_live(name);
        let faults = self.own.values().flat_map(|own| &own.findings);
        let now = Summary {
            listed: listed || self.summary.borrow().listed,
            own: self.own.len(),
            ready: self.own.iter().filter(is_ready).count(),
            faults: faults.map(|finding| finding.message.clone()).collect(),
            others: self.directory.foreign(),
            refuted: self.refuted(),
        };
        self.summary.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}

/// True for a node that is being deleted: its object stays for somebody's finalizer only.
fn is_leaving(node: &TinyNode) -> bool {
    node.metadata.deletion_timestamp.is_some()
}

/// Stands for a moment that is never waited for.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}
