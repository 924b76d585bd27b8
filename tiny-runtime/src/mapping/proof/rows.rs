//! The verdict of a mapping, field by field.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::super::plan::{Node, Piece, Plan, Source};
use super::super::tree::{Expr, Logic};
use super::super::{Mapping, stack};
use super::document;
use super::fit::{self, Cause, Fit, Misfit, Place};
use super::infer::{Fault, Infer};
use super::shape::{Field, Form, List, Object, Possible, Rest, Shape};
use super::way::Way;
use super::witness;
use crate::words;

/// Bytes of an expression or value in a sentence.
const SHOWN: usize = 200;

/// What is known of a mapping before it runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// One row for each field of the target that is fed or must be.
    pub rows: Vec<Row>,
    /// What is allowed, and rarely meant.
    pub warnings: Vec<String>,
}

/// One field of the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The way to it, as `items[0].name`; empty for the message itself.
    pub field: String,
    /// What feeds it, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What that gives.
    pub given: String,
    /// What the target takes.
    pub wanted: String,
    /// Whether it fits.
    pub verdict: Verdict,
}

/// Whether a field gets what it takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum Verdict {
    /// Always.
    Proved,
    /// Not for `witness`, which is a message of the source.
    Refuted {
        /// One sentence.
        why: String,
        /// A message that fails.
        witness: Value,
    },
    /// Perhaps.
    Unknown {
        /// One sentence.
        why: String,
    },
}

impl Proof {
    /// True when every message of the source becomes one of the target.
    pub fn is_proved(&self) -> bool {
        self.rows.iter().all(|row| row.verdict == Verdict::Proved)
    }

    /// The sentences of what is refuted.
    pub fn refuted(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(|row| match &row.verdict {
            Verdict::Refuted { why, .. } => Some(&**why),
            _ => None,
        })
    }

    /// The sentences of what nobody can know.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(|row| match &row.verdict {
            Verdict::Unknown { why } => Some(&**why),
            _ => None,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proved => "proved",
            Self::Refuted { .. } => "refuted",
            Self::Unknown { .. } => "unknown",
        })
    }
}

impl Mapping {
    /// Whether each message of `source` becomes one of `target`. Nothing is run, and no data is invented for the verdict: only what is
    /// refuted has a message that shows it, which was tried.
    ///
    /// ```
    /// use serde_json::json;
    /// use tiny_runtime::mapping::{Mapping, Shape};
    ///
    /// let source = Shape::of(&json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}));
    /// let target = Shape::of(&json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}));
    /// let proof = Mapping::compile(&json!({"text": "{{ $.name }}"})).unwrap().proof(&source, &target);
    /// assert!(proof.is_proved());
    /// let proof = Mapping::compile(&json!({"text": "{{ $.nmae }}"})).unwrap().proof(&source, &target);
    /// assert_eq!(
    ///     proof.refuted().collect::<Vec<_>>(),
    ///     ["`text`: `{{ $.nmae }}` leads nowhere: it has no `nmae` (did you mean `name`?), only `name`; and the field is required"]
    /// );
    /// ```
    pub fn proof(&self, source: &Shape, target: &Shape) -> Proof {
        within(|| Walk::of(&self.0, source).proof(target))
    }

    /// The same, at one place of what it makes.
    pub fn result_at(&self, source: &Shape, way: &Way) -> Shape {
        within(|| Infer::of(&self.0, source).at(&self.0.root, &way.0))
    }

    /// What the mapping makes of messages of `source`.
    pub fn result(&self, source: &Shape) -> Shape {
        within(|| Infer::of(&self.0, source).node(&self.0.root))
    }
}

/// Calls `work`, while which each definition of a schema is read once on this thread, for however many proofs.
pub fn together<T>(work: impl FnOnce() -> T) -> T {
    document::remembering(work)
}

/// Shapes may be as deep as mappings.
fn within<T>(work: impl FnOnce() -> T) -> T {
    stack::with_room(|| document::remembering(work))
}

/// The proof of an edge without a mapping: the message itself.
pub fn identity(source: &Shape, target: &Shape) -> Proof {
    within(|| unmapped(source, target))
}

