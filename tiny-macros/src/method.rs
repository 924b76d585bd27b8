//! The syntax of an impl whose methods may lack a body.
//!
//! Bodies stay tokens: one that is typed halfway yields rustc's errors and none of ours.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    AttrStyle, Attribute, Generics, ImplItem, Path, Signature, Token, Type, Visibility, braced,
};

/// An impl as the author wrote it.
pub(crate) struct ImplBlock {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) generics: Generics,
    /// The trait of `impl Trait for Type`.
    pub(crate) of_trait: Option<Path>,
    pub(crate) ty: Type,
    pub(crate) items: Vec<Entry>,
}

/// One item of an impl.
pub(crate) enum Entry {
    Method(Box<Method>),
    Other(Box<ImplItem>),
}

/// A method, with or without a body.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The braces and what is in them; `None` for `;`.
    pub(crate) body: Option<TokenTree>,
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Token![impl]>()?;
        let mut generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
        let first: Type = input.parse()?;
        let (of_trait, ty) = match (input.parse::<Option<Token![for]>>()?, first) {
            (None, ty) => (None, ty),
            (Some(_), Type::Path(path)) => (Some(path.path), input.parse()?),
            (Some(keyword), _) => {
                return Err(syn::Error::new(keyword.span, "a trait stands before `for`"));
            }
        };
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        // They mean the same above it, and there they may stand behind what the macro writes.
        let inner = content.call(Attribute::parse_inner)?.into_iter();
        attrs.extend(inner.map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self { attrs, generics, of_trait, ty, items })
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        match input.fork().call(Method::parse_head) {
            Ok(_) => input.parse().map(Box::new).map(Self::Method),
            Err(_) => input.parse().map(Box::new).map(Self::Other),
        }
    }
}

impl Method {
    /// All but the body.
    fn parse_head(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            defaultness: input.parse()?,
            sig: input.parse()?,
            body: None,
        })
    }

    /// The method with `attrs` above it and `body` in it.
    pub(crate) fn with(&self, attrs: &[TokenStream], body: &TokenStream) -> TokenStream {
        let Self { attrs: own, vis, defaultness, sig, .. } = self;
        quote! { #(#own)* #(#attrs)* #vis #defaultness #sig #body }
    }
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let head = input.call(Self::parse_head)?;
        if input.parse::<Option<Token![;]>>()?.is_some() {
            return Ok(head);
        }
        match input.parse::<TokenTree>()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                Ok(Self { body: Some(body.into()), ..head })
            }
            other => Err(syn::Error::new(other.span(), "a method ends with its body or with `;`")),
        }
    }
}

impl ToTokens for Method {
    /// As the author wrote it. What lacks a body gets one that is never run, so that rustc reads on.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match &self.body {
            Some(body) => self.with(&[], &body.to_token_stream()),
            None => {
                let quiet = quote!(#[allow(unused_variables, reason = "there is no body yet")]);
                self.with(&[quiet], &quote!({ ::core::unreachable!() }))
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_may_lack_its_body_and_a_body_is_not_read() {
        let block: ImplBlock = syn::parse_str(
            "impl Hello { const A: u8 = 1; async fn a(&self) { message. } pub async fn b(&self); }",
        )
        .unwrap();
        let [Entry::Other(_), Entry::Method(a), Entry::Method(b)] = &*block.items else {
            panic!("one constant, two methods")
        };
        assert!(a.body.is_some());
        assert!(b.body.is_none());
    }

    #[test]
    fn attributes_inside_the_braces_belong_to_the_impl() {
        let block: ImplBlock = syn::parse_str("impl A { #![allow(dead_code)] fn a(); }").unwrap();
        assert_eq!((block.attrs.len(), block.items.len()), (1, 1));
    }

    #[test]
    fn the_trait_of_a_trait_impl_is_known() {
        let block: ImplBlock = syn::parse_str("impl<T> From<T> for A<T> where T: B {}").unwrap();
        assert!(block.of_trait.is_some());
        assert!(block.generics.where_clause.is_some());
    }
}
