//! The typed names of ports.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use futures::TryFutureExt;
use serde_json::Value;

use super::failure::Catch;
use super::{Answer, Body, BoxFuture, DecodeError, Message, Reply, Result};
use crate::schema::{self, Text};

/// A port of component `C` that carries `T` and is answered by `R`.
///
/// `#[component]` writes one constant for each port (`Hello::INPUT`), so that tests and code use no strings. Making a key
/// is the one thing that demands a [`Message`]: a wrong payload is one error, at the author's own type.
pub struct Key<C, T: 'static, R: 'static = Reply> {
    name: Cow<'static, str>,
    ops: &'static Ops<T, R>,
    component: PhantomData<fn() -> C>,
}

/// The key of the port called `name`. A function of its own, and not one of [`Key`]: rustc then says of a wrong type what is wrong
/// with it.
#[doc(hidden)]
pub const fn key<C, T: Message, R: Answer>(name: &'static str) -> Key<C, T, R> {
    Key { name: Cow::Borrowed(name), ops: Ops::ALL, component: PhantomData }
}

/// The keys of the ports whose names have the form `pattern`, with one `{…}` in it.
#[doc(hidden)]
pub const fn keys<C, T: Message, R: Answer>(pattern: &'static str) -> Keys<C, T, R> {
    Keys { pattern, ops: Ops::ALL, component: PhantomData }
}

impl<C, T: 'static, R: 'static> Key<C, T, R> {
    /// The port's name as flows write it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn cow(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// What the port's types can do.
    #[doc(hidden)]
    pub const fn ops(&self) -> &'static Ops<T, R> {
        self.ops
    }
}

impl<C, T, R> Clone for Key<C, T, R> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), ops: self.ops, component: PhantomData }
    }
}

impl<C, T, R> fmt::Debug for Key<C, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

/// The ports that one method with `each` stands for; [`Keys::of`] is the key of one of them.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// Sends each word to the way that is called like it.
/// #[component(name = "switch")]
/// #[derive(Default)]
/// pub struct Switch;
///
/// impl Switch {
///     fn ways(&self) -> Vec<String> {
///         vec!["left".into(), "right".into()]
///     }
/// }
///
/// #[component]
/// impl Switch {
///     /// A way out.
///     #[port(source, name = "out_{way}", each = Self::ways)]
///     async fn out(&self, ctx: &Ctx, way: &str, message: String) -> Result;
/// }
///
/// assert_eq!(Switch::OUT.of("left").name(), "out_left");
/// ```
pub struct Keys<C, T: 'static, R: 'static = Reply> {
    pattern: &'static str,
    ops: &'static Ops<T, R>,
    component: PhantomData<fn() -> C>,
}

impl<C, T: 'static, R: 'static> Keys<C, T, R> {
    /// The key of the port for `item`.
    pub fn of(&self, item: &str) -> Key<C, T, R> {
        let name = Cow::Owned(fill(self.pattern, item));
        Key { name, ops: self.ops, component: PhantomData }
    }

    /// What the ports' types can do.
    #[doc(hidden)]
    pub const fn ops(&self) -> &'static Ops<T, R> {
        self.ops
    }
}

impl<C, T, R> Clone for Keys<C, T, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T, R> Copy for Keys<C, T, R> {}

impl<C, T, R> fmt::Debug for Keys<C, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.pattern)
    }
}

/// What stands before and after the `{…}` of a pattern; `None` for a plain name.
pub(crate) fn parts(pattern: &str) -> Option<(&str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    Some((before, after))
}

/// The pattern with `item` in its `{…}`.
pub(crate) fn fill(pattern: &str, item: &str) -> String {
    match parts(pattern) {
        Some((before, after)) => format!("{before}{item}{after}"),
        None => pattern.to_owned(),
    }
}

/// What can be done with the types of a port. A value, so that whoever has a key needs no bound on `T` and `R`: then rustc
/// speaks of a wrong type once.
#[doc(hidden)]
pub struct Ops<T, R> {
    pub(crate) type_of: fn() -> TypeId,
    pub(crate) decode: fn(&Body) -> Result<T, DecodeError>,
    pub(crate) erase: fn(T) -> Body,
    pub(crate) schema: fn() -> Text,
    pub(crate) configuration: fn() -> Option<Value>,
    pub(crate) fits: fn(&Value) -> Result<(), DecodeError>,
    pub(crate) catch: fn() -> Option<Catch>,
    pub(crate) response: Option<fn() -> Text>,
    pub(crate) into_reply: fn(R) -> Reply,
    pub(crate) from_reply: fn(Reply, &str) -> Result<R>,
}

impl<T: Message, R: Answer> Ops<T, R> {
    pub(crate) const ALL: &'static Self = &Self {
        type_of: TypeId::of::<T>,
        decode: Body::decode::<T>,
        erase: Body::of::<T>,
        schema: schema::text::<T>,
        configuration: T::configuration,
        fits: |value| Body::json(value.clone()).decode::<T>().map(drop),
        catch: T::catch,
        response: R::SCHEMA,
        into_reply: R::into_reply,
        from_reply: R::from_reply,
    };
}

impl<T: 'static, R: 'static> Ops<T, R> {
    /// What the author's method answers, as the engine takes it. No async block stands around the method: the future that
    /// the author wrote is the future that runs.
    pub fn answer<'a>(
        &self,
        method: impl Future<Output = Result<R>> + Send + 'a,
    ) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(method.map_ok(self.into_reply))
    }
}

impl<T, R> fmt::Debug for Ops<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ops").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_place_for_the_item() {
        assert_eq!(parts("out_{route}_x"), Some(("out_", "_x")));
        assert_eq!(fill("out_{route}_x", "a"), "out_a_x");
        assert_eq!(parts("output"), None);
    }
}
