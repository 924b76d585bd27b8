//! `signal`: a message from the command line to a port.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ListParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use tiny_crds::{
    Phase, PortStatus, TinyModule, TinyNode, TinyNodeSpec, TinySignal, TinySignalSpec,
    TinySignalStatus, duration, labels, names,
};

use super::plane::PlaneArgs;
use super::unread::unread;
use super::{invocation, print, survey};
use crate::control::pauses;
use crate::words;

/// After so long without a sign of life, the command says what it waits for.
const HINT: Duration = Duration::from_secs(5);
/// How often a write is tried again because somebody else wrote meanwhile.
const TRIES: u32 = 10;
/// The longest wait for a module to take the signal.
const TAKEN: Duration = Duration::from_secs(60);
/// From one question for a signal of its own to the next.
const ASK: Duration = Duration::from_millis(250);
/// The longest time without a plane that answers.
const TROUBLE: Duration = Duration::from_secs(30);
/// What a run may take longer than its timeout until its status has come here.
const GRACE: Duration = Duration::from_secs(5);

/// Sends a message to a port of a node, one at a time: a newer one cancels what the last one still runs
#[derive(Debug, clap::Args)]
pub(super) struct Signal {
    /// Name of the node
    node: String,
    /// Name of its target port
    port: String,
    /// The message; without it, what is stored for the port, else the port's default
    #[arg(value_name = "JSON")]
    message: Option<String>,
    /// Wait until all that the message causes has ended, and print the reply
    #[arg(long)]
    wait: bool,
    /// Send it as a signal of its own beside others, look at nothing else, and wait: for an account that may create and get signals only
    #[arg(long)]
    once: bool,
    /// Longest time for the run, such as 30s
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl Signal {
    pub(super) async fn carry_out(self) -> Result<()> {
        let message = self.message()?;
        let limit = self.timeout.as_deref().map(duration::parse).transpose()?;
        let namespace = &self.plane.namespace;
        let spec = TinySignalSpec {
            node: self.node.clone(),
            port: self.port.clone(),
            data: message.clone().into(),
            nonce: Some(uuid::Uuid::new_v4().to_string()),
            timeout: self.timeout.clone(),
        };
        if self.once {
            let plane = self.plane.connect_blindly().await?;
            let api = Api::namespaced(plane.client, namespace);
            return report(&self.sent_once(&api, spec, limit).await?);
        }
        let plane = self.plane.connect().await?;
        self.check_port(&plane.client, namespace, message.as_ref()).await?;
        let api: Api<TinySignal> = Api::namespaced(plane.client, namespace);
        let signal = self.write(&api, spec).await?;
        if !self.wait {
            let name = signal.name_any();
            let look = format!("{} get signal {name}", invocation());
            return print(&format!("signal {name} is on its way; `{look}` shows what comes of it"));
        }
        let ended = self.ended(&api, &signal, limit.map(|limit| limit + GRACE));
        tokio::select! {
            status = ended => report(&status?),
            _ = tokio::signal::ctrl_c() => bail!("stopped waiting; the signal goes on"),
        }
    }

    fn message(&self) -> Result<Option<Value>> {
        let Some(text) = &self.message else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|e| {
            anyhow!("the message is not JSON: {e}; quote it for the shell, such as '{{\"name\":\"World\"}}'")
        })
    }

    /// A signal for a port that is not there would wait for ever.
    async fn check_port(
        &self,
        client: &Client,
        namespace: &str,
        message: Option<&Value>,
    ) -> Result<()> {
        let nodes: Api<TinyNode> = Api::namespaced(client.clone(), namespace);
        let found = nodes.get_opt(&self.node).await;
        let Some(node) = found.with_context(|| format!("cannot get node `{}`", self.node))? else {
            let all = nodes.list(&ListParams::default()).await.context("cannot list the nodes")?;
            let names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
            let names = || names.iter().map(String::as_str);
            bail!(
                "there is no node `{}` in namespace `{namespace}`{}; it has {}",
                self.node,
                words::did_you_mean(&self.node, names()),
                words::list(names())
            );
        };
        // A node that its module has not met yet has no ports to compare with.
        let ports = node.status.as_ref().map(|status| &*status.ports).unwrap_or_default();
        if ports.is_empty() {
            return Ok(());
        }
        // A signal changes no settings, and `_control` is what people press.
        let is_target = |port: &&PortStatus| {
            !port.source && (port.name == "_control" || !port.name.starts_with('_'))
        };
        let targets: Vec<&PortStatus> = ports.iter().filter(is_target).collect();
        if let Some(port) = targets.iter().find(|port| port.name == self.port) {
            if let Some(message) = message {
                let schema = match port.schema.value() {
                    Ok(Some(own)) => Some(own),
                    _ => self.schema(client, namespace, &node.spec).await,
                };
                let unread = schema.map(|schema| unread(message, &schema)).unwrap_or_default();
                unread.iter().for_each(|why| eprintln!("warning: {why}"));
            }
            return Ok(());
        }
        let targets = || targets.iter().map(|port| port.name.as_str());
        bail!(
            "node `{}` has no target `{}`{}; it has {}",
            self.node,
            self.port,
            words::did_you_mean(&self.port, targets()),
            words::list(targets())
        )
    }

