//! What `#[component]` writes for an author.

use super::Table;

/// What a component says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The name that flows use in `spec.component`.
    pub name: &'static str,
    /// The first paragraph of the doc comment.
    pub description: &'static str,
    /// The rest of the doc comment.
    pub info: &'static str,
    /// Words to search by.
    pub tags: &'static [&'static str],
    /// Older names.
    pub aliases: &'static [&'static str],
    /// Runs that one node takes at once.
    pub concurrency: u32,
}

impl Info {
    /// Runs that one node takes at once when its component says nothing else.
    pub const CONCURRENCY: u32 = 256;
}

/// A Rust type with ports. `#[component]` on the struct implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a component",
    label = "its struct lacks `#[component]`",
    note = "put `#[component(name = \"…\")]` on `struct {Self}`"
)]
pub trait Component: Ports + Default {
    /// What the component says of itself.
    const INFO: Info;

    /// Adds its cells, and the port that they bring: `_settings`.
    fn cells(table: &mut Table<Self>);
}

/// The ports of a component. `#[component]` on the impl implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no ports",
    label = "this component has no `#[component] impl`",
    note = "write `#[component] impl {Self} {{ … }}` with at least one `#[port]` method"
)]
pub trait Ports: Sized + Send + Sync + 'static {
    /// Adds the ports in the order in which the author wrote them.
    fn ports(table: &mut Table<Self>);
}

/// An impl half without a struct half is one error, at the impl's own type.
#[doc(hidden)]
pub const fn is_component<C: Component>() {}
