//! One expression: where it ends, and in which of the two languages it is written.

use serde_json::{Number, Value};

use super::diagnostic::{Code, Fault};
use super::outside::Outside;
use super::path::skip_blank;
use super::paths::Paths;
use super::tree::Expr;
use super::{dollar, jmes};

/// The longest expression, in bytes.
const SIZE: usize = 64 * 1024;

/// Reads the expression that begins at `start`, behind `{{`; returns it with the place of the `}}` that ends it, which is found by
/// tokens: one in a quoted text does not end it.
pub(super) fn in_braces(
    text: &str,
    start: usize,
    paths: &mut Paths,
) -> Result<(Expr, usize), Fault> {
    let open = start.saturating_sub(2);
    let Some(scanned) = scan(text, start)? else {
        return Err(Fault::syntax(open..start, "`{{` is not closed by `}}`")
            .fix("end the expression with `}}`, or write a literal `{{` as `{{ '{{' }}`"));
    };
    let end = scanned.end;
    let expr = if scanned.has_dollar {
        dollar_until(text, start, end, paths)?
    } else {
        let inner = text[start..end].trim();
        let shift = start + (text[start..end].len() - text[start..end].trim_start().len());
        without_dollar(inner, paths).map_err(|fault| fault.shifted(shift))?
    };
    Ok((expr, end))
}

/// Reads a text that is one expression, in the language that it would have in braces.
pub(super) fn either(text: &str, paths: &mut Paths) -> Result<Expr, Fault> {
    let closed = format!("{text}}}}}");
    let (expr, end) = in_braces(&closed, 0, paths)?;
    if end < text.len() {
        return Err(Fault::syntax(end..end + 2, "`}}` ends the expression, and more follows"));
    }
    Ok(expr)
}

/// Reads a text that is one expression with `$`.
pub(super) fn alone(text: &str, paths: &mut Paths) -> Result<Expr, Fault> {
    sized(text)?;
    dollar_until(text, 0, text.len(), paths)
}

fn sized(text: &str) -> Result<(), Fault> {
    if text.len() <= SIZE {
        return Ok(());
    }
    let why = format!("the expression has {} bytes, more than {SIZE}", text.len());
    let fix = "split it, or shape the data in a component".to_owned();
    Err(Fault { code: Code::Limit, range: 0..0, why, fix })
}

fn dollar_until(text: &str, start: usize, end: usize, paths: &mut Paths) -> Result<Expr, Fault> {
    let (expr, stop) = dollar::expression(&text[..end], skip_blank(text, start).min(end), paths)?;
    let stop = skip_blank(&text[..end], stop);
    if stop < end { Err(unexpected(&text[..end], stop)) } else { Ok(expr) }
}

fn without_dollar(inner: &str, paths: &mut Paths) -> Result<Expr, Fault> {
    if inner.is_empty() {
        return Err(
            Fault::syntax(0..0, "the expression is empty").fix("write a path, such as `$.name`")
        );
    }
    if let Ok(number) = serde_json::from_str::<Number>(inner) {
        return Ok(Expr::Literal(Value::Number(number)));
    }
    jmes::expression(inner, true, paths).map_err(|fault| {
        // Whoever writes operators means the other language.
        let operator = inner.contains(['+', '/', '%', '?']) || inner.contains(" - ") || inner.contains(" * ");
        if fault.code == Code::Syntax && operator && fault.fix.is_empty() {
            return fault.fix("operators stand around paths with `$`, such as `$.a + 1`; without `$` an expression is JMESPath");
        }
        fault
    })
}

/// The fault of what follows a complete expression.
fn unexpected(text: &str, at: usize) -> Fault {
    let rest = &text[at..];
    for (sign, fix) in [
        ("**", "multiply instead, or compute the value in a component"),
        ("<<", "multiply instead"),
        (">>", "divide and `trunc` instead"),
        ("=~", "in a filter, use `match(@.a, 'pattern')` or `search`"),
        ("&", "the logical and is `&&`"),
        ("|", "the logical or is `||`; a pipe belongs to JMESPath, which has no `$`"),
        ("^", "compute the value in a component"),
        ("=", "equality is `==`"),
    ] {
        if rest.starts_with(sign) {
            let range = at..at + sign.len();
            return Fault::unsupported(range, format!("`{sign}` is no operator here")).fix(fix);
        }
    }
    let Some(c) = rest.chars().next() else {
        return Fault::syntax(at..at, "the expression is not complete");
    };
    Fault::syntax(at..at + c.len_utf8(), format!("`{c}` is not expected after the expression"))
        .fix("end it with `}}`")
}

struct Scanned {
    end: usize,
    has_dollar: bool,
}

/// Looks for the end of an expression.
fn scan(text: &str, start: usize) -> Result<Option<Scanned>, Fault> {
    let (mut depth, mut has_dollar) = (0_usize, false);
    let mut outside = Outside::of(&text[start..]);
    for (offset, c) in outside.by_ref() {
        let at = start + offset;
        if offset > SIZE {
            sized(&text[start..])?;
        }
        match c {
            '$' => has_dollar = true,
            '{' => depth += 1,
            '}' if depth == 0 && text[at..].starts_with("}}") => {
                return Ok(Some(Scanned { end: at, has_dollar }));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let Some((at, quote)) = outside.unclosed() else { return Ok(None) };
    let range = start + at..start + at + 1;
    Err(Fault::syntax(range, format!("what begins with {quote} is not closed"))
        .fix(format!("end it with {quote}")))
}
