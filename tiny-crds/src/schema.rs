//! Pieces of the CRD schemas that the derives cannot express.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Any JSON at all: a field without a type.
pub(crate) fn any_json(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// A whole number of 32 bits, from 0.
pub(crate) fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "null"], "format": "int32", "minimum": 0 })
}

/// A time as RFC 3339 text.
pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}
