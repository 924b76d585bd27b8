//! The struct half.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::struct_half::{Component, SettingsField};

/// The struct, what it says of itself, its cells and its registration.
///
/// `Component` demands `Ports`, so that a struct half without an impl half is one error, at the struct's name.
pub(crate) fn component(component: &Component) -> TokenStream {
    let Component { runtime, item, name, description, info, tags, aliases, .. } = component;
    let ident = &item.ident;
    let concurrency = match component.concurrency {
        Some(runs) => Literal::u32_unsuffixed(runs).into_token_stream(),
        None => quote!(#runtime::component::Info::CONCURRENCY),
    };
    let settings = component.settings.iter().map(settings);
    let table = if component.settings.is_empty() { quote!(_) } else { quote!(table) };
    let head = quote_spanned!(ident.span()=> impl #runtime::component::Component for #ident);
    quote! {
        #item

        #[automatically_derived]
        #head {
            const INFO: #runtime::component::Info = #runtime::component::Info {
                name: #name,
                description: #description,
                info: #info,
                tags: &[#(#tags),*],
                aliases: &[#(#aliases),*],
                concurrency: #concurrency,
            };

            fn cells(#table: &mut #runtime::component::Table<Self>) {
                #(#settings)*
            }
        }

        #runtime::__private::inventory::submit! {
            #runtime::component::Registration::of::<#ident>(
                ::core::concat!(::core::file!(), ":", ::core::line!())
            )
        }
    }
}

fn settings(field: &SettingsField) -> TokenStream {
    let SettingsField { member, ty, description, cfg } = field;
    let call = quote_spanned!(ty.span()=> table.settings::<#ty>(#description, |me| &me.#member););
    quote!(#(#cfg)* #call)
}
