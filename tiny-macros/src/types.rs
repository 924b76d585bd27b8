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
    if !is(ty, name) {
        return None;
    }
    arguments(ty).into_iter().next()
}

/// The types in the angle brackets of `ty` itself.
pub(crate) fn arguments(ty: &Type) -> Vec<&Type> {
    let Some(PathArguments::AngleBracketed(arguments)) =
        last_segment(ty).map(|segment| &segment.arguments)
    else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// Every type that is spelled in `ty`, itself first: of `Option<Secret<A>>` also `Secret<A>` and `A`.
pub(crate) fn all(ty: &Type) -> Vec<&Type> {
    let mut found = vec![ty];
    match ty {
        Type::Group(group) => found.extend(all(&group.elem)),
        Type::Paren(paren) => found.extend(all(&paren.elem)),
        Type::Array(array) => found.extend(all(&array.elem)),
        Type::Tuple(tuple) => found.extend(tuple.elems.iter().flat_map(all)),
        Type::Path(path) => {
            for segment in &path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
                for argument in &arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        found.extend(all(ty));
                    }
                }
            }
        }
        _ => {}
    }
    found
}

/// True when two types are spelled alike but for the modules before their names: `In` and `crate::In`.
pub(crate) fn alike(one: &Type, other: &Type) -> bool {
    let (one, other) = (all(one), all(other));
    let same = |(one, other): (&&Type, &&Type)| match (last_segment(one), last_segment(other)) {
        (Some(one), Some(other)) => one.ident == other.ident,
        (None, None) => one == other,
        _ => false,
    };
    one.len() == other.len() && one.iter().zip(&other).all(same)
}

/// What a port answers with.
#[derive(Clone)]
pub(crate) enum Answer {
    /// `Result`: whatever the flow behind answered.
    Reply,
    /// `Result<()>`.
    Nothing,
    /// `Result<T>` or `Result<Option<T>>`.
    Type(Box<Type>),
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
            Some(reply) => Self::Type(Box::new(reply.clone())),
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
    fn types_are_alike_whatever_module_they_are_named_by() {
        assert!(alike(&parse_quote!(In), &parse_quote!(crate::In)));
        assert!(alike(&parse_quote!(Vec<a::In>), &parse_quote!(Vec<In>)));
        assert!(!alike(&parse_quote!(Vec<In>), &parse_quote!(Vec<Out>)));
        assert!(!alike(&parse_quote!(In), &parse_quote!([In; 2])));
    }

    #[test]
    fn a_type_is_spelled_with_all_that_is_in_it() {
        let ty: Type = parse_quote!(Option<(Secret<String>, [u8; 4])>);
        let names: Vec<_> = all(&ty)
            .into_iter()
            .filter_map(|ty| last_segment(ty).map(|segment| segment.ident.to_string()))
            .collect();
        assert_eq!(names, ["Option", "Secret", "String", "u8"]);
    }

    #[test]
    fn an_answer_is_read_from_the_return_type() {
        let read = |output: ReturnType| Answer::read(&output);
        assert!(matches!(read(parse_quote!(-> Result)), Some(Answer::Reply)));
        assert!(matches!(read(parse_quote!(-> Result<Reply, Error>)), Some(Answer::Reply)));
        assert!(matches!(read(parse_quote!(-> Result<()>)), Some(Answer::Nothing)));
        assert!(matches!(read(parse_quote!(-> Result<A>)), Some(Answer::Type(_))));
        assert!(matches!(read(parse_quote!(-> Result<Option<A>>)), Some(Answer::Type(_))));
        assert!(read(parse_quote!(-> A)).is_none());
        assert!(read(parse_quote!()).is_none());
    }
}
