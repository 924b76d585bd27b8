//! What stands above an attribute. Macros are not shown it: rustc has taken it away before they run.

use proc_macro2::Ident;

/// The derives above the attribute that is being expanded, read from the author's file; none where there is no file.
///
/// A derive above `#[message]` runs before it, so that the same trait would be derived twice, which rustc tells in words that
/// name no cause.
pub(crate) fn derives() -> Vec<Ident> {
    if !proc_macro::is_available() {
        return Vec::new();
    }
    let here = proc_macro::Span::call_site();
    let text = here.local_file().and_then(|path| std::fs::read_to_string(path).ok());
    let names = text.map(|text| derived_above(&text, here.line())).unwrap_or_default();
    names.iter().filter_map(|name| syn::parse_str(name).ok()).collect()
}

/// The names in `#[derive(…)]` directly above line `line`, which counts from 1.
fn derived_above(text: &str, line: usize) -> Vec<String> {
    let above: Vec<&str> = text.lines().take(line.saturating_sub(1)).collect();
    let mut names = Vec::new();
    let mut rest = above.as_slice();
    while let Some(attr) = take_attribute(&mut rest) {
        let plain = attr.replace(char::is_whitespace, "");
        if let Some(list) = plain.strip_prefix("#[derive(").and_then(|it| it.strip_suffix(")]")) {
            let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
            names.extend(list.split(',').map(last).filter(|name| !name.is_empty()));
        }
    }
    names
}

/// Takes the attribute, or the comment, with which `lines` end.
fn take_attribute(lines: &mut &[&str]) -> Option<String> {
    let last = lines.last()?.trim();
    if last.starts_with("//") {
        *lines = &lines[..lines.len() - 1];
        return Some(String::new());
    }
    if !last.ends_with(']') {
        return None;
    }
    let start = lines.iter().rposition(|line| line.trim().starts_with("#["))?;
    let attr = lines[start..].join("\n");
    // An attribute in one piece: what is between does not end another one.
    let is_whole = attr.matches('[').count() == attr.matches(']').count();
    *lines = &lines[..start];
    is_whole.then(|| attr.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_directly_above_are_seen() {
        let text = "struct X;\n\n#[derive(Debug)]\nstruct Y;\n/// A.\n#[derive(\n    Clone,\n    serde::Serialize,\n)]\n#[allow(dead_code)]\n// why\n#[message]\nstruct A;";
        assert_eq!(derived_above(text, 12), ["Clone", "Serialize"]);
        assert_eq!(derived_above(text, 3), Vec::<String>::new());
        assert_eq!(derived_above(text, 4), ["Debug"]);
        assert_eq!(derived_above("", 9), Vec::<String>::new());
    }
}
