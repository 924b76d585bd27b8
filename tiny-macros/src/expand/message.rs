//! A message.

use proc_macro2::TokenStream;
use quote::quote;
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
    let configuration = message.default.then(|| configuration(runtime));

    let ident = &item.ident;
    let mut generics = item.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#runtime::component::Message));
    }
    let (parameters, _, bounds) = generics.split_for_impl();
    let (_, arguments, _) = item.generics.split_for_impl();
    quote! {
        #[derive(#(#derives),*)]
        #[serde(#(#words),*)]
        #schemars
        #item

        #[automatically_derived]
        impl #parameters #runtime::component::Message for #ident #arguments #bounds {
            #configuration
        }
    }
}

fn derives(runtime: &Runtime) -> [(&'static str, TokenStream); 5] {
    [
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
        ("Serialize", quote!(#runtime::__private::serde::Serialize)),
        ("Deserialize", quote!(#runtime::__private::serde::Deserialize)),
        ("JsonSchema", quote!(#runtime::__private::schemars::JsonSchema)),
    ]
}

fn configuration(runtime: &Runtime) -> TokenStream {
    quote! {
        fn configuration() -> ::core::option::Option<#runtime::__private::serde_json::Value> {
            let default = <Self as ::core::default::Default>::default();
            #runtime::__private::serde_json::to_value(default).ok()
        }
    }
}
