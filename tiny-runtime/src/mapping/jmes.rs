//! The expressions without `$`: JMESPath, parsed by its crate and turned into our tree.

use jmespath::ast::{Ast, Comparator};
use serde_json::Value;

use super::diagnostic::{Code, Fault};
use super::dollar::{DEPTH, counted, known};
use super::outside::Outside;
use super::path::{self, Segment};
use super::paths::Paths;
use super::tree::{Comparison, Expr, Logic};
use crate::words;

/// The most brackets, operators and dots of one expression: its parser and ours go down once for some of them.
const PARTS: usize = 512;
/// The most of those for which the parser goes down each time.
const DEEP: usize = 128;

/// Reads a whole text as one JMESPath expression. A bare `true`, `false` or `null`, which means a field there, is `strict`ly refused.
pub(super) fn expression(text: &str, strict: bool, paths: &mut Paths) -> Result<Expr, Fault> {
    bounded(text)?;
    let ast = jmespath::parse(text).map_err(|e| {
        let at = e.offset.min(text.len());
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        let reason = e.reason.to_string();
        let reason = reason.trim_start_matches("Parse error: ").trim_end_matches('.');
        let reason = words::shortened(reason, 100);
        Fault::syntax(at..at + width, format!("this is no JMESPath: {reason}"))
    })?;
    let mut reader = Reader { paths, strict, text, depth: 0 };
    let part = reader.read(&ast, &Place::Path(Vec::new()))?;
    Ok(reader.finished(part))
}

/// Refuses what could go deeper than a stack is.
fn bounded(text: &str) -> Result<(), Fault> {
    let (mut parts, mut deep, mut nested, mut deepest) = (0, 0, 0_usize, 0);
    let mut before = ' ';
    for (_, c) in Outside::of(text) {
        let last = std::mem::replace(&mut before, c);
        match c {
            // One with its bracket.
            '*' if last == '[' => {}
            '[' | '(' | '{' => {
                (parts, deep, nested) = (parts + 1, deep + 1, nested + 1);
                deepest = deepest.max(nested);
            }
            ']' | ')' | '}' => nested = nested.saturating_sub(1),
            '!' => {
                (parts, nested) = (parts + 1, nested + usize::from(last == '!'));
                deepest = deepest.max(nested);
            }
            '&' | '*' => (parts, deep) = (parts + 1, deep + 1),
            '.' | '|' | '<' | '>' | '=' | ',' => parts += 1,
            _ => {}
        }
    }
    let why = match (deepest > DEPTH, parts > PARTS || deep > DEEP) {
        (true, _) => format!("the expression is nested deeper than {DEPTH}"),
        (_, true) => format!(
            "the expression has more than {PARTS} parts, or more than {DEEP} brackets and the like"
        ),
        _ => return Ok(()),
    };
    let fix = "split it, or shape the data in a component".to_owned();
    Err(Fault { code: Code::Limit, range: 0..text.len(), why, fix })
}

/// What is looked at.
#[derive(Clone)]
enum Place {
    /// The value at a path of the message.
    Path(Vec<Segment>),
    /// Something else.
    Elsewhere,
}

/// What was read: a path that may go on, or a tree.
enum Part {
    Path(Vec<Segment>),
    Tree(Expr),
}

