//! A message.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, parse_quote};

use crate::fields::Ruled;
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
        let path = runtime.path("derive::serde");
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
        let path = runtime.path("derive::schemars");
        quote!(#[schemars(crate = #path)])
    });
    let secret = secret(message);
    let configuration = message.default.then(|| configuration(runtime));

    let ident = &item.ident;
    let generics = generics(message);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let fields = fields(message);
    let ruled = ruled(message);
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

        #ruled
    }
}

/// The item's parameters: whatever is put in for one travels.
fn generics(message: &Message) -> Generics {
    let Message { runtime, item, .. } = message;
    let mut generics = item.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(#runtime::component::Message));
    }
    generics
}

/// The rules of the fields that have some, each a type that serde's attribute can name.
fn ruled(message: &Message) -> TokenStream {
    let Message { runtime, item, ruled, .. } = message;
    let ident = &item.ident;
    let generics = generics(message);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let of_field = |(number, ruled): (usize, &Ruled)| {
        let Ruled { name, ty, rules } = ruled;
        // A rule that is none of this type is told at the type.
        let none = quote_spanned!(ty.span()=> Rules::new());
        quote! {
            #[automatically_derived]
            impl #parameters #runtime::component::rules::Ruled<#number> for #ident #arguments #bounds {
                type Field = #ty;
                const NAME: &'static str = #name;
                const RULES: #runtime::component::rules::Rules<#ty> = {
                    #[allow(unused_imports)]
                    use #runtime::component::rules::{Bound, Rules};
                    #none #(#rules)*
                };
            }
        }
    };
    ruled.iter().enumerate().map(of_field).collect()
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
