//! The signature of a port: `async fn name(&self, ctx: &Ctx, message: T) -> Result`.

use quote::ToTokens;
use syn::{FnArg, Ident, Pat, PatType, ReceiverKind, Safety, Type};

use crate::errors::Errors;
use crate::port::Role;
use crate::types::{self, Answer};

const SHAPE: &str = "`&self, ctx: &Ctx, message: T`";

/// What the table must know of a signature.
pub(crate) struct Signature {
    /// The names of the context and the message; of a target they may be any pattern.
    pub(crate) names: Option<(Ident, Ident)>,
    /// `T` of `T` or `&T`.
    pub(crate) message: Type,
    /// True for `&T`.
    pub(crate) borrowed: bool,
    pub(crate) answer: Answer,
}

impl Signature {
    /// Reads `sig`; `None` when a call of it cannot be written.
    pub(crate) fn read(sig: &syn::Signature, role: Role, errors: &mut Errors) -> Option<Self> {
        let mut fits = modifiers(sig, errors);
        let port = &sig.ident;
        let mut inputs = sig.inputs.iter();
        fits &= receiver(inputs.next(), port, errors);
        let (ctx, message) = arguments(inputs, port, errors);
        let answer = Answer::read(&sig.output);
        if answer.is_none() {
            let sentence = format!(
                "port `{port}` must return `Result` (any reply), `Result<()>` (none) or `Result<T>`"
            );
            match &sig.output {
                syn::ReturnType::Default => errors.at(port, sentence),
                syn::ReturnType::Type(_, ty) => errors.at(ty, sentence),
            }
        }
        let (ctx, message, answer) = (ctx?, message?, answer?);
        let (ty, borrowed) = payload(&message.ty, role, port, errors)?;
        let names = if role == Role::Target { None } else { Some(names(ctx, message, errors)?) };
        fits.then(|| Self { names, message: ty.clone(), borrowed, answer })
    }
}

fn modifiers(sig: &syn::Signature, errors: &mut Errors) -> bool {
    let mut fits = true;
    let port = &sig.ident;
    let mut no = |at: &dyn ToTokens, sentence: String| {
        errors.at(at, sentence);
        fits = false;
    };
    if sig.asyncness.is_none() {
        no(&sig.fn_token, format!("port `{port}` is not async: write `async fn {port}`"));
    }
    if let Some(constness) = &sig.constness {
        no(constness, format!("port `{port}` cannot be `const`"));
    }
    if let Safety::Unsafe(keyword) = &sig.safety {
        no(keyword, format!("port `{port}` cannot be `unsafe`: the runtime calls it"));
    }
    if let Some(abi) = &sig.abi {
        no(abi, format!("port `{port}` cannot be `extern`"));
    }
    if !sig.generics.params.is_empty() {
        no(&sig.generics, format!("port `{port}` cannot be generic: it carries one type"));
    }
    fits
}

fn receiver(first: Option<&FnArg>, port: &Ident, errors: &mut Errors) -> bool {
    match first {
        Some(FnArg::Receiver(receiver)) => match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => return true,
            ReceiverKind::Reference(_, _, Some(_)) => {
                let sentence = format!(
                    "port `{port}` must take `&self`: a node that awaits a reply still receives, keep what changes in a cell"
                );
                errors.at(receiver, sentence);
            }
            _ => errors.at(receiver, format!("port `{port}` must take `&self`")),
        },
        Some(FnArg::Typed(argument)) => {
            errors.at(argument, format!("port `{port}` must take `&self` first: it takes {SHAPE}"));
        }
        None => errors.at(port, format!("port `{port}` takes nothing: it takes {SHAPE}")),
    }
    false
}

/// The context and the message, which stand behind the receiver (or the `self` that is missing).
fn arguments<'a>(
    inputs: impl Iterator<Item = &'a FnArg>,
    port: &Ident,
    errors: &mut Errors,
) -> (Option<&'a PatType>, Option<&'a PatType>) {
    let mut inputs = inputs.filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let (mut ctx, mut message) = (inputs.next(), inputs.next());
    match ctx {
        Some(argument) if is_ctx(&argument.ty) => {}
        Some(argument) => {
            let sentence = format!("port `{port}` must take `ctx: &Ctx` second: it takes {SHAPE}");
            errors.at(argument, sentence);
            // What stands in its place is the message, most likely.
            (ctx, message) = (None, message.or(ctx));
        }
        None => {
            let sentence = format!("port `{port}` takes no `ctx` and no message: it takes {SHAPE}");
            errors.at(port, sentence);
            return (None, None);
        }
    }
    if message.is_none() {
        errors.at(port, format!("port `{port}` takes no message: it takes {SHAPE}"));
    }
    for extra in inputs {
        let sentence = format!("port `{port}` takes one message: put this into it");
        errors.at(extra, sentence);
        message = None;
    }
    (ctx, message)
}

fn is_ctx(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => {
            reference.mutability.is_none() && types::is(&reference.elem, "Ctx")
        }
        _ => false,
    }
}

/// The type that travels, and whether the method only borrows it.
fn payload<'a>(
    ty: &'a Type,
    role: Role,
    port: &Ident,
    errors: &mut Errors,
) -> Option<(&'a Type, bool)> {
    let (ty, borrowed) = match ty {
        Type::Reference(reference) => {
            if reference.mutability.is_some() {
                let sentence = format!(
                    "port `{port}` cannot change its message in place: take `T` (yours) or `&T`"
                );
                errors.at(ty, sentence);
                return None;
            }
            if role != Role::Target {
                let sentence = format!("port `{port}` must take its message by value: it sends it");
                errors.at(ty, sentence);
                return None;
            }
            (&*reference.elem, true)
        }
        other => (other, false),
    };
    if let Type::ImplTrait(_) = ty {
        errors.at(ty, format!("port `{port}` must name the type of its message"));
        return None;
    }
    if role == Role::Error && types::argument(ty, "Failure").is_none() {
        errors.at(
            ty,
            format!("error port `{port}` must take `Failure<T>`: `T` is the message that failed"),
        );
        return None;
    }
    Some((ty, borrowed))
}

/// The names that the body of a source uses.
fn names(ctx: &PatType, message: &PatType, errors: &mut Errors) -> Option<(Ident, Ident)> {
    let mut name = |argument: &PatType| match &*argument.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            Some(pattern.ident.clone())
        }
        other => {
            errors.at(
                other,
                "the arguments of a source have plain names: the flow gets them as they are",
            );
            None
        }
    };
    let (ctx, message) = (name(ctx), name(message));
    Some((ctx?, message?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, role: Role) -> (Option<Signature>, Vec<String>) {
        let mut errors = Errors::default();
        let sig = syn::parse_str(text).unwrap();
        let signature = Signature::read(&sig, role, &mut errors);
        (signature, errors.sentences())
    }

    #[test]
    fn arguments_go_by_their_place_and_not_by_their_name() {
        let (signature, errors) = read(
            "async fn a(&self, c: &tiny_runtime::Ctx, m: Order) -> Result<Option<A>>",
            Role::Source,
        );
        assert_eq!(errors, Vec::<String>::new());
        let (ctx, message) = signature.unwrap().names.unwrap();
        assert_eq!((ctx.to_string(), message.to_string()), ("c".into(), "m".into()));
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
