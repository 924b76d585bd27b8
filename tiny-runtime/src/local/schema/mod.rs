//! The structural schema of a kind, compiled: what it validates, defaults and prunes.

mod default;
mod prune;
mod validate;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;
use serde_json::Value;

/// One node of a schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    kind: Type,
    nullable: bool,
    default: Option<Value>,
    choices: Option<Vec<Value>>,
    required: Vec<String>,
    properties: Vec<(String, Schema)>,
    additional: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    list: List,
    /// Unknown fields of this object stay.
    preserve: bool,
    /// `apiVersion`, `kind` and `metadata` belong here without being named.
    embedded: bool,
    limits: Limits,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    not: Option<Box<Schema>>,
}

/// The type of a value.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Type {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// What tells the items of a list apart.
#[derive(Debug, Default)]
enum List {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

/// Bounds of numbers, texts, lists and maps.
#[derive(Debug, Default)]
struct Limits {
    minimum: Option<f64>,
    above: bool,
    maximum: Option<f64>,
    below: bool,
    multiple_of: Option<f64>,
    length: (Option<i64>, Option<i64>),
    items: (Option<i64>, Option<i64>),
    properties: (Option<i64>, Option<i64>),
    pattern: Option<Regex>,
    format: Option<String>,
}

impl Schema {
    /// Compiles a CRD's schema; the error says what cannot be compiled.
    pub(super) fn new(props: &JSONSchemaProps) -> Result<Self, String> {
        let mut schema = Self::part(props)?;
        // The root is an object of the API: its head needs no schema.
        schema.embedded = true;
        Ok(schema)
    }

    fn part(props: &JSONSchemaProps) -> Result<Self, String> {
        let named = |(name, schema): (&String, &JSONSchemaProps)| {
            Self::part(schema).map(|schema| (name.clone(), schema))
        };
        let many = |list: &Option<Vec<JSONSchemaProps>>| {
            list.iter().flatten().map(Self::part).collect::<Result<Vec<_>, _>>()
        };
        let boxed = |schema: &JSONSchemaProps| Self::part(schema).map(Box::new);
        let preserve = props.x_kubernetes_preserve_unknown_fields == Some(true);
        let (additional, open) = match &props.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(schema)) => (Some(boxed(schema)?), false),
            Some(JSONSchemaPropsOrBool::Bool(open)) => (None, *open),
            None => (None, false),
        };
        let items = match &props.items {
            Some(JSONSchemaPropsOrArray::Schema(schema)) => Some(boxed(schema)?),
            Some(JSONSchemaPropsOrArray::Schemas(_)) => {
                return Err("`items` must be one schema".to_owned());
            }
            None => None,
        };
        Ok(Self {
            kind: Type::of(props)?,
            nullable: props.nullable == Some(true),
            default: props.default.as_ref().map(|default| default.0.clone()),
            choices: props
                .enum_
                .as_ref()
                .map(|choices| choices.iter().map(|choice| choice.0.clone()).collect()),
            required: props.required.clone().unwrap_or_default(),
            properties: props.properties.iter().flatten().map(named).collect::<Result<_, _>>()?,
            additional,
            items,
            list: List::of(props),
            preserve: preserve || open,
            embedded: props.x_kubernetes_embedded_resource == Some(true),
            limits: Limits::of(props)?,
            all_of: many(&props.all_of)?,
            any_of: many(&props.any_of)?,
            one_of: many(&props.one_of)?,
            not: props.not.as_deref().map(boxed).transpose()?,
        })
    }

    fn property(&self, name: &str) -> Option<&Schema> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, schema)| schema)
    }
}

impl Type {
    fn of(props: &JSONSchemaProps) -> Result<Self, String> {
        if props.x_kubernetes_int_or_string == Some(true) {
            return Ok(Self::IntOrString);
        }
        Ok(match props.type_.as_deref() {
            None | Some("") => Self::Any,
            Some("object") => Self::Object,
            Some("array") => Self::Array,
            Some("string") => Self::String,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some(other) => return Err(format!("`{other}` is not a type")),
        })
    }

    /// The word for it in messages.
    fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::IntOrString => "integer,string",
        }
    }
}

