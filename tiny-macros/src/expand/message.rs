//! A message.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, parse_quote};

use crate::message::Message;
use crate::runtime::Runtime;

/// The definition with its derives, and the promise that it travels.
pub(crate) fn message(message: &Message) -> TokenStream {
    let Message { runtime, item, derived, serde, schemars, .. } = message;
    let has = |words: &[Ident], word: &str| words.iter().any(|own| own == word);
    let derives = derives(runtime).into_iter().filter(|(name, _)| !has(derived, name));
    let derives = derives.map(|(_, path)| path);

    let mut words = Vec::new();
    if !has(serde, "crate") {
        let path = runtime.text("serde");
        words.push(quote!(crate = #path));
    }
    if !has(serde, "rename_all") && !has(serde, "transparent") {
        words.push(quote!(rename_all = "camelCase"));
    }
    if !message.is_struct() && !has(serde, "rename_all_fields") {
        words.push(quote!(rename_all_fields = "camelCase"));
    }
    if message.default && message.is_struct() && !has(serde, "default") {
        words.push(quote!(default));
    }
    let schemars = (!has(schemars, "crate")).then(|| {
        let path = runtime.text("schemars");
        quote!(#[schemars(crate = #path)])
    });
    let secret = secret(message);
    let configuration = message.default.then(|| configuration(runtime));

    let ident = &item.ident;
    let mut generics = item.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#runtime::component::Message));
    }
    let (parameters, _, bounds) = generics.split_for_impl();
    let (_, arguments, _) = item.generics.split_for_impl();
    let fields = fields(message);
    quote! {
        #fields

        #[derive(#(#derives),*)]
        #[serde(#(#words),*)]
        #schemars
        #item

        #[automatically_derived]
        impl #parameters #runtime::component::Message for #ident #arguments #bounds {
            #secret
            #configuration
        }
    }
}

/// Says first, and in words of our own, that a field cannot travel: the derives would say it in many.
fn fields(message: &Message) -> Option<TokenStream> {
    let Message { runtime, travelling, .. } = message;
    let checks = travelling.iter().map(|ty| {
        let at = runtime.at(ty.span());
        quote_spanned!(ty.span()=> #at::component::travels::<#ty>();)
    });
    (!travelling.is_empty()).then(|| quote!(const _: () = { #(#checks)* };))
}

/// Says that there is a secret in it when there is one in what it holds.
fn secret(message: &Message) -> Option<TokenStream> {
    let Message { runtime, inner, .. } = message;
    (!inner.is_empty()).then(|| quote!(#runtime::secrets_in! { #(#inner),* }))
}

fn derives(runtime: &Runtime) -> [(&'static str, TokenStream); 5] {
    [
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
        ("Serialize", quote!(#runtime::derive::serde::Serialize)),
        ("Deserialize", quote!(#runtime::derive::serde::Deserialize)),
        ("JsonSchema", quote!(#runtime::derive::schemars::JsonSchema)),
    ]
}

fn configuration(runtime: &Runtime) -> TokenStream {
    quote! {
        fn configuration() -> ::core::option::Option<#runtime::derive::serde_json::Value> {
            let default = <Self as ::core::default::Default>::default();
            #runtime::derive::serde_json::to_value(default).ok()
        }
    }
}
