//! What a type says by its spelling. Macros see no more of it.

use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type};

/// The last segment of a type's path: `Settings<T>` of `tiny_runtime::prelude::Settings<T>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// True when the last segment of `ty` is `name`.
pub(crate) fn is(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// `T` of `Name<T>`, whatever else stands after it.
pub(crate) fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// What a port answers with.
#[derive(Clone)]
pub(crate) enum Answer {
    /// `Result`: whatever the flow behind answered.
    Reply,
    /// `Result<()>`.
    Nothing,
    /// `Result<T>`.
    Type(Box<Type>),
    /// `Result<Option<T>>`: the whole type, and `T`.
    Optional(Box<Type>, Box<Type>),
}

impl Answer {
    /// Reads a return type; `None` when it is no `Result`.
    pub(crate) fn read(output: &ReturnType) -> Option<Self> {
        let ReturnType::Type(_, ty) = output else { return None };
        if !is(ty, "Result") {
            return None;
        }
        Some(match argument(ty, "Result") {
            None => Self::Reply,
            Some(Type::Tuple(unit)) if unit.elems.is_empty() => Self::Nothing,
            Some(reply) if is(reply, "Reply") => Self::Reply,
            Some(reply) => match argument(reply, "Option") {
                Some(inner) => Self::Optional(Box::new(reply.clone()), Box::new(inner.clone())),
                None => Self::Type(Box::new(reply.clone())),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_type_is_known_by_its_last_segment() {
        let ty: Type = parse_quote!(tiny_runtime::prelude::Settings<Hello>);
        assert!(is(&ty, "Settings"));
        assert_eq!(argument(&ty, "Settings"), Some(&parse_quote!(Hello)));
        assert_eq!(argument(&ty, "State"), None);
        assert!(!is(&parse_quote!([Settings<Hello>; 2]), "Settings"));
    }

    #[test]
    fn an_answer_is_read_from_the_return_type() {
        let read = |output: ReturnType| Answer::read(&output);
        assert!(matches!(read(parse_quote!(-> Result)), Some(Answer::Reply)));
        assert!(matches!(read(parse_quote!(-> Result<Reply, Error>)), Some(Answer::Reply)));
        assert!(matches!(read(parse_quote!(-> Result<()>)), Some(Answer::Nothing)));
        assert!(matches!(read(parse_quote!(-> Result<A>)), Some(Answer::Type(_))));
        assert!(matches!(read(parse_quote!(-> Result<Option<A>>)), Some(Answer::Optional(..))));
        assert!(read(parse_quote!(-> A)).is_none());
        assert!(read(parse_quote!()).is_none());
    }
}
