//! A JSON schema of flow files: the kinds as their CRDs have them, and nodes as their components have them.
//!
//! It is stricter than a plane, which ignores what it does not know: an editor must say that a key is misspelt. It is never so strict
//! that it refuses what a plane takes and means something.

use serde_json::{Map, Value, json};
use tiny_crds::{API_VERSION, ModuleComponent, PortStatus, TinyModule, manifest, names};

use crate::component::{ComponentType, Role, key};
use crate::registry::Registry;

type Object = Map<String, Value>;

/// What a module offers.
pub(super) struct Offer {
    module: String,
    components: Vec<Offered>,
}

struct Offered {
    /// Its name, and older ones.
    names: Vec<String>,
    description: String,
    ports: Vec<Port>,
    /// Whether it may have ports that are not listed.
    is_open: bool,
}

struct Port {
    name: String,
    description: String,
    is_source: bool,
    schema: Value,
}

impl Offer {
    /// What this binary offers, as the module `name`.
    pub(super) fn of(name: &str, registry: &Registry) -> Self {
        let components = registry.iter().map(|component| Offered::of(component)).collect();
        Self { module: name.to_owned(), components }
    }

    /// What a module of the plane says that it offers.
    pub(super) fn published(module: &TinyModule) -> Self {
        let status = module.status.clone().unwrap_or_default();
        let name = match status.name.as_str() {
            "" => module.metadata.name.clone().unwrap_or_default(),
            name => name.to_owned(),
        };
        Self {
            module: name,
            components: status.components.iter().map(Offered::published).collect(),
        }
    }
}

impl Offered {
    fn of(component: &ComponentType) -> Self {
        let of_user = component.ports().iter().filter(|port| port.role != Role::Reconcile);
        let port = of_user.map(|port| Port {
            name: port.meta.name.to_owned(),
            description: port.meta.description.to_owned(),
            is_source: port.is_source(),
            schema: (port.schema)().value(),
        });
        let names = std::iter::once(&component.info.name).chain(component.info.aliases);
        Self {
            names: names.map(|&name| name.to_owned()).collect(),
            description: described(component.info.description, component.info.info),
            ports: port.collect(),
            is_open: false,
        }
    }

    fn published(component: &ModuleComponent) -> Self {
        let port = |port: &PortStatus| Port {
            name: port.name.clone(),
            description: String::new(),
            is_source: port.source,
            schema: port.schema.value().ok().flatten().unwrap_or_else(|| json!({})),
        };
        let names = std::iter::once(&component.name).chain(&component.aliases);
        Self {
            names: names.cloned().collect(),
            description: described(&component.description, &component.info),
            ports: component
                .ports
                .iter()
                .filter(|port| port.name != "_reconcile")
                .map(port)
                .collect(),
            // Its status lists the ports that a node has at first.
            is_open: true,
        }
    }

    fn ports(&self, is_source: bool) -> impl Iterator<Item = &Port> {
        self.ports.iter().filter(move |port| port.is_source == is_source)
    }
}

fn described(description: &str, info: &str) -> String {
    [description, info].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The schema of files with flows of these modules.
pub(super) fn document(offers: &[Offer]) -> Value {
    let mut definitions = Map::new();
    let mut kinds = Vec::new();
    let mut branches = Vec::new();
    for crd in manifest::crds() {
        let kind = crd.spec.names.kind;
        let versions = crd.spec.versions.into_iter();
        let schema = versions.filter_map(|version| version.schema?.open_api_v3_schema).next();
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        tidy(&mut schema);
        if kind == "TinyNode" {
            narrow(&mut schema["properties"]["spec"], offers, &mut definitions);
        }
        let mut then = json!({ "properties": { "spec": schema["properties"]["spec"] } });
        if let Some(required) = schema.get("required") {
            then["required"] = required.clone();
        }
        branches.push(json!({ "if": is("kind", &kind), "then": then }));
        kinds.push(kind);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A flow of Tiny",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {
            "apiVersion": {
                "description": "The version of the kinds of Tiny.",
                "enum": [API_VERSION]
            },
            "kind": { "description": "What kind of object this is.", "enum": kinds },
            "metadata": metadata(),
            "spec": {},
            "status": {}
        },
        "additionalProperties": false,
        "allOf": branches,
        "$defs": definitions
    })
}

fn metadata() -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {
                "description": "The name of the object: small letters, digits, `-` and `.`.",
                "type": "string",
                "pattern": "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
                "patternErrorMessage": "a name is small letters, digits, `-` and `.`, with a letter or digit at both ends",
                "maxLength": 253
            },
            "namespace": { "description": "Its namespace, if another than that of the command.", "type": "string" },
            "labels": texts,
            "annotations": texts
        }
    })
}

/// A condition: the field has this value.
fn is(field: &str, value: &str) -> Value {
    json!({ "required": [field], "properties": { field: { "const": value } } })
}

