//! `--prune`: what an earlier `run --apply` of this module wrote, and its files hold no more.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use kube::api::{DeleteParams, ListParams};
use kube::{Client, ResourceExt};
use tiny_crds::labels;

use super::documents::Document;
use super::kinds::Kind;

/// Deletes what carries `mark` in `namespace` and is not among `kept` (kind and name). Says what went.
pub(super) async fn prune(
    client: &Client,
    namespace: &str,
    mark: &str,
    kept: &BTreeSet<(String, String)>,
) -> Result<Vec<String>> {
    let marked = ListParams::default().labels(&format!("{}={mark}", labels::APPLIED_BY));
    let mut lines = Vec::new();
    for kind in Kind::all() {
        let api = kind.api(client, namespace);
        let objects = api.list(&marked).await.context("cannot list what to prune")?;
        for object in objects {
            let name = object.name_any();
            if kept.contains(&(kind.resource.kind.clone(), name.clone())) {
                continue;
            }
            let deleted = api.delete(&name, &DeleteParams::default()).await;
            deleted.with_context(|| format!("cannot prune {} {name}", kind.word()))?;
            lines.push(format!("{} {name}: pruned", kind.word()));
        }
    }
    Ok(lines)
}

/// What `documents` hold, as [`prune`] compares it.
pub(super) fn keys(documents: &[Document]) -> BTreeSet<(String, String)> {
    documents.iter().map(|d| (d.kind.resource.kind.clone(), d.name.clone())).collect()
}
