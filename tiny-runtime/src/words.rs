//! Lists, near misses and causes in sentences.

/// `` `a`, `b` and `c` ``; "nothing" when there is none.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `` (did you mean `input`?) `` when one of `names` is near `word`; empty otherwise.
pub(crate) fn did_you_mean<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(word, names).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // One slip of the finger is near in any word; more of them only in a longer one.
    let score = |name: &str| match strsim::osa_distance(word, name) {
        0 | 1 if name.len() > 2 => 1.0,
        _ => strsim::jaro_winkler(word, name),
    };
    let near = |name: &'a str| (score(name), name);
    let (score, name) = names.map(near).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then_some(name)
}

/// A message of serde without the value that it quotes: that may be secret. What was found keeps its kind only.
pub(crate) fn without_content(message: &str) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "unknown variant "];
    if !quotes.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    // The value may itself hold this word, so the last one counts.
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return message.split(['`', '"']).next().unwrap_or_default().trim_end().to_owned();
    };
    let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
    format!("{kind}, expected {expected}")
}

/// What is wrong with the value at `path`, where `.` is the whole. A sentence that begins with the last name of the path continues it.
pub(crate) fn at(path: &str, sentence: &str) -> String {
    if path == "." {
        return sentence.to_owned();
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let of_last =
        sentence.strip_prefix('`').and_then(|rest| rest.strip_prefix(last)?.strip_prefix('`'));
    match of_last {
        Some(rest) => format!("`{path}`{rest}"),
        None => format!("`{path}`: {sentence}"),
    }
}

/// At most `most` bytes of a text, with an ellipsis where it was cut.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// What an error comes down to: the outer ones say which library met it.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_about_a_field_begins_with_the_way_to_it() {
        assert_eq!(at(".", "`name` must be long"), "`name` must be long");
        assert_eq!(at("a.name", "`name` must be long"), "`a.name` must be long");
        assert_eq!(at("a.name", "`names` are missing"), "`a.name`: `names` are missing");
        assert_eq!(at("a[0]", "invalid type"), "`a[0]`: invalid type");
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list([].into_iter()), "nothing");
        assert_eq!(list(["a"].into_iter()), "`a`");
        assert_eq!(list(["a", "b", "c"].into_iter()), "`a`, `b` and `c`");
    }

    #[test]
    fn a_slip_of_the_finger_is_near_and_another_word_is_not() {
        assert_eq!(
            did_you_mean("imput", ["input", "output"].into_iter()),
            " (did you mean `input`?)"
        );
        assert_eq!(did_you_mean("banana", ["input", "output"].into_iter()), "");
    }

    #[test]
    fn a_message_keeps_the_kind_and_loses_the_value() {
        let cases = [
            (
                "invalid type: string \"hunter2, expected x\", expected u32",
                "invalid type: string, expected u32",
            ),
            (
                "invalid type: integer `5`, expected a string",
                "invalid type: integer, expected a string",
            ),
            ("invalid type: null, expected a string", "invalid type: null, expected a string"),
            (
                "unknown variant `hunter2`, expected `a` or `b`",
                "unknown variant, expected `a` or `b`",
            ),
            ("missing field `name`", "missing field `name`"),
        ];
        for (message, expected) in cases {
            assert_eq!(without_content(message), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shortened("äöü", 3), "ä…");
        assert_eq!(shortened("abc", 3), "abc");
    }
}
