//! The typed name of a port.

use std::fmt;
use std::marker::PhantomData;

use super::{Message, Reply};

/// A port of component `C` that carries `T` and is answered by `R`.
///
/// `#[component]` writes one constant for each port (`Hello::INPUT`), so that tests and code use no strings. This is the
/// one place that demands a [`Message`]: a wrong payload is one error, at the author's own type.
pub struct Key<C, T, R = Reply> {
    name: &'static str,
    types: PhantomData<Types<C, T, R>>,
}

/// A key names types and holds no value of them.
type Types<C, T, R> = fn() -> (C, T, R);

impl<C, T: Message, R> Key<C, T, R> {
    /// The key of the port called `name`.
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }
}

impl<C, T, R> Key<C, T, R> {
    /// The port's name as flows write it.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<C, T, R> Clone for Key<C, T, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T, R> Copy for Key<C, T, R> {}

impl<C, T, R> fmt::Debug for Key<C, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}
