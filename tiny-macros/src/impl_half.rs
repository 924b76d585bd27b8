//! `#[component]` on an impl: which ports a component has.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Ident, ImplItem, Type};

use crate::args::Args;
use crate::errors::Errors;
use crate::method::{Entry, ImplBlock, Method};
use crate::port::{Port, Role};
use crate::runtime::Runtime;
use crate::types;

const PLACE: &str = "`#[component]` on an impl";
/// Words of the struct half, to say where they belong.
const ELSEWHERE: [&str; 5] = ["name", "tags", "aliases", "concurrency", "sequential"];

/// The ports of a component, and all else that stands in its impl.
pub(crate) struct Ports {
    pub(crate) runtime: Runtime,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ty: Type,
    pub(crate) items: Vec<Part>,
}

/// One item of the impl.
pub(crate) enum Part {
    Port(Box<Port>),
    /// A port that is wrong: stands as it is, as far as that can be.
    Broken(TokenStream),
    /// A method or constant of the author's own: stands as it is.
    Other(TokenStream),
}

impl Ports {
    /// Reads the impl half. What cannot be the impl of a component (it is generic, or of a trait) is `Err` with the impl.
    pub(crate) fn read(
        words: TokenStream,
        block: ImplBlock,
        errors: &mut Errors,
    ) -> Result<Self, TokenStream> {
        let runtime = Runtime(crate_path(words, errors));
        let mut no = false;
        if let Some(of_trait) = &block.of_trait {
            let ty = block.ty.to_token_stream();
            errors.at(
                of_trait,
                format!("`#[component]` belongs on `impl {ty}`, not on a trait of it"),
            );
            no = true;
        }
        if !block.generics.params.is_empty() {
            let sentence = "a component cannot be generic: it is registered once, by its name";
            errors.at(&block.generics, sentence);
            no = true;
        }
        let ImplBlock { attrs, generics, of_trait, ty, items } = block;
        let items: Vec<Part> = items.into_iter().map(|entry| part(entry, errors)).collect();
        if no {
            let head = generics.split_for_impl();
            let items = items.into_iter().map(|part| match part {
                Part::Port(port) => port.method.to_token_stream(),
                Part::Broken(tokens) | Part::Other(tokens) => tokens,
            });
            let (of_trait, where_clause) = (of_trait.map(|of| quote::quote!(#of for)), head.2);
            let generics = head.0;
            return Err(quote::quote! {
                #(#attrs)* impl #generics #of_trait #ty #where_clause { #(#items)* }
            });
        }
        let mut ports = Self { runtime, attrs, ty, items };
        ports.check_names(errors);
        ports.check_failures(errors);
        ports.check_catches(errors);
        ports.check_keys(errors);
        Ok(ports)
    }

    /// The ports, in the author's order.
    pub(crate) fn ports(&self) -> impl Iterator<Item = &Port> {
        self.items.iter().filter_map(|part| match part {
            Part::Port(port) => Some(&**port),
            Part::Broken(_) | Part::Other(_) => None,
        })
    }

    /// Ports that are always there: of two with a condition only one may exist, and rustc tells when both do.
    fn certain(&self) -> impl Iterator<Item = &Port> {
        self.ports().filter(|port| port.cfg.is_empty())
    }

    /// One name, one port.
    fn check_names(&self, errors: &mut Errors) {
        let mut seen: Vec<&Port> = Vec::new();
        for port in self.certain() {
            if let Some(first) = seen.iter().find(|first| first.name == port.name) {
                let (name, ident) = (&port.name, &first.method.sig.ident);
                let sentence = match port.role.system_name() {
                    Some(_) => {
                        let noun = port.role.noun();
                        format!("a component has one {noun} and `{ident}` is it: put both into one")
                    }
                    None => format!(
                        "two ports are called `{name}`: `{ident}` is it already, rename this one"
                    ),
                };
                errors.at(&port.named_at, sentence);
            }
            seen.push(port);
        }
    }

    /// One error port for each type.
    fn check_failures(&self, errors: &mut Errors) {
        let mut seen: Vec<(&Type, &Ident)> = Vec::new();
        for port in self.certain() {
            let Some(ty) = port.failure() else { continue };
            if let Some((_, first)) = seen.iter().find(|(other, _)| types::alike(other, ty)) {
                let text = ty.to_token_stream();
                let sentence =
                    format!("`{first}` takes the failures of `{text}` already: keep one of them");
                errors.at(&port.signature.message, sentence);
            }
            seen.push((ty, &port.method.sig.ident));
        }
    }

    /// An error port that takes the failures of what nobody receives would never send.
    fn check_catches(&self, errors: &mut Errors) {
        // A port that is wrong may be the target that is meant.
        if self.items.iter().any(|part| matches!(part, Part::Broken(_))) {
            return;
        }
        let targets = self.ports().filter(|port| matches!(port.role, Role::Target | Role::Control));
        let taken: Vec<&Type> =
            targets.filter_map(|port| port.signature.message.as_ref()).collect();
        for port in self.ports() {
            let Some(ty) = port.failure().filter(|ty| !types::is(ty, "Json")) else { continue };
            if taken.iter().any(|taken| types::alike(taken, ty)) {
                continue;
            }
            let text = ty.to_token_stream();
            let sentence = format!(
                "`{}` takes the failures of `{text}`, which no target takes: name the message of a target as it is named there, or `Failure<Json>` for all that no other takes",
                port.method.sig.ident
            );
            errors.at(ty, sentence);
        }
    }

    /// A constant of the author's own cannot have the name of a key.
    fn check_keys(&mut self, errors: &mut Errors) {
        let own: Vec<Ident> = self.items.iter().filter_map(constant).collect();
        for part in &mut self.items {
            let Part::Port(port) = part else { continue };
            if port.role.is_hook() {
                continue;
            }
            let key = port.key();
            let Some(constant) = own.iter().find(|constant| **constant == key) else { continue };
            let sentence =
                format!("`{key}` is the key of port `{}`: rename the constant", port.name);
            errors.at(constant, sentence);
            port.keyless = true;
        }
    }
}

fn constant(part: &Part) -> Option<Ident> {
    let Part::Other(tokens) = part else { return None };
    match syn::parse2(tokens.clone()) {
        Ok(ImplItem::Const(own)) => Some(own.ident),
        _ => None,
    }
}

fn crate_path(words: TokenStream, errors: &mut Errors) -> Option<syn::Path> {
    let mut known = ELSEWHERE.to_vec();
    known.push("crate");
    let mut args = Args::parse(words, PLACE, &known, errors);
    let path = args.path("crate", errors);
    for arg in args.rest() {
        let sentence = format!("`{}` belongs to `#[component(…)]` on the struct", arg.word);
        errors.at(&arg.word, sentence);
    }
    path
}

fn part(entry: Entry, errors: &mut Errors) -> Part {
    let mut method = match entry {
        Entry::Method(method) => method,
        Entry::Other(item) => return Part::Other(item.into_token_stream()),
    };
    let ports: Vec<Attribute> = method.attrs.extract_if(.., |attr| is_port(attr)).collect();
    for second in ports.iter().skip(1) {
        errors.at(second, "a method is one port: keep one `#[port]`");
    }
    match ports.first() {
        Some(attr) => match Port::read(attr, *method, errors) {
            Ok(port) => Part::Port(Box::new(port)),
            Err(method) => Part::Broken(method.into_token_stream()),
        },
        None => Part::Other(plain(&method, errors)),
    }
}

fn is_port(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == "port")
}

fn plain(method: &Method, errors: &mut Errors) -> TokenStream {
    if method.body.is_none() {
        let ident = &method.sig.ident;
        let sentence =
            format!("`{ident}` has no body: write one, or make it a port with `#[port(source)]`");
        errors.at(ident, sentence);
    }
    method.to_token_stream()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn read(words: TokenStream, text: &str) -> (Option<Ports>, Vec<String>) {
        let mut errors = Errors::default();
        let block = syn::parse_str(text).unwrap();
        let ports = Ports::read(words, block, &mut errors).ok();
        (ports, errors.sentences())
    }

    #[test]
    fn ports_stand_in_the_order_of_the_methods() {
        let (ports, errors) = read(
            quote!(),
            "impl Hello {
                /// B.
                #[port(target)] async fn b(&self, c: &Ctx, m: In) -> Result {}
                fn own(&self) {}
                /// A.
                #[tiny_runtime::port(source)] async fn a(&self, c: &Ctx, m: In) -> Result;
            }",
        );
        assert_eq!(errors, Vec::<String>::new());
        let names: Vec<String> = ports.unwrap().ports().map(|port| port.name.clone()).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn two_of_a_kind_are_told() {
        let (_, errors) = read(
            quote!(),
            "impl Hello {
                const A: u8 = 1;
                /// A.
                #[port(source)] async fn a(&self, c: &Ctx, m: In) -> Result;
                /// B.
                #[port(source, name = \"a\")] async fn b(&self, c: &Ctx, m: In) -> Result;
                /// I.
                #[port(target)] async fn i(&self, c: &Ctx, m: In) -> Result {}
                /// E.
                #[port(error)] async fn e(&self, c: &Ctx, f: Failure<In>) -> Result;
                /// F.
                #[port(error)] async fn f(&self, c: &Ctx, f: Failure<In>) -> Result;
            }",
        );
        assert_eq!(
            errors,
            [
                "two ports are called `a`: `a` is it already, rename this one",
                "`e` takes the failures of `In` already: keep one of them",
                "`A` is the key of port `a`: rename the constant",
            ]
        );
    }

    #[test]
    fn an_error_port_that_would_never_send_is_told() {
        let (_, errors) = read(
            quote!(),
            "impl Hello {
                /// I.
                #[port(target)] async fn i(&self, c: &Ctx, m: &super::In) -> Result {}
                /// E.
                #[port(error)] async fn e(&self, c: &Ctx, f: Failure<In>) -> Result;
                /// F.
                #[port(error)] async fn f(&self, c: &Ctx, f: Failure<Out>) -> Result;
                /// G.
                #[port(error)] async fn g(&self, c: &Ctx, f: Failure<Json>) -> Result;
            }",
        );
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with("`f` takes the failures of `Out`, which no target takes"));
    }

    #[test]
    fn ports_with_a_condition_may_share_a_name() {
        let (_, errors) = read(
            quote!(),
            "impl Hello {
                /// A.
                #[cfg(unix)] #[port(source)] async fn a(&self, c: &Ctx, m: In) -> Result;
                /// A.
                #[cfg(not(unix))] #[port(source)] async fn a(&self, c: &Ctx, m: In) -> Result;
            }",
        );
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn words_of_the_struct_are_sent_there() {
        let (_, errors) = read(quote!(name = "a", crate = ::b), "impl A {}");
        assert_eq!(errors, ["`name` belongs to `#[component(…)]` on the struct"]);
    }

    #[test]
    fn a_trait_impl_and_a_generic_one_are_no_components() {
        let (ports, errors) = read(quote!(), "impl<T> Drop for A<T> { fn drop(&mut self) {} }");
        assert!(ports.is_none());
        assert_eq!(errors.len(), 2, "{errors:#?}");
    }

    #[test]
    fn a_method_without_a_body_is_a_port() {
        let (_, errors) = read(quote!(), "impl A { fn a(&self); }");
        assert_eq!(
            errors,
            ["`a` has no body: write one, or make it a port with `#[port(source)]`"]
        );
    }
}
