//! The fields of a message: their comments, their words for editors, their rules.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Type};

use crate::docs;
use crate::errors::Errors;
use crate::message::words_of;
use crate::runtime::Runtime;
use crate::types;
use crate::ui::Ui;

/// A field whose values keep rules.
pub(crate) struct Ruled {
    /// What it is called in JSON.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Calls on a `Rules`.
    pub(crate) rules: Vec<TokenStream>,
}

/// Checks the fields and gives each its keywords. Returns whether the item is something that travels, and its fields with rules.
pub(crate) fn read(
    item: &mut DeriveInput,
    runtime: &Runtime,
    default: bool,
    errors: &mut Errors,
) -> (bool, Vec<Ruled>) {
    let serde = words_of(&item.attrs, "serde");
    let renames = serde.iter().any(|word| word == "rename_all" || word == "rename_all_fields");
    let mut reader = Reader {
        runtime,
        owner: owner(item),
        is_generic: item.generics.type_params().next().is_some(),
        is_camel: !renames,
        default,
        ruled: Vec::new(),
    };
    let is_one = reader.fields(item, errors);
    (is_one, reader.ruled)
}

/// The type that is being defined, as its own parts name it.
fn owner(item: &DeriveInput) -> TokenStream {
    let ident = &item.ident;
    let (_, arguments, _) = item.generics.split_for_impl();
    quote!(#ident #arguments)
}

/// Reads the fields of one definition.
struct Reader<'a> {
    runtime: &'a Runtime,
    owner: TokenStream,
    is_generic: bool,
    /// Whether fields are called as they are by default.
    is_camel: bool,
    /// Whether a field that is absent has the value of the whole's `Default`.
    default: bool,
    ruled: Vec<Ruled>,
}

impl Reader<'_> {
    /// Checks the fields and gives each its keywords; false when the item is nothing that travels.
    fn fields(&mut self, item: &mut DeriveInput, errors: &mut Errors) -> bool {
        let ident = &item.ident;
        match &mut item.data {
            Data::Struct(data) => {
                if matches!(data.fields, Fields::Unit) {
                    let sentence =
                        format!("a message is a JSON object: write `struct {ident} {{}}`");
                    errors.at(ident, sentence);
                }
                self.each(&mut data.fields, errors);
            }
            Data::Enum(data) => {
                for variant in &mut data.variants {
                    refuse_ui(&mut variant.attrs, "belongs on a field", errors);
                    self.each(&mut variant.fields, errors);
                }
            }
            Data::Union(_) => {
                errors.at(ident, "a message is a struct or an enum: a union has no JSON");
                return false;
            }
        }
        true
    }

    fn each(&mut self, fields: &mut Fields, errors: &mut Errors) {
        for field in fields.iter_mut() {
            if field.ident.is_none() {
                refuse_ui(&mut field.attrs, "belongs on a field with a name", errors);
                continue;
            }
            let ui = Ui::take(&mut field.attrs, errors);
            let serde = words_of(&field.attrs, "serde");
            if serde.iter().any(|word| word == "skip") {
                continue;
            }
            if serde.iter().any(|word| word == "flatten") {
                if !ui.is_empty() {
                    let sentence =
                        "`#[ui]` cannot stand on a flattened field: put it on the fields inside";
                    errors.at(&field.ident, sentence);
                }
                continue;
            }
            document(field, errors);
            field.attrs.extend(ui.attribute());
            if !ui.rules.is_empty() {
                self.rule(field, ui.rules, &serde, errors);
            }
        }
    }

    /// Has serde read the field by way of its rules.
    fn rule(
        &mut self,
        field: &mut Field,
        rules: Vec<TokenStream>,
        serde: &[Ident],
        errors: &mut Errors,
    ) {
        if let Some(word) = serde.iter().find(|word| *word == "with" || *word == "deserialize_with")
        {
            let sentence = format!(
                "`#[serde({word})]` reads this field, so nothing would check its rules: check them there, and say them by `#[schemars(extend(…))]`"
            );
            errors.at(word, sentence);
            return;
        }
        let path = self.runtime.path("component::rules::ruled");
        let path = format!("{path}::<{}, {}, _>", self.owner, self.ruled.len());
        // What reads in a way of its own is asked for even where there is nothing, unless it may be absent.
        let optional = types::is(&field.ty, "Option")
            && !self.default
            && !serde.iter().any(|word| word == "default");
        let absent = optional.then(|| quote!(default,));
        // serde knows what it needs of a parameter only where it reads the field itself.
        let bound = self.is_generic.then(|| {
            let ty = field.ty.to_token_stream();
            let reads = self.runtime.path("derive::serde::Deserialize");
            let rules = self.runtime.path("component::rules::Ruled");
            let (owner, number) = (&self.owner, self.ruled.len());
            let bound = format!("{owner}: {rules}<{number}, Field = {ty}>, {ty}: {reads}<'de>");
            quote!(bound(deserialize = #bound),)
        });
        field.attrs.push(syn::parse_quote!(#[serde(#absent #bound deserialize_with = #path)]));
        let name = self.name(field);
        self.ruled.push(Ruled { name, ty: field.ty.clone(), rules });
    }

    /// What the field is called in JSON, unless its author chose another spelling for all of them.
    fn name(&self, field: &Field) -> String {
        let mut name = None;
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            // What is not read here is serde's to refuse.
            let _read = attr.parse_nested_meta(|word| {
                if word.path.is_ident("rename") {
                    name = Some(word.value()?.parse::<syn::LitStr>()?.value());
                }
                Ok(())
            });
        }
        let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        name.unwrap_or_else(|| if self.is_camel { camel(&ident) } else { ident })
    }
}

/// `for_millis` → `forMillis`.
fn camel(ident: &str) -> String {
    let mut words = ident.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let large = letters.next().map(char::to_uppercase).into_iter().flatten();
        name + &large.collect::<String>() + letters.as_str()
    })
}

fn document(field: &Field, errors: &mut Errors) {
    if let Some(name) = field.ident.as_ref().filter(|_| !docs::present(&field.attrs)) {
        let sentence =
            format!("field `{name}` has no doc comment: write what it holds, flow authors read it");
        errors.at(name, sentence);
    }
}

pub(crate) fn refuse_ui(attrs: &mut Vec<Attribute>, why: &str, errors: &mut Errors) {
    for ui in attrs.extract_if(.., |attr| attr.path().is_ident("ui")) {
        errors.at_span(ui.span(), format!("`#[ui]` {why}"));
    }
}
