//! `check`: flows of files, proved before anything runs.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tiny_crds::manifest;

use super::apply::Files;
use super::documents::{self, Document};
use super::plane::PlaneArgs;
use super::survey::{Count, Grade, Stored, Survey, Told};
use super::{Binary, print};
use crate::local::LocalPlane;
use crate::registry::Registry;

/// Checks flows of files without writing anything
///
/// Each mapping is compared with what its source sends and its target takes. Nodes of this module are those of this binary; of other
/// modules tell the plane, when one runs here, or the files that `components -o json` of their binaries has written.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Check {
    /// File or folder of YAML or JSON; `-` is stdin
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Print each edge with its fields and their verdicts as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    around: Around,
}

/// What the flows stand in.
#[derive(Debug, clap::Args)]
pub(super) struct Around {
    /// Name of the module whose components this binary has, if another than the crate's
    #[arg(short, long, value_name = "MODULE")]
    name: Option<String>,
    /// What `components -o json` of another module has printed; no plane is asked then
    #[arg(long, value_name = "[MODULE=]FILE")]
    schemas: Vec<String>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl Around {
    /// The name of this binary's module.
    pub(super) fn module(&self, binary: Binary) -> String {
        self.name.clone().unwrap_or_else(|| binary.name.to_owned())
    }

    /// What is stored, and what modules tell; of a plane, where one answers.
    pub(super) async fn known(&self) -> Result<(Stored, Told)> {
        if !self.schemas.is_empty() {
            return Ok((Stored::default(), Told::in_files(&self.schemas)?));
        }
        let Some(plane) = self.plane.connect_if_there().await? else {
            return Ok((Stored::default(), Told::default()));
        };
        let stored = Stored::of(&plane.client, &self.plane.namespace).await?;
        let told = Told::by(&stored.modules);
        Ok((stored, told))
    }
}

impl Check {
    pub(super) async fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let mut documents = documents::read(&self.files)?;
        let module = self.around.module(binary);
        let (stored, told) = self.around.known().await?;
        let survey = Survey::of(&documents, &stored.nodes, &told, &module, registry)?;
        let findings = survey.findings();
        let refusals = refusals(&mut documents, &self.around.plane.namespace, &module, registry);
        let refusals = refusals.await?;
        let mut faults = refusals.len();
        if !self.json {
            refusals.iter().try_for_each(|why| print(&format!("fault: {why}")))?;
        }
        for found in &findings {
            let word = match found.grade {
                Grade::Fault => "fault",
                Grade::Refuted => "refuted",
                Grade::Warning => "warning",
                Grade::Unknown => "unknown",
            };
            faults += usize::from(matches!(found.grade, Grade::Fault | Grade::Refuted));
            if !self.json {
                print(&format!("{word}: {}: {}", found.place, found.text))?;
            }
        }
        if self.json {
            print(&serde_json::to_string_pretty(&survey.proofs())?)?;
        } else {
            let Count { proved, refuted, unknown, unchecked } = survey.count();
            let all = edges(proved + refuted + unknown + unchecked);
            let more =
                if unchecked > 0 { format!(", {unchecked} unchecked") } else { String::new() };
            print(&format!("{all}: {proved} proved, {refuted} refuted, {unknown} unknown{more}"))?;
        }
        match faults {
            0 => Ok(()),
            1 => bail!("1 finding must be corrected"),
            faults => bail!("{faults} findings must be corrected"),
        }
    }
}

/// What the rules of any plane refuse of these documents: those of one that is empty, and ends with this.
async fn refusals(
    documents: &mut [Document],
    namespace: &str,
    module: &str,
    registry: &Registry,
) -> Result<Vec<String>> {
    let plane =
        LocalPlane::in_memory(manifest::crds()).context("cannot make a plane to check with")?;
    plane.ensure_namespace(namespace).await.context("cannot make a plane to check with")?;
    let client = plane.client(namespace);
    let files = Files { client: &client, namespace, module, registry };
    let mut refusals = Vec::new();
    for document in documents {
        refusals.extend(files.refusal(document).await);
    }
    plane.shutdown().await;
    Ok(refusals)
}

/// `1 edge`, `2 edges`.
fn edges(count: usize) -> String {
    if count == 1 { "1 edge".to_owned() } else { format!("{count} edges") }
}
