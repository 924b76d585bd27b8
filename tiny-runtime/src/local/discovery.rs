//! What the plane serves: versions, groups and resources.

use axum::body::Body;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::Plane;
use super::failure::Failure;
use super::kinds::{Kind, Kinds};
use super::openapi;
use super::verbs::json as answer_json;

/// Answers paths that name no resource; `None` leaves the path to the resources.
pub(super) fn answer(
    plane: &Plane,
    request: &Request<Body>,
) -> Option<Result<Response<Body>, Failure>> {
    let kinds = &plane.kinds;
    let path = request.uri().path().trim_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let found = match parts.as_slice() {
        ["healthz" | "readyz" | "livez", ..] => {
            return Some(only_get(request, Response::new("ok".into())));
        }
        ["version"] => Some(version()),
        ["api"] => Some(match aggregated(request) {
            true => groups_aggregated(kinds, true),
            false => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        }),
        ["apis"] => Some(match aggregated(request) {
            true => groups_aggregated(kinds, false),
            false => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups(kinds) }),
        }),
        ["api", version] => resources(kinds, "", version),
        ["apis", group] => {
            groups(kinds).into_iter().find(|known| known["name"] == *group).map(|mut group| {
                group["kind"] = "APIGroup".into();
                group["apiVersion"] = "v1".into();
                group
            })
        }
        ["apis", group, version] => resources(kinds, group, version),
        ["openapi", "v3"] => Some(openapi::root(kinds)),
        ["openapi", "v3", "api", version] => openapi::document(kinds, "", version),
        ["openapi", "v3", "apis", group, version] => openapi::document(kinds, group, version),
        _ if matches!(parts.first(), Some(&("api" | "apis"))) => return None,
        _ => None,
    };
    let Some(found) = found else { return Some(Err(Failure::no_such_path())) };
    let mut response = answer_json(StatusCode::OK, found.to_string());
    if matches!(parts.as_slice(), ["api"] | ["apis"]) && aggregated(request) {
        let form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(form));
    }
    Some(only_get(request, response))
}

fn only_get(request: &Request<Body>, response: Response<Body>) -> Result<Response<Body>, Failure> {
    match *request.method() {
        Method::GET | Method::HEAD => Ok(response),
        _ => Err(Failure::no_such_verb()),
    }
}

fn aggregated(request: &Request<Body>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| {
        accept.split(',').any(|form| {
            form.contains("as=APIGroupDiscoveryList")
                && form.contains("v=v2")
                && !form.contains("v2beta1")
        })
    })
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "37", "gitVersion": "v1.37.0+tiny", "gitCommit": "",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "go0",
        "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// The named groups and their versions, in order of first appearance.
fn group_versions(kinds: &Kinds) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in kinds.iter() {
        let at = found.iter().position(|(group, _)| *group == kind.group).unwrap_or_else(|| {
            found.push((&kind.group, Vec::new()));
            found.len() - 1
        });
        if !found[at].1.contains(&kind.version.as_str()) {
            found[at].1.push(&kind.version);
        }
    }
    found
}

fn groups(kinds: &Kinds) -> Vec<Value> {
    let named = group_versions(kinds).into_iter().filter(|(group, _)| !group.is_empty());
    named
        .map(|(group, versions)| {
            let one = |version: &&str| {
                json!({ "groupVersion": format!("{group}/{version}"), "version": version })
            };
            let versions: Vec<_> = versions.iter().map(one).collect();
            json!({ "name": group, "versions": versions, "preferredVersion": versions[0] })
        })
        .collect()
}

fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for kind in kinds.of(group, version) {
        let mut main = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": kind.verbs(),
        });
        if !kind.short.is_empty() {
            main["shortNames"] = json!(kind.short);
        }
        if !kind.categories.is_empty() {
            main["categories"] = json!(kind.categories);
        }
        resources.push(main);
        if kind.status {
            resources.push(json!({
                "name": format!("{}/status", kind.plural), "singularName": "",
                "namespaced": kind.namespaced, "kind": kind.kind, "verbs": STATUS_VERBS,
            }));
        }
    }
    let group_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!resources.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
            "resources": resources,
        })
    })
}

const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

fn groups_aggregated(kinds: &Kinds, core: bool) -> Value {
    let found = group_versions(kinds).into_iter().filter(|(group, _)| group.is_empty() == core);
    let items: Vec<_> = found
        .map(|(group, versions)| {
            let versions: Vec<_> = versions
                .into_iter()
                .map(|version| {
                    let resources: Vec<_> = kinds.of(group, version).map(aggregated_kind).collect();
                    json!({ "version": version, "resources": resources, "freshness": "Current" })
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({ "name": group }) };
            json!({ "metadata": metadata, "versions": versions })
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": items,
    })
}

fn aggregated_kind(kind: &Kind) -> Value {
    let response = json!({ "group": kind.group, "version": kind.version, "kind": kind.kind });
    let mut value = json!({
        "resource": kind.plural, "responseKind": response,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": kind.verbs(),
        "shortNames": kind.short, "categories": kind.categories,
    });
    if kind.status {
        value["subresources"] = json!([{
            "subresource": "status", "responseKind": value["responseKind"], "verbs": STATUS_VERBS,
        }]);
    }
    value
}
