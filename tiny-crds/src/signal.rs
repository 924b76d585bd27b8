//! `TinySignal`: a trigger from outside, and what came of it.

use std::{fmt, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    condition,
    duration::{self, DurationError},
    labels, lenient,
    payload::Payload,
    schema,
};

/// A message for a port; it is sent once for each nonce.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "operator.tinysystems.io",
    version = "v1alpha1",
    kind = "TinySignal",
    plural = "tinysignals",
    namespaced,
    status = "TinySignalStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A trigger from outside, and what came of it.",
    shortname = "ts",
    category = "tiny",
    printcolumn(name = "Node", type_ = "string", json_path = ".spec.node"),
    printcolumn(name = "Port", type_ = "string", json_path = ".spec.port"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Attempts",
        type_ = "integer",
        json_path = ".status.attempts",
        priority = 1
    ),
    printcolumn(name = "Reply", type_ = "string", json_path = ".status.reply", priority = 1),
    printcolumn(name = "Error", type_ = "string", json_path = ".status.error", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
// Two managers must not mix one's node with the other's data.
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct TinySignalSpec {
    /// Name of the node.
    pub node: String,
    /// Name of the port.
    pub port: String,
    /// The message. Left out, it is the port's stored configuration, else its default.
    #[serde(default, skip_serializing_if = "Payload::is_absent")]
    pub data: Payload,
    /// Another nonce sends again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Deadline of the run, such as 30s; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// How far a signal has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Phase {
    /// Accepted, not sent yet.
    #[default]
    Pending,
    /// Sent; what it caused has not ended.
    Running,
    /// All it caused has ended well.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// A newer nonce or the end of its node ended it.
    Cancelled,
    /// A word of a newer version.
    Other(String),
}

impl Phase {
    /// The word that is stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Other(word) => word,
        }
    }

    /// True when nothing more will happen for this nonce.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl From<String> for Phase {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Cancelled" => Self::Cancelled,
            _ => Self::Other(word),
        }
    }
}

impl From<Phase> for String {
    fn from(phase: Phase) -> Self {
        phase.as_str().to_owned()
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl JsonSchema for Phase {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Phase".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// What came of the signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TinySignalStatus {
    /// Pending, Running, Succeeded, Failed or Cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The nonce that the status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_nonce: Option<String>,
    /// The `metadata.generation` that the status is about; -1 before any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How often the run was started for this nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// When the last attempt started.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::time")]
    #[schemars(schema_with = "schema::time")]
    pub start_time: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::time")]
    #[schemars(schema_with = "schema::time")]
    pub finish_time: Option<Time>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The reply, up to 16 KiB of JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_json")]
    pub reply: Option<Value>,
    /// Size of a reply that is too large to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_bytes: Option<i64>,
    /// The term of the leader that sent it (`leaseTransitions` of the module's lease).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<i64>,
    /// What holds for the signal.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "condition::read")]
    #[schemars(schema_with = "condition::schema")]
    pub conditions: Vec<Condition>,
}

impl TinySignalStatus {
    /// The largest reply that a status keeps, in bytes of JSON; of a larger one it keeps the size.
    pub const REPLY_LIMIT: usize = 16 * 1024;
}

impl TinySignal {
    /// The nonce: `spec.nonce`, else the annotation of older clients, else uid and generation,
    /// so that a changed spec runs again.
    pub fn nonce(&self) -> String {
        let annotations = self.metadata.annotations.as_ref();
        let annotated = || annotations?.get(labels::SIGNAL_NONCE);
        let written = |nonce: &&String| !nonce.is_empty();
        let stored =
            self.spec.nonce.as_ref().filter(written).or_else(|| annotated().filter(written));
        stored.cloned().unwrap_or_else(|| {
            let uid = self.metadata.uid.as_deref().unwrap_or_default();
            format!("{uid}/{}", self.metadata.generation.unwrap_or_default())
        })
    }
}

impl TinySignalSpec {
    /// `timeout` as a duration.
    ///
    /// # Errors
    /// A text that is no duration.
    pub fn timeout(&self) -> Result<Option<Duration>, DurationError> {
        self.timeout.as_deref().map(duration::parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signal(metadata: Value, nonce: Value) -> TinySignal {
        let spec = json!({"node": "a", "port": "in", "nonce": nonce});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    #[test]
    fn the_nonce_of_the_spec_wins_over_the_annotation_and_that_over_uid_and_generation() {
        let annotated = json!({
            "uid": "u", "generation": 3, "annotations": {labels::SIGNAL_NONCE: "older"}
        });
        let plain = json!({"uid": "u", "generation": 3});
        assert_eq!(signal(annotated.clone(), json!("newer")).nonce(), "newer");
        assert_eq!(signal(annotated, json!(null)).nonce(), "older");
        assert_eq!(signal(plain, json!(null)).nonce(), "u/3");
    }

    #[test]
    fn an_empty_nonce_is_none() {
        let metadata = json!({
            "uid": "u", "generation": 3, "annotations": {labels::SIGNAL_NONCE: ""}
        });
        assert_eq!(signal(metadata, json!("")).nonce(), "u/3");
    }

    #[test]
    fn a_changed_spec_and_an_object_made_anew_have_another_nonce_each() {
        let nonce = |uid, generation| {
            signal(json!({"uid": uid, "generation": generation}), json!(null)).nonce()
        };
        assert_ne!(nonce("u", 1), nonce("u", 2));
        assert_ne!(nonce("u", 1), nonce("v", 1));
        assert_eq!(nonce("u", 1), nonce("u", 1));
        assert_eq!(signal(json!({}), json!(null)).nonce(), "/0");
    }

    #[test]
    fn three_phases_are_final_and_a_newer_word_is_kept() {
        let all = ["Pending", "Running", "Succeeded", "Failed", "Cancelled", "Sleeping"];
        let phases = all.map(|word| Phase::from(word.to_owned()));
        let ended: Vec<_> = phases.iter().filter(|phase| phase.is_final()).collect();
        assert_eq!(ended, [&Phase::Succeeded, &Phase::Failed, &Phase::Cancelled]);
        for (word, phase) in all.iter().zip(&phases) {
            assert_eq!(serde_json::to_value(phase).unwrap(), *word);
            assert_eq!(phase.to_string(), *word);
        }
        assert_eq!(phases[5], Phase::Other("Sleeping".into()));
    }

    #[test]
    fn the_timeout_is_read_as_a_duration() {
        let timeout = |text: Option<&str>| {
            TinySignalSpec { timeout: text.map(str::to_owned), ..TinySignalSpec::default() }
                .timeout()
        };
        assert_eq!(timeout(None), Ok(None));
        assert_eq!(timeout(Some("30s")), Ok(Some(Duration::from_secs(30))));
        assert_eq!(timeout(Some("soon")).unwrap_err().text, "soon");
    }
}
