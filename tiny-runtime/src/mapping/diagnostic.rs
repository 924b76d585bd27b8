//! What is wrong with a mapping.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde_json::Value;

/// One fault of a mapping: where it is, why, and what to do. As JSON it is for programs.
///
/// ```
/// use serde_json::json;
/// use tiny_runtime::mapping::Mapping;
///
/// let mapping = json!({"name": "{{ uper($.name) }}"});
/// let faults = Mapping::compile(&mapping).unwrap_err();
/// assert_eq!(
///     faults[0].rendered(&mapping),
///     "error: at `/name`: there is no function `uper` (did you mean `upper`?)\n  \
///      | {{ uper($.name) }}\n  \
///      |    ^^^^\n  \
///      = docs/mappings.md lists them\n"
/// );
/// assert_eq!(serde_json::to_value(&faults[0]).unwrap()["code"], "syntax");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// An expression does not parse.
    Syntax,
    /// An expression uses what the language of this version does not have.
    Unsupported,
    /// The mapping is larger or deeper than the bounds.
    Limit,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The mapping cannot be used.
    Error,
}

impl Diagnostic {
    /// For a terminal: the sentence, the line of the text in `mapping` with a caret under what is wrong, and what to do.
    pub fn rendered(&self, mapping: &Value) -> String {
        let text = mapping.pointer(&self.pointer).and_then(Value::as_str).unwrap_or_default();
        let place = match self.pointer.as_str() {
            "" => String::new(),
            pointer => format!("at `{pointer}`: "),
        };
        let mut rendered = format!("error: {place}{}\n", self.why);
        if !text.is_empty() && self.range.end > 0 {
            let start = self.range.start.min(text.len());
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let line = text[line_start..].lines().next().unwrap_or_default();
            let before = text[line_start..start].chars().count();
            let end = self.range.end.clamp(start, line_start + line.len());
            let width = text.get(start..end).map_or(0, |marked| marked.chars().count()).max(1);
            // Of a long line, what is around the fault.
            let from = before.saturating_sub(60);
            let shown: String = line.chars().skip(from).take(120).collect();
            let carets = "^".repeat(width.min(120));
            rendered += &format!("  | {shown}\n  | {}{carets}\n", " ".repeat(before - from));
        }
        if !self.fix.is_empty() {
            rendered += &format!("  = {}\n", self.fix);
        }
        rendered
    }
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

    /// The same in a text in which this one begins at `start`.
    pub(super) fn shifted(mut self, start: usize) -> Self {
        self.range = self.range.start + start..self.range.end + start;
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
