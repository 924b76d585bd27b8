//! Lists and near misses in sentences.

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The sentence about a word that `place` does not know: the near one, if any, and all legal ones.
pub(crate) fn unknown(word: &str, place: &str, legal: &[&str]) -> String {
    let near = nearest(word, legal).map(|near| format!(", did you mean `{near}`?"));
    let near = near.unwrap_or_default();
    format!("{place} does not know `{word}`{near} (its words are {})", list(legal))
}

fn nearest<'a>(word: &str, legal: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let near = |name: &&'a str| (strsim::jaro_winkler(&plain(word), &plain(name)), *name);
    let (score, name) = legal.iter().map(near).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then_some(name)
}

/// `some_words` → `Some words`: what people read when the author gave no label.
pub(crate) fn label(name: &str) -> String {
    let mut letters = name.split(['_', '-']).filter(|word| !word.is_empty()).flat_map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).chain([' '])
    });
    let mut label: String = letters.by_ref().collect();
    label.truncate(label.trim_end().len());
    label
}

/// `HelloWorld` → `hello_world`: the name to suggest for a component.
pub(crate) fn snake(ident: &str) -> String {
    let mut name = String::new();
    for letter in ident.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_name_in_title_words() {
        assert_eq!(label("output"), "Output");
        assert_eq!(label("order_placed"), "Order Placed");
        assert_eq!(label("__odd__"), "Odd");
        assert_eq!(label(""), "");
    }

    #[test]
    fn an_unknown_word_gets_the_near_one_and_the_legal_ones() {
        let sentence = unknown("nme", "`#[component]`", &["name", "tags"]);
        assert_eq!(
            sentence,
            "`#[component]` does not know `nme`, did you mean `name`? (its words are `name` and `tags`)"
        );
        let far = unknown("banana", "`#[component]`", &["name", "tags"]);
        assert_eq!(far, "`#[component]` does not know `banana` (its words are `name` and `tags`)");
    }

    #[test]
    fn snake_case_is_near_camel_case() {
        assert_eq!(nearest("col_span", &["tab", "colSpan"]), Some("colSpan"));
    }

    #[test]
    fn a_component_is_suggested_its_own_name() {
        assert_eq!(snake("HelloWorld"), "hello_world");
    }
}
