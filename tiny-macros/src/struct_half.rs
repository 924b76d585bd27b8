//! `#[component(…)]` on a struct: what a component is called and which cells it has.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Fields, Ident, Index, Item, ItemStruct, LitStr, Member, Type};

use crate::args::Args;
use crate::errors::Errors;
use crate::runtime::Runtime;
use crate::{docs, types, words};

const WORDS: [&str; 6] = ["name", "tags", "aliases", "concurrency", "sequential", "crate"];
const PLACE: &str = "`#[component]` on a struct";

/// A component, as its struct tells it.
pub(crate) struct Component {
    pub(crate) runtime: Runtime,
    pub(crate) item: ItemStruct,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) info: String,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    /// `None` leaves it to the runtime.
    pub(crate) concurrency: Option<u32>,
    /// One, or one for each condition.
    pub(crate) settings: Vec<SettingsField>,
    /// What it keeps over restarts.
    pub(crate) states: Vec<StateField>,
}

/// The field that is the node's configuration.
pub(crate) struct SettingsField {
    pub(crate) member: Member,
    /// `T` of `Settings<T>`.
    pub(crate) ty: Type,
    pub(crate) description: String,
    pub(crate) cfg: Vec<Attribute>,
}

/// A field that survives restarts.
pub(crate) struct StateField {
    pub(crate) member: Ident,
    /// `T` of `State<T>`.
    pub(crate) ty: Type,
    pub(crate) cfg: Vec<Attribute>,
}

impl StateField {
    /// The name under which it is kept.
    pub(crate) fn key(&self) -> String {
        let name = self.member.to_string();
        name.strip_prefix("r#").unwrap_or(&name).to_owned()
    }
}

impl Component {
    /// Reads the struct half. A component that cannot be one at all (it is generic) is `Err` with its struct.
    pub(crate) fn read(
        words: TokenStream,
        item: ItemStruct,
        errors: &mut Errors,
    ) -> Result<Self, Box<ItemStruct>> {
        let mut args = Args::parse(words, PLACE, &WORDS, errors);
        let runtime = Runtime(args.path("crate", errors));
        let name = name(&mut args, &item.ident, errors);
        let tags = args.texts("tags", errors);
        let aliases = args.texts("aliases", errors);
        for alias in &aliases {
            legal_name(alias, errors);
            if alias.value() == name {
                errors.at(alias, format!("`{name}` is the component's name already, not an alias"));
            }
        }
        let concurrency = concurrency(&mut args, errors);
        if !docs::present(&item.attrs) {
            let sentence = format!(
                "component `{}` has no doc comment: write what it does, flow authors read it",
                item.ident
            );
            errors.at(&item.ident, sentence);
        }
        let settings = settings(&item.fields, errors);
        let states = states(&item.fields, errors);
        if !item.generics.params.is_empty() {
            let sentence = format!(
                "component `{}` cannot be generic: it is registered once, by its name",
                item.ident
            );
            errors.at(&item.generics, sentence);
            return Err(Box::new(item));
        }
        let mut paragraphs = docs::paragraphs(&item.attrs).into_iter();
        let description = paragraphs.next().unwrap_or_default();
        let info = paragraphs.collect::<Vec<_>>().join("\n\n");
        Ok(Self {
            runtime,
            item,
            name,
            description,
            info,
            tags,
            aliases,
            concurrency,
            settings,
            states,
        })
    }
}

/// The sentence about `#[component]` on something that is no struct and no impl.
pub(crate) fn not_a_struct(item: &Item, errors: &mut Errors) {
    let sentence =
        "`#[component]` belongs on a struct or on its impl: a component is a struct with ports";
    match item {
        Item::Enum(item) => errors.at(&item.ident, sentence),
        Item::Union(item) => errors.at(&item.ident, sentence),
        Item::Fn(item) => errors.at(&item.sig.ident, sentence),
        Item::Trait(item) => errors.at(&item.ident, sentence),
        Item::Mod(item) => errors.at(&item.ident, sentence),
        _ => errors.at_span(Span::call_site(), sentence),
    }
}

fn name(args: &mut Args, ident: &Ident, errors: &mut Errors) -> String {
    let Some(arg) = args.take("name") else {
        let suggestion = words::snake(&ident.to_string());
        let sentence = format!(
            "component `{ident}` has no name: write `#[component(name = \"{suggestion}\")]`, flows use it"
        );
        errors.at_span(Span::call_site(), sentence);
        return String::new();
    };
    let Some(name) = arg.text(errors) else { return String::new() };
    legal_name(&name, errors);
    name.value()
}

/// A name stands in YAML and in log lines: it is one word.
fn legal_name(name: &LitStr, errors: &mut Errors) {
    let text = name.value();
    if text.is_empty()
        || text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    {
        errors.at(name, "a component's name is one word: flows write it in `spec.component`");
    }
}

fn concurrency(args: &mut Args, errors: &mut Errors) -> Option<u32> {
    let sequential = args.flag("sequential", errors);
    let number = args.whole("concurrency", errors);
    if let (Some(sequential), Some(_)) = (&sequential, &number) {
        let sentence = "`sequential` is `concurrency = 1`: keep one of them";
        errors.at(sequential, sentence);
    }
    if sequential.is_some() {
        return Some(1);
    }
    let number = number?;
    let runs = number.base10_parse::<u32>().ok()?;
    if runs == 0 {
        errors.at(&number, "`concurrency = 0` would never take a message: write 1 or more");
    }
    Some(runs)
}

