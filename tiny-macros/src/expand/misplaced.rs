//! `#[port]` where no `#[component]` took it away.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

const SENTENCE: &str =
    "`#[port]` belongs on a method of an impl with `#[component]`: write that above the impl";

/// The item and one sentence at its `#[port]`.
pub(crate) fn port(item: TokenStream) -> TokenStream {
    let mut item: Vec<TokenTree> = item.into_iter().collect();
    let lacks_body = matches!(item.last(), Some(TokenTree::Punct(end)) if end.as_char() == ';');
    let is_fn = item.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "fn"));
    if lacks_body && is_fn {
        // rustc would complain of the body too, and the author means it to lack.
        item.pop();
        let body = Group::new(Delimiter::Brace, quote!(::core::unreachable!()));
        item.push(body.into());
        item.splice(0..0, quote!(#[allow(unused_variables, reason = "there is no body yet")]));
    }
    let item: TokenStream = item.into_iter().collect();
    quote! { #item ::core::compile_error! { #SENTENCE } }
}
