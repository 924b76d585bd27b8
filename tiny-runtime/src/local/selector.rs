//! Label and field selectors of lists, watches and collection deletes.

use super::failure::{Failure, quoted};
use super::index::{Key, Stored};
use super::kinds::{EVENT, Kind};

/// Which objects are meant.
#[derive(Debug, Default)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldIs>,
}

#[derive(Debug)]
struct Requirement {
    label: String,
    rule: Rule,
}

#[derive(Debug, PartialEq, Eq)]
enum Rule {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
}

#[derive(Debug)]
struct FieldIs {
    field: Vec<String>,
    value: String,
    equal: bool,
}

/// Fields of events that can be selected by.
const EVENT_FIELDS: [&str; 12] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "reportingController",
    "source",
    "type",
];

impl Selector {
    /// Reads `labelSelector` and `fieldSelector` as the query has them.
    pub(super) fn parse(labels: &str, fields: &str, kind: &Kind) -> Result<Self, Failure> {
        let labels = split(labels).into_iter().map(|term| requirement(&term));
        let labels = labels
            .collect::<Result<_, _>>()
            .map_err(|why| Failure::bad_request(format!("unable to parse requirement: {why}")))?;
        let fields = fields.split(',').filter(|term| !term.trim().is_empty());
        let fields = fields.map(|term| field(term.trim(), kind)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(super) fn matches(&self, key: &Key, stored: &Stored) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(&stored.labels))
            && self.fields.iter().all(|field| field.holds(key, stored))
    }
}

impl Requirement {
    fn holds(&self, labels: &[(String, String)]) -> bool {
        let value = labels.iter().find(|(label, _)| *label == self.label).map(|(_, value)| value);
        match (&self.rule, value) {
            (Rule::In(values), Some(value)) => values.contains(value),
            (Rule::In(_), None) | (Rule::Missing, Some(_)) | (Rule::Exists, None) => false,
            (Rule::NotIn(values), Some(value)) => !values.contains(value),
            (Rule::NotIn(_) | Rule::Missing, None) | (Rule::Exists, Some(_)) => true,
        }
    }
}

impl FieldIs {
    fn holds(&self, key: &Key, stored: &Stored) -> bool {
        let path: Vec<&str> = self.field.iter().map(String::as_str).collect();
        let is = match path.as_slice() {
            ["metadata", "name"] => key.name == self.value,
            ["metadata", "namespace"] => key.namespace == self.value,
            path => {
                let object = stored.value();
                let found = path.iter().fold(&object, |value, part| &value[*part]);
                found.as_str().unwrap_or_default() == self.value
            }
        };
        is == self.equal
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(term) = terms.last_mut() {
            term.push(letter);
        }
    }
    terms.into_iter().map(|term| term.trim().to_owned()).filter(|term| !term.is_empty()).collect()
}

fn requirement(term: &str) -> Result<Requirement, String> {
    let made = |label: &str, rule| {
        let label = label.trim();
        if label.is_empty() || label.contains(|c: char| c.is_whitespace() || "=!(),".contains(c)) {
            return Err(format!("{} is not a label", quoted(label)));
        }
        Ok(Requirement { label: label.to_owned(), rule })
    };
    if let Some(label) = term.strip_prefix('!') {
        return made(label, Rule::Missing);
    }
    if let Some((label, value)) = term.split_once("!=") {
        return made(label, Rule::NotIn(vec![value.trim().to_owned()]));
    }
    if let Some((label, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return made(label, Rule::In(vec![value.trim().to_owned()]));
    }
    let Some(open) = term.find('(') else { return made(term, Rule::Exists) };
    let Some(list) = term[open + 1..].strip_suffix(')') else {
        return Err(format!("{}: a parenthesis is missing", quoted(term)));
    };
    let values = list.split(',').map(|value| value.trim().to_owned()).collect();
    let head = term[..open].trim_end();
    if let Some(label) = head.strip_suffix(" notin") {
        return made(label, Rule::NotIn(values));
    }
    match head.strip_suffix(" in") {
        Some(label) => made(label, Rule::In(values)),
        None => Err(format!("{}: expected `in` or `notin`", quoted(term))),
    }
}

fn field(term: &str, kind: &Kind) -> Result<FieldIs, Failure> {
    let (name, value, equal) = if let Some((name, value)) = term.split_once("!=") {
        (name, value, false)
    } else if let Some((name, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (name, value, true)
    } else {
        return Err(Failure::bad_request(format!(
            "invalid selector: {}; can't understand it",
            quoted(term)
        )));
    };
    let known = match name {
        "metadata.name" => true,
        "metadata.namespace" => kind.namespaced,
        other => {
            kind.home == EVENT
                && EVENT_FIELDS.contains(&other.replace("regarding.", "involvedObject.").as_str())
        }
    };
    if !known {
        return Err(Failure::bad_request(format!("field label not supported: {name}")));
    }
    // Both forms of an event are kept in the core form.
    let kept = name.replace("regarding.", "involvedObject.");
    let kept = match kept.as_str() {
        "source" => "source.component",
        "reportingController" => "reportingComponent",
        other => other,
    };
    let field = kept.split('.').map(str::to_owned).collect();
    Ok(FieldIs { field, value: value.to_owned(), equal })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: Vec<_> =
            labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        split(selector).iter().all(|term| requirement(term).unwrap().holds(&labels))
    }

    #[test]
    fn label_selectors_read_as_kubectl_writes_them() {
        let labels = [("a", "1"), ("b", "2"), ("tinysystems.io/x", "")];
        assert!(holds("", &labels));
        assert!(holds("a=1,b==2", &labels));
        assert!(holds("a in (0, 1),!c,b", &labels));
        assert!(holds("a notin (3),c notin (1),c!=5", &labels));
        assert!(holds("tinysystems.io/x=", &labels));
        assert!(!holds("c", &labels));
        assert!(!holds("!a", &labels));
        assert!(!holds("a in (2)", &labels));
        assert!(!holds("a!=1", &labels));
    }

    #[test]
    fn a_selector_that_makes_no_sense_is_refused() {
        for term in ["a in (1", "a near (1)", "=1", "a b"] {
            assert!(requirement(term).is_err(), "{term}");
        }
    }
}
