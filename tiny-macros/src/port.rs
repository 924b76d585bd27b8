//! A port: what a method with `#[port(…)]` says.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, LitStr, Path, Type};

use crate::args::{self, Args};
use crate::errors::Errors;
use crate::method::Method;
pub(crate) use crate::role::Role;
use crate::signature::Signature;
use crate::struct_half::cfg;
use crate::types;
use crate::{docs, words};

const WORDS: [&str; 14] = [
    "target",
    "source",
    "error",
    "settings",
    "control",
    "reconcile",
    "destroy",
    "name",
    "label",
    "position",
    "when",
    "each",
    "schema",
    "read",
];
const POSITIONS: [&str; 4] = ["top", "right", "bottom", "left"];

/// A port that can be written into the table.
pub(crate) struct Port {
    pub(crate) role: Role,
    /// The name that flows write; with `each`, of the form `out_{route}`.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    /// `Left` and its like, as the runtime calls them.
    pub(crate) position: &'static str,
    /// Whether the port is there.
    pub(crate) when: Option<Path>,
    /// The items, each of which is a port.
    pub(crate) each: Option<Path>,
    /// What shapes the schema.
    pub(crate) schema: Option<Path>,
    /// What a control port shows.
    pub(crate) read: Option<Path>,
    /// The method, without its `#[port]`.
    pub(crate) method: Method,
    pub(crate) signature: Signature,
    pub(crate) cfg: Vec<Attribute>,
    /// Where the author named it, for what is wrong with the name.
    pub(crate) named_at: TokenStream,
    /// True when a constant of the author's own has the name of its key.
    pub(crate) keyless: bool,
}

impl Port {
    /// Reads `method`, above which `attr` stands. `Err` is the method without it when no row can be written.
    pub(crate) fn read(
        attr: &Attribute,
        method: Method,
        errors: &mut Errors,
    ) -> Result<Self, Box<Method>> {
        let mut args = Args::parse(args::of(attr, errors), "`#[port]`", &WORDS, errors);
        let ident = method.sig.ident.clone();
        let role = Role::take(attr, &mut args, &method, errors);
        if let Some(role) = role {
            args.keep(role.words(), &role.one(), errors);
        }
        let each = args.path("each", errors);
        let signature =
            Signature::read(&method.sig, role.unwrap_or(Role::Target), each.is_some(), errors);
        let item = signature.as_ref().and_then(|signature| signature.item.as_ref());
        let (name, named_at) = name(role, each.is_some(), item, &mut args, &ident, errors);
        let label = match args.text("label", errors) {
            Some(label) => {
                holes(&label.value(), each.is_some(), item, false, &label, errors);
                label.value()
            }
            None => words::label(name.trim_start_matches('_')),
        };
        let position = args.text("position", errors).and_then(|text| side(&text, errors));
        let [when, schema, read] = ["when", "schema", "read"].map(|word| args.path(word, errors));
        if !docs::present(&method.attrs) {
            let what = if role.is_some_and(Role::is_hook) { "hook" } else { "port" };
            let shown = if role.is_some_and(|role| role.system_name().is_some()) {
                ident.to_string()
            } else {
                name.clone()
            };
            let sentence = format!(
                "{what} `{shown}` has no doc comment: write what it is for, flow authors read it"
            );
            errors.at(&ident, sentence);
        }
        let (Some(role), Some(signature)) = (role, signature) else { return Err(Box::new(method)) };
        if !body(role, &name, &method, errors) {
            return Err(Box::new(method));
        }
        let description = docs::paragraphs(&method.attrs).join("\n\n");
        let position = position.unwrap_or(role.position());
        let cfg = cfg(&method.attrs);
        Ok(Self {
            role,
            name,
            label,
            description,
            position,
            when,
            each,
            schema,
            read,
            method,
            signature,
            cfg,
            named_at,
            keyless: false,
        })
    }

    /// The name of the constant that is its key.
    pub(crate) fn key(&self) -> Ident {
        let ident = &self.method.sig.ident;
        let plain = ident.to_string();
        let plain = plain.strip_prefix("r#").unwrap_or(&plain);
        Ident::new(&plain.to_uppercase(), ident.span())
    }

    /// The type whose failures an error port takes.
    pub(crate) fn failure(&self) -> Option<&Type> {
        let message = self.signature.message.as_ref()?;
        types::argument(message, "Failure").filter(|_| self.role == Role::Error)
    }
}

/// The name that flows write, and where it stands.
fn name(
    role: Option<Role>,
    each: bool,
    item: Option<&Ident>,
    args: &mut Args,
    ident: &Ident,
    errors: &mut Errors,
) -> (String, TokenStream) {
    if let Some(name) = role.and_then(Role::system_name) {
        return (name.to_owned(), ident.to_token_stream());
    }
    let own = ident.to_string();
    let own = own.strip_prefix("r#").unwrap_or(&own).to_owned();
    let Some(text) = args.text("name", errors) else {
        legal_name(&own, ident, errors);
        let name = match (each, item) {
            (true, Some(item)) => format!("{own}_{{{item}}}"),
            (true, None) => format!("{own}_{{item}}"),
            (false, _) => own,
        };
        return (name, ident.to_token_stream());
    };
    legal_name(&text.value(), &text, errors);
    holes(&text.value(), each, item, true, &text, errors);
    (text.value(), text.to_token_stream())
}

