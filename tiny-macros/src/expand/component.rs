//! The struct half.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::runtime::Runtime;
use crate::struct_half::{Component, SettingsField, StateField};

/// The struct, what it says of itself, its cells and its registration.
///
/// `Component` demands `Ports`, so that a struct half without an impl half is one error, at the struct's name.
pub(crate) fn component(component: &Component) -> TokenStream {
    let Component {
        runtime, item, name, description, info, tags, aliases, settings, states, ..
    } = component;
    let ident = &item.ident;
    let concurrency = match component.concurrency {
        Some(runs) => Literal::u32_unsuffixed(runs).into_token_stream(),
        None => quote!(#runtime::component::Info::CONCURRENCY),
    };
    let head = quote_spanned!(ident.span()=> impl #runtime::component::Component for #ident);
    let access = settings.iter().map(|field| access(component, field));
    let rows: Vec<TokenStream> = settings.iter().map(row).chain(states.iter().map(state)).collect();
    let table = if rows.is_empty() { quote!(_) } else { quote!(table) };
    let open = states.iter().map(|field| open(runtime, field));
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
                #(#rows)*
            }
        }

        #(#access)*

        #(#open)*

        #runtime::derive::inventory::submit! {
            #runtime::component::Registration::of::<#ident>(
                ::core::concat!(::core::file!(), ":", ::core::line!())
            )
        }
    }
}

/// How the runtime reaches the settings.
fn access(component: &Component, field: &SettingsField) -> TokenStream {
    let Component { runtime, item, .. } = component;
    let (SettingsField { member, ty, cfg, .. }, ident) = (field, &item.ident);
    quote! {
        #(#cfg)*
        #[automatically_derived]
        impl #runtime::component::SettingsOf<#ty> for #ident {
            fn settings_cell(&self) -> &#runtime::component::Settings<#ty> {
                &self.#member
            }
        }
    }
}

fn row(field: &SettingsField) -> TokenStream {
    let SettingsField { ty, description, cfg, .. } = field;
    let call = quote_spanned!(ty.span()=> table.settings::<#ty>(#description););
    quote!(#(#cfg)* #call)
}

fn state(field: &StateField) -> TokenStream {
    let StateField { member, ty, cfg } = field;
    let key = field.key();
    let call = quote_spanned!(ty.span()=> table.state(#key, |me| &me.#member););
    quote!(#(#cfg)* #call)
}

/// A secret that is deeper in a state than the struct shows.
fn open(runtime: &Runtime, field: &StateField) -> TokenStream {
    let StateField { ty, cfg, .. } = field;
    let span = ty.span();
    let at = runtime.at(span);
    let sentence =
        "a state cannot hold a `Secret`: it lies open in the node's status, take settings";
    let check = quote_spanned! {span=>
        const _: () = {
            #[allow(unused_imports)]
            use #at::component::NoMessage as _;
            ::core::assert!(!<#at::component::Probe<#ty>>::SECRET, #sentence);
        };
    };
    quote!(#(#cfg)* #check)
}
