//! A refusal, worded and shaped as a Kubernetes API server words and shapes it.

use axum::body::Body;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::kinds::Kind;

/// What is answered where nothing is served.
const PAGE: &str = "404 page not found\n";

/// Why a request was refused: becomes a `metav1.Status` with an HTTP code.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) details: Option<Value>,
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) field: String,
}

impl Cause {
    pub(super) fn invalid(field: &str, value: &Value, why: &str) -> Self {
        let message = format!("Invalid value: {}: {why}", shown(value));
        Self { reason: "FieldValueInvalid", message, field: field.to_owned() }
    }

    pub(super) fn required(field: &str, why: &str) -> Self {
        let message = match why {
            "" => "Required value".to_owned(),
            why => format!("Required value: {why}"),
        };
        Self { reason: "FieldValueRequired", message, field: field.to_owned() }
    }

    pub(super) fn wrong_type(field: &str, value: &Value, expected: &str) -> Self {
        let message = format!(
            "Invalid value: {}: {field} in body must be of type {expected}: {}",
            quoted(type_word(value)),
            quoted(type_word(value)),
        );
        Self { reason: "FieldValueTypeInvalid", message, field: field.to_owned() }
    }

    pub(super) fn unsupported(field: &str, value: &Value, allowed: &[Value]) -> Self {
        let allowed: Vec<_> = allowed.iter().map(shown).collect();
        let message = format!(
            "Unsupported value: {}: supported values: {}",
            shown(value),
            allowed.join(", ")
        );
        Self { reason: "FieldValueNotSupported", message, field: field.to_owned() }
    }

    pub(super) fn too_long(field: &str, most: i64) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self { reason: "FieldValueTooLong", message, field: field.to_owned() }
    }

    pub(super) fn too_many(field: &str, count: i64, most: i64) -> Self {
        let message = format!("Too many: {count}: must have at most {most} items");
        Self { reason: "FieldValueTooMany", message, field: field.to_owned() }
    }

    pub(super) fn duplicate(field: &str, value: &Value) -> Self {
        let message = format!("Duplicate value: {}", compact(value));
        Self { reason: "FieldValueDuplicate", message, field: field.to_owned() }
    }

    pub(super) fn forbidden(field: &str, why: &str) -> Self {
        let message = format!("Forbidden: {why}");
        Self { reason: "FieldValueForbidden", message, field: field.to_owned() }
    }
}

impl Cause {
    fn line(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }

    fn detail(&self) -> Value {
        json!({ "reason": self.reason, "message": self.message, "field": self.field })
    }
}

impl Failure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unknown_fields(kind: &Kind, fields: &str) -> Self {
        let (word, version) = (&kind.kind, quoted(&kind.version));
        Self::bad_request(format!(
            "{word} in version {version} cannot be handled as a {word}: strict decoding error: \
             {fields}"
        ))
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// Nothing is served there: the only answer that is plain text.
    pub(super) fn no_such_path() -> Self {
        Self::new(404, "", PAGE)
    }

    pub(super) fn no_such_subresource() -> Self {
        let message = "the server could not find the requested resource";
        Self { details: Some(json!({})), ..Self::new(404, "NotFound", message) }
    }

    pub(super) fn version_on_create() -> Self {
        Self::new(500, "", "resourceVersion should not be set on objects to be created")
    }