fn unmapped(source: &Shape, target: &Shape) -> Proof {
    let (given, wanted) = (source.to_string(), target.to_string());
    let verdict = match fit::fit(source, target, Place::Top) {
        Fit::Fits => Verdict::Proved,
        Fit::Doubtful(it) => Verdict::Unknown { why: sentence("", None, &it) },
        Fit::Misfit(it) => match witness::of_itself(source, target, &it) {
            Some(witness) => Verdict::Refuted { why: sentence("", None, &it), witness },
            None => Verdict::Unknown { why: sentence("", None, &it) },
        },
    };
    let row = Row { field: String::new(), expression: None, given, wanted, verdict };
    Proof { rows: vec![row], warnings: dropped(source, target) }
}

/// Fields that an edge without a mapping carries, and its target does not take.
fn dropped(source: &Shape, target: &Shape) -> Vec<String> {
    let (Some(source), Some(target)) = (only_object(source), only_object(target)) else {
        return Vec::new();
    };
    if target.rest != Rest::Ignored {
        return Vec::new();
    }
    let lost = source.fields.iter().filter(|(key, _)| target.field(key).is_none());
    lost.map(|(key, _)| format!("`{key}` is sent, and the target has no such field")).collect()
}

/// The object that a shape is, where it can be nothing else but null.
fn only_object(shape: &Shape) -> Option<Object> {
    let mut found = None;
    for it in shape.forms() {
        match it.form {
            Form::Null => {}
            Form::Object(object) if found.is_none() => found = Some((*object).clone()),
            _ => return None,
        }
    }
    found
}

fn only_list(shape: &Shape) -> Option<List> {
    let mut found = None;
    for it in shape.forms() {
        match it.form {
            Form::Null => {}
            Form::List(list) if found.is_none() => found = Some((*list).clone()),
            _ => return None,
        }
    }
    found
}

struct Walk<'a> {
    plan: &'a Plan,
    source: &'a Shape,
    infer: Infer<'a>,
    rows: Vec<Row>,
    warnings: Vec<String>,
}

impl<'a> Walk<'a> {
    fn of(plan: &'a Plan, source: &'a Shape) -> Self {
        let infer = Infer::of(plan, source);
        Self { plan, source, infer, rows: Vec::new(), warnings: Vec::new() }
    }

    fn proof(mut self, target: &Shape) -> Proof {
        self.node(&self.plan.root, target, Place::Top, "");
        Proof { rows: self.rows, warnings: self.warnings }
    }

    fn node(&mut self, node: &Node, wanted: &Shape, place: Place, at: &str) {
        match node {
            Node::Object(fields) => {
                if let Some(object) = only_object(wanted) {
                    return self.object(fields, &object, at);
                }
            }
            Node::Literal(Value::Object(map)) => {
                if let Some(object) = only_object(wanted) {
                    let literal = |(key, value): (&String, &Value)| {
                        (key.clone(), Node::Literal(value.clone()))
                    };
                    return self.object(&map.iter().map(literal).collect::<Vec<_>>(), &object, at);
                }
            }
            Node::List(items) => {
                if let Some(list) = only_list(wanted) {
                    return self.list(items, &list, at);
                }
            }
            Node::Literal(_) | Node::Slot(_) | Node::Text(_) => {}
        }
        // Where anything is taken, each part is looked at by itself: only an expression can be wrong.
        let takes_any = matches!(&*wanted.forms(), [Possible { form: Form::Any, .. }]);
        match node {
            Node::Object(fields) if takes_any => {
                for (key, node) in fields {
                    self.node(node, wanted, Place::Optional, &step(at, key));
                }
            }
            Node::List(items) if takes_any => {
                for (index, node) in items.iter().enumerate() {
                    self.node(node, wanted, Place::Element, &format!("{at}[{index}]"));
                }
            }
            node => self.leaf(node, wanted, place, at),
        }
    }