struct Reader<'a> {
    paths: &'a mut Paths,
    strict: bool,
    text: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn finished(&mut self, part: Part) -> Expr {
        match part {
            Part::Path(path) => Expr::Slot(self.paths.slot(path)),
            Part::Tree(expr) => expr,
        }
    }

    fn tree(&mut self, ast: &Ast, place: &Place) -> Result<Expr, Fault> {
        let part = self.read(ast, place)?;
        Ok(self.finished(part))
    }

    fn boxed(&mut self, ast: &Ast, place: &Place) -> Result<Box<Expr>, Fault> {
        self.tree(ast, place).map(Box::new)
    }

    fn read(&mut self, ast: &Ast, place: &Place) -> Result<Part, Fault> {
        if self.depth >= 4 * DEPTH {
            let why = format!("the expression is nested deeper than {}", 4 * DEPTH);
            let fix = "split it, or shape the data in a component".to_owned();
            return Err(Fault { code: Code::Limit, range: 0..self.text.len(), why, fix });
        }
        self.depth += 1;
        let part = self.read_one(ast, place);
        self.depth -= 1;
        part
    }

    fn read_one(&mut self, ast: &Ast, place: &Place) -> Result<Part, Fault> {
        Ok(Part::Tree(match ast {
            Ast::Identity { .. } => match place {
                Place::Path(path) => return Ok(Part::Path(path.clone())),
                Place::Elsewhere => Expr::Current,
            },
            Ast::Field { name, offset } => match place {
                Place::Path(path) => {
                    self.refuse_word(name, *offset, path)?;
                    return self.longer(path, Segment::Key(name.clone()));
                }
                Place::Elsewhere => Expr::Field(Box::new(Expr::Current), name.clone()),
            },
            Ast::Index { idx, .. } => match place {
                Place::Path(path) => return self.longer(path, Segment::Index((*idx).into())),
                Place::Elsewhere => Expr::Index(Box::new(Expr::Current), (*idx).into()),
            },
            Ast::Subexpr { lhs, rhs, .. } => match self.read(lhs, place)? {
                Part::Path(path) if goes_on(rhs) => return self.read(rhs, &Place::Path(path)),
                part => {
                    let first = self.finished(part);
                    Expr::Then(Box::new(first), self.boxed(rhs, &Place::Elsewhere)?)
                }
            },
            Ast::Projection { lhs, rhs, .. } => {
                let list = self.boxed(lhs, place)?;
                match &**rhs {
                    Ast::Identity { .. } => Expr::Project(list, Box::new(Expr::Current)),
                    rhs => Expr::Project(list, self.boxed(rhs, &Place::Elsewhere)?),
                }
            }
            Ast::Condition { predicate, then, .. } => {
                Expr::When(self.boxed(predicate, place)?, self.boxed(then, place)?)
            }
            Ast::ObjectValues { node, .. } => Expr::Values(self.boxed(node, place)?),
            Ast::Flatten { node, .. } => Expr::Flatten(self.boxed(node, place)?),
            Ast::Slice { step: 0, offset, .. } => {
                let fault = Fault::syntax(self.range(*offset, 1), "a slice cannot go on by 0");
                return Err(fault.fix("leave the step out, or write 1"));
            }
            Ast::Slice { start, stop, step, .. } => {
                let here = self.here(place);
                let wide = |at: &Option<i32>| at.map(i64::from);
                Expr::Slice(Box::new(here), wide(start), wide(stop), (*step).into())
            }
            Ast::MultiList { elements, .. } => {
                let items = elements.iter().map(|element| self.tree(element, place));
                let list = Expr::List(items.collect::<Result<_, _>>()?);
                self.unless_null(place, list)
            }
            Ast::MultiHash { elements, .. } => {
                let fields = elements
                    .iter()
                    .map(|pair| Ok((pair.key.clone(), self.tree(&pair.value, place)?)));
                let object = Expr::Object(fields.collect::<Result<_, Fault>>()?);
                self.unless_null(place, object)
            }
            Ast::Not { node, .. } => Expr::Not(self.boxed(node, place)?),
            Ast::And { lhs, rhs, .. } => {
                Expr::And(Logic::Jmes, self.boxed(lhs, place)?, self.boxed(rhs, place)?)
            }
            Ast::Or { lhs, rhs, .. } => {
                Expr::Or(Logic::Jmes, self.boxed(lhs, place)?, self.boxed(rhs, place)?)
            }
            Ast::Comparison { comparator, lhs, rhs, .. } => {
                let (one, other) = (self.boxed(lhs, place)?, self.boxed(rhs, place)?);
                Expr::Compare(Logic::Jmes, comparison(comparator), one, other)
            }
            Ast::Literal { value, .. } => {
                Expr::Literal(serde_json::to_value(&**value).unwrap_or(Value::Null))
            }
            Ast::Function { name, args, offset } => {
                let range = self.range(*offset, name.len());
                let function = known(name, range.clone())?;
                counted(function, args.len(), range)?;
                let args = args.iter().map(|arg| self.tree(arg, place));
                Expr::Call(function, args.collect::<Result<_, _>>()?)
            }
            Ast::Expref { ast, .. } => Expr::Deferred(self.boxed(ast, &Place::Elsewhere)?),
        }))
    }

    fn here(&mut self, place: &Place) -> Expr {
        match place {
            Place::Path(path) => Expr::Slot(self.paths.slot(path.clone())),
            Place::Elsewhere => Expr::Current,
        }
    }

    /// What a list or an object of expressions is made of gives null where null is looked at. The message itself never is.
    fn unless_null(&mut self, place: &Place, made: Expr) -> Expr {
        match place {
            Place::Path(path) if path.is_empty() => made,
            place => {
                let here = self.here(place);
                let null = Box::new(Expr::Literal(Value::Null));
                let is_null =
                    Expr::Compare(Logic::Jmes, Comparison::Equal, Box::new(here), null.clone());
                Expr::Choose(Box::new(is_null), null, Box::new(made))
            }
        }
    }

    fn longer(&self, path: &[Segment], step: Segment) -> Result<Part, Fault> {
        if path.len() >= path::LONGEST {
            let why = format!("the path has more than {} steps", path::LONGEST);
            return Err(Fault {
                code: Code::Limit,
                range: 0..self.text.len(),
                why,
                fix: String::new(),
            });
        }
        Ok(Part::Path(path.iter().cloned().chain([step]).collect()))
    }

    fn refuse_word(&self, name: &str, offset: usize, path: &[Segment]) -> Result<(), Fault> {
        if !self.strict || !path.is_empty() || !["true", "false", "null"].contains(&name) {
            return Ok(());
        }
        let range = self.range(offset, name.len());
        if self.text.get(range.clone()) != Some(name) {
            return Ok(());
        }
        let why = format!(
            "`{name}` alone is not a value in an expression: it would be a field called so"
        );
        Err(Fault::syntax(range, why).fix(format!("write it in backticks: `` `{name}` ``")))
    }

    fn range(&self, offset: usize, length: usize) -> std::ops::Range<usize> {
        let start =
            (0..=offset.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let start = start.unwrap_or(0);
        let end = (start + length).min(self.text.len());
        let end = (end..=self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(end);
        start..end
    }
}

/// Whether what comes after a path is the rest of one, or can start from one.
fn goes_on(ast: &Ast) -> bool {
    match ast {
        Ast::Field { .. } | Ast::Index { .. } | Ast::Identity { .. } | Ast::Slice { .. } => true,
        Ast::Subexpr { lhs, .. } => goes_on(lhs),
        Ast::Projection { lhs, .. } => goes_on(lhs),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => goes_on(node),
        _ => false,
    }
}

fn comparison(comparator: &Comparator) -> Comparison {
    match comparator {
        Comparator::Equal => Comparison::Equal,
        Comparator::NotEqual => Comparison::Unequal,
        Comparator::LessThan => Comparison::Less,
        Comparator::LessThanEqual => Comparison::LessOrEqual,
        Comparator::GreaterThan => Comparison::Greater,
        Comparator::GreaterThanEqual => Comparison::GreaterOrEqual,
    }
}
