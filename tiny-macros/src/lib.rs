//! The macros of Tiny. Authors use them through `tiny-runtime`, which re-exports them.
//!
//! Each macro goes one way: tokens are *parsed* into a model (`struct_half`, `impl_half`, `port`, `message`), which is
//! *checked* while it is read, and *expanded* (`expand`). Every mistake of an item is one sentence at the author's own
//! token, all of them come out at once, and the item itself always comes back, so that an editor goes on knowing it.
//!
//! The macros know nothing of the runtime but its paths.

mod above;
mod args;
mod docs;
mod entry;
mod errors;
mod expand;
mod impl_half;
mod message;
mod method;
mod port;
mod role;
mod runtime;
mod signature;
#[cfg(test)]
mod snapshots;
mod struct_half;
mod types;
mod ui;
mod words;

use proc_macro::TokenStream;

/// Makes a struct a component, and its impl the ports of it. It stands on both, and neither compiles alone.
///
/// On the struct it takes
///
/// | word | meaning |
/// |---|---|
/// | `name = "…"` | what flows write in `spec.component`; needed |
/// | `tags = ["…"]` | words to search by |
/// | `aliases = ["…"]` | older names of the component |
/// | `concurrency = N` | runs that one node takes at once |
/// | `sequential` | the same as `concurrency = 1` |
/// | `crate = path` | where the runtime is, when it is not `::tiny_runtime` |
///
/// The first paragraph of the doc comment describes the component to flow authors, the rest informs them further. A field
/// of type `Settings<T>` is the node's configuration, its `_settings` port. The struct is not generic and has a `Default`.
///
/// On the impl it takes only `crate = path`. A method with [`macro@port`] is a port, and a method without a body is a
/// source: the flow is its body. For each port the impl gets a constant, its key, called as the method is in capitals.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// A word.
/// #[message]
/// pub struct Word {
///     /// The word itself.
///     pub text: String,
/// }
///
/// /// Says a word louder.
/// #[component(name = "shout", tags = ["text"], sequential)]
/// #[derive(Default)]
/// pub struct Shout;
///
/// #[component]
/// impl Shout {
///     /// Takes a word, and answers what the flow behind `output` answers.
///     #[port(target)]
///     async fn input(&self, ctx: &Ctx, message: Word) -> Result {
///         self.output(ctx, Word { text: message.text.to_uppercase() }).await
///     }
///
///     /// The louder word.
///     #[port(source)]
///     async fn output(&self, ctx: &Ctx, message: Word) -> Result;
/// }
///
/// assert_eq!(Shout::INPUT.name(), "input");
/// ```
#[proc_macro_attribute]
pub fn component(words: TokenStream, item: TokenStream) -> TokenStream {
    entry::component(words.into(), item.into()).into()
}

/// Makes a struct or an enum a message: what travels through ports, a Rust type inside a component and JSON at the borders.
///
/// It derives `Clone`, `Debug`, serde's `Serialize` and `Deserialize` and schemars' `JsonSchema`, each unless the author
/// derives it; names are camelCase in JSON unless `#[serde(rename_all = "…")]` says otherwise. Further derives stand *below*
/// it. Each field has a doc comment, which is its description in the schema, and may say `#[ui(…)]`:
///
/// | word | meaning |
/// |---|---|
/// | `configurable` | takes values of other nodes by expressions |
/// | `shared` | its definition is known to other nodes |
/// | `order = N` | its place in the form; otherwise that of the declaration |
/// | `title = "…"`, `tab = "…"`, `align = "horizontal"`, `colSpan = "…"` | how the form draws it |
/// | `readonly`, `format = "…"`, `language = "…"`, `enumTitles = ["…"]` | what the form lets people write |
/// | `requiredWhen = "…"`, `optionalWhen = "…"` | when it must be filled |
/// | `minimum = N`, `maximum = N`, `minLength = N`, `maxLength = N`, `minItems = N`, `maxItems = N` | its bounds |
///
/// `#[message(default)]` publishes `Default`: it is the configuration of the ports that take the message, and the schema's
/// defaults, and fields may be left out. `crate = path` says where the runtime is.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// How to wait.
/// #[message(default)]
/// #[derive(PartialEq)]
/// pub struct Pause {
///     /// How long to wait, in milliseconds.
///     #[ui(configurable, title = "Wait", minimum = 0)]
///     pub for_millis: u64,
/// }
///
/// impl Default for Pause {
///     fn default() -> Self {
///         Self { for_millis: 1_000 }
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn message(words: TokenStream, item: TokenStream) -> TokenStream {
    entry::message(words.into(), item.into()).into()
}

/// Makes a method of a [`macro@component`] impl a port: `async fn name(&self, ctx: &Ctx, message: T) -> Result`.
///
/// | word | meaning |
/// |---|---|
/// | `target` | receives: its body is what happens when a message arrives |
/// | `source` | sends: it ends with `;`, the flow is its body |
/// | `error` | a source of what failed: it takes `Failure<T>`, and the runtime sends |
/// | `name = "…"` | what flows write; otherwise the method's name |
/// | `label = "…"` | what people read; otherwise the name in title words |
/// | `position = "top"`, `"right"`, `"bottom"`, `"left"` | the side on which editors draw it; otherwise left for targets, right for sources, bottom for errors |
///
/// A target takes `T`, which is its own, or `&T`, which is never copied. It returns `Result` (the reply of the flow behind
/// it), `Result<()>` (none) or `Result<T>` (that one). A source that returns `Result<T>` needs a reply, one that returns
/// `Result<Option<T>>` may go without.
///
/// ```
/// # use tiny_runtime::prelude::*;
/// # /// A key.
/// # #[message]
/// # pub struct Key {
/// #     /// Its name.
/// #     pub name: String,
/// # }
/// # /// A value.
/// # #[message]
/// # pub struct Value {
/// #     /// Its text.
/// #     pub text: String,
/// # }
/// # /// Looks up.
/// # #[component(name = "lookup")]
/// # #[derive(Default)]
/// # pub struct Lookup;
/// #[component]
/// impl Lookup {
///     /// Takes a key, and answers with its value.
///     #[port(target, name = "get", label = "Get", position = "top")]
///     async fn find(&self, ctx: &Ctx, message: &Key) -> Result<Value> {
///         match self.fallback(ctx, message.clone()).await? {
///             Some(value) => Ok(value),
///             None => Err(Error::permanent(format!("nobody knows `{}`", message.name))),
///         }
///     }
///
///     /// Asks somebody else for the value.
///     #[port(source)]
///     async fn fallback(&self, ctx: &Ctx, message: Key) -> Result<Option<Value>>;
/// }
///
/// assert_eq!(Lookup::FIND.name(), "get");
/// ```
#[proc_macro_attribute]
pub fn port(_words: TokenStream, item: TokenStream) -> TokenStream {
    expand::misplaced::port(item.into()).into()
}

/// Makes an async function a test whose clock is paused: the waits between retries pass at once.
///
/// It is tokio's own, found through the runtime, so that authors depend on one crate. It needs the runtime's feature
/// `testing`, in `[dev-dependencies]`, and takes no words.
///
/// ```ignore
/// #[tiny_runtime::test]
/// async fn greets_by_name() -> Result<()> {
///     let bench = Bench::<Hello>::new();
///     bench.send(Hello::INPUT, HelloInput { name: "World".into() }).await?.ignore();
///     assert_eq!(bench.sent(Hello::OUTPUT)[0].greeting, "Hello, World!");
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(words: TokenStream, item: TokenStream) -> TokenStream {
    entry::test(&words.into(), &item.into()).into()
}