fn settings(fields: &Fields, errors: &mut Errors) -> Vec<SettingsField> {
    let mut found: Vec<SettingsField> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        if !types::is(&field.ty, "Settings") {
            continue;
        }
        let Some(ty) = types::argument(&field.ty, "Settings") else {
            errors.at(&field.ty, "`Settings` needs the type of the configuration: `Settings<T>`");
            continue;
        };
        let cfg = cfg(&field.attrs);
        // Of two with a condition only one may exist; rustc tells when both do.
        if let Some(first) = found.iter().find(|first| first.cfg.is_empty() && cfg.is_empty()) {
            let first = match &first.member {
                Member::Named(name) => name.to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            };
            let sentence = format!(
                "a node has one configuration and `{first}` is it: put both into one message"
            );
            errors.at(&field.ty, sentence);
            continue;
        }
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        let text = docs::paragraphs(&field.attrs).join("\n\n");
        let description = if text.is_empty() { "The settings of the node.".into() } else { text };
        found.push(SettingsField { member, ty: ty.clone(), description, cfg });
    }
    found
}

fn states(fields: &Fields, errors: &mut Errors) -> Vec<StateField> {
    let mut found = Vec::new();
    for field in fields.iter().filter(|field| types::is(&field.ty, "State")) {
        let Some(ty) = types::argument(&field.ty, "State") else {
            errors.at(&field.ty, "`State` needs the type of what is kept: `State<T>`");
            continue;
        };
        if let Some(secret) = types::all(ty).into_iter().find(|ty| types::is(ty, "Secret")) {
            let sentence =
                "a state cannot hold a `Secret`: it lies open in the node's status, take settings";
            errors.at(secret, sentence);
            continue;
        }
        let Some(member) = field.ident.clone() else {
            errors.at(&field.ty, "a `State` needs a name: it is kept under the name of its field");
            continue;
        };
        found.push(StateField { member, ty: ty.clone(), cfg: cfg(&field.attrs) });
    }
    found
}

/// The conditions under which the compiler sees an item at all.
pub(crate) fn cfg(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn read(words: TokenStream, item: ItemStruct) -> (Option<Component>, Vec<String>) {
        let mut errors = Errors::default();
        let component = Component::read(words, item, &mut errors).ok();
        (component, errors.sentences())
    }

    #[test]
    fn the_struct_tells_names_text_and_settings() {
        let item = parse_quote! {
            /// Greets.
            ///
            /// Politely.
            struct Hello { cell: tiny_runtime::prelude::Settings<HelloSettings>, other: u8 }
        };
        let words = quote!(name = "hello", tags = ["a", "b"], aliases = ["hi"], sequential);
        let (component, errors) = read(words, item);
        assert_eq!(errors, Vec::<String>::new());
        let component = component.unwrap();
        assert_eq!((&*component.name, component.concurrency), ("hello", Some(1)));
        assert_eq!((&*component.description, &*component.info), ("Greets.", "Politely."));
        assert_eq!((component.tags.len(), component.aliases.len()), (2, 1));
        let [settings] = &*component.settings else { panic!("one cell") };
        assert_eq!(settings.member, parse_quote!(cell));
        assert_eq!(settings.description, "The settings of the node.");
    }

    #[test]
    fn every_mistake_of_a_struct_is_told_at_once() {
        let item = parse_quote!(
            struct Hello<T> {
                a: Settings<T>,
                b: Settings<u8>,
                c: Settings,
            }
        );
        let (component, errors) = read(quote!(nam = "hello", sequential, concurrency = 0), item);
        assert!(component.is_none());
        assert_eq!(errors.len(), 7, "{errors:#?}");
        assert!(errors[0].contains("did you mean `name`?"), "{errors:#?}");
        assert!(errors[1].contains("write `#[component(name = \"hello\")]`"), "{errors:#?}");
        assert!(errors[2].contains("`sequential` is `concurrency = 1`"), "{errors:#?}");
        assert!(errors[3].contains("has no doc comment"), "{errors:#?}");
        assert!(errors[4].contains("a node has one configuration and `a` is it"), "{errors:#?}");
        assert!(errors[5].contains("`Settings` needs the type"), "{errors:#?}");
        assert!(errors[6].contains("cannot be generic"), "{errors:#?}");
    }

    #[test]
    fn a_state_has_a_name_and_no_secret() {
        let words = || quote!(name = "a");
        let item = parse_quote! { #[doc = "A."] struct A(State<u8>, State<Vec<Secret<u8>>>); };
        let (_, errors) = read(words(), item);
        assert_eq!(errors.len(), 2, "{errors:#?}");
        assert!(errors[0].contains("needs a name"), "{errors:#?}");
        assert!(errors[1].contains("cannot hold a `Secret`"), "{errors:#?}");
        let item = parse_quote! { #[doc = "A."] struct A { r#type: State<u8> } };
        let (component, errors) = read(words(), item);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(component.unwrap().states[0].key(), "type");
    }

    #[test]
    fn concurrency_is_at_least_one() {
        let item = parse_quote! { #[doc = "A."] struct A; };
        let (_, errors) = read(quote!(name = "a", concurrency = 0), item);
        assert_eq!(errors, ["`concurrency = 0` would never take a message: write 1 or more"]);
    }
}
