//! The characters of an expression that stand in no quotes.

use std::str::CharIndices;

/// Walks a text, past whatever stands in `'…'`, `"…"` or backticks; in all of them a backslash escapes.
pub(super) struct Outside<'a> {
    chars: CharIndices<'a>,
    /// The quote that is not closed yet, with its place.
    open: Option<(usize, char)>,
}

impl<'a> Outside<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { chars: text.char_indices(), open: None }
    }

    /// Once all is walked: the quote that nothing closes.
    pub(super) fn unclosed(&self) -> Option<(usize, char)> {
        self.open
    }
}

impl Iterator for Outside<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<(usize, char)> {
        loop {
            let (at, c) = self.chars.next()?;
            match (self.open, c) {
                (Some(_), '\\') => drop(self.chars.next()),
                (Some((_, quote)), c) if c == quote => self.open = None,
                (Some(_), _) => {}
                (None, '\'' | '"' | '`') => self.open = Some((at, c)),
                (None, c) => return Some((at, c)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_walked_past() {
        let walked = |text| {
            let mut outside = Outside::of(text);
            let letters: String = outside.by_ref().map(|(_, c)| c).collect();
            (letters, outside.unclosed())
        };
        assert_eq!(walked(r"a'b\'c"), ("a".into(), Some((1, '\''))));
        assert_eq!(walked("a'b'c\"'\"d`\"`e"), ("acde".into(), None));
        assert_eq!(walked(r"'\\'a"), ("a".into(), None));
    }
}
