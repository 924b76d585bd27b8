//! Doc comments: the text that flow authors read.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// True when there is any text; a `#[doc = include_str!(…)]` counts.
pub(crate) fn present(attrs: &[Attribute]) -> bool {
    lines(attrs).any(|line| line.is_none_or(|line| !line.trim().is_empty()))
}

/// The paragraphs of the comment; the lines of each are joined by a space.
pub(crate) fn paragraphs(attrs: &[Attribute]) -> Vec<String> {
    let text: Vec<String> = lines(attrs).flatten().collect();
    let text = text.join("\n");
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// The lines of the comment; `None` stands for text that only rustc can read.
fn lines(attrs: &[Attribute]) -> impl Iterator<Item = Option<String>> {
    attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => Some(match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn lines_are_joined_and_empty_lines_part_paragraphs() {
        let item: syn::ItemStruct = parse_quote! {
            /// Greets a person
            /// by name.
            ///
            ///
            /// The smallest one.
            struct A;
        };
        assert_eq!(paragraphs(&item.attrs), ["Greets a person by name.", "The smallest one."]);
    }

    #[test]
    fn an_empty_comment_is_none_and_an_included_file_is_one() {
        let empty: syn::ItemStruct = parse_quote! { #[doc = " "] struct A; };
        assert!(!present(&empty.attrs));
        let file: syn::ItemStruct = parse_quote! { #[doc = include_str!("a.md")] struct A; };
        assert!(present(&file.attrs));
        let hidden: syn::ItemStruct = parse_quote! { #[doc(hidden)] struct A; };
        assert!(!present(&hidden.attrs));
    }
}
