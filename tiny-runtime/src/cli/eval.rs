//! `eval`: an expression or a mapping, tried on a document.

use std::io::Read;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::print;
use crate::mapping::{Diagnostic, Mapping};

/// The largest document that is read.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Prints what an expression gives for the JSON document on stdin
///
///   echo '{"price": 2}' | … eval '$.price * 2'
///
/// Without `$` an expression is JMESPath. docs/mappings.md has the language.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Eval {
    /// The expression, without braces
    expression: String,
    /// It is a whole mapping: JSON with expressions in braces
    #[arg(long)]
    mapping: bool,
    /// Print what is wrong as JSON
    #[arg(long)]
    json: bool,
}

impl Eval {
    pub(super) fn carry_out(self) -> Result<()> {
        let (text, compiled) = if self.mapping {
            let text: Value = serde_json::from_str(&self.expression)
                .context("`--mapping` takes JSON, and this is none")?;
            let compiled = Mapping::compile(&text);
            (text, compiled)
        } else {
            let compiled = Mapping::expression(&self.expression).map_err(|fault| vec![fault]);
            (self.expression.as_str().into(), compiled)
        };
        let mapping = match compiled {
            Ok(mapping) => mapping,
            Err(faults) => return self.refuse(&faults, &text),
        };
        let document = document()?;
        let result = mapping.read_value(&document).and_then(|slots| mapping.value(slots))?;
        print(&result.to_string())
    }

    fn refuse(&self, faults: &[Diagnostic], text: &Value) -> Result<()> {
        if self.json {
            print(&serde_json::to_string(faults)?)?;
            bail!("the {} does not compile", if self.mapping { "mapping" } else { "expression" });
        }
        let rendered: String = faults.iter().map(|fault| fault.rendered(text)).collect();
        bail!("{}", rendered.trim_start_matches("error: ").trim_end());
    }
}

/// What stands on stdin.
fn document() -> Result<Value> {
    let mut document = Vec::new();
    let mut stdin = std::io::stdin().lock().take(LIMIT + 1);
    stdin.read_to_end(&mut document).context("cannot read stdin")?;
    if document.len() as u64 > LIMIT {
        bail!("the document on stdin is larger than {} MiB", LIMIT / 1024 / 1024);
    }
    if document.iter().all(u8::is_ascii_whitespace) {
        bail!("there is nothing on stdin: write `… eval '$.name' < doc.json`");
    }
    serde_json::from_slice(&document).context("what stands on stdin is not JSON")
}
