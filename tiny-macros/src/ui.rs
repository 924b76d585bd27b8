//! `#[ui(…)]`: how an editor draws a field, and how values of it travel between nodes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Lit};

use crate::args::{self, Arg, Args};
use crate::errors::Errors;
use crate::words;

const WORDS: [&str; 21] = [
    "configurable",
    "shared",
    "order",
    "tab",
    "align",
    "colSpan",
    "title",
    "readonly",
    "format",
    "language",
    "enumTitles",
    "requiredWhen",
    "optionalWhen",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
];

/// What a field says to editors, as keywords of its schema.
#[derive(Default)]
pub(crate) struct Ui {
    title: Option<String>,
    keywords: Vec<TokenStream>,
    /// What its values must keep: calls on a `Rules`.
    pub(crate) rules: Vec<TokenStream>,
}

impl Ui {
    /// Takes the `#[ui(…)]` attributes out of `attrs` and reads them.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let own: Vec<Attribute> = attrs.extract_if(.., |attr| attr.path().is_ident("ui")).collect();
        // Several attributes are one list, so that a word stands once in all of them.
        let words = own.iter().map(|attr| args::of(attr, errors)).collect::<Vec<_>>();
        let mut ui = Self::default();
        for arg in Args::parse(quote!(#(#words),*), "`#[ui]`", &WORDS, errors).rest() {
            ui.read(arg, errors);
        }
        ui
    }

    fn read(&mut self, arg: Arg, errors: &mut Errors) {
        let word = arg.word.to_string();
        let value = match &*word {
            "configurable" | "shared" => arg.flag(errors).map(|_| quote!(true)),
            "readonly" => arg.flag(errors).map(|_| {
                // Both spellings: the standard one, and the one that editors of the contract read.
                self.keywords.push(quote!("readOnly" = true));
                quote!(true)
            }),
            "order" => {
                let place = arg.whole(errors);
                self.keywords.extend(place.map(|place| quote!("propertyOrder" = #place)));
                return;
            }
            "title" => {
                self.title = arg.text(errors).map(|title| title.value());
                return;
            }
            "enumTitles" => {
                let titles = arg.texts(errors);
                Some(quote!([#(#titles),*]))
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" | "pattern" | "uniqueItems"
            | "minimum" | "maximum" => self.rule(arg, errors),
            "tab" | "colSpan" => arg.literal("a text or a number", errors).map(|it| quote!(#it)),
            _ => arg.text(errors).map(|text| quote!(#text)),
        };
        self.keywords.extend(value.map(|value| quote!(#word = #value)));
    }

    /// A rule is said in the schema and kept when a value is read.
    fn rule(&mut self, arg: Arg, errors: &mut Errors) -> Option<TokenStream> {
        let span = arg.word.span();
        let call = Ident::new(&words::snake(&arg.word.to_string()), span);
        let (value, argument) = match &*arg.word.to_string() {
            "uniqueItems" => (arg.flag(errors).map(|_| quote!(true))?, None),
            "pattern" => {
                let pattern = arg.text(errors)?;
                (quote!(#pattern), Some(quote!(#pattern)))
            }
            "minimum" | "maximum" => {
                let bound = arg.literal("a number", errors)?;
                let kind = match args::number(&bound) {
                    Some(Lit::Int(_)) => "Whole",
                    Some(Lit::Float(_)) => "Real",
                    _ => {
                        errors.at(&bound, format!("`{call}` is a number"));
                        return None;
                    }
                };
                let kind = Ident::new(kind, Span::call_site());
                (quote!(#bound), Some(quote!(Bound::#kind(#bound))))
            }
            _ => {
                let count = arg.whole(errors)?;
                (quote!(#count), Some(quote!(#count)))
            }
        };
        self.rules.push(quote_spanned!(span=> .#call(#argument)));
        Some(value)
    }

    /// True when the author said nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.title.is_none() && self.keywords.is_empty()
    }

    /// The attribute that writes the keywords into the schema.
    pub(crate) fn attribute(&self) -> Option<Attribute> {
        let title = self.title.as_ref().map(|title| quote!(title = #title,));
        let keywords = &self.keywords;
        let keywords = (!keywords.is_empty()).then(|| quote!(extend(#(#keywords),*)));
        (!self.is_empty()).then(|| syn::parse_quote!(#[schemars(#title #keywords)]))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn take(field: &syn::Field) -> (Ui, Vec<String>) {
        let mut errors = Errors::default();
        let ui = Ui::take(&mut field.attrs.clone(), &mut errors);
        (ui, errors.sentences())
    }

    #[test]
    fn words_become_keywords_of_the_schema() {
        let field = syn::parse_quote! {
            #[ui(configurable, tab = "Auth", colSpan = 6, title = "Key")]
            #[ui(readonly, order = 9, minimum = -1, enumTitles = ["A", "B"])]
            key: String
        };
        let (ui, errors) = take(&field);
        assert_eq!(errors, Vec::<String>::new());
        let expected: Attribute = syn::parse_quote! {
            #[schemars(title = "Key", extend(
                "configurable" = true, "tab" = "Auth", "colSpan" = 6, "readOnly" = true,
                "readonly" = true, "propertyOrder" = 9, "minimum" = -1, "enumTitles" = ["A", "B"]
            ))]
        };
        let written = ui.attribute().to_token_stream().to_string();
        assert_eq!(written, Some(expected).to_token_stream().to_string());
    }

    #[test]
    fn rules_are_calls_too() {
        let field = syn::parse_quote! {
            #[ui(minLength = 2, pattern = "^a", uniqueItems, minimum = -0.5, maximum = 7)]
            key: String
        };
        let (ui, errors) = take(&field);
        assert_eq!(errors, Vec::<String>::new());
        let rules = ui.rules.iter().map(ToString::to_string).collect::<String>();
        let expected = quote! {
            .min_length(2).pattern("^a").unique_items().minimum(Bound::Real(-0.5)).maximum(Bound::Whole(7))
        };
        assert_eq!(rules.replace(' ', ""), expected.to_string().replace(' ', ""));
    }

    #[test]
    fn a_field_without_words_has_no_attribute() {
        let (ui, _) = take(&syn::parse_quote!(key: String));
        assert!(ui.attribute().is_none());
    }

    #[test]
    fn every_wrong_word_is_told() {
        let field = syn::parse_quote! {
            #[ui(configurabel, shared = true, col_span = "x", tab, minimum = a, order = -1)]
            key: String
        };
        let (_, errors) = take(&field);
        assert!(errors[0].contains("did you mean `configurable`?"), "{errors:#?}");
        assert!(errors[1].contains("did you mean `colSpan`?"), "{errors:#?}");
        assert_eq!(
            errors[2..],
            [
                "`shared` stands alone, leave its value out",
                "`tab` needs a text or a number",
                "`minimum` is a number",
                "`order` is a whole number from 0 to 4294967295",
            ]
        );
    }
}
