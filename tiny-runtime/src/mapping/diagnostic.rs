//! What is wrong with a mapping.

use std::fmt;
use std::ops::Range;

/// One fault of a mapping: where it is, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of fault it is, for programs.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// JSON pointer to the text in the mapping; empty for the mapping itself.
    pub pointer: String,
    /// The faulty part of that text, in bytes; empty when it is the whole.
    pub range: Range<usize>,
    /// Why, in words.
    pub why: String,
    /// What to do about it; empty when that goes without saying.
    pub fix: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// An expression does not parse.
    Syntax,
    /// An expression uses what the language of this version does not have.
    Unsupported,
    /// The mapping is larger or deeper than the bounds.
    Limit,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The mapping cannot be used.
    Error,
}

/// A fault within one text, before its place in the mapping is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) range: Range<usize>,
    pub(super) why: String,
    pub(super) fix: String,
}

impl Fault {
    pub(super) fn syntax(range: Range<usize>, why: impl Into<String>) -> Self {
        Self { code: Code::Syntax, range, why: why.into(), fix: String::new() }
    }

    pub(super) fn unsupported(range: Range<usize>, why: impl Into<String>) -> Self {
        Self { code: Code::Unsupported, range, why: why.into(), fix: String::new() }
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    pub(super) fn at(self, pointer: &str) -> Diagnostic {
        let Self { code, range, why, fix } = self;
        Diagnostic { code, severity: Severity::Error, pointer: pointer.to_owned(), range, why, fix }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => {}
            pointer => write!(f, "at `{pointer}`: ")?,
        }
        f.write_str(&self.why)?;
        match self.fix.as_str() {
            "" => Ok(()),
            fix => write!(f, "; {fix}"),
        }
    }
}