    fn object(&mut self, fields: &[(String, Node)], wanted: &Object, at: &str) {
        for (key, node) in fields {
            let below = step(at, key);
            match (wanted.field(key), &wanted.rest) {
                (Some(field), _) => {
                    let place = if field.required { Place::Required } else { Place::Optional };
                    self.node(node, &field.shape, place, &below);
                }
                (None, Rest::Keys(values)) => self.node(node, values, Place::Optional, &below),
                (None, Rest::Ignored) => {
                    let own = wanted
                        .name
                        .as_ref()
                        .map_or_else(|| "the target".to_owned(), |name| format!("`{name}`"));
                    let names = || wanted.fields.iter().map(|(name, _)| &**name);
                    let near = words::did_you_mean(key, names());
                    self.warnings.push(format!(
                        "`{below}`: {own} has no such field{near}, so nobody reads it"
                    ));
                    self.unread(node, &below);
                }
                (None, Rest::Denied | Rest::Like(..)) => {
                    // One object says it better than the rest of a list.
                    self.infer.faults();
                    let field = Field::there(self.infer.node(node));
                    let given = Shape::from(Form::object(vec![(key.as_str().into(), field)]));
                    let narrow = Object { fields: Vec::new(), ..wanted.clone() };
                    let wanted = Shape::from(Form::Object(narrow.into()));
                    let fit = self.and_faults(fit::fit(&given, &wanted, Place::Optional));
                    let whole = Node::Object(vec![(key.clone(), node.clone())]);
                    self.row(&whole, &given, &wanted, Place::Optional, at, fit);
                }
            }
        }
        for (key, field) in &wanted.fields {
            if field.required && !fields.iter().any(|(own, _)| **own == **key) {
                let strange =
                    fields.iter().map(|(own, _)| &**own).filter(|own| wanted.field(own).is_none());
                let near = words::did_you_mean(key, strange);
                let why = format!("is required, and nothing feeds it{near}");
                let misfit = Misfit { cause: Cause::Type, at: String::new(), why };
                let place = step(at, key);
                let why = sentence(&place, None, &misfit);
                let verdict = match witness::any(self.source) {
                    Some(witness) => Verdict::Refuted { why, witness },
                    None => Verdict::Unknown { why },
                };
                let wanted = field.shape.to_string();
                self.rows.push(Row {
                    field: place,
                    expression: None,
                    given: "nothing".into(),
                    wanted,
                    verdict,
                });
            }
        }
    }

    fn list(&mut self, items: &[Node], wanted: &List, at: &str) {
        for (index, item) in items.iter().enumerate() {
            self.node(item, wanted.element(index), Place::Element, &format!("{at}[{index}]"));
        }
        let of = Shape::from(Form::Odd);
        let blank = super::infer::list_of(vec![of.clone(); items.len()]);
        let counted = List { first: Vec::new(), rest: Shape::any(), ..wanted.clone() };
        let counted = Shape::from(Form::List(counted.into()));
        let fit = fit::fit(&blank, &counted, Place::Optional);
        if fit != Fit::Fits {
            let given = super::infer::list_of(vec![Shape::any(); items.len()]);
            self.row(&Node::List(items.to_vec()), &given, &counted, Place::Optional, at, fit);
        }
    }

    fn leaf(&mut self, node: &Node, wanted: &Shape, place: Place, at: &str) {
        self.infer.faults();
        let given = self.infer.node(node);
        let mut fit = fit::fit(&given, wanted, place);
        let forms = given.forms();
        if let [Possible { doubt: None, .. }] = &*forms
            && let Fit::Misfit(it) | Fit::Doubtful(it) = &mut fit
            && let Some(rest) = it.why.strip_prefix("may be ")
        {
            // There is no other way; and what is written out has no advice for what gives it.
            it.why = match (node, rest.split_once("; `")) {
                (Node::Literal(_), Some((rest, _))) => format!("is {rest}"),
                (Node::Literal(_), None) => format!("is {rest}"),
                _ => format!("gives {rest}"),
            };
        }
        if let Fit::Misfit(it) = &mut fit
            && self.is_or(node)
        {
            let why = it.why.split("; `").next().unwrap_or_default();
            it.why = format!(
                "{why}: with `$`, `||` gives true or false; `coalesce` gives the first that is there"
            );
        }
        fit = self.and_faults(fit);
        if let [Possible { form: Form::Nothing(why), doubt: None }] = &*forms {
            match (&mut fit, place) {
                (Fit::Misfit(it) | Fit::Doubtful(it), _) => {
                    it.why = format!("leads nowhere: {why}; and the field is required");
                }
                (Fit::Fits, _) => {
                    let expression = shown(node).unwrap_or_default();
                    self.warnings.push(format!(
                        "`{at}`: `{expression}` leads nowhere: {why}; the field is never there"
                    ));
                }
            }
        }
        self.row(node, &given, wanted, place, at, fit);
    }

    /// Whether an expression is `… || …` of the language in which that is a truth.
    fn is_or(&self, node: &Node) -> bool {
        let Node::Slot(source) = node else { return false };
        let computed = self.plan.computed.iter().find(|it| it.slot == source.slot);
        computed.is_some_and(|it| matches!(&*it.expr, Expr::Or(Logic::Dollar, ..)))
    }

