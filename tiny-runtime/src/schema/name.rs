//! What definitions are called.

/// The name of a definition for a type or field called `word`: the first letter large, the others small, as the system that we are
/// compatible with writes them, so that a definition of one of its modules and one of ours are the same one.
///
/// `HelloInput` → `Helloinput`, `realIP` → `Realip`. What cannot stand in a reference as it is becomes `_`.
pub(super) fn of(word: &str) -> String {
    let word = match word {
        // What Rust's types are called in a schema, as the others call them.
        "int" => "Int",
        "uint" => "Uint",
        "boolean" => "Bool",
        "float" => "Float32",
        "double" => "Float64",
        other => other,
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    let word: String = word.chars().map(plain).collect();
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + &letters.as_str().to_lowercase()
}

/// The first of `base`, `base_hint`, `base_hint2` … that is not taken.
pub(super) fn free(base: &str, hint: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(base) {
        return base.to_owned();
    }
    let hinted = if hint.is_empty() { base.to_owned() } else { format!("{base}_{hint}") };
    let numbered = (2..).map(|number| format!("{hinted}{number}"));
    let mut names = std::iter::once(hinted.clone()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or(hinted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_dialect() {
        let named = ["HelloInput", "realIP", "routes", "int64", "double", "", "an ÄPFEL#"].map(of);
        assert_eq!(named, ["Helloinput", "Realip", "Routes", "Int64", "Float64", "", "An__pfel_"]);
    }

    #[test]
    fn a_name_that_is_taken_says_where_it_is_used() {
        let taken = |name: &str| ["Inner", "Inner_to", "Inner2"].contains(&name);
        assert_eq!(free("Other", "to", taken), "Other");
        assert_eq!(free("Inner", "from", taken), "Inner_from");
        assert_eq!(free("Inner", "to", taken), "Inner_to2");
        assert_eq!(free("Inner", "", taken), "Inner3");
    }
}