    /// The schema of the port as the module of the node tells of it, where that can be read: a node says only what it has of its own.
    async fn schema(&self, client: &Client, namespace: &str, node: &TinyNodeSpec) -> Option<Value> {
        let modules: Api<TinyModule> = Api::namespaced(client.clone(), namespace);
        let module = modules.get_opt(&names::sanitise(&node.module)).await.ok()??;
        let components = module.status.unwrap_or_default().components;
        let component = survey::named(&components, &node.component)?;
        component.ports.iter().find(|port| port.name == self.port)?.schema.value().ok()?
    }

    /// Creates a signal that no other has the name of, and asks for it until it has ended. One that a pod makes goes with the pod.
    async fn sent_once(
        &self,
        api: &Api<TinySignal>,
        spec: TinySignalSpec,
        limit: Option<Duration>,
    ) -> Result<TinySignalStatus> {
        let mut signal = TinySignal::new("", spec);
        let prefix = format!("{}-", names::signal_name(&self.node, &self.port));
        signal.metadata.name = None;
        signal.metadata.generate_name = Some(prefix);
        signal.metadata.owner_references = this_pod().map(|pod| vec![pod]);
        signal.labels_mut().insert(labels::NODE_NAME.into(), self.node.clone());
        let params =
            PostParams { field_manager: Some("tiny-signal".into()), ..PostParams::default() };
        let signal = api.create(&params, &signal).await.context("cannot create a signal")?;
        let name = signal.name_any();
        let end = Instant::now() + limit.map_or(TAKEN, |limit| limit + GRACE);
        let mut trouble = None;
        while Instant::now() < end {
            match api.get(&name).await {
                Ok(signal) => {
                    let status = signal.status.unwrap_or_default();
                    if status.phase.as_ref().is_some_and(Phase::is_final) {
                        return Ok(status);
                    }
                }
                Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403 | 404) => {
                    bail!("cannot get signal `{name}`: {}", status.message)
                }
                // The plane may be restarting.
                Err(e) => trouble = Some(e),
            }
            tokio::time::sleep(ASK).await;
        }
        let trouble = trouble.map(|e| format!(" (last trouble: {e})")).unwrap_or_default();
        bail!(
            "nothing came of signal `{name}` in time{trouble}; is there a node `{}` with a port `{}`, and does its module run? It stays in the plane, and runs when that starts, unless it is deleted",
            self.node,
            self.port
        )
    }

    /// Creates the signal of this port, or gives the one there is a new nonce.
    async fn write(&self, api: &Api<TinySignal>, spec: TinySignalSpec) -> Result<TinySignal> {
        let name = names::signal_name(&self.node, &self.port);
        let what = || format!("cannot write signal `{name}`");
        let params =
            PostParams { field_manager: Some("tiny-signal".into()), ..PostParams::default() };
        for tries in (0..TRIES).rev() {
            let last = tries == 0;
            let stored = api.get_opt(&name).await.with_context(what)?;
            let written = match stored {
                None => {
                    let mut signal = TinySignal::new(&name, spec.clone());
                    signal.labels_mut().insert(labels::NODE_NAME.into(), self.node.clone());
                    api.create(&params, &signal).await
                }
                Some(mut signal) => {
                    signal.spec = spec.clone();
                    api.replace(&name, &params, &signal).await
                }
            };
            match written {
                Err(kube::Error::Api(status))
                    if !last && (status.is_conflict() || status.is_already_exists()) => {}
                Err(kube::Error::Api(status)) => {
                    bail!("the plane refuses signal `{name}`: {}", status.message)
                }
                written => return written.with_context(what),
            }
        }
        bail!("{}: somebody else kept writing it", what())
    }

    /// Waits for the end of the run of this very nonce.
    async fn ended(
        &self,
        api: &Api<TinySignal>,
        signal: &TinySignal,
        limit: Option<Duration>,
    ) -> Result<TinySignalStatus> {
        let (name, nonce) = (signal.name_any(), signal.nonce());
        let objects = watcher::watch_object(api.clone(), &name).backoff(pauses());
        let mut objects = std::pin::pin!(objects);
        let hint = tokio::time::sleep(HINT);
        let end = tokio::time::sleep(limit.unwrap_or(Duration::MAX / 4));
        let taken = tokio::time::sleep(TAKEN);
        let (mut hint, mut end) = (std::pin::pin!(hint), std::pin::pin!(end));
        let mut taken = std::pin::pin!(taken);
        let (mut hinted, mut last, mut since) = (false, None, None::<Instant>);
        loop {
            tokio::select! {
                            object = objects.next() => match object {
                                Some(Ok(Some(signal))) if signal.nonce() == nonce => {
                                    since = None;
                                    let status = signal.status.unwrap_or_default();
                                    let is_ours = status.observed_nonce.as_deref() == Some(&*nonce);
                                    if is_ours && status.phase.as_ref().is_some_and(Phase::is_final) {
                                        return Ok(status);
                                    }
                                    last = is_ours.then_some(status);
                                }
                                Some(Ok(Some(_))) => bail!("another message was sent to this port meanwhile; this one was replaced"),
                                Some(Ok(None)) => bail!("the signal `{name}` was deleted"),
                                Some(Err(e)) if is_final(&e) => {
                                    return Err(e).context(format!("cannot watch signal `{name}`"));
                                }
                                // The plane may be restarting; the watch tries again, for a while.
                                Some(Err(e)) if since.get_or_insert_with(Instant::now).elapsed() > TROUBLE => {
                                    return Err(e).context(format!("lost sight of signal `{name}`; it may go on"));
                                }
                                Some(Err(_)) => {}
            None => bail!("the watch of signal `{name}` ended"),
                            },
                            () = &mut hint, if !hinted => {
                                hinted = true;
                                if last.is_none() {
                                    eprintln!("still waiting: no module has taken the signal; does the one of node `{}` run?", self.node);
                                }
                            }
                            () = &mut taken, if last.is_none() => bail!(
                    "no module took signal `{name}` within {TAKEN:?}; start the one of node `{}`, which will find it",
                    self.node
                ),
                () = &mut end, if limit.is_some() => bail!(
                    "nothing came of signal `{name}` in time; does the module of node `{}` run? It stays in the plane, and runs when that starts, unless it is deleted",
                    self.node
                ),
                        }
        }
    }
}

