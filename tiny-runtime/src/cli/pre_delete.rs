//! `pre-delete`: ends a module and lets go of its nodes before it is uninstalled. Their objects stay, and nobody's deletion waits for a
//! module that is gone.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::core::Selector;
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tiny_crds::{TinyModule, TinyNode};
use tokio::time::{Instant, sleep};

use super::plane::PlaneArgs;
use super::{Binary, object_name, print};
use crate::control::finalizer;

/// How long the module has for nodes that are being deleted: it deletes what they made outside.
const OWN: Duration = Duration::from_secs(20);
/// How long its pods have to end: the drain of the chart, and some more.
const PODS: Duration = Duration::from_secs(40);
/// The longest that letting go takes after that.
const LONGEST: Duration = Duration::from_secs(20);
/// From one look to the next. A module that was writing when its object went has written by then.
const LOOK: Duration = Duration::from_secs(1);
/// Looks in a row that must find nothing.
const QUIET: u32 = 2;

/// Lets go of all nodes of this module, so that it can be uninstalled
#[derive(Debug, clap::Args)]
pub(super) struct PreDelete {
    /// Name of the module; by default that of the crate
    #[arg(short, long)]
    name: Option<String>,
    /// Deployment of the module, which is scaled to nothing first, so that its pods end in order while they have their rights
    #[arg(long, value_name = "NAME")]
    deployment: Option<String>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl PreDelete {
    pub(super) async fn carry_out(self, binary: Binary) -> Result<()> {
        let module = self.name.as_deref().unwrap_or(binary.name);
        let name = object_name(module)?;
        let plane = self.plane.connect_blindly().await?;
        let namespace = &self.plane.namespace;
        let nodes = Api::namespaced(plane.client.clone(), namespace);
        until_left(&nodes, module).await?;
        if let Some(deployment) = &self.deployment
            && let Err(e) = end_pods(&plane.client, namespace, deployment).await
        {
            // Without it the module goes on until it is deleted, and may find its rights gone when it ends.
            tracing::warn!("the pods of `{deployment}` were not ended first: {e:#}");
        }
        let modules: Api<TinyModule> = Api::namespaced(plane.client, namespace);
        // A module without its object is uninstalled: it puts no finalizer on any node from here on.
        match modules.delete(&name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(e) if is_absent(&e) => {}
            Err(e) => return Err(e).context(format!("cannot delete the module `{name}`")),
        }
        let released = release(&nodes, module).await?;
        print(&format!(
            "module `{name}` is let go of; {released} of its nodes were held and are free"
        ))
    }
}

/// The object is gone already, or even its kind is.
fn is_absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// The nodes of the module that have its finalizer.
async fn held(nodes: &Api<TinyNode>, module: &str) -> Result<Vec<TinyNode>> {
    let mut all = match nodes.list(&ListParams::default()).await {
        Ok(all) => all.items,
        Err(e) if is_absent(&e) => Vec::new(),
        Err(e) => return Err(e).context("cannot list the nodes"),
    };
    all.retain(|node| node.belongs_to(module) && finalizer::is_on(node));
    Ok(all)
}

/// Waits for nodes that are being deleted, and end as long as their module runs.
async fn until_left(nodes: &Api<TinyNode>, module: &str) -> Result<()> {
    let end = Instant::now() + OWN;
    let is_leaving = |node: &TinyNode| node.metadata.deletion_timestamp.is_some();
    while held(nodes, module).await?.iter().any(is_leaving) && Instant::now() < end {
        sleep(LOOK).await;
    }
    Ok(())
}

/// Scales a deployment to nothing, and waits until its pods have ended.
async fn end_pods(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = match deployments.get(name).await {
        Ok(deployment) => deployment,
        Err(e) if is_absent(&e) => return Ok(()),
        Err(e) => return Err(e).context("cannot get it"),
    };
    let nothing = Patch::Merge(json!({ "spec": { "replicas": 0 } }));
    deployments
        .patch_scale(name, &PatchParams::default(), &nothing)
        .await
        .context("cannot scale it")?;
    let selector = deployment.spec.unwrap_or_default().selector;
    let selector: Selector = selector.try_into().context("its selector cannot be read")?;
    let of_it = ListParams::default().labels_from(&selector);
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let end = Instant::now() + PODS;
    loop {
        let left = pods.list_metadata(&of_it).await.context("cannot list its pods")?.items.len();
        match left {
            0 => return Ok(()),
            _ if Instant::now() > end => bail!("{left} of them did not end within {PODS:?}"),
            _ => sleep(LOOK / 4).await,
        }
    }
}

/// Takes our finalizer off all nodes of `module`, until none has it. Returns how many had.
async fn release(nodes: &Api<TinyNode>, module: &str) -> Result<usize> {
    let end = Instant::now() + LONGEST;
    let (mut released, mut quiet) = (0, 0);
    loop {
        let held = held(nodes, module).await?;
        quiet = if held.is_empty() { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return Ok(released);
        }
        for node in &held {
            released += usize::from(finalizer::remove(nodes, node).await?);
        }
        if Instant::now() > end {
            bail!(
                "{} nodes still have a finalizer of the module, such as `{}`: see who writes them, or uninstall with --no-hooks",
                held.len(),
                held.first().map(|node| node.name_any()).unwrap_or_default()
            );
        }
        sleep(LOOK).await;
    }
}