impl List {
    fn of(props: &JSONSchemaProps) -> Self {
        match props.x_kubernetes_list_type.as_deref() {
            Some("set") => Self::Set,
            Some("map") => Self::Map(props.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
            _ => Self::Atomic,
        }
    }
}

impl Limits {
    fn of(props: &JSONSchemaProps) -> Result<Self, String> {
        let pattern = props.pattern.as_deref().filter(|pattern| !pattern.is_empty());
        let pattern = pattern.map(Regex::new).transpose().map_err(|error| error.to_string())?;
        Ok(Self {
            minimum: props.minimum,
            above: props.exclusive_minimum == Some(true),
            maximum: props.maximum,
            below: props.exclusive_maximum == Some(true),
            multiple_of: props.multiple_of,
            length: (props.min_length, props.max_length),
            items: (props.min_items, props.max_items),
            properties: (props.min_properties, props.max_properties),
            pattern,
            format: props.format.clone(),
        })
    }
}

/// The path of a member, as messages write it.
fn member(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn schema(text: Value) -> Schema {
        Schema::new(&serde_json::from_value(text).unwrap()).unwrap()
    }

    fn wrong(text: Value, value: Value) -> Vec<String> {
        let whole = json!({ "type": "object", "properties": { "a": text } });
        let causes = schema(whole).validate(&json!({ "a": value }));
        causes.into_iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
    }

    #[test]
    fn every_kind_of_rule_is_told_in_the_words_of_the_server() {
        let cases = [
            (
                json!({ "type": "string", "enum": ["x", "y"] }),
                json!("z"),
                r#"a: Unsupported value: "z": supported values: "x", "y""#,
            ),
            (
                json!({ "type": "string", "pattern": "^[a-z]+$" }),
                json!("A"),
                r#"a: Invalid value: "A": a in body should match '^[a-z]+$'"#,
            ),
            (
                json!({ "type": "string", "minLength": 2 }),
                json!("é"),
                r#"a: Invalid value: "é": a in body should be at least 2 chars long"#,
            ),
            (
                json!({ "type": "string", "maxLength": 2 }),
                json!("abc"),
                "a: Too long: may not be more than 2 bytes",
            ),
            (
                json!({ "type": "integer", "maximum": 3 }),
                json!(4),
                "a: Invalid value: 4: a in body should be less than or equal to 3",
            ),
            (
                json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true }),
                json!(0),
                "a: Invalid value: 0: a in body should be greater than 0",
            ),
            (
                json!({ "type": "array", "maxItems": 1, "items": { "type": "integer" } }),
                json!([1, 2]),
                "a: Too many: 2: must have at most 1 items",
            ),
            (
                json!({ "type": "array", "x-kubernetes-list-type": "set", "items": { "type": "string" } }),
                json!(["x", "y", "x"]),
                r#"a[2]: Duplicate value: "x""#,
            ),
            (
                json!({ "x-kubernetes-int-or-string": true }),
                json!(true),
                r#"a: Invalid value: "boolean": a in body must be of type integer,string: "boolean""#,
            ),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(wrong(schema, value), [expected]);
        }
        assert!(wrong(json!({ "type": "integer" }), json!(2.0)).is_empty());
        assert!(wrong(json!({ "type": "string", "nullable": true }), Value::Null).is_empty());
    }

    #[test]
    fn combined_schemas_hold_together() {
        let either = json!({ "anyOf": [{ "minimum": 5 }, { "maximum": 1 }], "type": "integer" });
        assert!(wrong(either.clone(), json!(0)).is_empty());
        assert_eq!(wrong(either, json!(3)).len(), 1);
        let never = json!({ "not": { "enum": ["x"] }, "type": "string" });
        assert_eq!(wrong(never, json!("x")).len(), 1);
    }

    #[test]
    fn defaults_fill_what_is_absent_and_nulls_that_may_not_be() {
        let schema = schema(json!({ "type": "object", "properties": {
            "a": { "type": "string", "default": "x" },
            "b": { "type": "string" },
            "c": { "type": "string", "nullable": true, "default": "y" },
            "d": { "type": "object", "properties": { "e": { "type": "integer", "default": 1 } } },
            "l": { "type": "array", "items": { "type": "object", "properties": {
                "k": { "type": "string", "default": "" } } } },
        }}));
        let mut value = json!({ "a": null, "b": null, "c": null, "d": {}, "l": [{}] });
        schema.fill(&mut value);
        let expected = json!({ "a": "x", "c": null, "d": { "e": 1 }, "l": [{ "k": "" }] });
        assert_eq!(value, expected);
        let mut empty = json!({});
        schema.fill(&mut empty);
        assert_eq!(empty, json!({ "a": "x", "c": "y" }), "no object is made for a default in it");
    }

    #[test]
    fn unknown_fields_are_dropped_and_named_unless_they_are_to_stay() {
        let schema = schema(json!({ "type": "object", "properties": {
            "free": { "x-kubernetes-preserve-unknown-fields": true },
            "texts": { "type": "object", "additionalProperties": { "type": "string" } },
            "list": { "type": "array", "items": { "type": "object", "properties": {
                "known": { "type": "string" } } } },
        }}));
        let mut value = json!({
            "kind": "K", "free": { "x": [{ "y": 1 }] }, "texts": { "a": "b" }, "more": 1,
            "list": [{ "known": "k", "not": 1 }],
        });
        assert_eq!(schema.prune(&mut value), ["more", "list[0].not"]);
        let expected = json!({
            "kind": "K", "free": { "x": [{ "y": 1 }] }, "texts": { "a": "b" },
            "list": [{ "known": "k" }],
        });
        assert_eq!(value, expected);
    }

    static OURS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
        let crds = tiny_crds::manifest::crds();
        let versions = crds.iter().flat_map(|crd| &crd.spec.versions);
        let props =
            versions.filter_map(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
        props.map(|props| Schema::new(props).unwrap()).collect()
    });

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let fields = ["spec", "status", "module", "component", "edges", "ports", "id", "to"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((prop::sample::select(fields.to_vec()), inner), 0..5)
                    .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_shaped_once_is_not_changed_again(value in any_json()) {
            for schema in OURS.iter() {
                let mut once = value.clone();
                schema.prune(&mut once);
                schema.fill(&mut once);
                let mut twice = once.clone();
                prop_assert!(schema.prune(&mut twice).is_empty());
                schema.fill(&mut twice);
                prop_assert_eq!(&once, &twice);
                let _causes = schema.validate(&once);
            }
        }
    }
}
