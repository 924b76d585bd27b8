//! The impl half.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::impl_half::{Part, Ports};
use crate::port::{Port, Role};
use crate::runtime::Runtime;
use crate::types::Answer;

/// The impl with a body for each source and a key for each port, and the rows of the table.
pub(crate) fn ports(ports: &Ports) -> TokenStream {
    let Ports { runtime, attrs, ty, items } = ports;
    let items = items.iter().map(|part| match part {
        Part::Port(port) => method(port),
        Part::Other(tokens) => tokens.clone(),
    });
    let keys = ports.ports().filter(|port| !port.keyless).map(|port| key(runtime, port));
    let rows: Vec<TokenStream> = ports.ports().map(|port| row(runtime, port)).collect();
    let table = if rows.is_empty() { quote!(_) } else { quote!(table) };
    let is_component = quote_spanned!(ty.span()=> #runtime::__private::is_component::<#ty>());
    quote! {
        #(#attrs)*
        impl #ty {
            #(#items)*

            #(#keys)*
        }

        #[automatically_derived]
        impl #runtime::component::Ports for #ty {
            fn ports(#table: &mut #runtime::component::Table<Self>) {
                #(#rows)*
            }
        }

        const _: () = #is_component;
    }
}

fn method(port: &Port) -> TokenStream {
    let Some((ctx, message)) = &port.signature.names else {
        return port.method.to_token_stream();
    };
    let span = port.signature.message.span();
    let [ctx, message] = [ctx, message].map(|name| {
        let mut name = name.clone();
        name.set_span(span.resolved_at(name.span()));
        name
    });
    let name = &port.name;
    // An error port is sent by the runtime, never by the author.
    let dead = (port.role == Role::Error).then(|| quote!(dead_code,));
    let quiet = quote!(#[allow(#dead clippy::unused_self, reason = "the flow is its body")]);
    let send = quote_spanned!(span=> { #ctx.send(#name, #message).await });
    port.method.with(&[quiet], &send)
}

/// The one place that demands a `Message`: a wrong payload is one error, at the author's own type.
fn key(runtime: &Runtime, port: &Port) -> TokenStream {
    let Port { name, cfg, .. } = port;
    let (key, message) = (port.key(), &port.signature.message);
    let answer = match &port.signature.answer {
        Answer::Reply => None,
        Answer::Nothing => Some(quote!(, ())),
        Answer::Type(ty) | Answer::Optional(ty, _) => Some(quote!(, #ty)),
    };
    let doc = format!("The port `{name}`.");
    let span = message.span();
    let at = runtime.at(span);
    let mut text = Literal::string(name);
    text.set_span(span);
    let new = quote_spanned!(span=> #at::component::Key::new(#text));
    quote! {
        #(#cfg)*
        #[doc = #doc]
        #[allow(dead_code, private_interfaces, reason = "a key is as private as its message")]
        pub const #key: #runtime::component::Key<Self, #message #answer> = #new;
    }
}

fn row(runtime: &Runtime, port: &Port) -> TokenStream {
    let Port { name, label, description, cfg, .. } = port;
    let position = Ident::new(port.position, Span::call_site());
    let message = &port.signature.message;
    let (call, ty) = match port.role {
        Role::Target if port.signature.borrowed => ("target_ref", message),
        Role::Target => ("target", message),
        Role::Source => ("source", message),
        Role::Error => ("error", port.failure().unwrap_or(message)),
    };
    let call = Ident::new(call, ty.span());
    let response = match port.response() {
        Some(ty) => {
            let span = ty.span();
            let at = runtime.at(span);
            let schema = quote_spanned!(span=> #at::__private::reply_schema::<#ty>);
            quote!(::core::option::Option::Some(#schema))
        }
        None => quote!(::core::option::Option::None),
    };
    let handler = (port.role == Role::Target).then(|| handler(runtime, port));
    let (name, label) = (Literal::string(name), Literal::string(label));
    quote! {
        #(#cfg)*
        table.#call::<#ty>(
            #runtime::component::PortMeta {
                name: #name,
                label: #label,
                description: #description,
                position: #runtime::component::Position::#position,
            },
            #response,
            #handler
        );
    }
}

/// Calls the method. No async block stands around it: the future that the author wrote is the future that runs.
fn handler(runtime: &Runtime, port: &Port) -> TokenStream {
    let ident = &port.method.sig.ident;
    // Names of its own: the author's cannot be met.
    let span = Span::mixed_site();
    let [me, ctx, message] = ["me", "ctx", "message"].map(|name| Ident::new(name, span));
    let answer = port.response().map_or_else(|| port.method.sig.output.span(), Spanned::span);
    let at = runtime.at(answer);
    let call = quote_spanned! {answer=>
        ::std::boxed::Box::pin(#at::__private::TryFutureExt::map_ok(
            #me.#ident(#ctx, #message),
            #at::component::IntoReply::into_reply,
        ))
    };
    quote!(|#me, #ctx, #message| #call,)
}
