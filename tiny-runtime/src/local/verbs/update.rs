//! Replacing and patching an object or its status.

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
use crate::local::kinds::{Kind, Kinds};
use crate::local::namespace;
use crate::local::object;
use crate::local::patch::Patch;
use crate::local::request::FieldValidation;

/// How an object is to change.
enum Edit {
    Replace(Value),
    Patch(Patch),
}

impl Edit {
    /// What messages call the parameters.
    fn options(&self) -> &'static str {
        match self {
            Self::Replace(_) => "UpdateOptions",
            Self::Patch(_) => "PatchOptions",
        }
    }
}

/// A change of one object that is ready to be decided.
struct Update {
    kinds: Arc<Kinds>,
    kind: Arc<Kind>,
    key: Key,
    status: bool,
    dry: bool,
    validation: FieldValidation,
    edit: Edit,
}

impl Call {
    pub(super) async fn replace(&self, body: Bytes) -> Result<Response<Body>, Failure> {
        let mut object = admit::decode(&self.kind, &body)?;
        self.place(&mut object)?;
        self.update(Edit::Replace(object)).await
    }

    pub(super) async fn patch(&self, body: Bytes) -> Result<Response<Body>, Failure> {
        let patch = Patch::parse(&self.headers, &body)?;
        self.update(Edit::Patch(patch)).await
    }

    async fn update(&self, edit: Edit) -> Result<Response<Body>, Failure> {
        let update = Update {
            kinds: Arc::clone(&self.plane.kinds),
            kind: Arc::clone(&self.kind),
            key: self.key(self.name()),
            status: self.target.status,
            dry: self.parameters.dry_run(edit.options())?,
            validation: self.parameters.field_validation(edit.options())?,
            edit,
        };
        let (stored, warnings) = self.plane.store.write(move |draft| update.decide(draft)).await?;
        Ok(self.object(StatusCode::OK, &stored, &warnings))
    }
}

impl Update {
    fn decide(self, draft: &mut Draft<'_>) -> Result<(Arc<Stored>, Vec<String>), Failure> {
        let kind = &self.kind;
        let stored =
            draft.get(&self.key).ok_or_else(|| Failure::not_found(kind, &self.key.name))?;
        let old = stored.value();
        let mut new = match &self.edit {
            Edit::Replace(object) => object.clone(),
            Edit::Patch(patch) => {
                let patched = patch.apply(&form::shown(kind, &stored))?;
                admit::check_head(kind, &patched)?;
                patched
            }
        };
        self.check_identity(&new, &old, stored.version)?;
        let warnings =
            admit::shape(kind, &mut new, self.validation).map_err(|failure| match self.edit {
                Edit::Patch(_) => Failure::invalid_patch(&failure.message),
                Edit::Replace(_) => failure,
            })?;
        let home = self.kinds.get(kind.home);
        let mut new = object::in_order(form::kept(kind, new), home);
        self.keep_the_rest(&mut new, &old);
        object::stamp_update(&mut new, &old, kind);
        admit::validate(home, &new, Some(&old))?;
        let version = stored.version.to_string().into();
        object::metadata_mut(&mut new).insert("resourceVersion".to_owned(), version);
        if new == old {
            return Ok((stored, warnings));
        }
        if self.dry {
            return Ok((Arc::new(Stored::new(stored.version, new)), warnings));
        }
        let gone = object::is_deleting(&new) && object::finalizers(&new).is_empty();
        let stored = match gone && kind.home != crate::local::kinds::NAMESPACE {
            true => draft.remove(&self.key, new),
            false => draft.put(&self.key, new),
        };
        if gone {
            let namespace = if kind.namespaced { &self.key.namespace } else { &self.key.name };
            namespace::sweep(draft, &self.kinds, namespace);
        }
        Ok((stored, warnings))
    }

    /// The object must be the one of the path, in the version that its writer has seen.
    fn check_identity(&self, new: &Value, old: &Value, version: u64) -> Result<(), Failure> {
        let (kind, name) = (&self.kind, self.key.name.as_str());
        let said = object::name(new);
        if said != name {
            return Err(Failure::bad_request(format!(
                "the name of the object ({said}) does not match the name on the URL ({name})"
            )));
        }
        if object::meta_text(new, "namespace") != self.key.namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
        let (seen, is) = (object::meta_text(new, "uid"), object::meta_text(old, "uid"));
        if !seen.is_empty() && seen != is {
            if let Edit::Patch(_) = self.edit {
                let cause = Cause::invalid("metadata.uid", &seen.into(), "field is immutable");
                return Err(Failure::invalid(kind, name, &[cause]));
            }
            let why = format!(
                "Precondition failed: UID in precondition: {seen}, UID in object meta: {is}"
            );
            return Err(Failure::conflict(kind, name, &why));
        }
        let seen = object::meta_text(new, "resourceVersion");
        if seen.is_empty() || seen == "0" {
            let free = kind.unconditional || matches!(self.edit, Edit::Patch(_));
            return match free {
                true => Ok(()),
                false => Err(Failure::no_version(kind, name)),
            };
        }
        match seen.parse::<u64>() {
            Ok(seen) if seen == version => Ok(()),
            Ok(_) => Err(Failure::modified(kind, name)),
            Err(_) => {
                let why = "must be an integer as the server wrote it";
                let cause = Cause::invalid("metadata.resourceVersion", &seen.into(), why);
                Err(Failure::invalid(kind, name, &[cause]))
            }
        }
    }

    /// A write of the status changes nothing else, and any other write no status.
    fn keep_the_rest(&self, new: &mut Value, old: &Value) {
        if !self.kind.status {
            return;
        }
        let (mut result, other) = match self.status {
            true => (old.clone(), &*new),
            false => (new.clone(), old),
        };
        if let Some(map) = result.as_object_mut() {
            match other.get("status") {
                Some(status) => drop(map.insert("status".to_owned(), status.clone())),
                None => drop(map.shift_remove("status")),
            }
        }
        *new = result;
    }
}