    /// With what the expressions looked at last have against it.
    fn and_faults(&self, fit: Fit) -> Fit {
        self.infer.faults().into_iter().fold(fit, |fit, Fault { why, doubt }| {
            let misfit = Misfit { cause: Cause::Expression, at: String::new(), why };
            fit.and(|| if doubt.is_some() { Fit::Doubtful(misfit) } else { Fit::Misfit(misfit) })
        })
    }

    /// A field that nobody reads: its expressions are computed all the same, and one that has no value fails the message.
    fn unread(&mut self, node: &Node, at: &str) {
        let computed =
            |source: &&Source| self.plan.computed.iter().any(|it| it.slot == source.slot);
        match node {
            Node::Literal(_) => {}
            Node::Slot(source) if computed(&source) => {
                self.leaf(node, &Shape::any(), Place::Optional, at);
            }
            Node::Slot(_) => {}
            Node::Text(pieces) => {
                let sources = pieces.iter().filter_map(|piece| match piece {
                    Piece::Slot(source) => Some(source),
                    Piece::Text(_) => None,
                });
                let sources: Vec<Source> = sources.filter(computed).cloned().collect();
                for source in sources {
                    self.leaf(&Node::Slot(source), &Shape::any(), Place::Optional, at);
                }
            }
            Node::Object(fields) => {
                for (key, node) in fields {
                    self.unread(node, &step(at, key));
                }
            }
            Node::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    self.unread(node, &format!("{at}[{index}]"));
                }
            }
        }
    }

    fn row(
        &mut self,
        node: &Node,
        given: &Shape,
        wanted: &Shape,
        place: Place,
        at: &str,
        fit: Fit,
    ) {
        let expression = shown(node);
        let told = |it: &Misfit| sentence(at, expression.as_deref(), it);
        let verdict = match &fit {
            Fit::Fits => Verdict::Proved,
            Fit::Doubtful(it) => Verdict::Unknown { why: told(it) },
            Fit::Misfit(it) => match witness::of(self.plan, node, self.source, (wanted, place), it)
            {
                Some(witness) => Verdict::Refuted { why: told(it), witness },
                None => Verdict::Unknown { why: told(it) },
            },
        };
        let (given, wanted) = (given.to_string(), wanted.to_string());
        self.rows.push(Row { field: at.to_owned(), expression, given, wanted, verdict });
    }
}

fn step(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// What feeds a field, as it was written.
fn shown(node: &Node) -> Option<String> {
    let text = match node {
        Node::Slot(Source { text, .. }) => format!("{{{{ {text} }}}}"),
        Node::Literal(value) => value.to_string(),
        Node::Text(pieces) => {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Slot(Source { text, .. }) => format!("{{{{ {text} }}}}"),
            };
            pieces.iter().map(piece).collect()
        }
        Node::Object(_) => return Some("{…}".to_owned()),
        Node::List(_) => return Some("[…]".to_owned()),
    };
    Some(words::shortened(&text, SHOWN))
}

/// Where and why, in one sentence.
fn sentence(at: &str, expression: Option<&str>, misfit: &Misfit) -> String {
    let inner = inner(&misfit.at);
    let why = &misfit.why;
    match (at, expression, &*inner) {
        ("", None, "") => format!("the message {why}"),
        ("", None, inner) => format!("`{inner}` {why}"),
        ("", Some(expression), "") => format!("`{expression}` {why}"),
        ("", Some(expression), inner) => format!("in what `{expression}` gives, `{inner}` {why}"),
        (at, None, "") => format!("`{at}` {why}"),
        (at, None, inner) => format!("`{}` {why}", step(at, inner)),
        (at, Some(expression), "") => format!("`{at}`: `{expression}` {why}"),
        (at, Some(expression), inner) => {
            format!("`{at}`: in what `{expression}` gives, `{inner}` {why}")
        }
    }
}

/// A JSON pointer as people write it: `items[0].name`.
fn inner(pointer: &str) -> String {
    let mut way = String::new();
    for step in pointer.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        match name.parse::<usize>() {
            Ok(index) => way += &format!("[{index}]"),
            Err(_) if way.is_empty() => way = name,
            Err(_) => way += &format!(".{name}"),
        }
    }
    way
}
