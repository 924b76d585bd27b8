//! `pre-delete`: lets go of a module's nodes before the module is uninstalled. Their objects stay, and nobody's deletion waits for a module
//! that is gone.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use tiny_crds::{TinyModule, TinyNode};
use tokio::time::{Instant, sleep};

use super::plane::PlaneArgs;
use super::{Binary, object_name, print};
use crate::control::finalizer;

/// The longest that all of it takes.
const LONGEST: Duration = Duration::from_secs(45);
/// How long the module has for nodes that are being deleted: it deletes what they made outside.
const OWN: Duration = Duration::from_secs(20);
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
    #[command(flatten)]
    plane: PlaneArgs,
}

impl PreDelete {
    pub(super) async fn carry_out(self, binary: Binary) -> Result<()> {
        let module = self.name.as_deref().unwrap_or(binary.name);
        let name = object_name(module)?;
        let plane = self.plane.connect_blindly().await?;
        let namespace = &self.plane.namespace;
        let modules: Api<TinyModule> = Api::namespaced(plane.client.clone(), namespace);
        // A module without its object is uninstalled: it puts no finalizer on any node from here on.
        match modules.delete(&name, &DeleteParams::default()).await {
            Ok(_) => {}
            // Its object is gone already, or even the CRDs are.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(e) => return Err(e).context(format!("cannot delete the module `{name}`")),
        }
        let nodes = Api::namespaced(plane.client, namespace);
        let released = release(&nodes, module).await?;
        print(&format!(
            "module `{name}` is let go of; {released} of its nodes were held and are free"
        ))
    }
}

/// Takes our finalizer off all nodes of `module`, until none has it. Returns how many had.
async fn release(nodes: &Api<TinyNode>, module: &str) -> Result<usize> {
    let began = Instant::now();
    let (mut released, mut quiet) = (0, 0);
    loop {
        let all = match nodes.list(&ListParams::default()).await {
            Ok(all) => all,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(released),
            Err(e) => return Err(e).context("cannot list the nodes"),
        };
        let held = all.iter().filter(|node| node.belongs_to(module) && finalizer::is_on(node));
        let held: Vec<&TinyNode> = held.collect();
        quiet = if held.is_empty() { quiet + 1 } else { 0 };
        if quiet == QUIET {
            return Ok(released);
        }
        let is_its_time_over = began.elapsed() > OWN;
        for node in &held {
            let is_leaving = node.metadata.deletion_timestamp.is_some();
            if (!is_leaving || is_its_time_over) && finalizer::remove(nodes, node).await? {
                released += 1;
            }
        }
        if began.elapsed() > LONGEST {
            bail!(
                "{} nodes still have a finalizer of the module, such as `{}`: see who writes them, or uninstall with --no-hooks",
                held.len(),
                held.first().map(|node| node.name_any()).unwrap_or_default()
            );
        }
        sleep(LOOK).await;
    }
}
