//! A port: what a method with `#[port(…)]` says.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, LitStr, Type};

use crate::args::{self, Args};
use crate::errors::Errors;
use crate::method::Method;
use crate::signature::Signature;
use crate::struct_half::cfg;
use crate::types::{self, Answer};
use crate::{docs, words};

const WORDS: [&str; 6] = ["target", "source", "error", "name", "label", "position"];
const POSITIONS: [&str; 4] = ["top", "right", "bottom", "left"];

/// Which end a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Target,
    Source,
    Error,
}

/// A port that can be written into the table.
pub(crate) struct Port {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    /// `Left` and its like, as the runtime calls them.
    pub(crate) position: &'static str,
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
        let role = role(attr, &mut args, &method, errors);
        let (name, named_at) = name(&mut args, &ident, errors);
        let label = match args.text("label", errors) {
            Some(label) => label.value(),
            None => words::label(&name),
        };
        let position = args.text("position", errors).and_then(|text| side(&text, errors));
        if !docs::present(&method.attrs) {
            let sentence = format!(
                "port `{name}` has no doc comment: write what it is for, flow authors read it"
            );
            errors.at(&ident, sentence);
        }
        let signature = Signature::read(&method.sig, role.unwrap_or(Role::Target), errors);
        let (Some(role), Some(signature)) = (role, signature) else { return Err(Box::new(method)) };
        if !body(role, &name, &method, errors) {
            return Err(Box::new(method));
        }
        let description = docs::paragraphs(&method.attrs).join("\n\n");
        let position = position.unwrap_or(match role {
            Role::Target => "Left",
            Role::Source => "Right",
            Role::Error => "Bottom",
        });
        let cfg = cfg(&method.attrs);
        Ok(Self {
            role,
            name,
            label,
            description,
            position,
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
        types::argument(&self.signature.message, "Failure").filter(|_| self.role == Role::Error)
    }

    /// The type of its replies, where it names one.
    pub(crate) fn response(&self) -> Option<&Type> {
        match &self.signature.answer {
            Answer::Reply | Answer::Nothing => None,
            Answer::Type(ty) | Answer::Optional(_, ty) => Some(ty),
        }
    }
}

fn role(attr: &Attribute, args: &mut Args, method: &Method, errors: &mut Errors) -> Option<Role> {
    let roles = [("target", Role::Target), ("source", Role::Source), ("error", Role::Error)];
    let mut said = Vec::new();
    for (word, role) in roles {
        said.extend(args.flag(word, errors).map(|at| (at, role)));
    }
    match &*said {
        [] => {
            let guess = if method.body.is_some() { "target" } else { "source" };
            let sentence = format!(
                "`{}` does not say which end it is: write `#[port({guess})]` (or {})",
                method.sig.ident,
                match guess {
                    "target" => "give it no body and write `source` or `error`",
                    _ => "`error`, or `target` with a body",
                }
            );
            errors.at(attr, sentence);
            None
        }
        [(_, role)] => Some(*role),
        [(first, _), others @ ..] => {
            for (other, _) in others {
                errors.at(other, format!("a port is one end: keep `{first}` or `{other}`"));
            }
            None
        }
    }
}

/// The name that flows write, and where it stands.
fn name(args: &mut Args, ident: &Ident, errors: &mut Errors) -> (String, TokenStream) {
    use quote::ToTokens;
    let own = ident.to_string();
    let own = own.strip_prefix("r#").unwrap_or(&own).to_owned();
    let Some(text) = args.text("name", errors) else {
        legal_name(&own, ident, errors);
        return (own, ident.to_token_stream());
    };
    legal_name(&text.value(), &text, errors);
    (text.value(), text.to_token_stream())
}

fn legal_name(name: &str, at: impl quote::ToTokens, errors: &mut Errors) {
    let stray = |letter: char| letter == ':' || letter.is_whitespace() || letter.is_control();
    if name.starts_with('_') {
        let sentence = "names that begin with `_` belong to system ports: take another `name`";
        errors.at(at, sentence);
    } else if name.is_empty() || name.contains(stray) {
        errors.at(at, "a port's name is one word without `:`: flows write `node:port`");
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

/// A body is what a target does; the flow is the body of all others.
fn body(role: Role, name: &str, method: &Method, errors: &mut Errors) -> bool {
    match (role, &method.body) {
        (Role::Target, None) => {
            let sentence =
                format!("target `{name}` has no body: write what happens when a message arrives");
            errors.at(&method.sig.ident, sentence);
            false
        }
        (Role::Source | Role::Error, Some(body)) => {
            let what = if role == Role::Source { "source" } else { "error port" };
            let sentence =
                format!("{what} `{name}` has a body: end it with `;`, the flow is its body");
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
        assert!(errors[2].contains("one word without `:`"), "{errors:#?}");
        assert!(errors[3].contains("did you mean `left`?"), "{errors:#?}");
        assert!(errors[4].contains("has no doc comment"), "{errors:#?}");
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
