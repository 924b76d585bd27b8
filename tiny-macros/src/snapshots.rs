//! What is written for an author, as files under `tests/expand`: `name.rs` goes in, `name.expanded.rs` comes out.
//! `BLESS=1` writes them anew.

use std::fs;
use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item, Meta};

use crate::entry;

/// Expands every item of a file that begins with one of our attributes.
fn expand(source: &str) -> String {
    let file = syn::parse_file(source).expect("the case is Rust");
    let items = file.items.into_iter().map(|mut item| {
        let Some(attrs) = attrs(&mut item) else { return item.into_token_stream() };
        let own =
            |attr: &Attribute| ["component", "message"].iter().any(|it| attr.path().is_ident(it));
        let Some(at) = attrs.iter().position(own) else { return item.into_token_stream() };
        let attr = attrs.remove(at);
        let words = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        match attr.path().is_ident("message") {
            true => entry::message(words, item.into_token_stream()),
            false => entry::component(words, item.into_token_stream()),
        }
    });
    let expanded = quote!(#(#items)*);
    let expanded = syn_2::parse2(expanded).expect("what is written is Rust");
    prettyplease::unparse(&expanded)
}

fn attrs(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn check(name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let source = fs::read_to_string(folder.join(format!("{name}.rs"))).expect("the case is there");
    let expanded = expand(&source);
    let kept = folder.join(format!("{name}.expanded.rs"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(kept, expanded).expect("the snapshot can be written");
        return;
    }
    let kept = fs::read_to_string(kept).unwrap_or_default();
    assert_eq!(expanded, kept, "`{name}` expands to something else; BLESS=1 keeps it");
}

#[test]
fn a_component_is_written_as_kept() {
    check("component");
}

#[test]
fn ports_are_written_as_kept() {
    check("ports");
}

#[test]
fn every_role_is_written_as_kept() {
    check("roles");
}

#[test]
fn messages_are_written_as_kept() {
    check("messages");
}

#[test]
fn mistakes_leave_the_item_as_kept() {
    check("mistakes");
}

/// Lines that are written for a port beside those of its author.
fn lines_of(port: &str) -> usize {
    let component = |port: &str| format!("#[component]\nimpl Hello {{\n{port}\n}}");
    let lines = |port: &str| expand(&component(port)).lines().count();
    let own = port.lines().filter(|line| !line.trim().starts_with("#[port")).count();
    lines(port) - lines("") - own
}

#[test]
fn a_port_costs_at_most_25_lines() {
    let body = "{\n    todo!()\n}";
    let ports = [
        format!("/// P.\n#[port(target)]\nasync fn input(&self, ctx: &Ctx, message: In) -> Result {body}"),
        format!("/// P.\n#[port(target)]\nasync fn input(&self, ctx: &Ctx, message: &In) -> Result<Out> {body}"),
        format!("/// P.\n#[port(target, each = Self::all)]\nasync fn input(&self, ctx: &Ctx, item: &str, message: &In) -> Result<Out> {body}"),
        "/// P.\n#[port(source)]\nasync fn output(&self, ctx: &Ctx, message: Out) -> Result;".to_owned(),
        "/// P.\n#[port(source, each = Self::all)]\nasync fn output(&self, ctx: &Ctx, item: &str, message: Out) -> Result;".to_owned(),
        "/// P.\n#[port(error)]\nasync fn error(&self, ctx: &Ctx, failure: Failure<In>) -> Result;".to_owned(),
        format!("/// P.\n#[port(settings)]\nasync fn check(&self, ctx: &Ctx, settings: &Manner) -> Result<()> {body}"),
        format!("/// P.\n#[port(control, read = Self::view)]\nasync fn control(&self, ctx: &Ctx, panel: &Panel) -> Result {body}"),
        format!("/// P.\n#[port(reconcile)]\nasync fn look(&self, ctx: &Ctx) -> Result<()> {body}"),
        format!("/// P.\n#[port(destroy)]\nasync fn end(&self, ctx: &Ctx) -> Result<()> {body}"),
    ];
    let lines: Vec<usize> = ports.iter().map(|port| lines_of(port)).collect();
    assert!(lines.iter().all(|lines| *lines <= 25), "{lines:?}");
}