    pub(super) fn no_such_verb() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the request is larger than the limit of {limit} bytes");
        Self::new(413, "RequestEntityTooLarge", message)
    }

    pub(super) fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {}", message.into()))
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {} not found", kind.full_plural(), quoted(name));
        let details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        Self { details: Some(without_empty(details)), ..Self::new(404, "NotFound", message) }
    }

    pub(super) fn no_namespace(namespace: &str) -> Self {
        let message = format!("namespaces {} not found", quoted(namespace));
        let details = json!({ "name": namespace, "kind": "namespaces" });
        Self { details: Some(details), ..Self::new(404, "NotFound", message) }
    }

    pub(super) fn exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {} already exists", kind.full_plural(), quoted(name));
        let details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        Self { details: Some(without_empty(details)), ..Self::new(409, "AlreadyExists", message) }
    }

    /// Somebody wrote in between, or a precondition does not hold.
    pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {}: {why}",
            kind.full_plural(),
            quoted(name)
        );
        let details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        Self { details: Some(without_empty(details)), ..Self::new(409, "Conflict", message) }
    }

    pub(super) fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version \
                   and try again";
        Self::conflict(kind, name, why)
    }

    pub(super) fn terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        let message = format!("{} {} is forbidden: {why}", kind.full_plural(), quoted(name));
        let details = json!({
            "name": name, "group": kind.group, "kind": kind.plural,
            "causes": [{
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace",
            }],
        });
        Self { details: Some(without_empty(details)), ..Self::new(403, "Forbidden", message) }
    }

    /// The object says that it is of another kind.
    pub(super) fn wrong_kind(kind: &Kind, word: &str, name: &str, cause: &Cause) -> Self {
        let mut failure = Self::invalid(kind, name, std::slice::from_ref(cause));
        failure.message = failure.message.replacen(&kind.kind, word, 1);
        if let Some(details) = &mut failure.details {
            details["kind"] = word.into();
        }
        failure
    }

    /// The object breaks rules of its kind; `causes` is never empty.
    pub(super) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let lines: Vec<_> = causes.iter().map(Cause::line).collect();
        let why = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = kind.qualified();
        let causes: Vec<_> = causes.iter().map(Cause::detail).collect();
        let details = json!({
            "name": name, "group": kind.group, "kind": kind.kind, "causes": causes
        });
        let message = format!("{qualified} {} is invalid: {why}", quoted(name));
        Self { details: Some(without_empty(details)), ..Self::new(422, "Invalid", message) }
    }

    /// A replace must say which version it replaces.
    pub(super) fn no_version(kind: &Kind, name: &str) -> Self {
        let why = "must be specified for an update";
        let cause = Cause::invalid("metadata.resourceVersion", &0.into(), why);
        let message =
            format!("{} {} is invalid: {}", kind.full_plural(), quoted(name), cause.line());
        let details = json!({
            "name": name, "group": kind.group, "kind": kind.plural, "causes": [cause.detail()]
        });
        Self { details: Some(without_empty(details)), ..Self::new(422, "Invalid", message) }
    }

    /// A precondition of a delete does not hold.
    pub(super) fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let qualified = kind.qualified();
        let message =
            format!("Operation cannot be fulfilled on {qualified} {}: {why}", quoted(name));
        let details = json!({ "name": name, "group": kind.group, "kind": kind.kind });
        Self { details: Some(without_empty(details)), ..Self::new(409, "Conflict", message) }
    }

    /// A patch writes fields that its kind does not have.
    pub(super) fn invalid_patch(why: &str) -> Self {
        let cause = Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {why}"),
            field: "patch".to_owned(),
        };
        let message = format!(" \"\" is invalid: {}", cause.line());
        let details = json!({ "causes": [cause.detail()] });
        Self { details: Some(details), ..Self::new(422, "Invalid", message) }
    }

    /// The parameters of a list or watch make no sense together.
    pub(super) fn invalid_options(options: &str, cause: &Cause) -> Self {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {}", cause.line());
        let causes = [cause.detail()];
        let details = json!({ "group": "meta.k8s.io", "kind": options, "causes": causes });
        Self { details: Some(details), ..Self::new(422, "Invalid", message) }
    }

    /// The `metav1.Status` that tells it.
    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status["code"] = self.code.into();
        status
    }

    pub(super) fn into_response(self) -> Response<Body> {
        if self.message == PAGE {
            let mut response = Response::new(Body::from(PAGE));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let mut response = Response::new(Body::from(self.status().to_string()));
        *response.status_mut() =
            StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// A text in quotes, escaped as JSON escapes it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value as it stands in messages: texts in quotes, numbers bare.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => compact(value),
        other => other.to_string(),
    }
}

/// A value as compact JSON.
fn compact(value: &Value) -> String {
    value.to_string()
}

/// The word that the server has for the type of a value.
pub(super) fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn without_empty(mut details: Value) -> Value {
    if let Some(map) = details.as_object_mut() {
        map.retain(|_, value| value.as_str() != Some(""));
    }
    details
}
