//! A compiled mapping: the shape of the result, and the paths that feed it.

use std::sync::Arc;

use serde_json::Value;

use super::diagnostic::{Code, Diagnostic, Fault};
use super::expression;
use super::path::Segment;
use super::paths::{Paths, Wanted};
use super::template::{self, Part, Template};
use super::tree::Expr;

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
    /// The path of each slot; none of one that is computed.
    pub(super) paths: Vec<Option<Vec<Segment>>>,
    /// How many nodes read each slot.
    pub(super) uses: Vec<u32>,
    pub(super) computed: Vec<Computed>,
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

/// An expression that is more than a path.
#[derive(Clone)]
pub(super) struct Computed {
    pub(super) expr: Arc<Expr>,
    pub(super) depth: usize,
    /// The slot that takes what it gives.
    pub(super) slot: usize,
    /// As it was written, for errors.
    pub(super) text: String,
    /// JSON pointer to where it stands.
    pub(super) pointer: String,
}

impl Plan {
    /// The plan of one expression, written without braces.
    pub(super) fn expression(text: &str) -> Result<Self, Diagnostic> {
        let mut compiler = Compiler::default();
        let expr = expression::either(text, &mut compiler.paths).map_err(|fault| fault.at(""))?;
        let root = compiler.expression(expr, text.trim().to_owned(), "");
        Ok(compiler.finish(root))
    }

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
        Ok(compiler.finish(root))
    }
}

fn limit(pointer: &str, why: String) -> Diagnostic {
    let fix = "split it, or shape the data in a component".to_owned();
    Fault { code: Code::Limit, range: 0..0, why, fix }.at(pointer)
}

#[derive(Default)]
struct Compiler {
    paths: Paths,
    uses: Vec<u32>,
    computed: Vec<Computed>,
    faults: Vec<Diagnostic>,
}

impl Compiler {
    fn finish(self, root: Node) -> Plan {
        let Self { paths: Paths { wanted, list: paths, .. }, mut uses, computed, .. } = self;
        uses.resize(paths.len(), 0);
        Plan { root, wanted, paths, uses, computed }
    }

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
        match template::parse(text, &mut self.paths) {
            Ok(Template::Plain) => Node::Literal(text.into()),
            Ok(Template::One(expr, source)) => self.expression(expr, source, pointer),
            Ok(Template::Mixed(parts)) => {
                Node::Text(parts.into_iter().map(|part| self.piece(part, pointer)).collect())
            }
            Err(fault) => self.fault(fault, pointer),
        }
    }

    /// The older form holds the expression without braces.
    fn expression_alone(&mut self, text: &str, pointer: &str) -> Node {
        match expression::alone(text, &mut self.paths) {
            Ok(expr) => self.expression(expr, text.trim().to_owned(), pointer),
            Err(fault) => self.fault(fault, pointer),
        }
    }

    fn fault(&mut self, fault: Fault, pointer: &str) -> Node {
        self.faults.push(fault.at(pointer));
        Node::Literal(Value::Null)
    }

    fn expression(&mut self, expr: Expr, text: String, pointer: &str) -> Node {
        match expr {
            Expr::Literal(value) => Node::Literal(value),
            expr => Node::Slot(self.source(expr, text, pointer)),
        }
    }

    /// The slot that a path fills, or one that takes what an expression gives.
    fn source(&mut self, expr: Expr, text: String, pointer: &str) -> Source {
        let slot = match expr {
            Expr::Slot(slot) => slot,
            expr => {
                let slot = self.paths.extra();
                let (text, pointer) = (text.clone(), pointer.to_owned());
                let depth = expr.depth();
                let expr = Arc::new(expr);
                self.computed.push(Computed { expr, depth, slot, text, pointer });
                slot
            }
        };
        if self.uses.len() <= slot {
            self.uses.resize(slot + 1, 0);
        }
        self.uses[slot] += 1;
        Source { slot, text }
    }

    fn piece(&mut self, part: Part, pointer: &str) -> Piece {
        match part {
            Part::Text(text) => Piece::Text(text),
            Part::Expression(Expr::Literal(value), source) => {
                let shown = super::text::shown(&value).unwrap_or_else(|| {
                    let why = format!("`{{{{ {source} }}}}` is null, and it stands in text");
                    self.fault(Fault::syntax(0..0, why), pointer);
                    String::new()
                });
                Piece::Text(shown)
            }
            Part::Expression(expr, source) => Piece::Slot(self.source(expr, source, pointer)),
        }
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
