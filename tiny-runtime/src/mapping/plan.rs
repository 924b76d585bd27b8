//! A compiled mapping: the shape of the result, and the paths that feed it.

use std::collections::HashMap;

use serde_json::Value;

use super::diagnostic::{Code, Diagnostic, Fault};
use super::expression::{self, Expression};
use super::path::Segment;
use super::template::{self, Part, Template};

/// The largest mapping, in bytes of JSON.
const SIZE: usize = 64 * 1024;
/// The deepest mapping.
const DEPTH: usize = 64;

/// The shape of the result and the paths that feed it.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) root: Node,
    /// The paths as a tree, for the walk through a message.
    pub(super) wanted: Wanted,
    /// How many nodes read each slot.
    pub(super) uses: Vec<u32>,
}

/// A part of the result.
#[derive(Clone)]
pub(super) enum Node {
    Literal(Value),
    Slot(Source),
    Text(Vec<Piece>),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

/// A slot, and the expression that fills it.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) slot: usize,
    /// As it was written, for errors.
    pub(super) text: String,
}

/// A piece of a text.
#[derive(Clone)]
pub(super) enum Piece {
    Text(String),
    Slot(Source),
}

/// What a walk through a message looks for, from here on.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// The slot that takes the value here.
    pub(super) slot: Option<usize>,
    pub(super) keys: Vec<(String, Wanted)>,
    pub(super) indices: Vec<(i64, Wanted)>,
}

impl Wanted {
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, wanted)| wanted)
    }

    fn child(&mut self, segment: &Segment) -> &mut Self {
        match segment {
            Segment::Key(key) => entry(&mut self.keys, key),
            Segment::Index(index) => entry(&mut self.indices, index),
        }
    }
}

fn entry<'a, K: PartialEq + Clone>(entries: &'a mut Vec<(K, Wanted)>, key: &K) -> &'a mut Wanted {
    let found = entries.iter().position(|(name, _)| name == key);
    let index = found.unwrap_or_else(|| {
        entries.push((key.clone(), Wanted::default()));
        entries.len() - 1
    });
    &mut entries[index].1
}

impl Plan {
    pub(super) fn compile(mapping: &Value) -> Result<Self, Vec<Diagnostic>> {
        let size = mapping.to_string().len();
        if size > SIZE {
            return Err(vec![limit("", format!("the mapping has {size} bytes, more than {SIZE}"))]);
        }
        let mut compiler = Compiler::default();
        let root = compiler.node(mapping, "", 0);
        if !compiler.faults.is_empty() {
            return Err(compiler.faults);
        }
        Ok(Self { root, wanted: compiler.wanted, uses: compiler.uses })
    }

    /// How many paths it reads.
    pub(super) fn paths(&self) -> usize {
        self.uses.len()
    }
}

fn limit(pointer: &str, why: String) -> Diagnostic {
    let fix = "split it, or shape the data in a component".to_owned();
    Fault { code: Code::Limit, range: 0..0, why, fix }.at(pointer)
}

#[derive(Default)]
struct Compiler {
    wanted: Wanted,
    slots: HashMap<Vec<Segment>, usize>,
    uses: Vec<u32>,
    faults: Vec<Diagnostic>,
}

