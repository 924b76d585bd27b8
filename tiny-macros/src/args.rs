//! The words in the parentheses of an attribute: `name = "…"`, `sequential`.
//!
//! Read token by token, so that one broken word hides no other.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, LitInt, LitStr, Path, Token};

use crate::errors::Errors;
use crate::words;

/// One word, with its value when it has one.
pub(crate) struct Arg {
    pub(crate) word: Ident,
    value: Option<TokenStream>,
}

/// The words of one attribute, each known to it and each there once.
pub(crate) struct Args(Vec<Arg>);

impl Args {
    /// Reads `tokens`; `place` is the attribute as the author writes it, `legal` are its words.
    pub(crate) fn parse(
        tokens: TokenStream,
        place: &str,
        legal: &[&str],
        errors: &mut Errors,
    ) -> Self {
        let mut args: Vec<Arg> = Vec::new();
        for part in split(tokens) {
            let Some(arg) = read(part, place, legal, errors) else { continue };
            let word = arg.word.to_string();
            if !legal.contains(&&*word) {
                errors.at(&arg.word, words::unknown(&word, place, legal));
            } else if args.iter().any(|other| other.word == arg.word) {
                errors.at(&arg.word, format!("{place} says `{word}` twice, keep one of them"));
            } else {
                args.push(arg);
            }
        }
        Self(args)
    }

    /// Takes `word` out of the words.
    pub(crate) fn take(&mut self, word: &str) -> Option<Arg> {
        let at = self.0.iter().position(|arg| arg.word == word)?;
        Some(self.0.remove(at))
    }

    /// Takes `word`, which stands alone.
    pub(crate) fn flag(&mut self, word: &str, errors: &mut Errors) -> Option<Ident> {
        self.take(word)?.flag(errors)
    }

    /// Takes `word` and its text.
    pub(crate) fn text(&mut self, word: &str, errors: &mut Errors) -> Option<LitStr> {
        self.take(word)?.text(errors)
    }

    /// Takes `word` and its list of texts.
    pub(crate) fn texts(&mut self, word: &str, errors: &mut Errors) -> Vec<LitStr> {
        self.take(word).map(|arg| arg.texts(errors)).unwrap_or_default()
    }

    /// Takes `word` and its path.
    pub(crate) fn path(&mut self, word: &str, errors: &mut Errors) -> Option<Path> {
        let arg = self.take(word)?;
        let value = arg.value(errors, "a path: `… = ::my::path`")?;
        let path = Path::parse_mod_style.parse2(value.clone());
        path.map_err(|_| {
            let sentence =
                format!("`{}` is a path, which rustc checks: write it without quotes", arg.word);
            errors.at(value, sentence);
        })
        .ok()
    }

    /// Takes `word` and its whole number.
    pub(crate) fn whole(&mut self, word: &str, errors: &mut Errors) -> Option<LitInt> {
        self.take(word)?.whole(errors)
    }

    /// Refuses the words that are known to the attribute but not to what it stands on: `what`, which takes `legal`.
    pub(crate) fn keep(&mut self, legal: &[&str], what: &str, errors: &mut Errors) {
        self.0.retain(|arg| {
            let word = arg.word.to_string();
            let is_legal = legal.contains(&&*word);
            if !is_legal {
                let takes = match legal {
                    [] => "it takes no other words".to_owned(),
                    _ => format!("it takes {}", words::list(legal)),
                };
                errors.at(&arg.word, format!("`{word}` does not belong on {what}: {takes}"));
            }
            is_legal
        });
    }

    /// What was not taken, in the author's order.
    pub(crate) fn rest(self) -> Vec<Arg> {
        self.0
    }
}

impl Arg {
    /// The word itself, which must stand alone.
    pub(crate) fn flag(self, errors: &mut Errors) -> Option<Ident> {
        if let Some(value) = self.value {
            errors.at(value, format!("`{}` stands alone, leave its value out", self.word));
            return None;
        }
        Some(self.word)
    }

    /// Its value, which must be one text.
    pub(crate) fn text(self, errors: &mut Errors) -> Option<LitStr> {
        let value = self.value(errors, "a text: `… = \"…\"`")?;
        let text = syn::parse2::<LitStr>(value.clone());
        text.map_err(|_| errors.at(value, format!("`{}` is a text in quotes", self.word))).ok()
    }