fn legal_name(name: &str, at: impl ToTokens, errors: &mut Errors) {
    let stray = |letter: char| letter == ':' || letter.is_whitespace() || letter.is_control();
    if name.starts_with('_') {
        let sentence = "names that begin with `_` belong to system ports: take another `name`";
        errors.at(at, sentence);
    } else if name.is_empty() || name.contains(stray) {
        errors.at(at, "a port's name is one word without `:`: flows write `node:port`");
    }
}

/// Checks the `{item}` in a name or label: one where there is `each` (a label may do without), none elsewhere.
fn holes(
    text: &str,
    each: bool,
    item: Option<&Ident>,
    needed: bool,
    at: &LitStr,
    errors: &mut Errors,
) {
    let has_brace = text.contains(['{', '}']);
    if !each {
        if has_brace {
            errors.at(at, "a name with `{…}` stands for many ports: say `each = Self::…` too");
        }
        return;
    }
    let hole = item.map_or("item".to_owned(), ToString::to_string);
    let rest = text.replacen(&format!("{{{hole}}}"), "", 1);
    let found = rest.len() < text.len();
    if rest.contains(['{', '}']) || (needed && !found) {
        let sentence = format!(
            "with `each`, the text holds `{{{hole}}}` once: the argument after `ctx` stands there"
        );
        errors.at(at, sentence);
    }
}

fn side(text: &LitStr, errors: &mut Errors) -> Option<&'static str> {
    match &*text.value() {
        "top" => Some("Top"),
        "right" => Some("Right"),
        "bottom" => Some("Bottom"),
        "left" => Some("Left"),
        other => {
            errors.at(text, words::unknown(other, "`position`", &POSITIONS));
            None
        }
    }
}

/// A body is what a target does; the flow is the body of what sends.
fn body(role: Role, name: &str, method: &Method, errors: &mut Errors) -> bool {
    let noun = role.noun();
    match &method.body {
        None if !role.sends() => {
            let what = match role {
                Role::Target => "write what happens when a message arrives",
                _ => "write what happens",
            };
            let name =
                if role == Role::Target { name.to_owned() } else { method.sig.ident.to_string() };
            errors.at(&method.sig.ident, format!("{noun} `{name}` has no body: {what}"));
            false
        }
        Some(body) if role.sends() => {
            let sentence =
                format!("{noun} `{name}` has a body: end it with `;`, the flow is its body");
            errors.at(body, sentence);
            false
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Port>, Vec<String>) {
        let mut errors = Errors::default();
        let mut method: Method = syn::parse_str(text).unwrap();
        let at = method.attrs.iter().position(|attr| attr.path().is_ident("port")).unwrap();
        let attr = method.attrs.remove(at);
        let port = Port::read(&attr, method, &mut errors).ok();
        (port, errors.sentences())
    }

    #[test]
    fn what_is_not_said_follows_from_the_role_and_the_method() {
        let (port, errors) = read(
            "/// Out.\n#[port(source)] async fn order_placed(&self, ctx: &Ctx, m: Order) -> Result;",
        );
        assert_eq!(errors, Vec::<String>::new());
        let port = port.unwrap();
        assert_eq!(
            (&*port.name, &*port.label, port.position),
            ("order_placed", "Order Placed", "Right")
        );
        assert_eq!(port.key(), "ORDER_PLACED");
    }

    #[test]
    fn what_is_said_wins() {
        let (port, errors) = read(
            "/// In.\n#[port(target, name = \"in\", label = \"Way in\", position = \"top\")]
            async fn r#type(&self, ctx: &Ctx, message: &Order) -> Result<()> {}",
        );
        assert_eq!(errors, Vec::<String>::new());
        let port = port.unwrap();
        assert_eq!((&*port.name, &*port.label, port.position), ("in", "Way in", "Top"));
        assert_eq!(port.key(), "TYPE");
        assert!(port.signature.borrowed);
    }

    #[test]
    fn a_raw_name_is_a_plain_name() {
        let (port, _) =
            read("/// T.\n#[port(target)] async fn r#type(&self, c: &Ctx, m: A) -> Result {}");
        assert_eq!(port.unwrap().name, "type");
    }

    #[test]
    fn every_mistake_of_a_port_is_told_at_once() {
        let (port, errors) = read(
            "#[port(target, source, positon = \"left\", position = \"lft\", name = \"a:b\")]
            fn input(&mut self, message: In) {}",
        );
        assert!(port.is_none());
        assert!(errors[0].contains("did you mean `position`?"), "{errors:#?}");
        assert!(errors[1].contains("keep `target` or `source`"), "{errors:#?}");
        assert!(errors[2].contains("is not async"), "{errors:#?}");
        assert!(errors[6].contains("one word without `:`"), "{errors:#?}");
        assert!(errors[7].contains("did you mean `left`?"), "{errors:#?}");
        assert!(errors[8].contains("has no doc comment"), "{errors:#?}");
        assert_eq!(errors.len(), 9, "{errors:#?}");
    }

    #[test]
    fn a_target_has_a_body_and_a_source_has_none() {
        let (_, errors) =
            read("/// T.\n#[port(target)] async fn a(&self, c: &Ctx, m: A) -> Result;");
        assert_eq!(errors, ["target `a` has no body: write what happens when a message arrives"]);
        let (_, errors) =
            read("/// T.\n#[port(source)] async fn a(&self, c: &Ctx, m: A) -> Result {}");
        assert_eq!(errors, ["source `a` has a body: end it with `;`, the flow is its body"]);
    }
}
