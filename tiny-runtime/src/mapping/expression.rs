//! The expressions between `{{` and `}}`: singular paths and literals.

use serde_json::Value;

use super::diagnostic::Fault;
use super::path::{self, Segment, skip_blank};

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// The value at a path of the message.
    Path(Vec<Segment>),
    /// A value written out.
    Literal(Value),
}

/// Reads one expression at `start`; returns it with its end. What may follow is for the caller to say.
pub(super) fn parse(text: &str, start: usize) -> Result<(Expression, usize), Fault> {
    let rest = &text[start..];
    match rest.chars().next() {
        Some('$') => {
            let (segments, end) = path::parse(text, start)?;
            Ok((Expression::Path(segments), end))
        }
        Some('\'' | '"') => {
            let (literal, end) = path::quoted(text, start)?;
            Ok((Expression::Literal(literal.into()), end))
        }
        Some('`') => json(text, start),
        Some('-' | '0'..='9') => number(text, start),
        Some(c) if c.is_alphabetic() || c == '_' || c == '@' => Err(word(text, start)),
        Some(c) => {
            let fault = Fault::syntax(
                start..start + c.len_utf8(),
                format!("an expression cannot start with `{c}`"),
            );
            Err(fault.fix("a path starts with `$`, a text with a quote"))
        }
        None => Err(Fault::syntax(start..start, "the expression is empty")
            .fix("write a path, such as `$.name`")),
    }
}

/// Reads a text that is one expression and nothing else.
pub(super) fn parse_all(text: &str) -> Result<Expression, Fault> {
    let (expression, end) = parse(text, skip_blank(text, 0))?;
    let end = skip_blank(text, end);
    if end < text.len() {
        return Err(unexpected(text, end));
    }
    Ok(expression)
}

/// The fault of what follows a complete expression.
pub(super) fn unexpected(text: &str, at: usize) -> Fault {
    let Some(c) = text[at..].chars().next() else {
        return Fault::syntax(at..at, "the expression is not closed by `}}`");
    };
    let range = at..at + c.len_utf8();
    if "+-*/%=!<>&|?(".contains(c) {
        let why = format!(
            "`{c}` would be an operator or a call, and this version has paths and literals only"
        );
        return Fault::unsupported(range, why)
            .fix("compute the value in a component before this edge");
    }
    Fault::syntax(range, format!("`{c}` is not expected after the expression"))
        .fix("end it with `}}`")
}

/// A bare word: no path, and `true` would look like a text.
fn word(text: &str, start: usize) -> Fault {
    let rest = &text[start..];
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '@';
    let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    let range = start..start + length;
    match word {
        "true" | "false" | "null" => {
            Fault::syntax(range, format!("`{word}` alone is not a value in an expression"))
                .fix(format!("write it in backticks: `` {{{{ `{word}` }}}} ``"))
        }
        _ => Fault::syntax(range, format!("`{word}` is not an expression: a path starts with `$`"))
            .fix(format!("write `$.{word}`, or `'{word}'` for the text")),
    }
}

/// `` `…` ``: any JSON; a backtick in it is written `` \` ``.
fn json(text: &str, start: usize) -> Result<(Expression, usize), Fault> {
    let mut escaped = false;
    let inner = &text[start + 1..];
    let close = inner.char_indices().find(|&(_, c)| {
        let closes = c == '`' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    let Some((length, _)) = close else {
        return Err(Fault::syntax(start..start + 1, "the JSON after a backtick is not closed")
            .fix("end it with a backtick"));
    };
    let written = inner[..length].replace("\\`", "`");
    let end = start + 1 + length + 1;
    let value = serde_json::from_str(&written).map_err(|e| {
        Fault::syntax(start..end, format!("what stands in backticks is not JSON: {e}"))
            .fix("a text in backticks needs its quotes: `\"text\"`")
    })?;
    Ok((Expression::Literal(value), end))
}

fn number(text: &str, start: usize) -> Result<(Expression, usize), Fault> {
    let rest = &text[start..];
    let mut length = rest.find(|c: char| !"+-.0123456789eE".contains(c)).unwrap_or(rest.len());
    // `1-2` is a number and an operator, not a number that is written wrong.
    let sign = rest[1..length].find(['+', '-']).map(|at| at + 1);
    if let Some(at) = sign.filter(|at| !rest[..*at].ends_with(['e', 'E'])) {
        length = at;
    }
    let end = start + length;
    let written = &text[start..end];
    let value = serde_json::from_str::<serde_json::Number>(written)
        .map_err(|_| Fault::syntax(start..end, format!("`{written}` is not a number")))?;
    Ok((Expression::Literal(value.into()), end))
}
