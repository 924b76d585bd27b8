//! Singular paths of RFC 9535: each leads to one value at most.

use serde_json::{Map, Value};

use super::diagnostic::Fault;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    /// A member of an object.
    Key(String),
    /// An element of a list; a negative one counts from the end.
    Index(i64),
}

/// The largest whole number that every JSON reader keeps: RFC 9535 bounds an index by it.
const LARGEST: i64 = (1 << 53) - 1;

/// The longest path, in steps: deeper JSON is not read from text either.
pub(super) const LONGEST: usize = 64;

/// `.name`: a letter, `_` or any character beyond ASCII first, then digits too.
pub(super) fn name(text: &str, dot: usize) -> Result<(String, usize), Fault> {
    let start = dot + 1;
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let is_name = |c: char| is_first(c) || c.is_ascii_digit();
    let rest = &text[start..];
    let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    let name = &rest[..length];
    if !name.starts_with(is_first) {
        let why = match rest.chars().next() {
            Some(c) if !c.is_whitespace() => format!("a name cannot start with `{c}`"),
            _ => "a name must follow the dot".to_owned(),
        };
        let fix = "write a letter or `_` first, or quote the name: `$['odd name']`";
        return Err(Fault::syntax(dot..start, why).fix(fix));
    }
    let end = start + length;
    // `$.a-1` subtracts; `$.a-b` is a name that needs quotes.
    let after = text[end..].strip_prefix('-').and_then(|rest| rest.chars().next());
    if after.is_some_and(is_first) {
        let tail = text[end..].find(|c: char| c != '-' && !is_name(c));
        let whole = &text[start..tail.map_or(text.len(), |tail| end + tail)];
        return Err(Fault::syntax(
            start..start + whole.len(),
            format!("`{whole}` is not a name after a dot"),
        )
        .fix(format!("quote it: `['{whole}']` in place of `.{whole}`")));
    }
    Ok((name.to_owned(), end))
}

/// Reads a whole number of RFC 9535; returns it with its end.
pub(super) fn index(text: &str, start: usize) -> Result<(i64, usize), Fault> {
    let rest = &text[start..];
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    let sign = rest.len() - digits.len();
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let end = start + sign + count;
    let written = &text[start..end];
    let leading_zero = digits.starts_with('0') && (count > 1 || sign > 0);
    match written.parse::<i64>() {
        Ok(index) if !leading_zero && index.abs() <= LARGEST => Ok((index, end)),
        _ => Err(Fault::syntax(start..end, format!("`{written}` is not an index"))
            .fix("write a whole number without leading zeros: `[0]`, `[-1]`")),
    }
}

/// Reads a text in single or double quotes, with the escapes of RFC 9535; returns it with its end.
pub(super) fn quoted(text: &str, start: usize) -> Result<(String, usize), Fault> {
    let quote = text[start..].chars().next().unwrap_or('\'');
    let mut out = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        let at = start + 1 + offset;
        match c {
            c if c == quote => return Ok((out, at + 1)),
            c if c < ' ' => {
                let why =
                    format!("the character U+{:04X} cannot stand in a text as it is", u32::from(c));
                let fix = "write an escape, such as `\\n` or `\\t`";
                return Err(Fault::syntax(at..at + 1, why).fix(fix));
            }
            '\\' => {
                let (escaped, length) = escape(&text[at + 1..], quote).ok_or_else(|| {
                    let end =
                        text[at + 1..].chars().next().map_or(at + 1, |c| at + 1 + c.len_utf8());
                    Fault::syntax(at..end, format!("`{}` is not an escape", &text[at..end]))
                        .fix("write a backslash as `\\\\`")
                })?;
                out.push(escaped);
                // Every character of an escape is ASCII.
                for _ in 0..length {
                    chars.next();
                }
            }
            c => out.push(c),
        }
    }
    Err(Fault::syntax(start..start + 1, format!("the text after {quote} is not closed"))
        .fix(format!("end it with {quote}")))
}

/// What the escape after a backslash means, and its length without the backslash.
fn escape(rest: &str, quote: char) -> Option<(char, usize)> {
    let c = rest.chars().next()?;
    let plain = match c {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '/' | '\\' => c,
        c if c == quote => c,
        'u' => return unicode(rest),
        _ => return None,
    };
    Some((plain, 1))
}

/// `uXXXX`, or two of them for a character beyond the first plane.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 4)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(1)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first).map(|c| (c, 5));
    }
    rest.get(5..7).filter(|mark| *mark == "\\u")?;
    let second = unit(7).filter(|second| (0xDC00..0xE000).contains(second))?;
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map(|c| (c, 11))
}

pub(super) fn skip_blank(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    text.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// The member `key` of an object. Of a small one, looking at all keys takes less time than a hash of the key.
pub(super) fn member<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    const SMALL: usize = 16;
    if object.len() > SMALL {
        return object.get(key);
    }
    object.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// The value to which `path` leads.
pub(super) fn follow<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => member(value.as_object()?, key),
        Segment::Index(index) => {
            let list = value.as_array()?;
            list.get(position(*index, list.len())?)
        }
    })
}

/// The place of an index in a list of so many elements.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        usize::try_from(index).ok()
    } else {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    }
}
