//! The signature of a port: `async fn name(&self, ctx: &Ctx, message: T) -> Result`.

use quote::ToTokens;
use syn::{FnArg, Ident, Pat, PatType, ReceiverKind, Safety, Type};

use crate::errors::Errors;
use crate::role::Role;
use crate::types::{self, Answer};

/// What the table must know of a signature.
pub(crate) struct Signature {
    /// The name of the context; of what has a body it may be any pattern.
    pub(crate) ctx: Option<Ident>,
    /// The name of the item, of a port with `each`.
    pub(crate) item: Option<Ident>,
    /// The name of the message; of what has a body it may be any pattern.
    pub(crate) name: Option<Ident>,
    /// `T` of `T` or `&T`; `None` for a hook that takes nothing.
    pub(crate) message: Option<Type>,
    /// True for `&T`.
    pub(crate) borrowed: bool,
    pub(crate) answer: Answer,
}

/// What a method of this role takes, in words.
fn shape(role: Role, each: bool) -> &'static str {
    match role {
        _ if role.takes_nothing() => "`&self, ctx: &Ctx`",
        Role::Settings => "`&self, ctx: &Ctx, settings: &T`",
        _ if each => "`&self, ctx: &Ctx, item: &str, message: T`",
        _ => "`&self, ctx: &Ctx, message: T`",
    }
}

/// What is read of one signature.
struct Reader<'a> {
    port: &'a Ident,
    role: Role,
    each: bool,
    errors: &'a mut Errors,
}

impl Signature {
    /// Reads `sig`; `None` when a call of it cannot be written. With `each` the item stands before the message.
    pub(crate) fn read(
        sig: &syn::Signature,
        role: Role,
        each: bool,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut reader = Reader { port: &sig.ident, role, each, errors };
        let mut fits = reader.modifiers(sig);
        let mut inputs = sig.inputs.iter();
        fits &= reader.receiver(inputs.next());
        let arguments = reader.arguments(inputs);
        let answer = reader.answer(sig);
        let (arguments, answer) = (arguments?, answer?);
        let Arguments { ctx, item, message } = arguments;
        let payload = match message {
            Some(message) => Some(reader.payload(&message.ty)?),
            None => None,
        };
        let name = |argument: Option<&PatType>| match argument.map(|argument| &*argument.pat) {
            Some(Pat::Ident(pattern)) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
                Some(pattern.ident.clone())
            }
            _ => None,
        };
        let names = (name(Some(ctx)), name(item), name(message));
        if role.sends() {
            for argument in [Some(ctx), item, message].into_iter().flatten() {
                if name(Some(argument)).is_none() {
                    let sentence = "the arguments of a source have plain names: the flow gets them as they are";
                    reader.errors.at(&argument.pat, sentence);
                    fits = false;
                }
            }
        }
        let (message, borrowed) = match payload {
            Some((ty, borrowed)) => (Some(ty.clone()), borrowed),
            None => (None, false),
        };
        let (ctx, item, name) = names;
        fits.then_some(Self { ctx, item, name, message, borrowed, answer })
    }
}

/// The arguments behind the receiver.
struct Arguments<'a> {
    ctx: &'a PatType,
    item: Option<&'a PatType>,
    message: Option<&'a PatType>,
}

