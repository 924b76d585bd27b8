//! `schema`: what an editor must know of flow files.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use kube::Api;
use kube::api::ListParams;
use tiny_crds::{TinyModule, names};

use super::flow_schema::{self, Offer};
use super::plane::PlaneArgs;
use super::{Binary, print};
use crate::registry::Registry;

/// Writes a JSON schema of flow files, so that a YAML editor knows the components, their ports and settings
///
/// Each document of a flow file points to it in its first line:
///
///   # yaml-language-server: $schema=flow.schema.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Schema {
    /// File to write; stdout when left out
    file: Option<PathBuf>,
    /// Name that nodes of this module write into `spec.module`, if another than the crate's
    #[arg(long, value_name = "MODULE")]
    name: Option<String>,
    /// Take in the modules of the plane as well
    #[arg(long)]
    plane: bool,
    #[command(flatten)]
    args: PlaneArgs,
}

impl Schema {
    pub(super) async fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let name = self.name.as_deref().unwrap_or(binary.name);
        let mut offers = vec![Offer::of(name, registry)];
        if self.plane {
            let plane = self.args.connect().await?;
            let api: Api<TinyModule> = Api::namespaced(plane.client.clone(), &self.args.namespace);
            let modules = api.list(&ListParams::default()).await;
            let modules =
                modules.with_context(|| format!("cannot list the modules of {}", plane.title))?;
            let others = modules.iter().filter(|module| {
                let other = module.metadata.name.as_deref().unwrap_or_default();
                !names::same_module(other, name)
            });
            offers.extend(others.map(Offer::published));
        }
        let text = format!("{:#}\n", flow_schema::document(&offers));
        match self.file {
            None => print(&text),
            Some(file) => {
                std::fs::write(&file, text)
                    .map_err(|e| anyhow!("cannot write `{}`: {e}", file.display()))?;
                let path = file.display();
                eprintln!("wrote {path}; the first line of each document of a flow beside it:");
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                print(&format!("# yaml-language-server: $schema={name}"))
            }
        }
    }
}
