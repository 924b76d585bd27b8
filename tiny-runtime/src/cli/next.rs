//! The next command to type: a signal that fits the first node where a flow begins.

use kube::{Api, Client, ResourceExt};
use serde_json::{Map, Value, json};
use tiny_crds::{Phase, TinyNode, TinySignal};

use super::invocation;
use crate::component::Role;
use crate::registry::Registry;

/// A `signal` command, with `flags` for the plane, for a target of a node of `module` that no edge feeds and no signal that is under way; `None`
/// when there is none.
pub(super) async fn command(
    client: &Client,
    namespace: &str,
    module: &str,
    registry: &Registry,
    flags: &str,
) -> Option<String> {
    let api: Api<TinyNode> = Api::namespaced(client.clone(), namespace);
    let nodes = api.list(&kube::api::ListParams::default()).await.ok()?;
    let api: Api<TinySignal> = Api::namespaced(client.clone(), namespace);
    let signals = api.list(&kube::api::ListParams::default()).await.ok()?;
    let is_over = |signal: &&TinySignal| {
        let phase = signal.status.as_ref().and_then(|status| status.phase.as_ref());
        phase.is_some_and(Phase::is_final)
    };
    let under_way = signals.iter().filter(|signal| !is_over(signal));
    let edges = nodes.iter().flat_map(|node| &node.spec.edges).map(|edge| edge.to.clone());
    let signalled = under_way.map(|it| format!("{}:{}", it.spec.node, it.spec.port));
    let fed: Vec<String> = edges.chain(signalled).collect();
    let (node, port, schema) =
        nodes.iter().filter(|node| node.belongs_to(module)).find_map(|node| {
            let component = registry.get(&node.spec.component)?;
            let mut targets = component
                .ports()
                .iter()
                .filter(|port| port.role == Role::Target && !port.is_dynamic);
            let name = node.name_any();
            let port = targets.find(|port| !fed.contains(&format!("{name}:{}", port.meta.name)))?;
            Some((name, port.meta.name, (port.schema)().value()))
        })?;
    let message = example(&schema, &schema, 0);
    Some(format!("{} signal {node} {port} '{message}' --wait{flags}", invocation()))
}

/// A small value of this schema: defaults and examples where it has them, else something of the right type.
fn example(root: &Value, schema: &Value, depth: u8) -> Value {
    if let Some(value) = schema.get("default").or_else(|| schema.pointer("/examples/0")) {
        return value.clone();
    }
    if let Some(definition) = definition(root, schema).filter(|_| depth < 8) {
        return example(root, definition, depth + 1);
    }
    if let Some(first) = schema.pointer("/enum/0") {
        return first.clone();
    }
    match type_of(schema) {
        "object" => {
            let required = schema.get("required").and_then(Value::as_array);
            let names = required.into_iter().flatten().filter_map(Value::as_str);
            let field = |name: &str| {
                let schema = schema.pointer("/properties")?.get(name)?;
                Some((name.to_owned(), example(root, schema, depth + 1)))
            };
            Value::Object(names.filter_map(field).collect::<Map<_, _>>())
        }
        "array" => json!([]),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "string" => json!("World"),
        _ => Value::Null,
    }
}

fn definition<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
    root.pointer(pointer)
}

/// The first type that is not null.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::Array(types)) => {
            types.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default()
        }
        other => other.and_then(Value::as_str).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_is_required() {
        let schema = json!({
            "$ref": "#/$defs/A",
            "$defs": {
                "A": {"type": "object", "required": ["name", "count", "b"], "properties": {
                    "name": {"type": "string"},
                    "count": {"type": ["null", "integer"]},
                    "b": {"$ref": "#/$defs/B"},
                    "left": {"type": "string"}
                }},
                "B": {"type": "string", "enum": ["x", "y"]}
            }
        });
        assert_eq!(example(&schema, &schema, 0), json!({"name": "World", "count": 1, "b": "x"}));
    }

    #[test]
    fn a_type_that_holds_itself_ends() {
        let schema = json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}});
        assert_eq!(example(&schema, &schema, 0), Value::Null);
    }
}
