//! Values written out in an expression.

use serde_json::Value;

use super::diagnostic::Fault;

/// `` `…` ``: any JSON; a backtick in it is written `` \` ``.
pub(super) fn json(text: &str, start: usize) -> Result<(Value, usize), Fault> {
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
    Ok((value, end))
}
