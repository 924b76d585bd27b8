//! Strings with expressions in them.

use super::diagnostic::Fault;
use super::expression;
use super::paths::Paths;
use super::tree::Expr;

/// A string of a mapping.
#[derive(Debug)]
pub(super) enum Template {
    /// There is no expression in it.
    Plain,
    /// It is one expression, whose result keeps its type.
    One(Expr, String),
    /// Text and expressions.
    Mixed(Vec<Part>),
}

/// A piece of mixed text.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    /// With the expression as it was written.
    Expression(Expr, String),
}

/// Splits a string.
pub(super) fn parse(text: &str, paths: &mut Paths) -> Result<Template, Fault> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        let (expr, close) = expression::in_braces(text, open + 2, paths)?;
        if open > at {
            parts.push(Part::Text(text[at..open].to_owned()));
        }
        parts.push(Part::Expression(expr, text[open + 2..close].trim().to_owned()));
        at = close + 2;
    }
    if at == 0 {
        return Ok(Template::Plain);
    }
    if at < text.len() {
        parts.push(Part::Text(text[at..].to_owned()));
    }
    if let [Part::Expression(..)] = parts.as_slice()
        && let Some(Part::Expression(expr, source)) = parts.pop()
    {
        return Ok(Template::One(expr, source));
    }
    Ok(Template::Mixed(parts))
}