/// The pod that this process runs in, as the owner of what it makes, where the pod was told of itself.
fn this_pod() -> Option<OwnerReference> {
    let named = |key| std::env::var(key).ok().filter(|value| !value.is_empty());
    Some(OwnerReference {
        api_version: "v1".into(),
        kind: "Pod".into(),
        name: named("POD_NAME")?,
        uid: named("POD_UID")?,
        ..OwnerReference::default()
    })
}

/// Whether trying again cannot help.
fn is_final(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) =
        error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

fn report(status: &TinySignalStatus) -> Result<()> {
    match (&status.phase, &status.reply, status.reply_bytes) {
        (Some(Phase::Succeeded), Some(Value::String(text)), _) => print(text),
        (Some(Phase::Succeeded), Some(reply), _) => print(&format!("{reply:#}")),
        (Some(Phase::Succeeded), None, Some(bytes)) => {
            eprintln!("the reply has {bytes} bytes, more than a status keeps");
            Ok(())
        }
        (Some(Phase::Succeeded), None, None) => {
            eprintln!("done, no reply");
            Ok(())
        }
        (phase, ..) => {
            let phase = phase.as_ref().map_or("Failed", Phase::as_str).to_lowercase();
            bail!("the run {phase}: {}", status.error.as_deref().unwrap_or("no reason was given"))
        }
    }
}
