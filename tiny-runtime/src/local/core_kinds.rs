//! The few kinds of Kubernetes itself that the plane serves.

use super::kinds::{EVENT, Form, Kind, KindId};
use super::table::Columns;

/// The core kinds; the constants in `kinds` are places in this list.
pub(super) fn all() -> Vec<Kind> {
    let rows = [
        // Namespace is the only one outside namespaces besides the definitions.
        Row { short: &["ns"], namespaced: false, status: true, ..row("", "v1", "Namespace") },
        Row { unconditional: false, ..row("coordination.k8s.io", "v1", "Lease") },
        Row { short: &["ev"], ..row("", "v1", "Event") },
        Row { short: &["ev"], form: Form::NewEvent, ..row("events.k8s.io", "v1", "Event") },
        Row {
            short: &["crd", "crds"],
            categories: &["api-extensions"],
            namespaced: false,
            read_only: true,
            ..row("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
        },
        Row { short: &["cm"], ..row("", "v1", "ConfigMap") },
        row("", "v1", "Secret"),
        Row { short: &["svc"], categories: &["all"], status: true, ..row("", "v1", "Service") },
        Row {
            short: &["ing"],
            plural: Some("ingresses"),
            status: true,
            generation: true,
            ..row("networking.k8s.io", "v1", "Ingress")
        },
    ];
    rows.into_iter().zip(0..).map(|(row, place)| row.kind(place)).collect()
}

struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: Option<&'static str>,
    short: &'static [&'static str],
    categories: &'static [&'static str],
    namespaced: bool,
    status: bool,
    generation: bool,
    unconditional: bool,
    read_only: bool,
    form: Form,
}

fn row(group: &'static str, version: &'static str, kind: &'static str) -> Row {
    Row {
        group,
        version,
        kind,
        plural: None,
        short: &[],
        categories: &[],
        namespaced: true,
        status: false,
        generation: false,
        unconditional: true,
        read_only: false,
        form: Form::Own,
    }
}

impl Row {
    fn kind(self, place: KindId) -> Kind {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        let singular = self.kind.to_lowercase();
        Kind {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            kind: self.kind.to_owned(),
            plural: self.plural.map_or_else(|| format!("{singular}s"), str::to_owned),
            singular,
            short: words(self.short),
            categories: words(self.categories),
            namespaced: self.namespaced,
            status: self.status,
            generation: self.generation,
            unconditional: self.unconditional,
            read_only: self.read_only,
            schema: None,
            published: None,
            columns: Columns::core(self.kind),
            form: self.form,
            home: if self.form == Form::NewEvent { EVENT } else { place },
        }
    }
}
