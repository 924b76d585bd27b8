//! The name of a new crate.

use anyhow::{Result, bail};
use tiny_crds::names;

/// Rust's keywords, also those that are kept for later.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that every crate knows already.
const CRATES: &[&str] = &["alloc", "core", "proc-macro", "std", "test", "tiny-runtime"];

/// `src/main.rs` and `src/lib.rs`, and what lies beside the binary.
const FILES: &[&str] = &["build", "deps", "examples", "incremental", "lib", "main"];

/// Types that the new component would hide in its own file, and the `mod` of its tests.
const WORDS: &[&str] = &[
    "bench", "ctx", "default", "error", "failure", "option", "reply", "result", "settings",
    "string", "tests",
];

/// What a crate, a module, a component and an object of Kubernetes can all be called.
#[derive(Debug)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self> {
        if !fits(text) {
            bail!(
                "`{text}` cannot be the name of a module's crate: it begins with a letter, has lower-case letters, digits and \
                 single hyphens, ends with a letter or digit and is not longer than 48 characters; {}",
                advice(text)
            );
        }
        match meaning(text) {
            None => Ok(Self(text.to_owned())),
            Some(meaning) => bail!(
                "`{text}` cannot be the name of a module's crate: it is {meaning}; say `new {text}-module`"
            ),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// As a file and a `mod`: `my_demo`.
    pub(super) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As a type: `MyDemo`.
    pub(super) fn camel(&self) -> String {
        let joined: String = self.0.split('-').map(capital).collect();
        // `a-b-c`: Rust's style has no words in capitals only.
        if joined.chars().all(|c| c.is_ascii_uppercase()) {
            return capital(&joined.to_ascii_lowercase());
        }
        joined
    }
}

/// A module's name is sanitised where it names an object; only one that stays as it is reads the same everywhere.
fn fits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && names::sanitise(text) == text
}

/// What this name means already.
fn meaning(text: &str) -> Option<&'static str> {
    let meanings = [
        (KEYWORDS, "a keyword of Rust"),
        (CRATES, "the name of a crate that it uses itself"),
        (FILES, "the name of a file or folder of Cargo"),
        (WORDS, "a word that its component uses otherwise"),
    ];
    meanings.into_iter().find(|(words, _)| words.contains(&text)).map(|(_, meaning)| meaning)
}

/// A name near this one, if there is any.
fn advice(text: &str) -> String {
    let near = names::sanitise(text);
    match near.trim_matches('-') {
        near if fits(near) && meaning(near).is_none() => format!("say `new {near}`"),
        _ => "choose another".into(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Name::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_name_reads_well_as_crate_file_and_type() {
        let long = "a".repeat(48);
        let cases = [
            ("demo", "demo", "Demo"),
            ("http-2-go", "http_2_go", "Http2Go"),
            ("x", "x", "X"),
            ("a-b-c", "a_b_c", "Abc"),
            ("union", "union", "Union"),
            (&long, &long, &capital(&long)),
        ];
        for (text, snake, camel) in cases {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.as_str(), &*name.snake(), &*name.camel()), (text, snake, camel));
        }
    }

    #[test]
    fn a_name_that_does_not_fit_is_answered_with_one_that_does() {
        let cases = [
            ("Demo", "say `new demo`"),
            ("my_demo", "say `new my-demo`"),
            ("a--b", "say `new a-b`"),
            ("demo-", "say `new demo`"),
            ("-demo", "say `new demo`"),
            ("a.b", "say `new a-b`"),
            ("../demo", "say `new demo`"),
            ("demö", "say `new dem`"),
            ("Match", "choose another"),
            ("1demo", "choose another"),
            ("", "choose another"),
            ("!", "choose another"),
            (&"a".repeat(49), "say `new aaaa"),
        ];
        for (text, advice) in cases {
            let said = refused(text);
            assert!(said.starts_with(&format!("`{text}` cannot be the name of a")), "{said}");
            assert!(said.contains(advice), "{said}");
        }
    }

    #[test]
    fn words_with_another_meaning_are_refused() {
        assert_eq!(
            refused("match"),
            "`match` cannot be the name of a module's crate: it is a keyword of Rust; say `new match-module`"
        );
        for (word, meaning) in [
            ("test", "it is the name of a crate that it uses itself; say `new test-module`"),
            ("lib", "it is the name of a file or folder of Cargo; say `new lib-module`"),
            ("result", "it is a word that its component uses otherwise; say `new result-module`"),
        ] {
            assert!(refused(word).ends_with(meaning), "{}", refused(word));
        }
        for word in [KEYWORDS, CRATES, FILES, WORDS].concat() {
            assert!(fits(word), "{word} is refused already");
            assert!(Name::parse(&format!("{word}-module")).is_ok(), "{word}");
        }
    }
}
