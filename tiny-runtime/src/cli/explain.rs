//! `explain`: what an edge does with each field of its target.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::check::Around;
use super::documents;
use super::get::aligned;
use super::survey::Survey;
use super::{Binary, print};
use crate::mapping::{Proof, Verdict};
use crate::registry::Registry;
use crate::words;

/// Bytes of an expression in a table.
const SHOWN: usize = 60;

/// Prints what feeds each field of an edge's target, and whether it fits
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// Id of the edge, or `node/edge`
    edge: String,
    /// File or folder of YAML or JSON that has it; without it, the plane is asked
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    around: Around,
}

impl Explain {
    pub(super) async fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let documents =
            if self.files.is_empty() { Vec::new() } else { documents::read(&self.files)? };
        let module = self.around.module(binary);
        let (stored, told) = self.around.known().await?;
        if documents.is_empty() && stored.nodes.is_empty() {
            bail!(
                "there is no edge to explain: no plane with nodes runs here, and no file was named with -f"
            );
        }
        let survey = Survey::of(&documents, &stored.nodes, &told, &module, registry)?;
        let found = survey.edges(&self.edge);
        match found.as_slice() {
            [] => {
                let names = survey.names();
                let names = || names.iter().map(String::as_str);
                let near = words::did_you_mean(&self.edge, names());
                bail!("there is no edge `{}`{near}; there are {}", self.edge, words::list(names()))
            }
            [(node, edge, proof)] => {
                print(&format!("edge {}: {node}:{} → {}", edge.id, edge.port, edge.to))?;
                match proof {
                    Some(proof) => print(&explained(proof)),
                    None => print("its ports or its mapping are wrong: `check` says how"),
                }
            }
            several => {
                let nodes: Vec<String> =
                    several.iter().map(|(node, edge, _)| format!("{node}/{}", edge.id)).collect();
                bail!(
                    "several edges are called `{}`: say {}",
                    self.edge,
                    words::list(nodes.iter().map(String::as_str))
                )
            }
        }
    }
}

/// The table, and a sentence for each field that is not proved.
fn explained(proof: &Proof) -> String {
    let mut lines =
        vec![["FIELD", "EXPRESSION", "GIVES", "TAKES", "VERDICT"].map(String::from).to_vec()];
    let mut said = String::new();
    for row in &proof.rows {
        let field = if row.field.is_empty() { "(message)" } else { &row.field };
        let expression = row.expression.as_deref().unwrap_or("(as it is)");
        lines.push(vec![
            field.to_owned(),
            words::shortened(&expression.replace('\n', " "), SHOWN),
            row.given.clone(),
            row.wanted.clone(),
            row.verdict.to_string(),
        ]);
        match &row.verdict {
            Verdict::Proved => {}
            Verdict::Refuted { why, witness } => {
                said += &format!("refuted: {why}\n  for example: {witness}\n")
            }
            Verdict::Unknown { why } => said += &format!("unknown: {why}\n"),
        }
    }
    for warning in &proof.warnings {
        said += &format!("warning: {warning}\n");
    }
    let gap = if said.is_empty() { "" } else { "\n" };
    aligned(&lines) + gap + &said
}
