//! Lists and near misses in sentences.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