/// From a CRD's schema to JSON schema, without keys that nobody knows.
fn tidy(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    schema.retain(|word, _| !word.starts_with("x-kubernetes"));
    if schema.shift_remove("nullable") == Some(true.into())
        && let Some(ty) = schema.get("type").cloned()
    {
        schema.insert("type".into(), json!([ty, "null"]));
    }
    // A format of whole numbers is none of JSON schema.
    if schema.get("format").is_some_and(|format| format == "int32" || format == "int64") {
        schema.shift_remove("format");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(tidy);
        schema.entry("additionalProperties").or_insert(false.into());
    }
    for word in ["items", "additionalProperties"] {
        schema.get_mut(word).into_iter().for_each(tidy);
    }
}

/// Tells apart what a node may say by its module and component.
fn narrow(spec: &mut Value, offers: &[Offer], definitions: &mut Object) {
    let modules: Vec<&str> = offers.iter().map(|offer| &*offer.module).collect();
    // Another module may be there, of which nobody told: its name is as good.
    spec["properties"]["module"] = json!({
        "description": "Name of the module that runs the node.",
        "type": "string",
        "minLength": 1,
        "examples": modules,
        "anyOf": [{ "enum": modules }, {}]
    });
    spec["properties"]["component"]["minLength"] = 1.into();
    let branches: Vec<Value> = offers.iter().flat_map(|offer| {
        let of_module = of_module(&offer.module);
        let names = offer.components.iter().flat_map(|it| it.names.iter().map(|name| (name, &*it.description)));
        let (names, descriptions): (Vec<_>, Vec<_>) = names.unzip();
        let component = json!({
            "if": of_module,
            "then": { "properties": { "component": { "enum": names, "enumDescriptions": descriptions, "markdownEnumDescriptions": descriptions } } }
        });
        let nodes = offer.components.iter().map(|offered| {
            let condition = json!({
                "required": ["component"],
                "properties": { "component": { "enum": offered.names } },
                "allOf": [of_module]
            });
            json!({ "if": condition, "then": node(&offer.module, offered, definitions) })
        });
        std::iter::once(component).chain(nodes.collect::<Vec<_>>()).collect::<Vec<_>>()
    }).collect();
    if !branches.is_empty() {
        spec["allOf"] = branches.into();
    }
}

/// A condition: the node belongs to this module, however its name is written.
fn of_module(module: &str) -> Value {
    let sanitised = names::sanitise(module);
    let names = if sanitised == module { vec![module] } else { vec![module, &sanitised] };
    json!({ "required": ["module"], "properties": { "module": { "enum": names } } })
}

/// What a node of this component may say.
fn node(module: &str, offered: &Offered, definitions: &mut Object) -> Value {
    let configurable: Vec<&Port> =
        offered.ports(false).filter(|port| port.name != "_control").collect();
    let configured = configurable.iter().map(|port| {
        let component = offered.names.first().map_or("", |name| name);
        let key = free(&format!("{module}.{component}.{}", port.name), definitions);
        definitions.insert(key.clone(), configuration(&key, port));
        let own = json!({ "required": ["port"], "properties": {
            "port": named(&[port], false),
            // The mapping of an edge is no configuration.
            "from": { "enum": ["", null] }
        } });
        json!({ "if": own, "then": { "properties": { "configuration": { "$ref": format!("#/$defs/{key}") } } } })
    });
    let configured: Vec<Value> = configured.collect();
    let mut ports = json!({ "properties": { "port": named(&configurable, offered.is_open) } });
    if !configured.is_empty() {
        ports["allOf"] = configured.into();
    }
    let sources: Vec<&Port> = offered.ports(true).collect();
    json!({ "properties": {
        "ports": { "items": ports },
        "edges": { "items": { "properties": {
            "port": named(&sources, offered.is_open),
            "to": { "pattern": "^[^:]+:[^:]+$", "patternErrorMessage": "write `node:port`, the target of the edge" }
        } } }
    } })
}

/// The name of a definition: what cannot stand in a reference as it is becomes `-`.
fn free(wanted: &str, definitions: &Object) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.".contains(c) { c } else { '-' };
    let wanted: String = wanted.chars().map(plain).collect();
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    let mut names = std::iter::once(wanted.clone()).chain(numbered);
    names.find(|name| !definitions.contains_key(name)).unwrap_or(wanted)
}

/// One of these ports. A name with `{…}` in it stands for many.
fn named(ports: &[&Port], is_open: bool) -> Value {
    let (many, one): (Vec<&&Port>, Vec<&&Port>) =
        ports.iter().partition(|port| port.name.contains('{'));
    let names: Vec<&str> = one.iter().map(|port| &*port.name).collect();
    let descriptions: Vec<&str> = one.iter().map(|port| &*port.description).collect();
    let listed = json!({ "enum": names, "enumDescriptions": descriptions, "markdownEnumDescriptions": descriptions });
    let mut forms = Vec::new();
    if !names.is_empty() || (many.is_empty() && !is_open) {
        forms.push(listed);
    }
    forms.extend(many.iter().map(|port| {
        let (before, after) = key::parts(&port.name).unwrap_or_default();
        // No item makes a name with `_` in front: those are the system's.
        let item = if before.is_empty() { "[^_].*" } else { ".+" };
        let pattern = format!("^{}{item}{}$", regex::escape(before), regex::escape(after));
        json!({ "type": "string", "pattern": pattern, "description": port.description })
    }));
    if is_open {
        forms.push(json!({ "type": "string" }));
    }
    match <[Value; 1]>::try_from(forms) {
        Ok([only]) => only,
        Err(forms) => json!({ "anyOf": forms }),
    }
}

