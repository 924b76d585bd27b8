//! From tokens to tokens: read, check, write. An item always comes back, whatever is wrong with it.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{DeriveInput, Item};

use crate::args::Args;
use crate::errors::Errors;
use crate::expand;
use crate::impl_half::Ports;
use crate::message::Message;
use crate::method::ImplBlock;
use crate::runtime::Runtime;
use crate::struct_half::{Component, not_a_struct};

/// `#[component]`.
pub(crate) fn component(words: TokenStream, item: TokenStream) -> TokenStream {
    if is_impl(&item) { impl_half(words, item) } else { struct_half(words, item) }
}

fn struct_half(words: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let written = match syn::parse2::<Item>(tokens.clone()) {
        Ok(Item::Struct(item)) => match Component::read(words, item, &mut errors) {
            Ok(component) => expand::component::component(&component),
            Err(item) => item.into_token_stream(),
        },
        Ok(other) => {
            not_a_struct(&other, &mut errors);
            tokens
        }
        Err(error) => {
            errors.push(error);
            tokens
        }
    };
    quote! { #written #errors }
}

fn impl_half(words: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let written = match syn::parse2::<ImplBlock>(tokens.clone()) {
        Ok(block) => match Ports::read(words, block, &mut errors) {
            Ok(ports) => expand::ports::ports(&ports),
            Err(block) => block,
        },
        Err(error) => {
            errors.push(error);
            tokens
        }
    };
    quote! { #written #errors }
}

/// `#[message]`.
pub(crate) fn message(words: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let written = match syn::parse2::<DeriveInput>(tokens.clone()) {
        Ok(item) => match Message::read(words, item, &mut errors) {
            Ok(message) => expand::message::message(&message),
            Err(item) => item.into_token_stream(),
        },
        Err(_) => {
            let sentence = "`#[message]` belongs on a struct or an enum";
            errors.at_span(proc_macro2::Span::call_site(), sentence);
            tokens
        }
    };
    quote! { #written #errors }
}

/// `#[test]`.
pub(crate) fn test(words: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = Args::parse(words, "`#[tiny_runtime::test]`", &["crate"], &mut errors);
    let runtime = Runtime(args.path("crate", &mut errors));
    let tokio = format!("{}::tokio", runtime.to_token_stream().to_string().replace(' ', ""));
    quote! {
        #[#runtime::tokio::test(crate = #tokio, start_paused = true)]
        #item
        #errors
    }
}

/// An impl, whatever attributes and words stand before it.
fn is_impl(item: &TokenStream) -> bool {
    let words = item.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let mut items = words.filter(|word| {
        ["impl", "struct", "enum", "union", "fn", "trait", "mod", "const", "static", "type", "use"]
            .contains(&&**word)
    });
    items.next().is_some_and(|word| word == "impl")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMPONENT: &str = include_str!("../tests/expand/ports.rs");
    const MESSAGES: &str = include_str!("../tests/expand/messages.rs");

    /// How often `word` stands in `tokens`, at any depth.
    fn count(tokens: &TokenStream, word: &str) -> usize {
        let of = |token: TokenTree| match token {
            TokenTree::Group(group) => count(&group.stream(), word),
            TokenTree::Ident(ident) => usize::from(ident == word),
            _ => 0,
        };
        tokens.clone().into_iter().map(of).sum()
    }

    /// `source` without `length` characters from `at`, where that still lexes.
    fn cut(source: &str, at: usize, length: usize) -> Option<TokenStream> {
        let letters = source.chars().enumerate();
        let kept = letters.filter(|(index, _)| !(at..at + length).contains(index));
        kept.map(|(_, letter)| letter).collect::<String>().parse().ok()
    }

    #[test]
    fn a_test_is_one_of_tokio_and_words_are_refused_beside_it() {
        let item = quote!(
            async fn a() {}
        );
        let written = test(TokenStream::new(), &item).to_string().replace(' ', "");
        let attr =
            r#"#[::tiny_runtime::tokio::test(crate="::tiny_runtime::tokio",start_paused=true)]"#;
        assert_eq!(written, format!("{attr}asyncfna(){{}}"));
        let refused = test(quote!(flavor = "x"), &item).to_string().replace(' ', "");
        assert!(refused.starts_with(&written), "{refused}");
        assert!(refused.contains("compile_error!"), "{refused}");
    }

    proptest! {
        #[test]
        fn an_item_with_a_piece_cut_out_always_comes_back(at in 0..900_usize, length in 0..40_usize) {
            if let Some(item) = cut(COMPONENT, at, length) {
                let written = component(TokenStream::new(), item.clone());
                prop_assert!(count(&written, "fn") >= count(&item, "fn"));
                prop_assert!(count(&written, "Hello") >= count(&item, "Hello"));
            }
            for one in MESSAGES.split("\n\n") {
                let Some(item) = cut(one, at % 300, length) else { continue };
                let written = message(TokenStream::new(), item.clone());
                prop_assert!(count(&written, "struct") >= count(&item, "struct"));
            }
        }

        #[test]
        fn no_words_make_a_panic(words in r#"((name|tags|target|default|crate|r\#type|[=,\[\]."()]|"x"|1|-) ?){0,8}"#) {
            let Ok(words) = words.parse::<TokenStream>() else { return Ok(()) };
            component(words.clone(), quote!(struct A;));
            component(words.clone(), quote!(impl A { #[port(#words)] async fn a(&self); }));
            message(words.clone(), quote!(struct A { #[ui(#words)] a: u8 }));
        }
    }
}
