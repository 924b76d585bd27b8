//! Conditions of a status, as kstatus and `kubectl wait` read them.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// The summary: the object does what its spec says.
pub const READY: &str = "Ready";
/// The settings fit the component.
pub const SETTINGS_VALID: &str = "SettingsValid";
/// Every edge has a target and a mapping that fits.
pub const EDGES_VALID: &str = "EdgesValid";
/// Work on the newest spec goes on; absent when it does not.
pub const RECONCILING: &str = "Reconciling";
/// Somebody has to act before this can go on; absent when nobody has to.
pub const STALLED: &str = "Stalled";

/// What a condition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known yet.
    Unknown,
}

impl Truth {
    /// The text that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Makes a condition. `reason` is one CamelCase word and must not be empty; `generation` is the
/// `metadata.generation` that was looked at.
pub fn new(
    type_: &str,
    truth: Truth,
    reason: &str,
    message: impl Into<String>,
    generation: Option<i64>,
    now: Timestamp,
) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: truth.as_str().to_owned(),
        reason: reason.to_owned(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: Time(now),
    }
}

/// Puts `condition` in place of the one of its type, or at the end. The time of the transition
/// stays while the status stays. Returns whether anything changed: what did not is not written.
///
/// ```
/// use k8s_openapi::jiff::Timestamp;
/// use tiny_crds::condition::{self, READY, Truth};
///
/// let mut all = Vec::new();
/// let (early, late) = (Timestamp::from_second(10)?, Timestamp::from_second(20)?);
/// assert!(condition::set(&mut all, condition::new(READY, Truth::True, "Ok", "", Some(1), early)));
/// assert!(!condition::set(&mut all, condition::new(READY, Truth::True, "Ok", "", Some(1), late)));
/// assert!(condition::set(&mut all, condition::new(READY, Truth::True, "Ok", "", Some(2), late)));
/// assert_eq!(all[0].last_transition_time.0, early);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set(conditions: &mut Vec<Condition>, mut condition: Condition) -> bool {
    let Some(stored) = conditions.iter_mut().find(|stored| stored.type_ == condition.type_) else {
        conditions.push(condition);
        return true;
    };
    if stored.status == condition.status {
        condition.last_transition_time = stored.last_transition_time.clone();
    }
    let changed = *stored != condition;
    *stored = condition;
    changed
}

/// Takes the condition of this type away. Returns whether it was there.
pub fn clear(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    conditions.len() != before
}

/// The condition of this type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition of this type is there and holds.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(|condition| condition.status == Truth::True.as_str())
}

/// The CRD requires nothing but the type, so neither may the reader.
pub(crate) fn read<'de, D>(deserializer: D) -> Result<Vec<Condition>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Written {
        #[serde(rename = "type")]
        type_: String,
        status: String,
        reason: String,
        message: String,
        observed_generation: Option<i64>,
        #[serde(deserialize_with = "crate::lenient::time")]
        last_transition_time: Option<Time>,
    }
    let written = Option::<Vec<Written>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(written
        .into_iter()
        .map(|written| Condition {
            type_: written.type_,
            status: written.status,
            reason: written.reason,
            message: written.message,
            observed_generation: written.observed_generation,
            last_transition_time: written
                .last_transition_time
                .unwrap_or(Time(Timestamp::UNIX_EPOCH)),
        })
        .collect())
}

pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What holds for the object, one entry for each type.",
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": { "type": "string", "description": "What this is about, such as Ready." },
                "status": { "type": "string", "description": "True, False or Unknown." },
                "reason": { "type": "string", "description": "Why, as one word for programs." },
                "message": { "type": "string", "description": "Why, in a sentence for people." },
                "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "description": "The metadata.generation that this is about."
                },
                "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When the status last changed."
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ready(truth: Truth, second: i64) -> Condition {
        new(READY, truth, "Because", "of this", Some(1), at(second))
    }

    #[test]
    fn the_time_of_the_transition_stays_while_the_status_stays() {
        let mut all = Vec::new();
        assert!(set(&mut all, ready(Truth::False, 10)));
        let other_reason = Condition { reason: "Other".into(), ..ready(Truth::False, 20) };
        assert!(set(&mut all, other_reason));
        assert_eq!((all[0].reason.as_str(), all[0].last_transition_time.0), ("Other", at(10)));
        assert!(set(&mut all, ready(Truth::True, 30)));
        assert_eq!(all[0].last_transition_time.0, at(30));
    }

    #[test]
    fn what_says_nothing_new_changes_nothing() {
        let mut all = vec![ready(Truth::Unknown, 10)];
        let before = all.clone();
        assert!(!set(&mut all, ready(Truth::Unknown, 20)));
        assert_eq!(all, before);
    }

    #[test]
    fn each_type_is_there_once_and_in_its_place() {
        let mut all = Vec::new();
        for type_ in [READY, SETTINGS_VALID, EDGES_VALID, READY] {
            set(&mut all, Condition { type_: type_.into(), ..ready(Truth::True, 10) });
        }
        let types: Vec<_> = all.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!(types, [READY, SETTINGS_VALID, EDGES_VALID]);
    }

    #[test]
    fn clearing_takes_away_one_type_and_says_whether_it_was_there() {
        let mut all = vec![ready(Truth::True, 10)];
        assert!(!clear(&mut all, STALLED));
        assert!(clear(&mut all, READY));
        assert!(!clear(&mut all, READY));
        assert!(all.is_empty());
    }

    #[test]
    fn only_what_is_true_holds() {
        assert!(is_true(&[ready(true.into(), 10)], READY));
        assert!(!is_true(&[ready(false.into(), 10)], READY));
        assert!(!is_true(&[ready(Truth::Unknown, 10)], READY));
        assert!(!is_true(&[], READY));
        assert_eq!(find(&[ready(Truth::True, 10)], RECONCILING), None);
    }

    #[test]
    fn a_condition_of_its_type_alone_can_be_read() {
        let odd = json!([
            {"type": "Ready"},
            {"type": "Odd", "status": "True", "lastTransitionTime": "yesterday", "more": 1},
        ]);
        let all = read(odd).unwrap();
        assert_eq!((all[0].type_.as_str(), all[0].status.as_str()), ("Ready", ""));
        assert_eq!(all[1].last_transition_time.0, Timestamp::UNIX_EPOCH);
        assert!(is_true(&all, "Odd") && !is_true(&all, READY));
        assert_eq!(read(json!(null)).unwrap(), []);
    }
}