/// What is stored for a port, of which `key` is the definition.
fn configuration(key: &str, port: &Port) -> Value {
    let mut schema = port.schema.clone();
    let settings = port.name == "_settings";
    let mixed = mixed(&schema);
    if let Some(Value::Object(own)) = schema.get_mut("$defs") {
        for (name, definition) in own.iter_mut() {
            strict(definition, settings, !mixed.contains(name));
        }
    }
    strict(&mut schema, settings, true);
    redirect(&mut schema, key);
    schema
}

/// Definitions that stand beside other structure: they are a part of an object, and must let the other part be.
fn mixed(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![schema];
    while let Some(next) = open.pop() {
        match next {
            Value::Object(fields) => {
                let name = fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|it| it.strip_prefix("#/$defs/"));
                if let Some(name) = name.filter(|_| fields.contains_key("properties")) {
                    found.push(name.to_owned());
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// Lets an object have no keys that it does not know and, of settings, leave out what has a default.
fn strict(schema: &mut Value, settings: bool, closed: bool) {
    let Value::Object(schema) = schema else { return };
    let several = ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|word| schema.contains_key(*word));
    if settings && !several {
        schema.shift_remove("required");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(|property| strict(property, settings, true));
        if closed && !several {
            schema.entry("additionalProperties").or_insert(false.into());
        }
    }
}

/// Points references to where the definitions lie now.
fn redirect(schema: &mut Value, key: &str) {
    match schema {
        Value::Object(fields) => {
            for (word, value) in fields {
                match (&**word, value) {
                    ("$ref", Value::String(reference)) => {
                        if let Some(name) = reference.strip_prefix("#/$defs/") {
                            *reference = format!("#/$defs/{key}/$defs/{name}");
                        }
                    }
                    ("default" | "enum" | "const" | "examples", _) => {}
                    (_, value) => redirect(value, key),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, key)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Offer {
        let port = |name: &str, is_source| Port {
            name: name.to_owned(),
            description: "A port.".to_owned(),
            is_source,
            schema: json!({"$ref": "#/$defs/In", "$defs": {"In": {
                "type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}
            }}}),
        };
        let ports = vec![
            port("in", false),
            port("out_{route}", true),
            port("take_{route}", false),
            port("{any}", false),
            port("_settings", false),
        ];
        let names = vec!["new".to_owned(), "old".to_owned()];
        let component = Offered { names, description: String::new(), ports, is_open: false };
        Offer { module: "Acme/Mod #1".to_owned(), components: vec![component] }
    }

    fn node(spec: Value) -> Value {
        json!({"apiVersion": API_VERSION, "kind": "TinyNode", "metadata": {"name": "a"}, "spec": spec})
    }

    #[test]
    fn names_with_any_letters_and_ports_that_stand_for_many_are_told_apart() {
        let schema = document(&[offer()]);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let fits = |module: &str, component: &str, ports: Value, edges: Value| {
            let spec =
                json!({"module": module, "component": component, "ports": ports, "edges": edges});
            validator.is_valid(&node(spec))
        };
        let edge = |port: &str| json!([{"port": port, "to": "b:in"}]);
        let stored = |port: &str, configuration: Value| json!([{"port": port, "configuration": configuration}]);
        let sanitised = names::sanitise("Acme/Mod #1");
        for module in ["Acme/Mod #1", &sanitised] {
            assert!(fits(module, "old", json!([]), edge("out_any")), "{module}");
            assert!(!fits(module, "new", json!([]), edge("out_")), "{module}");
            assert!(!fits(module, "newer", json!([]), json!([])), "{module}");
            assert!(fits(module, "new", stored("take_x", json!({"a": 1})), json!([])));
            assert!(
                !fits(module, "new", stored("take_x", json!({})), json!([])),
                "a message is whole"
            );
            assert!(
                fits(module, "new", stored("_settings", json!({})), json!([])),
                "settings have defaults"
            );
            assert!(!fits(module, "new", stored("_settings", json!({"b": 1})), json!([])));
            assert!(!fits(module, "new", stored("_setings", json!({})), json!([])));
            assert!(!fits(module, "new", stored("x", json!({})), json!([])));
            assert!(fits(module, "new", stored("x", json!({"a": 1})), json!([])));
        }
        let mapping = json!([{"port": "in", "from": "b:out", "configuration": {"a": "{{ $.x }}"}}]);
        assert!(fits(&sanitised, "new", mapping, json!([])), "the mapping of an older flow");
    }
}
