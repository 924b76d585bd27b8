//! `#[message]`: what travels through ports.

use proc_macro2::{Span, TokenStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericParam, Ident, Meta, Path, Token, Type,
};

use crate::above;
use crate::args::Args;
use crate::errors::Errors;
use crate::fields::{self, Ruled};
use crate::runtime::Runtime;
use crate::types;

/// A message, its fields already carrying what the schema must say.
pub(crate) struct Message {
    pub(crate) runtime: Runtime,
    pub(crate) item: DeriveInput,
    /// `#[message(default)]`.
    pub(crate) default: bool,
    /// What the author derives.
    pub(crate) derived: Vec<Ident>,
    /// The words of the author's own `#[serde(…)]` on the container.
    pub(crate) serde: Vec<Ident>,
    /// The same of `#[schemars(…)]`.
    pub(crate) schemars: Vec<Ident>,
    /// Types in its fields in which a secret may be.
    pub(crate) inner: Vec<Type>,
    /// Types of its fields that must be able to travel.
    pub(crate) travelling: Vec<Type>,
    /// Its fields with rules.
    pub(crate) ruled: Vec<Ruled>,
}

impl Message {
    /// Reads the definition of a message. `Err` is the item, without `#[ui]`, when it cannot be one.
    pub(crate) fn read(
        words: TokenStream,
        mut item: DeriveInput,
        errors: &mut Errors,
    ) -> Result<Self, Box<DeriveInput>> {
        let mut args = Args::parse(words, "`#[message]`", &["default", "crate"], errors);
        let default = args.flag("default", errors).is_some();
        let runtime = Runtime(args.path("crate", errors));
        fields::refuse_ui(&mut item.attrs, "belongs on a field", errors);
        let (is_one, ruled) = fields::read(&mut item, &runtime, default, errors);
        let fits = is_one & owns(&item, errors);
        if !fits {
            strip(&mut item);
            return Err(Box::new(item));
        }
        let mut derived = words_of(&item.attrs, "derive");
        let above = above::derives();
        let ours: Vec<String> =
            above.iter().map(Ident::to_string).filter(|name| OURS.contains(&&**name)).collect();
        if !ours.is_empty() {
            let names = ours.join(", ");
            let sentence = format!(
                "`#[derive({names})]` stands above `#[message]`, which derives it again: put it below, or leave it out"
            );
            errors.at_span(Span::call_site(), sentence);
        }
        derived.extend(above);
        let (serde, schemars) = (words_of(&item.attrs, "serde"), words_of(&item.attrs, "schemars"));
        let (inner, travelling) = (inner(&item), travelling(&item));
        Ok(Self { runtime, item, default, derived, serde, schemars, inner, travelling, ruled })
    }

    /// True for what serde can fill with defaults field by field.
    pub(crate) fn is_struct(&self) -> bool {
        matches!(self.item.data, Data::Struct(_))
    }
}

/// What `#[message]` derives where the author does not.
const OURS: [&str; 5] = ["Clone", "Debug", "Serialize", "Deserialize", "JsonSchema"];

/// Types that hold others and travel where those do.
const AROUND: [&str; 8] =
    ["Option", "Vec", "Box", "Arc", "HashMap", "BTreeMap", "HashSet", "BTreeSet"];
/// Types that travel and hold no secret.
const PLAIN: [&str; 20] = [
    "String", "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize", "f32", "f64", "Json", "Value", "Duration",
];

fn all_fields(item: &DeriveInput) -> Vec<&Field> {
    match &item.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    }
}

