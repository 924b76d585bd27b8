//! `run`: the module on its plane, until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tiny_crds::duration;
use tokio::sync::watch;
use tokio::time::Instant;

use super::apply::{self, Applied, Files};
use super::documents;
use super::doors::DoorArgs;
use super::plane::{Plane, PlaneArgs};
use super::wire::WireArgs;
use super::{Binary, files, next, print, prune};
use crate::control::{self, ModuleId, Summary};
use crate::local::{Member, Share};
use crate::operator::Operator;
use crate::registry::Registry;
use crate::telemetry::{Doors, Log, Otlp};
use crate::wire::Server;
use crate::words;

/// How long a pod takes to stop at most, and a process on a local plane, where somebody sits and waits.
const DRAIN: Duration = Duration::from_secs(25);
const DRAIN_AT_HOME: Duration = Duration::from_secs(12);
/// What is kept of that for cancelling the rest, of which the background alone has 5 s to end, and giving the lease back; and for telling
/// the collector.
const PUTTING_AWAY: Duration = Duration::from_secs(8);
const TELLING: Duration = Duration::from_secs(3);
/// How long the first lines wait for all nodes to be ready.
const SETTLE: Duration = Duration::from_secs(5);

/// Runs the module on a local plane, or on a cluster when told to
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
pub(super) struct Run {
    /// Name of the module, which nodes write into `spec.module`; by default that of the crate
    #[arg(short, long)]
    name: Option<String>,
    /// Version of the module, without a leading `v`; by default that of the crate
    #[arg(short, long)]
    version: Option<String>,
    /// Apply these files or folders first; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    apply: Vec<PathBuf>,
    /// Delete what an earlier --apply of this module wrote and these files hold no more
    #[arg(long, requires = "apply")]
    prune: bool,
    /// Loopback port of the local plane; by default the one of the last time, if it is free
    #[arg(long, conflicts_with_all = ["cluster", "context", "kubeconfig"])]
    port: Option<u16>,
    /// Print errors only
    #[arg(long)]
    quiet: bool,
    /// Longest time to stop in, of which the last 11s are for putting away what still runs then; by default 25s on a cluster, 12s on a local plane
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    drain_timeout: Option<Duration>,
    /// Go on for so long after saying not ready, until nobody sends any more
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    shutdown_delay: Duration,
    /// Of the original, whose replicas had to be told to elect a leader; ours always do
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    leader_elect: Option<Option<bool>>,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    doors: DoorArgs,
    #[command(flatten)]
    plane: PlaneArgs,
}

/// How the process is seen and reached from outside.
struct Outside<'a> {
    server: Server,
    doors: Doors,
    otlp: &'a Otlp,
}

impl Run {
    /// Begins to log, and to export what is asked for.
    pub(super) fn otlp(&self, binary: Binary) -> Otlp {
        let version = self.version.as_deref().unwrap_or(binary.version);
        let (otlp, refused) = match Otlp::of_env(self.name(binary), version) {
            Ok(otlp) => (otlp, None),
            Err(why) => (Otlp::default(), Some(why)),
        };
        Log { quiet: self.quiet }.start(&otlp);
        if let Some(why) = refused {
            tracing::warn!("{why}");
        }
        otlp
    }

    pub(super) async fn carry_out(
        self,
        binary: Binary,
        registry: Arc<Registry>,
        otlp: &Otlp,
    ) -> Result<()> {
        let module = self.module(binary)?;
        files::raise_limit();
        // Files are read before a plane is touched: a slip in them changes nothing.
        let documents = documents::read(&self.apply)?;
        let (server, doors) = (self.wire.bind().await?, self.doors.bind()?);
        let outside = Outside { server, doors, otlp };
        let identity = control::identity();
        let member = Member::this(&identity, Some(&module.name));
        let plane = self.plane.start(self.port, member).await?;
        let done = self.on(&plane, &identity, module, registry, documents, outside).await;
        plane.leave().await;
        done
    }

    fn name(&self, binary: Binary) -> &str {
        self.name.as_deref().unwrap_or(binary.name)
    }

    fn module(&self, binary: Binary) -> Result<ModuleId> {
        let version = self.version.as_deref().unwrap_or(binary.version);
        if let Some(bare) = version.strip_prefix('v') {
            bail!("a version is written without a leading `v`: say --version {bare}");
        }
        let name = self.name(binary);
        super::object_name(name)?;
        Ok(ModuleId { name: name.to_owned(), version: version.to_owned() })
    }