impl<'a> Reader<'a> {
    fn takes(&self) -> &'static str {
        shape(self.role, self.each)
    }

    /// `port` or `hook`.
    fn what(&self) -> &'static str {
        if self.role.is_hook() { "hook" } else { "port" }
    }

    fn modifiers(&mut self, sig: &syn::Signature) -> bool {
        let mut fits = true;
        let (what, port) = (self.what(), self.port);
        let mut no = |at: &dyn ToTokens, sentence: String| {
            self.errors.at(at, sentence);
            fits = false;
        };
        if sig.asyncness.is_none() {
            no(&sig.fn_token, format!("{what} `{port}` is not async: write `async fn {port}`"));
        }
        if let Some(constness) = &sig.constness {
            no(constness, format!("{what} `{port}` cannot be `const`"));
        }
        if let Safety::Unsafe(keyword) = &sig.safety {
            no(keyword, format!("{what} `{port}` cannot be `unsafe`: the runtime calls it"));
        }
        if let Some(abi) = &sig.abi {
            no(abi, format!("{what} `{port}` cannot be `extern`"));
        }
        if !sig.generics.params.is_empty() {
            no(&sig.generics, format!("{what} `{port}` cannot be generic: it carries one type"));
        }
        fits
    }

    fn receiver(&mut self, first: Option<&FnArg>) -> bool {
        let (what, port, takes) = (self.what(), self.port, self.takes());
        match first {
            Some(FnArg::Receiver(receiver)) => match &receiver.kind {
                ReceiverKind::Reference(_, _, None) => return true,
                ReceiverKind::Reference(_, _, Some(_)) => {
                    let sentence = format!(
                        "{what} `{port}` must take `&self`: a node that awaits a reply still receives, keep what changes in a cell"
                    );
                    self.errors.at(receiver, sentence);
                }
                _ => self.errors.at(receiver, format!("{what} `{port}` must take `&self`")),
            },
            Some(FnArg::Typed(argument)) => {
                let sentence = format!("{what} `{port}` must take `&self` first: it takes {takes}");
                self.errors.at(argument, sentence);
            }
            None => {
                self.errors.at(port, format!("{what} `{port}` takes nothing: it takes {takes}"));
            }
        }
        false
    }

    /// What stands behind the receiver (or the `self` that is missing).
    fn arguments<'b>(
        &mut self,
        inputs: impl Iterator<Item = &'b FnArg> + Clone,
    ) -> Option<Arguments<'b>> {
        let (what, port, takes) = (self.what(), self.port, self.takes());
        let inputs = inputs.filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        });
        let mut inputs = inputs.peekable();
        let needs_message = !self.role.takes_nothing();
        let ctx = match inputs.peek() {
            Some(argument) if is_ctx(&argument.ty) => inputs.next(),
            Some(argument) => {
                let sentence =
                    format!("{what} `{port}` must take `ctx: &Ctx` second: it takes {takes}");
                self.errors.at(argument, sentence);
                // What stands in its place is the message, most likely; if not, that stands behind it.
                if inputs.clone().count() > 1 + usize::from(self.each) {
                    inputs.next();
                }
                None
            }
            None => {
                let and = if needs_message { " and no message" } else { "" };
                let sentence = format!("{what} `{port}` takes no `ctx`{and}: it takes {takes}");
                self.errors.at(port, sentence);
                return None;
            }
        };
        let mut fits = true;
        let left = inputs.clone().count();
        let item = match inputs.peek() {
            Some(argument) if self.each && is_str(&argument.ty) => inputs.next(),
            Some(argument) if self.each && left > 1 => {
                let sentence = format!("port `{port}` takes the item of `each` as `&str`");
                self.errors.at(&argument.ty, sentence);
                fits = false;
                inputs.next()
            }
            _ if self.each => {
                let sentence = format!(
                    "port `{port}` has `each` and must take the item before the message: it takes {takes}"
                );
                self.errors.at(port, sentence);
                fits = false;
                None
            }
            _ => None,
        };
        let message = if needs_message { inputs.next() } else { None };
        if needs_message && message.is_none() {
            let message = if self.role == Role::Settings { "settings" } else { "message" };
            self.errors.at(port, format!("{what} `{port}` takes no {message}: it takes {takes}"));
            fits = false;
        }
        for extra in inputs {
            let sentence = match message {
                Some(first) if is_str(&first.ty) && !self.each => format!(
                    "port `{port}` takes one message: a name before it needs `each = Self::…`"
                ),
                Some(_) => format!("{what} `{port}` takes one message: put this into it"),
                None => format!("{what} `{port}` takes {takes} and no more"),
            };
            self.errors.at(extra, sentence);
            fits = false;
        }
        ctx.filter(|_| fits).map(|ctx| Arguments { ctx, item, message })
    }

    fn answer(&mut self, sig: &syn::Signature) -> Option<Answer> {
        let (what, port) = (self.what(), self.port);
        let answer = Answer::read(&sig.output);
        let sentence = match &answer {
            Some(Answer::Nothing) => return answer,
            Some(_) if !self.role.is_hook() => return answer,
            _ if self.role.is_hook() => {
                format!("{what} `{port}` must return `Result<()>`: nobody waits for a reply")
            }
            _ => format!(
                "{what} `{port}` must return `Result` (any reply), `Result<()>` (none) or `Result<T>`"
            ),
        };
        match &sig.output {
            syn::ReturnType::Default => self.errors.at(port, sentence),
            syn::ReturnType::Type(_, ty) => self.errors.at(ty, sentence),
        }
        None
    }

    /// The type that travels, and whether the method only borrows it.
    fn payload<'b>(&mut self, ty: &'b Type) -> Option<(&'b Type, bool)> {
        let (port, role) = (self.port, self.role);
        let (ty, borrowed) = match ty {
            Type::Reference(reference) => {
                if reference.mutability.is_some() {
                    let sentence = format!(
                        "port `{port}` cannot change its message in place: take `T` (yours) or `&T`"
                    );
                    self.errors.at(ty, sentence);
                    return None;
                }
                if role.sends() {
                    let sentence =
                        format!("port `{port}` must take its message by value: it sends it");
                    self.errors.at(ty, sentence);
                    return None;
                }
                (&*reference.elem, true)
            }
            other => (other, false),
        };
        if let Type::ImplTrait(_) = ty {
            self.errors.at(ty, format!("port `{port}` must name the type of its message"));
            return None;
        }
        if is_bare_str(ty) {
            let sentence = format!(
                "port `{port}` must take a message that owns its data: `String` for `&str`"
            );
            self.errors.at(ty, sentence);
            return None;
        }
        if role == Role::Error && types::argument(ty, "Failure").is_none() {
            let sentence = format!(
                "error port `{port}` must take `Failure<T>`: `T` is the message that failed"
            );
            self.errors.at(ty, sentence);
            return None;
        }
        Some((ty, borrowed))
    }
}

