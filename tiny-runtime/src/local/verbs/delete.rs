//! Deleting one object or all that a selector means.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Call, json};
use crate::local::failure::Failure;
use crate::local::index::Stored;
use crate::local::kinds::{Kind, NAMESPACE};
use crate::local::{namespace, object};

/// What a delete may carry along.
#[derive(Debug, Clone, Default)]
struct Options {
    uid: Option<String>,
    version: Option<String>,
    dry: bool,
}

impl Call {
    pub(super) async fn delete(&self, body: Bytes) -> Result<Response<Body>, Failure> {
        let options = self.options(&body)?;
        let (kind, key) = (Arc::clone(&self.kind), self.key(self.name()));
        let kinds = Arc::clone(&self.plane.kinds);
        let (object, gone) = self
            .plane
            .store
            .write(move |draft| {
                let found = draft.get(&key);
                let stored = found.ok_or_else(|| Failure::not_found(&kind, &key.name))?;
                let object = stored.value();
                options.check(&kind, &object)?;
                if options.dry {
                    return Ok((object, true));
                }
                if kind.home == NAMESPACE {
                    return Ok((namespace::delete(draft, &kinds, &key, object), false));
                }
                let outcome = namespace::remove_or_mark(draft, &kind, &key, object);
                namespace::sweep(draft, &kinds, &key.namespace);
                Ok(outcome)
            })
            .await?;
        match gone {
            true => Ok(json(StatusCode::OK, self.success(&object).to_string())),
            false => {
                let version = object::meta_text(&object, "resourceVersion").parse().unwrap_or(0);
                Ok(self.object(StatusCode::OK, &Stored::new(version, object), &[]))
            }
        }
    }

    pub(super) async fn delete_collection(&self, body: Bytes) -> Result<Response<Body>, Failure> {
        if self.kind.namespaced && self.target.namespace.is_none() {
            return Err(Failure::no_such_path());
        }
        if self.kind.home == NAMESPACE {
            return Err(Failure::no_such_verb());
        }
        let (options, selector) = (self.options(&body)?, self.selector()?);
        let (kind, namespace) = (Arc::clone(&self.kind), self.target.namespace.clone());
        let kinds = Arc::clone(&self.plane.kinds);
        let (version, deleted) = self
            .plane
            .store
            .write(move |draft| {
                let mut deleted = Vec::new();
                for (key, stored) in draft.range(kind.home, namespace.as_deref()) {
                    if selector.matches(&key, &stored) {
                        deleted.push(Arc::clone(&stored));
                        if !options.dry {
                            namespace::remove_or_mark(draft, &kind, &key, stored.value());
                        }
                    }
                }
                namespace::sweep(draft, &kinds, namespace.as_deref().unwrap_or_default());
                Ok((draft.version, deleted))
            })
            .await?;
        Ok(json(StatusCode::OK, self.shaped_list(version, &deleted)))
    }

    /// The options of the body and the query.
    fn options(&self, body: &[u8]) -> Result<Options, Failure> {
        let dry = self.parameters.dry_run("DeleteOptions")?;
        if body.is_empty() {
            return Ok(Options { dry, ..Options::default() });
        }
        let said: Value = serde_json::from_slice(body).map_err(|error| {
            Failure::bad_request(format!("the delete options cannot be read: {error}"))
        })?;
        let text = |name: &str| said["preconditions"][name].as_str().map(str::to_owned);
        let all = said["dryRun"].as_array().is_some_and(|list| list.iter().any(|one| one == "All"));
        Ok(Options { uid: text("uid"), version: text("resourceVersion"), dry: dry || all })
    }

    fn success(&self, object: &Value) -> Value {
        let mut details = json!({
            "name": object::name(object), "group": self.kind.group, "kind": self.kind.plural,
            "uid": object::meta_text(object, "uid"),
        });
        if let Some(details) = details.as_object_mut().filter(|_| self.kind.group.is_empty()) {
            details.shift_remove("group");
        }
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": details,
        })
    }
}

impl Options {
    fn check(&self, kind: &Kind, object: &Value) -> Result<(), Failure> {
        let pairs = [
            (&self.uid, "uid", "UID", "been deleted and then recreated"),
            (&self.version, "resourceVersion", "ResourceVersion", "been modified"),
        ];
        for (wanted, field, word, perhaps) in pairs {
            let is = object::meta_text(object, field);
            if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != is) {
                let why = format!(
                    "the {word} in the precondition ({wanted}) does not match the {word} in \
                     record ({is}). The object might have {perhaps}"
                );
                return Err(Failure::precondition(kind, object::name(object), &why));
            }
        }
        Ok(())
    }
}
