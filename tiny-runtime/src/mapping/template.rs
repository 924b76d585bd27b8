//! Strings with expressions in them.

use super::diagnostic::Fault;
use super::expression::{self, Expression};
use super::path::skip_blank;

/// A string of a mapping.
#[derive(Debug, PartialEq)]
pub(super) enum Template {
    /// There is no expression in it.
    Plain,
    /// It is one expression, whose result keeps its type.
    One(Expression, String),
    /// Text and expressions.
    Mixed(Vec<Part>),
}

/// A piece of mixed text.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// With the expression as it was written.
    Expression(Expression, String),
}

/// Splits a string. The end of an expression is found by its tokens: a `}}` in a quoted text does not end it.
pub(super) fn parse(text: &str) -> Result<Template, Fault> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        let start = skip_blank(text, open + 2);
        let (expression, end) = expression::parse(text, start)?;
        let close = skip_blank(text, end);
        if !text[close..].starts_with("}}") {
            return Err(match text[close..].chars().next() {
                None => Fault::syntax(open..open + 2, "`{{` is not closed by `}}`")
                    .fix("end the expression with `}}`, or write a literal `{{` as `{{ '{{' }}`"),
                Some(_) => expression::unexpected(text, close),
            });
        }
        if open > at {
            parts.push(Part::Text(text[at..open].to_owned()));
        }
        parts.push(Part::Expression(expression, text[start..end].to_owned()));
        at = close + 2;
    }
    if at == 0 {
        return Ok(Template::Plain);
    }
    if at < text.len() {
        parts.push(Part::Text(text[at..].to_owned()));
    }
    if let [Part::Expression(..)] = parts.as_slice()
        && let Some(Part::Expression(expression, source)) = parts.pop()
    {
        return Ok(Template::One(expression, source));
    }
    Ok(Template::Mixed(parts))
}
