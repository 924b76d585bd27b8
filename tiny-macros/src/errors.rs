//! The mistakes of one item, all of them, each at the author's own token.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// A mistake at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, sentence: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, sentence));
    }

    /// A mistake at `span`, for what the author left out.
    pub(crate) fn at_span(&mut self, span: Span, sentence: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, sentence));
    }

    /// A mistake that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// The sentences, in the order in which they were found.
    #[cfg(test)]
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}