fn is_ctx(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => {
            reference.mutability.is_none() && types::is(&reference.elem, "Ctx")
        }
        _ => false,
    }
}

/// `&str`.
fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_none() && is_bare_str(&reference.elem))
}

fn is_bare_str(ty: &Type) -> bool {
    types::is(ty, "str")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, role: Role) -> (Option<Signature>, Vec<String>) {
        let mut errors = Errors::default();
        let sig = syn::parse_str(text).unwrap();
        let signature = Signature::read(&sig, role, false, &mut errors);
        (signature, errors.sentences())
    }

    #[test]
    fn arguments_go_by_their_place_and_not_by_their_name() {
        let (signature, errors) = read(
            "async fn a(&self, c: &tiny_runtime::Ctx, m: Order) -> Result<Option<A>>",
            Role::Source,
        );
        assert_eq!(errors, Vec::<String>::new());
        let signature = signature.unwrap();
        let names = [signature.ctx, signature.name].map(|name| name.unwrap().to_string());
        assert_eq!(names, ["c", "m"]);
    }

    #[test]
    fn a_target_may_take_its_message_apart() {
        let (signature, errors) =
            read("async fn a(&self, _: &Ctx, In { name }: In) -> Result", Role::Target);
        assert_eq!(errors, Vec::<String>::new());
        assert!(signature.is_some());
        let (_, errors) = read("async fn a(&self, _: &Ctx, m: In) -> Result", Role::Source);
        assert_eq!(errors.len(), 1, "{errors:#?}");
    }

    #[test]
    fn a_missing_context_is_told_and_the_message_still_checked() {
        let (_, errors) = read("async fn a(&self, message: &mut In) -> Result", Role::Target);
        assert_eq!(
            errors,
            ["port `a` must take `ctx: &Ctx` second: it takes `&self, ctx: &Ctx, message: T`"]
        );
    }

    #[test]
    fn each_wrong_word_of_a_signature_has_its_sentence() {
        let cases = [
            ("fn a(&self, c: &Ctx, m: A) -> Result", "is not async"),
            ("async fn a(&mut self, c: &Ctx, m: A) -> Result", "must take `&self`"),
            ("async fn a(self, c: &Ctx, m: A) -> Result", "must take `&self`"),
            ("async fn a(c: &Ctx, m: A) -> Result", "must take `&self` first"),
            ("async fn a() -> Result", "takes nothing"),
            ("async fn a(&self) -> Result", "takes no `ctx` and no message"),
            ("async fn a(&self, c: &Ctx) -> Result", "takes no message"),
            ("async fn a(&self, c: &Ctx, m: A, n: A) -> Result", "takes one message"),
            ("async fn a(&self, c: &Ctx, m: &mut A) -> Result", "cannot change its message"),
            ("async fn a(&self, c: &Ctx, m: impl B) -> Result", "must name the type"),
            ("async fn a(&self, c: &Ctx, m: A)", "must return `Result`"),
            ("async fn a(&self, c: &Ctx, m: A) -> Reply", "must return `Result`"),
            ("async fn a<T>(&self, c: &Ctx, m: A) -> Result", "cannot be generic"),
            ("async unsafe fn a(&self, c: &Ctx, m: A) -> Result", "cannot be `unsafe`"),
        ];
        for (text, sentence) in cases {
            let (signature, errors) = read(text, Role::Target);
            assert!(signature.is_none(), "{text}");
            assert!(errors.iter().any(|error| error.contains(sentence)), "{text}: {errors:#?}");
        }
    }

    #[test]
    fn an_error_port_takes_a_failure() {
        let (_, errors) = read("async fn a(&self, c: &Ctx, m: A) -> Result", Role::Error);
        assert!(errors[0].contains("must take `Failure<T>`"), "{errors:#?}");
    }
}
