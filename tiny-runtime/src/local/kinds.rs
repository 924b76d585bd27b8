//! The table of the kinds that the plane serves.

use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion,
};
use serde_json::Value;

use super::schema::Schema;
use super::table::Columns;
use super::{OpenError, core_kinds};

/// The place of a kind in the table.
pub(super) type KindId = u16;

/// How a kind is shown and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is stored.
    Own,
    /// `events.k8s.io/v1`: a core Event under other field names.
    NewEvent,
}

/// One kind.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) short: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) namespaced: bool,
    /// Whether `status` is written on a path of its own.
    pub(super) status: bool,
    /// Whether `metadata.generation` counts changes.
    pub(super) generation: bool,
    /// Whether a replace may leave out the resourceVersion.
    pub(super) unconditional: bool,
    /// Whether it can only be read.
    pub(super) read_only: bool,
    /// The structural schema; `None` takes any object.
    pub(super) schema: Option<Schema>,
    /// The schema as the CRD has it, for `/openapi`.
    pub(super) published: Option<Value>,
    pub(super) columns: Columns,
    pub(super) form: Form,
    /// The kind under which the objects are kept: another one for a second form of it.
    pub(super) home: KindId,
}

impl Kind {
    /// `plural` or `plural.group`, as messages name it.
    pub(super) fn full_plural(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `Kind` or `Kind.group`, as messages name it.
    pub(super) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// `version` or `group/version`.
    pub(super) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// What can be done with it, in the order of the real server.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match self.read_only {
            true => &["get", "list", "watch"],
            false => {
                &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
            }
        }
    }
}

/// All kinds. The first one is Namespace.
#[derive(Debug)]
pub(super) struct Kinds {
    all: Vec<Arc<Kind>>,
}

/// Namespaces live here.
pub(super) const NAMESPACE: KindId = 0;
/// Leases live here.
pub(super) const LEASE: KindId = 1;
/// Events live here, in the form of the core group.
pub(super) const EVENT: KindId = 2;
/// The definitions of the kinds handed in, read-only.
pub(super) const DEFINITION: KindId = 4;

impl Kinds {
    /// The core kinds and those that are defined.
    pub(super) fn new(crds: &[CustomResourceDefinition]) -> Result<Self, OpenError> {
        let mut all: Vec<_> = core_kinds::all().into_iter().map(Arc::new).collect();
        for crd in crds {
            for version in crd.spec.versions.iter().filter(|version| version.served) {
                let home = KindId::try_from(all.len()).unwrap_or(KindId::MAX);
                all.push(Arc::new(defined(crd, version, home)?));
            }
        }
        Ok(Self { all })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The places of all kinds.
    pub(super) fn ids(&self) -> impl Iterator<Item = KindId> + use<> {
        let count = KindId::try_from(self.all.len()).unwrap_or(KindId::MAX);
        0..count
    }

    /// A kind by its place, which came from this table.
    pub(super) fn get(&self, id: KindId) -> &Arc<Kind> {
        &self.all[usize::from(id)]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.all.iter().map(Arc::as_ref)
    }

    pub(super) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.all
            .iter()
            .find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
    }

    pub(super) fn by_full_plural(&self, full_plural: &str) -> Option<KindId> {
        self.all.iter().find(|kind| kind.full_plural() == full_plural).map(|kind| kind.home)
    }

    /// The kinds of one group and version.
    pub(super) fn of<'a>(
        &'a self,
        group: &'a str,
        version: &'a str,
    ) -> impl Iterator<Item = &'a Kind> + 'a {
        self.iter().filter(move |kind| kind.group == group && kind.version == version)
    }

    /// The kinds whose objects are kept under their own name and live in namespaces.
    pub(super) fn in_namespaces(&self) -> impl Iterator<Item = &Kind> {
        self.iter().filter(|kind| kind.namespaced && kind.form == Form::Own)
    }
}

fn defined(
    crd: &CustomResourceDefinition,
    version: &CustomResourceDefinitionVersion,
    home: KindId,
) -> Result<Kind, OpenError> {
    let names = &crd.spec.names;
    let published = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let wrong = |why: String| OpenError::Definition { kind: names.kind.clone(), why };
    let schema = published.map(Schema::new).transpose().map_err(wrong)?;
    let published = published
        .map(serde_json::to_value)
        .transpose()
        .map_err(|error| wrong(error.to_string()))?;
    let columns = version.additional_printer_columns.as_deref().unwrap_or_default();
    Ok(Kind {
        group: crd.spec.group.clone(),
        version: version.name.clone(),
        kind: names.kind.clone(),
        plural: names.plural.clone(),
        singular: names.singular.clone().unwrap_or_else(|| names.kind.to_lowercase()),
        short: names.short_names.clone().unwrap_or_default(),
        categories: names.categories.clone().unwrap_or_default(),
        namespaced: crd.spec.scope == "Namespaced",
        status: version.subresources.as_ref().is_some_and(|sub| sub.status.is_some()),
        generation: true,
        unconditional: false,
        read_only: false,
        schema,
        published,
        columns: Columns::defined(columns).map_err(wrong)?,
        form: Form::Own,
        home,
    })
}
