//! What a request asks for: its path, its parameters, and the form of answer it accepts.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::Query;
use http::{HeaderMap, Uri, header};
use serde_json::{Value, json};

use super::failure::{Cause, Failure};
use super::kinds::{Kind, Kinds};

/// A path that names a resource.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) kind: Arc<Kind>,
    /// `None` for kinds without a namespace, and for all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// Whether the path ends in `/status`.
    pub(super) status: bool,
}

impl Target {
    /// Reads `/api/v1/…` and `/apis/group/version/…`.
    pub(super) fn parse(path: &str, kinds: &Kinds) -> Result<Self, Failure> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Failure::no_such_path()),
        };
        let (namespace, rest) = match rest {
            // `namespaces/x` and `namespaces/x/status` are about the namespace itself.
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() && rest != ["status"] => {
                (Some((*namespace).to_owned()), rest)
            }
            rest => (None, rest),
        };
        let (plural, name, status) = match rest {
            [plural] => (plural, None, false),
            [plural, name] => (plural, Some((*name).to_owned()), false),
            [plural, name, "status"] => (plural, Some((*name).to_owned()), true),
            [plural, name, _] => {
                let kind = kinds.find(group, version, plural).ok_or_else(Failure::no_such_path)?;
                return Err(match kind.schema {
                    Some(_) => Failure::not_found(kind, name),
                    None => Failure::no_such_subresource(),
                });
            }
            _ => return Err(Failure::no_such_path()),
        };
        let found = kinds.find(group, version, plural);
        let kind = Arc::clone(found.ok_or_else(Failure::no_such_path)?);
        let fits = kind.namespaced || namespace.is_none();
        let found = !kind.namespaced || name.is_none() || namespace.is_some();
        if !fits || !found {
            return Err(Failure::no_such_path());
        }
        if status && !kind.status {
            return Err(Failure::no_such_subresource());
        }
        Ok(Self { kind, namespace, name, status })
    }
}

/// What to do with fields that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// The parameters of the query, each once.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl Parameters {
    pub(super) fn parse(uri: &Uri) -> Result<Self, Failure> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Failure::bad_request(error.body_text()))?;
        Ok(Self(query.0.into_iter().collect()))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1")
    }

    /// A number; absent when it is not there or empty.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || Failure::bad_request(format!("`{name}` must be a number, not `{text}`"));
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// Reads `dryRun`; `options` is what messages call the parameters.
    pub(super) fn dry_run(&self, options: &str) -> Result<bool, Failure> {
        match self.text("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => {
                let cause = Cause::unsupported("dryRun", &json!([other]), &[Value::from("All")]);
                Err(Failure::invalid_options(options, &cause))
            }
        }
    }

    /// Reads `fieldValidation`; `options` is what messages call the parameters.
    pub(super) fn field_validation(&self, options: &str) -> Result<FieldValidation, Failure> {
        match self.text("fieldValidation") {
            "" | "Warn" => Ok(FieldValidation::Warn),
            "Ignore" => Ok(FieldValidation::Ignore),
            "Strict" => Ok(FieldValidation::Strict),
            other => {
                let allowed = ["", "Ignore", "Strict", "Warn"].map(Value::from);
                let cause = Cause::unsupported("fieldValidation", &other.into(), &allowed);
                Err(Failure::invalid_options(options, &cause))
            }
        }
    }
}

/// The form in which objects are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    Table,
    /// Metadata only.
    Partial,
}

impl Shape {
    /// The first form of the `Accept` header that the plane can answer in.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        for form in accept.unwrap_or_default().split(',').map(str::trim) {
            if !form.starts_with("application/json") && !form.starts_with("*/*") {
                continue;
            }
            let wanted = form.split(';').map(str::trim).find_map(|part| part.strip_prefix("as="));
            match wanted {
                None => return Self::Whole,
                Some("Table") => return Self::Table,
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => {
                    return Self::Partial;
                }
                Some(_) => {}
            }
        }
        Self::Whole
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;

    fn target(path: &str) -> Result<(String, Option<String>, Option<String>, bool), u16> {
        static KINDS: LazyLock<Kinds> =
            LazyLock::new(|| Kinds::new(&tiny_crds::manifest::crds()).unwrap());
        let target = Target::parse(path, &KINDS).map_err(|failure| failure.code)?;
        Ok((target.kind.plural.clone(), target.namespace, target.name, target.status))
    }

    #[test]
    fn paths_are_read_as_the_server_reads_them() {
        let nodes = "/apis/operator.tinysystems.io/v1alpha1";
        let found = |plural: &str, namespace: Option<&str>, name: Option<&str>, status| {
            Ok((plural.to_owned(), namespace.map(str::to_owned), name.map(str::to_owned), status))
        };
        assert_eq!(target(&format!("{nodes}/tinynodes")), found("tinynodes", None, None, false));
        assert_eq!(
            target(&format!("{nodes}/namespaces/a/tinynodes/x/status")),
            found("tinynodes", Some("a"), Some("x"), true)
        );
        assert_eq!(target("/api/v1/namespaces"), found("namespaces", None, None, false));
        assert_eq!(target("/api/v1/namespaces/a"), found("namespaces", None, Some("a"), false));
        assert_eq!(
            target("/api/v1/namespaces/a/status"),
            found("namespaces", None, Some("a"), true)
        );
        assert_eq!(
            target("/api/v1/namespaces/status/events/e"),
            found("events", Some("status"), Some("e"), false)
        );
        for path in ["/", "/api", "/api/v1/pods", "/api/v2/namespaces", "/apis/x/v1/y", "/x"] {
            assert_eq!(target(path), Err(404), "{path}");
        }
        assert_eq!(target(&format!("{nodes}/tinynodes/x")), Err(404), "a name without namespace");
    }

    #[test]
    fn the_first_form_that_can_be_answered_is_taken() {
        let shape = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            Shape::accepted(&headers)
        };
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(shape(table), Shape::Table);
        assert_eq!(shape("application/vnd.kubernetes.protobuf;as=Table, */*"), Shape::Whole);
        assert_eq!(
            shape("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Shape::Partial
        );
        assert_eq!(Shape::accepted(&HeaderMap::new()), Shape::Whole);
    }

    proptest! {
        #[test]
        fn no_path_makes_the_reader_panic(path in "(/(api|apis|v1|namespaces|status|[a-z.]{0,3})){0,8}") {
            drop(target(&path));
        }
    }
}
