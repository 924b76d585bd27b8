//! The typed tree that both ways to write an expression become.

use serde_json::Value;

use super::functions::Function;
use super::query::Query;

/// An expression, ready to be evaluated. Paths of the message that lead to one value are slots: what reads the message fills them.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// A value written out.
    Literal(Value),
    /// The value at a path of the message; nothing where the path leads nowhere.
    Slot(usize),
    /// The value that is looked at: an element of a projection, what stands before a pipe.
    Current,
    /// A member of an object.
    Field(Box<Expr>, String),
    /// An element of a list; a negative one counts from the end.
    Index(Box<Expr>, i64),
    /// All values that a query of RFC 9535 selects, as a list.
    Query(Query),
    /// The second, looking at what the first gives.
    Then(Box<Expr>, Box<Expr>),
    /// The second for each element of the first; what gives null is left out.
    Project(Box<Expr>, Box<Expr>),
    /// The values of an object, as a list.
    Values(Box<Expr>),
    /// A list whose lists are taken apart, one level.
    Flatten(Box<Expr>),
    /// A part of a list: from, to, by.
    Slice(Box<Expr>, Option<i64>, Option<i64>, i64),
    /// The second where the first holds, else null.
    When(Box<Expr>, Box<Expr>),
    /// A list of values.
    List(Vec<Expr>),
    /// An object.
    Object(Vec<(String, Expr)>),
    Not(Box<Expr>),
    /// The first that does not hold, else the last.
    And(Logic, Box<Expr>, Box<Expr>),
    /// The first that holds, else the last.
    Or(Logic, Box<Expr>, Box<Expr>),
    Compare(Logic, Comparison, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    /// The second where the first holds, else the third.
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(&'static Function, Vec<Expr>),
    /// An expression that a function evaluates for each element.
    Deferred(Box<Expr>),
}

impl Expr {
    /// How deep it is nested.
    pub(super) fn depth(&self) -> usize {
        let of = |parts: &[&Self]| parts.iter().map(|part| part.depth()).max().unwrap_or(0);
        1 + match self {
            Self::Literal(_) | Self::Slot(_) | Self::Current | Self::Query(_) => 0,
            Self::Field(of, _)
            | Self::Index(of, _)
            | Self::Values(of)
            | Self::Flatten(of)
            | Self::Slice(of, ..)
            | Self::Not(of)
            | Self::Negate(of)
            | Self::Deferred(of) => of.depth(),
            Self::Then(one, other)
            | Self::Project(one, other)
            | Self::When(one, other)
            | Self::And(_, one, other)
            | Self::Or(_, one, other)
            | Self::Compare(_, _, one, other)
            | Self::Arithmetic(_, one, other) => of(&[one, other]),
            Self::Choose(test, one, other) => of(&[test, one, other]),
            Self::List(items) | Self::Call(_, items) => {
                items.iter().map(Self::depth).max().unwrap_or(0)
            }
            Self::Object(fields) => {
                fields.iter().map(|(_, field)| field.depth()).max().unwrap_or(0)
            }
        }
    }
}

/// Which language's rules an operator follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logic {
    /// `&&` and `||` give true or false, and comparisons are those of RFC 9535.
    Dollar,
    /// They give an operand, and only numbers have an order.
    Jmes,
}

/// `==` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `+` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
            Self::Remainder => '%',
        }
    }
}
