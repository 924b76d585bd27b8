//! A running module: its controllers on a plane, from start to an orderly end.

use std::sync::Arc;
use std::time::Duration;

use kube::{Api, Client};
use tiny_crds::names;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::component::Instruments;
use crate::control::{
    self, Catalogue, Close, Directory, Leadership, Lease, Module, ModuleId, NodeState, Nodes,
    Signals, Summary,
};
use crate::engine::{Backing, Dice, Scheduler, Waits};
use crate::registry::Registry;
use crate::telemetry::{Health, Metrics};
use crate::wire::{Drain, Pool, Server};

/// The longest that an end takes.
const PATIENCE: Duration = Duration::from_secs(25);

/// The longest wait for messages of other modules that are under way.
const DRAIN: Duration = Duration::from_secs(5);

/// A module that runs on a plane.
#[derive(Debug)]
pub struct Operator {
    controllers: JoinSet<&'static str>,
    lease: JoinSet<()>,
    stop_controllers: CancellationToken,
    stop_wire: CancellationToken,
    stop_lease: CancellationToken,
    summary: watch::Receiver<Summary>,
    leadership: Leadership,
    scheduler: Scheduler,
    drain: Option<Drain>,
    close: Close,
    metrics: Metrics,
}

impl Operator {
    /// Starts `module` with the components of `registry`: everything in `namespace` that belongs to it, it runs. `server` takes in what
    /// other modules send; without one there is no way in, and its edges to other modules are all there is of them.
    pub fn start(
        module: ModuleId,
        registry: Arc<Registry>,
        client: &Client,
        namespace: &str,
        server: Option<Server>,
    ) -> Self {
        Self::start_as(&control::identity(), module, registry, client, namespace, server)
    }

    /// The same under a name for this process that is known already.
    pub(crate) fn start_as(
        identity: &str,
        module: ModuleId,
        registry: Arc<Registry>,
        client: &Client,
        namespace: &str,
        server: Option<Server>,
    ) -> Self {
        let lease = Lease::new(client.clone(), namespace, &module.name, identity, Dice::fresh());
        let leadership = lease.leadership();
        let (leads, believed) = watch::channel(false);
        let instruments = Arc::<Instruments>::default();
        let directory = Directory::default();
        let index = directory.clone();
        let security = server.as_ref().map(|server| server.security().clone()).unwrap_or_default();
        let whose = move |node: &str| index.foreign_module(node);
        let pool = Pool::new(whose, security, Dice::fresh());
        let backing = Backing {
            store: Arc::new(NodeState::new(Api::namespaced(client.clone(), namespace))),
            leads: believed,
            instruments: instruments.clone(),
            observer: None,
            abroad: Arc::new(pool.clone()),
        };
        let scheduler = Scheduler::on(backing, registry.clone(), Waits::default(), Dice::fresh());
        let catalogue = Arc::new(Catalogue::of(&registry));
        let offer = catalogue.clone();
        let nodes = Nodes::new(module.clone(), offer, scheduler.clone(), directory.clone());
        let summary = nodes.summary();
        let api = Api::namespaced(client.clone(), namespace);
        let published = server.as_ref().map(Server::published);
        let own = names::sanitise(&module.name);
        let metrics = Metrics {
            module: module.clone(),
            scheduler: scheduler.clone(),
            summary: summary.clone(),
            leadership: leadership.clone(),
            instruments,
        };
        let addresses = directory.addresses();
        let offer =
            Module::new(module, published, catalogue, api, leadership.clone(), summary.clone());
        let api = Api::namespaced(client.clone(), namespace);
        let signals = Signals::new(scheduler.clone(), directory, api, leadership.clone());
        let close = signals.close();

        let stop_controllers = CancellationToken::new();
        let stop_lease = CancellationToken::new();
        let mut controllers = JoinSet::new();
        let api = Api::namespaced(client.clone(), namespace);
        let modules = Api::namespaced(client.clone(), namespace);
        let node_controller = nodes.run(api, modules, leadership.clone(), stop_controllers.clone());
        controllers.spawn(named("node", node_controller));
        controllers.spawn(named("module", offer.run(stop_controllers.clone())));
        controllers.spawn(named("signal", signals.run(stop_controllers.clone())));
        let stop = stop_controllers.clone();
        controllers.spawn(named("pool", async move { pool.follow(&own, addresses, stop).await }));
        let stop_wire = CancellationToken::new();
        let drain = server.map(|server| {
            let (drain, serving) = server.serve(scheduler.clone(), stop_wire.clone());
            controllers.spawn(named("wire", async move {
                if let Err(e) = serving.await {
                    tracing::error!("{e}");
                }
            }));
            drain
        });
        let told = tell(leadership.clone(), leads, stop_controllers.clone());
        controllers.spawn(named("leadership", told));
        let mut lease_task = JoinSet::new();
        lease_task.spawn(lease.run(stop_lease.clone()));
        let lease = lease_task;
        Self {
            controllers,
            lease,
            stop_controllers,
            stop_wire,
            stop_lease,
            summary,
            leadership,
            scheduler,
            drain,
            close,
            metrics,
        }
    }

