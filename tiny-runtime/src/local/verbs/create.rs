//! Creating an object.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use http::{Response, StatusCode};
use serde_json::Value;

use super::Call;
use crate::local::admit;
use crate::local::draft::Draft;
use crate::local::failure::{Cause, Failure};
use crate::local::form;
use crate::local::index::{Key, Stored};
use crate::local::kinds::{EVENT, Form, Kind, NAMESPACE};
use crate::local::namespace;
use crate::local::object;

/// Most events that are kept; the oldest go first.
const MOST_EVENTS: usize = 2000;
/// Events are counted once in so many versions.
const EVENTS_EVERY: u64 = 64;
/// Names tried for one `generateName`.
const TRIES: usize = 8;

impl Call {
    pub(super) async fn create(&self, body: Bytes) -> Result<Response<Body>, Failure> {
        let kind = &self.kind;
        if kind.namespaced && self.target.namespace.is_none() {
            return Err(Failure::no_such_path());
        }
        let dry = self.parameters.dry_run("CreateOptions")?;
        let mut object = admit::decode(kind, &body)?;
        let validation = self.parameters.field_validation("CreateOptions")?;
        let mut warnings = admit::shape(kind, &mut object, validation)?;
        warnings.extend(admit::advice(&object));
        self.place(&mut object)?;
        self.refuse_version(&object)?;
        let object = self.dressed(form::kept(kind, object));
        let key = self.key("");
        let (kind, made) = (Arc::clone(kind), object);
        let stored = self
            .plane
            .store
            .write(move |draft| {
                let (key, object) = named(draft, &kind, key, made)?;
                namespace::admit(draft, &kind, &key)?;
                admit::validate(&kind, &form_of(&kind, &object), None)?;
                if draft.get(&key).is_some() {
                    return Err(Failure::exists(&kind, &key.name));
                }
                if dry {
                    return Ok(Arc::new(Stored::unsaved(object)));
                }
                if kind.home == EVENT && draft.version.is_multiple_of(EVENTS_EVERY) {
                    forget_events(draft);
                }
                Ok(draft.put(&key, object))
            })
            .await?;
        Ok(self.object(StatusCode::CREATED, &stored, &warnings))
    }

    /// Puts the object into the namespace of the path.
    pub(super) fn place(&self, object: &mut Value) -> Result<(), Failure> {
        let meant = self.target.namespace.as_deref().unwrap_or_default();
        let said = object::meta_text(object, "namespace");
        if !said.is_empty() && said != meant {
            let why = match self.kind.namespaced {
                true => {
                    "the namespace of the provided object does not match the namespace sent \
                         on the request"
                }
                false => "namespace should be empty",
            };
            return Err(Failure::bad_request(why));
        }
        if self.kind.namespaced {
            object::metadata_mut(object).insert("namespace".to_owned(), meant.into());
        }
        Ok(())
    }

    fn refuse_version(&self, object: &Value) -> Result<(), Failure> {
        match object::meta_text(object, "resourceVersion") {
            "" | "0" => Ok(()),
            _ => Err(Failure::version_on_create()),
        }
    }

    /// What the server adds to a new object before it has a name.
    fn dressed(&self, object: Value) -> Value {
        let kind = &self.kind;
        let mut object = object::in_order(object, self.plane.home_of(kind));
        if kind.status
            && let Some(map) = object.as_object_mut()
        {
            map.shift_remove("status");
        }
        if let Some(schema) = &kind.schema {
            schema.fill(&mut object);
        }
        object::stamp_new(&mut object, kind);
        object
    }
}

/// Finds the name of a new object, which `generateName` may leave to the server.
fn named(
    draft: &Draft<'_>,
    kind: &Kind,
    mut key: Key,
    mut object: Value,
) -> Result<(Key, Value), Failure> {
    let prefix = object::meta_text(&object, "generateName").to_owned();
    key.name = object::name(&object).to_owned();
    if key.name.is_empty() && !prefix.is_empty() {
        for _ in 0..TRIES {
            key.name = object::generated_name(&prefix);
            if draft.get(&key).is_none() {
                break;
            }
        }
        object::metadata_mut(&mut object).insert("name".to_owned(), key.name.clone().into());
    }
    if key.name.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(Failure::invalid(kind, "", &[cause]));
    }
    if kind.home == NAMESPACE {
        namespace::dress(&mut object);
    }
    Ok((key, object))
}

/// The object as its kind writes it, for messages that name fields.
fn form_of(kind: &Kind, object: &Value) -> Value {
    match kind.form {
        Form::Own => object.clone(),
        Form::NewEvent => form::shown(kind, &Stored::unsaved(object.clone())),
    }
}

/// Events are a view of the recent past: without an end they would be most of the file.
fn forget_events(draft: &mut Draft<'_>) {
    let mut events = draft.range(EVENT, None);
    let surplus = events.len().saturating_sub(MOST_EVENTS);
    events.sort_by_key(|(_, stored)| stored.version);
    for (key, stored) in events.into_iter().take(surplus) {
        draft.remove(&key, stored.value());
    }
}
