//! Where the runtime is: the only thing of it that the macros know is its paths.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// `::tiny_runtime`, or what the author's `crate = path` says.
#[derive(Clone, Default)]
pub(crate) struct Runtime(pub(crate) Option<Path>);

impl Runtime {
    /// The path as if it stood at `span`. rustc tells a mistake once for each place, so that one place is one error.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let Some(path) = &self.0 else { return quote_spanned!(span=> ::tiny_runtime) };
        let tokens = path.to_token_stream().into_iter().map(|mut token| {
            // `$crate` of somebody's macro keeps its meaning.
            token.set_span(span.resolved_at(token.span()));
            token
        });
        tokens.collect()
    }

    /// A path inside the runtime as text, for attributes that want one: `::tiny_runtime::derive::serde`.
    pub(crate) fn path(&self, inside: &str) -> String {
        let path = self.to_token_stream().to_string().replace(' ', "");
        format!("{path}::{inside}")
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::tiny_runtime)),
        }
    }
}
