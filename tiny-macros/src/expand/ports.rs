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
        Part::Broken(tokens) | Part::Other(tokens) => tokens.clone(),
    });
    let keyed = || ports.ports().filter(|port| !port.keyless);
    let keys = keyed().filter_map(|port| key(runtime, port));
    let rows: Vec<TokenStream> = keyed().map(|port| row(runtime, port)).collect();
    let table = if rows.is_empty() { quote!(_) } else { quote!(table) };
    let is_component = quote_spanned!(ty.span()=> #runtime::component::is_component::<#ty>());
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

/// The author's method; what sends gets its body.
fn method(port: &Port) -> TokenStream {
    let (Some(ctx), Some(message), Some(ty)) =
        (&port.signature.ctx, &port.signature.name, &port.signature.message)
    else {
        return port.method.to_token_stream();
    };
    if !port.role.sends() || port.keyless {
        return port.method.to_token_stream();
    }
    // One place, so that what is wrong with the type of the message is told once.
    let span = ty.span();
    let at = |name: &Ident| {
        let mut name = name.clone();
        name.set_span(span.resolved_at(name.span()));
        name
    };
    let (ctx, message) = (at(ctx), at(message));
    let key = port.key();
    let key = match &port.signature.item {
        Some(item) => {
            let item = at(item);
            quote_spanned!(span=> &Self::#key.of(#item))
        }
        None => quote_spanned!(span=> &Self::#key),
    };
    // An error port is sent by the runtime, never by the author.
    let dead = (port.role == Role::Error).then(|| quote!(dead_code,));
    let quiet = quote!(#[allow(#dead clippy::unused_self)]);
    let send = quote_spanned!(span=> { #ctx.send(#key, #message).await });
    port.method.with(&[quiet], &send)
}

/// The one place that demands a `Message`: a wrong payload is one error, at the author's own type. Hooks have none.
fn key(runtime: &Runtime, port: &Port) -> Option<TokenStream> {
    let Port { name, cfg, .. } = port;
    let message = port.signature.message.as_ref().filter(|_| !port.role.is_hook())?;
    let key = port.key();
    let answer = match &port.signature.answer {
        Answer::Reply => quote!(#runtime::component::Reply),
        Answer::Nothing => quote!(()),
        Answer::Type(ty) => ty.to_token_stream(),
    };
    let (kind, function, doc) = match port.each {
        Some(_) => ("Keys", "keys", format!("The ports `{name}`.")),
        None => ("Key", "key", format!("The port `{name}`.")),
    };
    let kind = Ident::new(kind, Span::call_site());
    let span = message.span();
    let at = runtime.at(span);
    let mut text = Literal::string(name);
    text.set_span(span);
    let function = Ident::new(function, span);
    let new = quote_spanned!(span=> #at::component::#function::<Self, #message, #answer>(#text));
    Some(quote! {
        #(#cfg)*
        #[doc = #doc]
        #[allow(dead_code, private_interfaces)]
        pub const #key: #runtime::component::#kind<Self, #message, #answer> = #new;
    })
}

fn row(runtime: &Runtime, port: &Port) -> TokenStream {
    let cfg = &port.cfg;
    let row = match port.role {
        Role::Settings => settings(port),
        Role::Reconcile => reconcile(port),
        Role::Destroy => destroy(port),
        Role::Control => control(runtime, port),
        Role::Target | Role::Source | Role::Error => plain(runtime, port),
    };
    // Several statements have one condition.
    if cfg.is_empty() { row } else { quote!(#(#cfg)* { #row }) }
}

/// Names in what calls the author's method. They stand where the method says what it answers: that is where a future that cannot
/// cross threads is told.
fn own<const N: usize>(port: &Port, names: [&str; N]) -> [Ident; N] {
    names.map(|name| Ident::new(name, place(port)))
}

fn place(port: &Port) -> Span {
    match &port.signature.answer {
        Answer::Type(ty) => ty.span(),
        Answer::Reply | Answer::Nothing => match &port.method.sig.output {
            syn::ReturnType::Type(_, ty) => ty.span(),
            syn::ReturnType::Default => port.method.sig.ident.span(),
        },
    }
}

fn plain(runtime: &Runtime, port: &Port) -> TokenStream {
    let (name, key) = (Literal::string(&port.name), port.key());
    let call = match port.role {
        Role::Target if port.signature.borrowed => "target_ref",
        role => role.word(),
    };
    let call = Ident::new(call, Span::call_site());
    let [me, ctx, item, message] = own(port, ["me", "ctx", "item", "message"]);
    let handler = (port.role == Role::Target).then(|| {
        let (item, arguments) = match port.each {
            Some(_) => (item.to_token_stream(), quote!(#ctx, #item, #message)),
            None => (quote!(_), quote!(#ctx, #message)),
        };
        let answer = answer(port, &me, &arguments);
        quote!(, |#me, #ctx, #item, #message| #answer)
    });
    let shown = shown(runtime, port);
    quote!(table.#call(#name, Self::#key.ops() #handler) #shown;)
}

fn control(runtime: &Runtime, port: &Port) -> TokenStream {
    let key = port.key();
    let [me, ctx, message] = own(port, ["me", "ctx", "message"]);
    let passed = passed(port, &message);
    let answer = answer(port, &me, &quote!(#ctx, #passed));
    let shown = shown(runtime, port);
    let read = port.read.as_ref().map(|read| quote!(table.read(#read);));
    quote! {
        table.control(Self::#key.ops(), |#me, #ctx, _, #message| #answer) #shown;
        #read
    }
}

/// What was borrowed, as the author's method takes it.
fn passed(port: &Port, message: &Ident) -> TokenStream {
    match port.signature.borrowed {
        true => message.to_token_stream(),
        false => quote!(::core::clone::Clone::clone(#message)),
    }
}

fn settings(port: &Port) -> TokenStream {
    let (ident, ty) = (&port.method.sig.ident, &port.signature.message);
    let [me, ctx, settings] = own(port, ["me", "ctx", "settings"]);
    let passed = passed(port, &settings);
    let shape = port.schema.as_ref().map(|schema| quote!(table.settings_schema(#schema);));
    let hook = quote_spanned! {ty.span()=>
        table.on_settings::<#ty>(|#me, #ctx, #settings| {
            ::std::boxed::Box::pin(#me.#ident(#ctx, #passed))
        });
    };
    quote!(#shape #hook)
}

fn reconcile(port: &Port) -> TokenStream {
    let (ident, description) = (&port.method.sig.ident, &port.description);
    let [me, ctx] = own(port, ["me", "ctx"]);
    quote! {
        table.reconcile(#description, |#me, #ctx| ::std::boxed::Box::pin(#me.#ident(#ctx)));
    }
}

/// No port, so nobody reads what stands above it.
fn destroy(port: &Port) -> TokenStream {
    let ident = &port.method.sig.ident;
    let [me, ctx] = own(port, ["me", "ctx"]);
    quote!(table.destroy(|#me, #ctx| ::std::boxed::Box::pin(#me.#ident(#ctx)));)
}

/// Calls the method.
fn answer(port: &Port, me: &Ident, arguments: &TokenStream) -> TokenStream {
    let (ident, key) = (&port.method.sig.ident, port.key());
    let mut ident = ident.clone();
    ident.set_span(place(port).resolved_at(ident.span()));
    quote_spanned!(place(port)=> Self::#key.ops().answer(#me.#ident(#arguments)))
}

/// What people read of the port, and what it depends on.
fn shown(runtime: &Runtime, port: &Port) -> TokenStream {
    let Port { label, description, when, each, schema, .. } = port;
    let position = Ident::new(port.position, Span::call_site());
    let when = when.as_ref().map(|path| quote!(.when(#path)));
    let each = each.as_ref().map(|path| quote!(.each(#path)));
    let schema = schema.as_ref().map(|path| quote!(.schema(#path)));
    quote! {
        .shown(#label, #description, #runtime::component::Position::#position) #when #each #schema
    }
}