impl Compiler {
    fn node(&mut self, value: &Value, pointer: &str, depth: usize) -> Node {
        if depth > DEPTH {
            // One sentence for the whole branch.
            self.faults.push(limit(pointer, format!("the mapping is nested deeper than {DEPTH}")));
            return Node::Literal(Value::Null);
        }
        match value {
            Value::String(text) => self.string(text, pointer),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let node = |(index, item): (usize, &Value)| {
                    self.node(item, &format!("{pointer}/{index}"), depth + 1)
                };
                folded_list(items.map(node).collect())
            }
            Value::Object(map) => match older_form(map) {
                Some(Older::Expression(text)) => {
                    self.expression_alone(text, &format!("{pointer}/expression"))
                }
                Some(Older::Value(value)) => {
                    self.node(value, &format!("{pointer}/value"), depth + 1)
                }
                None => {
                    let field = |(key, value): (&String, &Value)| {
                        let step = key.replace('~', "~0").replace('/', "~1");
                        (key.clone(), self.node(value, &format!("{pointer}/{step}"), depth + 1))
                    };
                    folded_object(map.iter().map(field).collect())
                }
            },
            literal => Node::Literal(literal.clone()),
        }
    }

    fn string(&mut self, text: &str, pointer: &str) -> Node {
        match template::parse(text) {
            Ok(Template::Plain) => Node::Literal(text.into()),
            Ok(Template::One(expression, source)) => self.expression(expression, source),
            Ok(Template::Mixed(parts)) => {
                Node::Text(parts.into_iter().map(|part| self.piece(part, pointer)).collect())
            }
            Err(fault) => self.fault(fault, pointer),
        }
    }

    /// The older form holds the expression without braces.
    fn expression_alone(&mut self, text: &str, pointer: &str) -> Node {
        match expression::parse_all(text) {
            Ok(expression) => self.expression(expression, text.trim().to_owned()),
            Err(fault) => self.fault(fault, pointer),
        }
    }

    fn fault(&mut self, fault: Fault, pointer: &str) -> Node {
        self.faults.push(fault.at(pointer));
        Node::Literal(Value::Null)
    }

    fn expression(&mut self, expression: Expression, text: String) -> Node {
        match expression {
            Expression::Literal(value) => Node::Literal(value),
            Expression::Path(path) => Node::Slot(Source { slot: self.slot(path), text }),
        }
    }

    fn piece(&mut self, part: Part, pointer: &str) -> Piece {
        match part {
            Part::Text(text) => Piece::Text(text),
            Part::Expression(Expression::Path(path), text) => {
                Piece::Slot(Source { slot: self.slot(path), text })
            }
            Part::Expression(Expression::Literal(value), source) => {
                let shown = super::text::shown(&value).unwrap_or_else(|| {
                    let why = format!("`{{{{ {source} }}}}` is null, and it stands in text");
                    self.fault(Fault::syntax(0..0, why), pointer);
                    String::new()
                });
                Piece::Text(shown)
            }
        }
    }

    fn slot(&mut self, path: Vec<Segment>) -> usize {
        if let Some(&slot) = self.slots.get(&path) {
            self.uses[slot] += 1;
            return slot;
        }
        let slot = self.uses.len();
        let end = path.iter().fold(&mut self.wanted, |wanted, segment| wanted.child(segment));
        end.slot = Some(slot);
        self.uses.push(1);
        self.slots.insert(path, slot);
        slot
    }
}

enum Older<'a> {
    Expression(&'a str),
    Value(&'a Value),
}

/// The form of older flows: an object of exactly two keys, one of which is `expression`. Without an expression its `value`
/// counts, and without that null.
fn older_form(map: &serde_json::Map<String, Value>) -> Option<Older<'_>> {
    let expression = map.get("expression").filter(|_| map.len() == 2)?;
    match expression.as_str() {
        Some(text) if !text.is_empty() => Some(Older::Expression(text)),
        _ => Some(Older::Value(map.get("value").unwrap_or(&Value::Null))),
    }
}

/// A list of literals is a literal.
fn folded_list(nodes: Vec<Node>) -> Node {
    let literal =
        |node: &Node| if let Node::Literal(value) = node { Some(value.clone()) } else { None };
    match nodes.iter().map(literal).collect::<Option<Vec<_>>>() {
        Some(values) => Node::Literal(values.into()),
        None => Node::List(nodes),
    }
}

/// An object of literals is a literal.
fn folded_object(nodes: Vec<(String, Node)>) -> Node {
    let literal = |(key, node): &(String, Node)| {
        if let Node::Literal(value) = node { Some((key.clone(), value.clone())) } else { None }
    };
    match nodes.iter().map(literal).collect::<Option<serde_json::Map<_, _>>>() {
        Some(map) => Node::Literal(map.into()),
        None => Node::Object(nodes),
    }
}
