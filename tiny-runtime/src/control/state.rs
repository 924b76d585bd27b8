//! The state of nodes on the plane: `status.metadata` of each [`TinyNode`].

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use tiny_crds::TinyNode;
use tokio::time::timeout;

use crate::component::{BoxFuture, Error, Result};
use crate::engine::{StateStore, Stored, Unwritten};

/// The field manager of all that components keep.
const FIELD_MANAGER: &str = "tiny-state";

/// The longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Stores state by merge patches over the version that was read. Every replica writes: the version keeps them from losing what
/// another wrote.
pub(crate) struct NodeState {
    nodes: Api<TinyNode>,
}

impl NodeState {
    pub(crate) fn new(nodes: Api<TinyNode>) -> Self {
        Self { nodes }
    }
}

/// What is stored of a node, as its object says.
pub(super) fn stored(node: &TinyNode) -> Stored {
    let texts = node.status.as_ref().map(|status| status.metadata.clone()).unwrap_or_default();
    Stored { version: node.resource_version(), texts }
}

impl StateStore for NodeState {
    fn read<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move {
            let read = timeout(ANSWER, self.nodes.get(node)).await;
            Ok(stored(&read.map_err(|_| unanswered())??))
        })
    }

    fn write<'a>(
        &'a self,
        node: &'a str,
        version: Option<&'a str>,
        changes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Stored, Unwritten>> {
        Box::pin(async move {
            let patch = Patch::Merge(json!({
                "metadata": { "resourceVersion": version },
                "status": { "metadata": changes },
            }));
            let params =
                PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
            let written = timeout(ANSWER, self.nodes.patch_status(node, &params, &patch)).await;
            match written {
                Ok(Ok(node)) => Ok(stored(&node)),
                Ok(Err(kube::Error::Api(status))) if status.is_conflict() => {
                    Err(Unwritten::Conflict)
                }
                Ok(Err(e)) => Err(Unwritten::Failed(e.into())),
                Err(_) => Err(Unwritten::Failed(unanswered())),
            }
        })
    }
}

fn unanswered() -> Error {
    Error::transient(format!("the plane did not answer within {ANSWER:?}"))
}