fn is_one_of(ty: &Type, names: &[&str]) -> bool {
    types::last_segment(ty).is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

/// Whether `ty` is the message's own type, or spells it somewhere: looking into it would have no end.
fn holds_itself(ty: &Type, item: &DeriveInput) -> bool {
    let own = item.ident.to_string();
    types::all(ty).iter().any(|ty| is_one_of(ty, &[&own, "Self"]))
}

/// Adds a type that is not there yet.
fn add(found: &mut Vec<Type>, ty: &Type) {
    if !found.contains(ty) {
        found.push(ty.clone());
    }
}

/// The types that are spelled in the fields, each once, but for those that are known to have no secret.
fn inner(item: &DeriveInput) -> Vec<Type> {
    let mut found = Vec::new();
    for field in all_fields(item) {
        if words_of(&field.attrs, "serde").iter().any(|word| word == "skip") {
            continue;
        }
        for ty in types::all(&field.ty) {
            let is_known = is_one_of(ty, &PLAIN) || is_one_of(ty, &AROUND);
            if types::last_segment(ty).is_some() && !is_known {
                add(&mut found, ty);
            }
        }
    }
    found
}

/// The types of the fields that serde and schemars must know, each once. Those around others are looked into, so that the one
/// that is at fault is named; what is in a type that nobody here knows is its own affair.
fn travelling(item: &DeriveInput) -> Vec<Type> {
    // Of a parameter nothing is known here.
    if !item.generics.params.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for field in all_fields(item) {
        let others = ["skip", "with"];
        let words = words_of(&field.attrs, "serde").into_iter();
        let mut words =
            words.chain(words_of(&field.attrs, "schemars")).map(|word| word.to_string());
        // Somebody else writes or reads it.
        if words.any(|word| others.iter().any(|other| word.contains(other))) {
            continue;
        }
        let mut open = vec![&field.ty];
        while let Some(ty) = open.pop() {
            if is_one_of(ty, &AROUND) {
                open.extend(types::arguments(ty));
            } else if !is_one_of(ty, &PLAIN) && !holds_itself(ty, item) {
                add(&mut found, ty);
            }
        }
    }
    found
}

/// Takes away what only derives know: there will be none.
fn strip(item: &mut DeriveInput) {
    let helps = |attr: &mut Attribute| {
        ["serde", "schemars"].iter().any(|helper| attr.path().is_ident(helper))
    };
    item.attrs.retain_mut(|attr| !helps(attr));
    let of_fields = |fields: &mut Fields| {
        fields.iter_mut().for_each(|field| field.attrs.retain_mut(|attr| !helps(attr)));
    };
    match &mut item.data {
        Data::Struct(data) => of_fields(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                variant.attrs.retain_mut(|attr| !helps(attr));
                of_fields(&mut variant.fields);
            }
        }
        Data::Union(data) => {
            data.fields
                .named
                .iter_mut()
                .for_each(|field| field.attrs.retain_mut(|attr| !helps(attr)));
        }
    }
}

/// A message outlives the hop that sent it.
fn owns(item: &DeriveInput, errors: &mut Errors) -> bool {
    let mut owns = true;
    for parameter in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let sentence = "a message owns its data: take `String` for `&str`, `Vec<T>` for `&[T]`";
            errors.at(lifetime, sentence);
            owns = false;
        }
    }
    owns
}

/// The words in every `#[name(…)]` of `attrs`: of a path its last segment. What is not read is rustc's to refuse.
pub(crate) fn words_of(attrs: &[Attribute], name: &str) -> Vec<Ident> {
    let mut words = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let Meta::List(list) = &attr.meta else { continue };
        let mut part = true;
        // `serde(crate = "…")` is no `Meta` for syn, since `crate` is a keyword: read what begins each part.
        for token in list.tokens.clone() {
            match token {
                proc_macro2::TokenTree::Punct(comma) if comma.as_char() == ',' => part = true,
                proc_macro2::TokenTree::Ident(word) if part => {
                    words.push(word);
                    part = false;
                }
                _ => {}
            }
        }
        if let Ok(paths) = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated) {
            let last = |path: &Path| path.segments.last().map(|segment| segment.ident.clone());
            words.extend(paths.iter().filter_map(last));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn read(words: TokenStream, item: DeriveInput) -> (Option<Message>, Vec<String>) {
        let mut errors = Errors::default();
        let message = Message::read(words, item, &mut errors).ok();
        (message, errors.sentences())
    }

    #[test]
    fn own_derives_and_own_serde_words_are_known() {
        let (message, errors) = read(
            quote!(default),
            parse_quote! {
                #[derive(std::fmt::Debug, PartialEq)]
                #[serde(crate = "other", rename_all = "snake_case")]
                struct A {}
            },
        );
        assert_eq!(errors, Vec::<String>::new());
        let message = message.unwrap();
        assert!(message.default);
        assert!(message.derived.iter().any(|word| word == "Debug"));
        let serde: Vec<String> = message.serde.iter().map(ToString::to_string).collect();
        assert_eq!(serde, ["crate", "rename_all"]);
    }

    #[test]
    fn every_mistake_of_a_message_is_told_at_once() {
        let (message, errors) = read(
            quote!(defualt),
            parse_quote! {
                #[ui(shared)]
                struct A<'a> {
                    a: &'a str,
                    /// B.
                    #[ui(taab = "x")]
                    b: u8,
                    #[serde(skip)]
                    c: u8,
                }
            },
        );
        assert!(message.is_none());
        assert_eq!(errors.len(), 5, "{errors:#?}");
        assert!(errors[0].contains("did you mean `default`?"), "{errors:#?}");
        assert!(errors[1].contains("`#[ui]` belongs on a field"), "{errors:#?}");
        assert!(errors[2].contains("field `a` has no doc comment"), "{errors:#?}");
        assert!(errors[3].contains("did you mean `tab`?"), "{errors:#?}");
        assert!(errors[4].contains("a message owns its data"), "{errors:#?}");
    }

    #[test]
    fn fields_without_names_and_variants_need_no_comment() {
        let (_, errors) =
            read(quote!(), parse_quote! { enum A { B, C(u8), D { /** E. */ e: u8 } } });
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn a_message_is_an_object() {
        let (_, errors) = read(
            quote!(),
            parse_quote!(
                struct Tick;
            ),
        );
        assert_eq!(errors, ["a message is a JSON object: write `struct Tick {}`"]);
    }
}
