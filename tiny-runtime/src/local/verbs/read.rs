//! Getting one object and listing many.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;

use super::{Call, json};
use crate::local::failure::{Failure, quoted};
use crate::local::form;
use crate::local::index::Stored;
use crate::local::request::Shape;
use crate::local::table::partial;

impl Call {
    pub(super) fn get(&self) -> Result<Response<Body>, Failure> {
        let found = self.plane.store.read().index.get(&self.key(self.name())).cloned();
        let stored = found.ok_or_else(|| Failure::not_found(&self.kind, self.name()))?;
        Ok(self.object(StatusCode::OK, &stored, &[]))
    }

    pub(super) fn list(&self) -> Result<Response<Body>, Failure> {
        let selector = self.selector()?;
        let (version, found) = {
            let state = self.plane.store.read();
            let objects = state.index.range(self.kind.home, self.target.namespace.as_deref());
            let found = objects.filter(|(key, stored)| selector.matches(key, stored));
            let found: Vec<_> = found.map(|(_, stored)| Arc::clone(stored)).collect();
            (state.index.version, found)
        };
        Ok(json(StatusCode::OK, self.shaped_list(version, &found)))
    }

    /// Many objects in the accepted form.
    pub(super) fn shaped_list(&self, version: u64, found: &[Arc<Stored>]) -> String {
        let kind = &self.kind;
        match self.shape {
            Shape::Table => {
                let rows: Vec<_> = found.iter().map(|stored| stored.value()).collect();
                kind.columns.table(&rows, Some(version), self.include(), true).to_string()
            }
            Shape::Partial => json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": { "resourceVersion": version.to_string() },
                "items": found.iter().map(|stored| partial(&stored.value())).collect::<Vec<_>>(),
            })
            .to_string(),
            Shape::Whole => {
                let size: usize = found.iter().map(|stored| stored.text.len() + 1).sum();
                let mut text = String::with_capacity(size + 200);
                text.push_str(&format!(
                    r#"{{"kind":{},"apiVersion":{},"metadata":{{"resourceVersion":"{version}"}},"items":["#,
                    quoted(&format!("{}List", kind.kind)),
                    quoted(&kind.api_version()),
                ));
                for (at, stored) in found.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    text.push_str(&String::from_utf8_lossy(&form::text(kind, stored)));
                }
                text.push_str("]}");
                text
            }
        }
    }
}
