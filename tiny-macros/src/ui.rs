//! `#[ui(…)]`: how an editor draws a field, and how values of it travel between nodes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

use crate::args::{self, Arg, Args};
use crate::errors::Errors;

const WORDS: [&str; 19] = [
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
    "minItems",
    "maxItems",
];

/// What a field says to editors, as keywords of its schema.
#[derive(Default)]
pub(crate) struct Ui {
    /// Its place, where the author chose another than that of the declaration.
    pub(crate) order: Option<u32>,
    title: Option<String>,
    keywords: Vec<TokenStream>,
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
                self.order = arg.whole(errors).and_then(|number| number.base10_parse().ok());
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
            "minLength" | "maxLength" | "minItems" | "maxItems" => {
                arg.whole(errors).map(|number| quote!(#number))
            }
            "minimum" | "maximum" => arg.literal("a number", errors).map(|number| quote!(#number)),
            "tab" | "colSpan" => arg.literal("a text or a number", errors).map(|it| quote!(#it)),
            _ => arg.text(errors).map(|text| quote!(#text)),
        };
        self.keywords.extend(value.map(|value| quote!(#word = #value)));
    }

    /// True when the author said nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_none() && self.title.is_none() && self.keywords.is_empty()
    }

    /// The attribute that writes the keywords into the schema. `place` is the field's own place, from 1.
    pub(crate) fn attribute(&self, place: u32) -> Attribute {
        let order = proc_macro2::Literal::u32_unsuffixed(self.order.unwrap_or(place));
        let title = self.title.as_ref().map(|title| quote!(title = #title,));
        let keywords = &self.keywords;
        syn::parse_quote!(#[schemars(#title extend("propertyOrder" = #order #(, #keywords)*))])
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
                "propertyOrder" = 9, "configurable" = true, "tab" = "Auth", "colSpan" = 6,
                "readOnly" = true, "readonly" = true, "minimum" = -1, "enumTitles" = ["A", "B"]
            ))]
        };
        let written = ui.attribute(1).to_token_stream().to_string();
        assert_eq!(written, expected.to_token_stream().to_string());
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