    /// The numbers of the module.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// When the module is ready: its nodes have been listed, and it takes in what others send.
    pub fn health(&self) -> Health {
        let summary = self.summary.clone();
        let listed = move || match summary.borrow().listed {
            true => Ok(()),
            false => Err("the nodes of the namespace have not been listed yet".to_owned()),
        };
        let (has_wire, stopped) = (self.drain.is_some(), self.stop_wire.clone());
        let served = move || match has_wire && stopped.is_cancelled() {
            true => Err("messages of other modules are not taken any more".to_owned()),
            false => Ok(()),
        };
        Health::new(vec![("watches", Box::new(listed)), ("wire", Box::new(served))])
    }

    /// How the module's nodes are, followed as it changes.
    pub fn summary(&self) -> watch::Receiver<Summary> {
        self.summary.clone()
    }

    /// The name of this process in the module's lease.
    pub fn identity(&self) -> &str {
        self.leadership.identity()
    }

    /// Waits until a controller ends, which none does by itself: a fault to say aloud.
    pub async fn failed(&mut self) -> String {
        match self.controllers.join_next().await {
            Some(Ok(name)) => format!("the {name} controller ended by itself"),
            Some(Err(e)) => format!("a controller ended: {e}"),
            None => "there is no controller".into(),
        }
    }

    /// Takes nothing more, neither signals nor what other modules or the outside send, and waits until all that is under way has ended, for
    /// `longest` at most. Returns whether it has. Call it before [`stop`](Self::stop) where what is under way is worth the time.
    pub async fn finish(&self, longest: Duration) -> bool {
        let drained = async {
            if let Some(drain) = &self.drain {
                drain.drained().await;
            }
        };
        // A run that ends because its way in from outside closes is one that the next process goes on with: signals are told first.
        let ended = async {
            tokio::join!(biased; self.close.clone().closed(), drained, self.scheduler.close_intakes())
        };
        tokio::time::timeout(longest, ended).await.is_ok()
    }

    /// [`stop_within`](Self::stop_within) the 25 s that a pod has by Kubernetes' default, less some for its own end.
    pub async fn stop(self) {
        self.stop_within(PATIENCE).await;
    }

    /// Ends in order: no new runs, those on their way are cancelled (their signals stay `Running` and run again), then the lease goes
    /// back, so that another process may lead at once. What takes longer than its part of the time is left behind, so that the lease goes
    /// back in any case. Returns whether all has ended.
    pub async fn stop_within(mut self, longest: Duration) -> bool {
        let (now, part) = (Instant::now(), longest / 10);
        let (for_wire, for_controllers, for_background) =
            (now + part.min(DRAIN), now + part * 2, now + part * 9);
        // Other modules wait for what they have sent, and send the rest to another replica, or to the next process.
        if let Some(drain) = &self.drain
            && timeout_at(for_wire, drain.drained()).await.is_err()
        {
            tracing::warn!(
                "messages of other modules were not handled in time; those who sent them may try again"
            );
        }
        self.stop_wire.cancel();
        self.stop_controllers.cancel();
        let ended = async { while self.controllers.join_next().await.is_some() {} };
        let have_controllers_ended = timeout_at(for_controllers, ended).await.is_ok();
        if !have_controllers_ended {
            tracing::warn!("the controllers did not end in time");
            self.controllers.abort_all();
        }
        // What runs in the background hears of it, and has its time to end, before the lease goes: 5 s, which is most of all.
        let has_background_ended = timeout_at(for_background, self.scheduler.stop()).await.is_ok();
        if !has_background_ended {
            tracing::warn!("what nodes have in the background did not end in time");
        }
        self.stop_lease.cancel();
        let released = async { while self.lease.join_next().await.is_some() {} };
        let is_released = timeout_at(now + longest, released).await.is_ok();
        have_controllers_ended && has_background_ended && is_released
    }
}

async fn named(name: &'static str, work: impl Future<Output = ()>) -> &'static str {
    work.await;
    name
}

/// Tells the engine, which knows nothing of leases, whether this process leads.
async fn tell(mut leadership: Leadership, leads: watch::Sender<bool>, stop: CancellationToken) {
    loop {
        leads.send_replace(leadership.term().is_some());
        if stop.run_until_cancelled(leadership.changed()).await.is_none() {
            leads.send_replace(false);
            return;
        }
    }
}