    /// Its value, which must be a list of texts.
    pub(crate) fn texts(self, errors: &mut Errors) -> Vec<LitStr> {
        let Some(value) = self.value(errors, "a list: `… = [\"…\"]`") else {
            return Vec::new();
        };
        let list = |input: syn::parse::ParseStream<'_>| {
            let content;
            syn::bracketed!(content in input);
            Punctuated::<LitStr, Token![,]>::parse_terminated(&content)
        };
        match list.parse2(value.clone()) {
            Ok(list) => list.into_iter().collect(),
            Err(_) => {
                let sentence = format!("`{}` is a list of texts in brackets", self.word);
                errors.at(value, sentence);
                Vec::new()
            }
        }
    }

    /// Its value, which must be a whole number.
    pub(crate) fn whole(self, errors: &mut Errors) -> Option<LitInt> {
        let value = self.value(errors, "a whole number: `… = 1`")?;
        let number = syn::parse2::<LitInt>(value.clone());
        let number = number.ok().filter(|number| number.base10_parse::<u32>().is_ok());
        if number.is_none() {
            let sentence = format!("`{}` is a whole number from 0 to {}", self.word, u32::MAX);
            errors.at(value, sentence);
        }
        number
    }

    /// Its value, which must be a literal text or number (with a sign, if any).
    pub(crate) fn literal(self, kind: &str, errors: &mut Errors) -> Option<Expr> {
        let value = self.value(errors, kind)?;
        match syn::parse2::<Expr>(value.clone()) {
            Ok(literal) if is_literal(&literal) => Some(literal),
            _ => {
                errors.at(value, format!("`{}` is {kind}", self.word));
                None
            }
        }
    }

    fn value(&self, errors: &mut Errors, kind: &str) -> Option<TokenStream> {
        if self.value.is_none() {
            let example = kind.replacen('…', &self.word.to_string(), 1);
            errors.at(&self.word, format!("`{}` needs {example}", self.word));
        }
        self.value.clone()
    }
}

fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Unary(minus) => {
            matches!(minus.op, syn::UnOp::Neg(_)) && matches!(*minus.expr, Expr::Lit(_))
        }
        _ => false,
    }
}

/// The literal of a value that may have a sign.
pub(crate) fn number(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Unary(minus) => number(&minus.expr),
        _ => None,
    }
}

/// The parts between commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn read(part: Vec<TokenTree>, place: &str, legal: &[&str], errors: &mut Errors) -> Option<Arg> {
    let whole: TokenStream = part.iter().cloned().collect();
    let mut tokens = part.into_iter();
    let Some(TokenTree::Ident(word)) = tokens.next() else {
        let words = words::list(legal);
        errors.at(whole, format!("{place} takes words, not values: {words}"));
        return None;
    };
    let value = match tokens.next() {
        None => None,
        Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => Some(tokens.collect()),
        Some(_) => {
            errors.at(whole, format!("{place} takes `{word}` or `{word} = …`"));
            return None;
        }
    };
    if value.as_ref().is_some_and(TokenStream::is_empty) {
        errors.at(whole, format!("`{word} =` needs a value"));
        return None;
    }
    Some(Arg { word, value })
}

/// The words in the parentheses of an attribute on a method or field; without parentheses there are none.
pub(crate) fn of(attr: &syn::Attribute, errors: &mut Errors) -> TokenStream {
    match &attr.meta {
        syn::Meta::Path(_) => TokenStream::new(),
        syn::Meta::List(list) => list.tokens.clone(),
        syn::Meta::NameValue(value) => {
            let path = value.path.to_token_stream().to_string();
            errors.at(value, format!("write `#[{path}(…)]`: its words stand in parentheses"));
            TokenStream::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(tokens: TokenStream) -> (Args, Errors) {
        let mut errors = Errors::default();
        let args = Args::parse(tokens, "`#[a]`", &["name", "tags", "on", "crate"], &mut errors);
        (args, errors)
    }

    #[test]
    fn every_broken_word_is_told_and_the_others_are_read() {
        let (mut args, mut errors) =
            parse(quote!(nam = "x", "y", tags = ["a", "b"], on(1), on =, name));
        let tags: Vec<String> = args.texts("tags", &mut errors).iter().map(LitStr::value).collect();
        assert_eq!(tags, ["a", "b"]);
        assert!(args.text("name", &mut errors).is_none());
        assert_eq!(
            errors.sentences(),
            [
                "`#[a]` does not know `nam`, did you mean `name`? (its words are `name`, `tags`, `on` and `crate`)",
                "`#[a]` takes words, not values: `name`, `tags`, `on` and `crate`",
                "`#[a]` takes `on` or `on = …`",
                "`on =` needs a value",
                "`name` needs a text: `name = \"…\"`",
            ]
        );
    }

    #[test]
    fn a_keyword_is_a_word_too() {
        let (mut args, mut errors) = parse(quote!(crate = ::a::b));
        assert!(args.path("crate", &mut errors).is_some());
        assert!(errors.sentences().is_empty());
    }

    #[test]
    fn a_word_stands_once() {
        let (_, errors) = parse(quote!(on, on));
        assert_eq!(errors.sentences(), ["`#[a]` says `on` twice, keep one of them"]);
    }

    #[test]
    fn a_value_of_another_kind_is_told() {
        let (mut args, mut errors) = parse(quote!(on = 1, name = 2, tags = "a"));
        assert!(args.flag("on", &mut errors).is_none());
        assert!(args.text("name", &mut errors).is_none());
        assert!(args.texts("tags", &mut errors).is_empty());
        assert_eq!(
            errors.sentences(),
            [
                "`on` stands alone, leave its value out",
                "`name` is a text in quotes",
                "`tags` is a list of texts in brackets",
            ]
        );
    }
}