    async fn on(
        &self,
        plane: &Plane,
        identity: &str,
        module: ModuleId,
        registry: Arc<Registry>,
        documents: Vec<documents::Document>,
        outside: Outside<'_>,
    ) -> Result<()> {
        let Outside { server, doors, otlp } = outside;
        let namespace = &self.plane.namespace;
        self.say("plane", &plane.title)?;
        self.say("namespace", namespace)?;
        self.apply(plane, &module, &registry, documents).await?;

        let mut stop = Stop::listen()?;
        let client = &plane.without_retries;
        let reached = server.published();
        let (id, offer) = (module.clone(), registry.clone());
        let mut operator = Operator::start_as(identity, id, offer, client, namespace, Some(server));
        self.say("identity", operator.identity())?;
        self.say("address", &reached)?;
        let (metrics, probes) = doors.addresses();
        self.say("metrics", &format!("http://{metrics}/metrics"))?;
        self.say("probes", &format!("http://{probes}/readyz"))?;
        otlp.observe(&operator.metrics());
        let health = operator.health();
        let _open = doors
            .open(health.clone(), operator.metrics())
            .context("cannot open a thread for probes")?;
        let _beat = tokio_util::task::AbortOnDropHandle::new(tokio::spawn({
            let health = health.clone();
            async move { health.beat().await }
        }));
        let companions = plane.share.as_ref().map(Share::companions).unwrap_or_default();
        if !companions.is_empty() {
            let others = companions.iter().map(|other| format!("process {other}"));
            let others = others.collect::<Vec<_>>().join(", ");
            let said = format!(
                "`{}` runs already as {others}: one of them leads, the others take over when it ends",
                module.name
            );
            self.say("replica", &said)?;
        }
        let offered = words::list(registry.names());
        self.say("module", &format!("{} {}: {offered}", module.name, module.version))?;

        let summary = operator.summary();
        let fate = tokio::select! {
            shown = self.settle(&plane.client, &module, &registry, operator.summary()) => shown,
            () = stop.asked() => Ok(()),
        };
        let fate = match fate {
            Ok(()) if stop.came => Ok(()),
            Ok(()) => tokio::select! {
                () = stop.asked() => Ok(()),
                why = operator.failed() => Err(anyhow::anyhow!("{why}")),
                failed = self.follow(summary) => failed,
            },
            Err(e) => Err(e),
        };
        health.leave();
        // A second Ctrl-C does not wait.
        tokio::select! {
            ended = self.end(operator, plane) => ended?,
            () = stop.asked_again() => bail!("stopped without waiting for the controllers"),
        }
        fate
    }

    /// Ends in order and in time: nobody is asked any more, what is under way ends or is left for the next process, and the lease goes back.
    async fn end(&self, operator: Operator, plane: &Plane) -> Result<()> {
        let longest = self.drain_timeout.unwrap_or(match plane.share {
            Some(_) => DRAIN_AT_HOME,
            None => DRAIN,
        });
        let deadline = Instant::now() + longest.saturating_sub(TELLING).max(TELLING);
        let finishing = longest.saturating_sub(self.shutdown_delay + PUTTING_AWAY + TELLING);
        let stopping = format!(
            "runs under way have {finishing:?} to end, then they are left for the next start"
        );
        self.say("stopping", &stopping)?;
        tokio::time::sleep(self.shutdown_delay.min(longest)).await;
        if !operator.finish(finishing).await {
            tracing::warn!(
                "what did not end in time is cancelled; signals run again at the next start"
            );
        }
        if !operator.stop_within(deadline - Instant::now()).await {
            bail!("not everything ended within {longest:?}; what is left ends with the process");
        }
        Ok(())
    }

    async fn apply(
        &self,
        plane: &Plane,
        module: &ModuleId,
        registry: &Registry,
        documents: Vec<documents::Document>,
    ) -> Result<()> {
        if self.apply.is_empty() {
            return Ok(());
        }
        let (client, namespace) = (&plane.client, self.plane.namespace.as_str());
        let mark = apply::mark(&module.name);
        let kept = prune::keys(&documents);
        let files = Files { client, namespace, module: &module.name, registry };
        let Applied { mut lines, .. } = files.apply(documents, Some(&mark)).await?;
        if self.prune {
            lines.extend(prune::prune(client, namespace, &mark, &kept).await?);
        }
        for line in lines {
            self.say("applied", &line)?;
        }
        Ok(())
    }

    /// Says how the nodes are once they are ready, or after a while in any case, and what to type next.
    async fn settle(
        &self,
        client: &kube::Client,
        module: &ModuleId,
        registry: &Registry,
        mut summary: watch::Receiver<Summary>,
    ) -> Result<()> {
        let settled = summary.wait_for(|now| now.listed && now.ready == now.own);
        let _late = tokio::time::timeout(SETTLE, settled).await.is_err();
        let now = summary.borrow_and_update().clone();
        if !now.listed {
            return self.say("nodes", "cannot list the nodes yet; the log says why");
        }
        self.say("nodes", &counted(&now))?;
        for fault in &now.faults {
            self.say("fault", fault)?;
        }
        if now.own == 0 {
            let hint = match now.others.is_empty() {
                true => "no node yet: apply a flow, e.g. with --apply FILE".to_owned(),
                false => {
                    let asked = words::list(now.others.keys().map(String::as_str));
                    format!("the nodes here ask for {asked}, none for `{}`", module.name)
                }
            };
            return self.say("next", &hint);
        }
        let (namespace, flags) = (&self.plane.namespace, self.plane.flags());
        match next::command(client, namespace, &module.name, registry, &flags).await {
            Some(command) => self.say("next", &command),
            None => Ok(()),
        }
    }

    /// Says when the nodes have become more, fewer, ready or not.
    async fn follow(&self, mut summary: watch::Receiver<Summary>) -> Result<()> {
        let mut said = counted(&summary.borrow());
        loop {
            if summary.changed().await.is_err() {
                return std::future::pending().await;
            }
            // Several changes at once are one line.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = counted(&summary.borrow_and_update());
            if now != said {
                self.say("nodes", &now)?;
                said = now;
            }
        }
    }

    fn say(&self, what: &str, text: &str) -> Result<()> {
        if self.quiet { Ok(()) } else { print(&format!("{what:<10} {text}")) }
    }
}

fn counted(now: &Summary) -> String {
    format!("{} of {} ready", now.ready, now.own)
}

/// Ctrl-C, or what Kubernetes sends to end a pod. What came while nobody waited for it is not lost.
pub(super) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    came: bool,
}

impl Stop {
    pub(super) fn listen() -> Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            came: false,
        })
    }

    pub(super) async fn asked(&mut self) {
        if !self.came {
            self.asked_again().await;
            self.came = true;
        }
    }

    #[cfg(unix)]
    async fn asked_again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn asked_again(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
