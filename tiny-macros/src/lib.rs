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
mod fields;
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
/// The first paragraph of the doc comment describes the component to flow authors, the rest informs them further. The struct is
/// not generic and has a `Default`. Of its fields two types are cells that the runtime fills:
///
/// - `Settings<T>` is the node's configuration, its `_settings` port: one field, swapped whole when the node changes.
/// - `State<T>` survives restarts, under the name of the field: as many as there are things to keep.
///
/// `concurrency` bounds what one node does at once; what comes beyond it waits. `aliases` keep flows alive that were written for
/// an older name:
///
/// ```
/// # use tiny_runtime::prelude::*;
/// /// Adds numbers, one after the other.
/// #[component(name = "sum", aliases = ["add", "plus"], tags = ["math"], concurrency = 8)]
/// #[derive(Default)]
/// pub struct Sum {
///     total: State<u64>,
/// }
///
/// #[component]
/// impl Sum {
///     /// Takes a number, and answers with the sum so far.
///     #[port(target)]
///     async fn input(&self, _ctx: &Ctx, number: u64) -> Result<u64> {
///         self.total.update(|total| { *total += number; *total }).await
///     }
/// }
/// ```
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
/// Fields are of types that travel: texts, numbers, booleans, lists, maps, `Option`, other messages, `Json` for what is passed on
/// without a look, `Secret<T>` for what nobody may read.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// What to fetch, and how.
/// #[message]
/// pub struct Request {
///     /// What the flow needs again behind this node.
///     #[ui(configurable)]
///     pub context: Json,
///     /// Where to fetch it.
///     #[ui(configurable, order = 1, title = "URL", format = "uri", minLength = 1, maxLength = 2000)]
///     pub url: String,
///     /// Signs in.
///     #[ui(tab = "Auth", colSpan = "col-span-6", optionalWhen = "public")]
///     pub token: Option<Secret<String>>,
///     /// How.
///     #[ui(enumTitles = ["Read", "Write"], align = "horizontal")]
///     pub method: Method,
///     /// How often to try.
///     #[ui(minimum = 0, maximum = 10, requiredWhen = "method")]
///     pub tries: u8,
///     /// What to send along.
///     #[ui(language = "json", minItems = 0, maxItems = 8)]
///     pub parts: Vec<String>,
///     /// Who made it.
///     #[ui(shared, readonly)]
///     pub author: String,
/// }
///
/// /// How to fetch.
/// #[message]
/// pub enum Method {
///     Get,
///     Post,
/// }
/// ```
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
/// | what it is | meaning |
/// |---|---|
/// | `target` | receives: its body is what happens when a message arrives |
/// | `source` | sends: it ends with `;`, the flow is its body |
/// | `error` | a source of what failed: it takes `Failure<T>`, and the runtime sends |
/// | `settings` | a hook that sees new settings before they are in force |
/// | `control` | receives what people do on a dashboard, and shows what `read` returns |
/// | `reconcile` | a hook that runs every five minutes and when the node changes |
/// | `destroy` | a hook that runs when the node is deleted, to delete what the component made outside |
///
/// | word | on | meaning |
/// |---|---|---|
/// | `name = "…"` | target, source, error | what flows write; otherwise the method's name |
/// | `label = "…"` | all but hooks | what people read; otherwise the name in title words |
/// | `position = "top"`, `"right"`, `"bottom"`, `"left"` | all but hooks | the side on which editors draw it; otherwise left for targets, right for sources, bottom for errors |
/// | `when = Self::…` | all but hooks | a method `fn(&self) -> bool`: whether the port is there |
/// | `each = Self::…` | target, source | a method `fn(&self) -> Vec<String>`: one port for each item |
/// | `schema = Self::…` | target, source, control, settings | a method `fn(&self, Schema) -> Schema`: shapes the form, for choices that come from outside |
/// | `read = Self::…` | control | a method `fn(&self) -> T`: what a dashboard shows |
///
/// # Targets and sources
///
/// A target takes `T`, which is its own, or `&T`, which is never copied. It returns `Result` (the reply of the flow behind
/// it), `Result<()>` (none), `Result<T>` (that one) or `Result<Option<T>>`. A source that returns `Result<T>` needs a reply, one that
/// returns `Result<Option<T>>` may go without.
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
///
/// # Errors
///
/// What a target fails with for good goes to the error port whose `Failure<T>` has the type of its message, when an edge starts
/// there; `Failure<Json>` takes what no other takes. The reply of that edge is the reply.
///
/// ```
/// # use tiny_runtime::prelude::*;
/// # /// Divides.
/// # #[component(name = "divide")]
/// # #[derive(Default)]
/// # pub struct Divide;
/// #[component]
/// impl Divide {
///     /// Takes a number, and answers with a hundredth of it.
///     #[port(target)]
///     async fn input(&self, _ctx: &Ctx, number: u64) -> Result<u64> {
///         100_u64.checked_div(number).ok_or_else(|| Error::permanent("nothing is divided by 0"))
///     }
///
///     /// What could not be divided.
///     #[port(error)]
///     async fn error(&self, ctx: &Ctx, failure: Failure<u64>) -> Result;
/// }
/// ```
///
/// # Ports that follow settings and state
///
/// `when` and `each` are asked when the node starts, when its settings change, and after `ctx.refresh()`. With `each` the item
/// stands behind `ctx`, and its name in the `name`. Sending from a source that is not there is no reply and no error; a message for a
/// target that is not there waits for it, for 30 seconds.
///
/// ```
/// # use tiny_runtime::prelude::*;
/// # /// Where to send.
/// # #[message]
/// # #[derive(Default)]
/// # pub struct Routes {
/// #     /// The routes.
/// #     pub routes: Vec<String>,
/// # }
/// # /// A text for a route.
/// # #[message]
/// # pub struct Letter {
/// #     /// The route.
/// #     pub route: String,
/// #     /// The text.
/// #     pub text: String,
/// # }
/// # /// Sends texts where they belong.
/// # #[component(name = "post")]
/// # #[derive(Default)]
/// # pub struct Post {
/// #     settings: Settings<Routes>,
/// # }
/// impl Post {
///     fn routes(&self) -> Vec<String> {
///         self.settings.get().routes.clone()
///     }
///
///     fn has_none(&self) -> bool {
///         self.settings.get().routes.is_empty()
///     }
///
///     fn with_routes(&self, schema: Schema) -> Schema {
///         schema.choices("route", self.routes())
///     }
/// }
///
/// #[component]
/// impl Post {
///     /// Takes a letter; its form offers the routes that there are.
///     #[port(target, schema = Self::with_routes)]
///     async fn input(&self, ctx: &Ctx, letter: Letter) -> Result {
///         if self.has_none() {
///             return self.lost(ctx, letter.text).await;
///         }
///         self.out(ctx, &letter.route, letter.text).await
///     }
///
///     /// Where the letters of one route go.
///     #[port(source, name = "out_{route}", label = "To {route}", each = Self::routes)]
///     async fn out(&self, ctx: &Ctx, route: &str, message: String) -> Result;
///
///     /// Where letters go as long as there is no route.
///     #[port(source, when = Self::has_none)]
///     async fn lost(&self, ctx: &Ctx, message: String) -> Result;
/// }
///
/// assert_eq!(Post::OUT.of("north").name(), "out_north");
/// ```
///
/// # Hooks and dashboards
///
/// A settings hook takes what the field `Settings<T>` will hold. Until it returns `Ok`, the settings before stay in force; an error
/// is the node's condition. `reconcile` runs on every replica. Both run before the first message, in this order. A control port takes
/// what people do on a dashboard; what `read` returns is what they see, with every secret as `***`. It gets through to a node that is
/// busy.
///
/// `destroy` runs once the node is deleted and everything in it has ended, on the replica that leads, and not when a process ends. It has
/// 30 seconds with all its retries; until it has ended the object stays. A transient error that lasts is tried again later, a permanent one lets
/// the object go. After a crash the hook may be called again, on a new component with the settings and the state: what is gone already is
/// no error. It may send, and has no background any more.
///
/// ```
/// # use tiny_runtime::prelude::*;
/// # /// How to connect.
/// # #[message]
/// # #[derive(Default)]
/// # pub struct Connection {
/// #     /// The address.
/// #     pub address: String,
/// # }
/// /// A button, and what it did.
/// #[message]
/// #[derive(Default)]
/// pub struct Panel {
///     /// Connects anew.
///     #[ui(format = "button")]
///     #[serde(default)]
///     pub reset: bool,
///     /// How often somebody did.
///     #[ui(readonly)]
///     #[serde(default)]
///     pub resets: u64,
/// }
///
/// # /// Connects.
/// # #[component(name = "connect")]
/// # #[derive(Default)]
/// # pub struct Connect {
/// #     settings: Settings<Connection>,
/// #     resets: State<u64>,
/// # }
/// impl Connect {
///     fn panel(&self) -> Panel {
///         Panel { resets: *self.resets.get(), ..Panel::default() }
///     }
/// }
///
/// #[component]
/// impl Connect {
///     /// Refuses an address that cannot be one.
///     #[port(settings)]
///     async fn check(&self, _ctx: &Ctx, settings: &Connection) -> Result<()> {
///         match settings.address.contains(' ') {
///             true => Err(Error::permanent("an address has no spaces")),
///             false => Ok(()),
///         }
///     }
///
///     /// Looks whether the connection stands.
///     #[port(reconcile)]
///     async fn look(&self, ctx: &Ctx) -> Result<()> {
///         ctx.counter("looks").add(1);
///         Ok(())
///     }
///
///     /// Forgets who connected.
///     #[port(destroy)]
///     async fn on_destroy(&self, _ctx: &Ctx) -> Result<()> {
///         self.resets.update(|resets| *resets = 0).await
///     }
///
///     /// Connects anew when the button is pressed.
///     #[port(control, read = Self::panel)]
///     async fn control(&self, ctx: &Ctx, panel: Panel) -> Result<()> {
///         if panel.reset {
///             self.resets.update(|resets| *resets += 1).await?;
///             ctx.refresh();
///         }
///         Ok(())
///     }
/// }
///
/// # tiny_runtime::testing::block_on(async {
/// let bench = Bench::<Connect>::new();
/// bench.send(Connect::CONTROL, Panel { reset: true, ..Panel::default() }).await?;
/// assert_eq!(bench.view().unwrap()["resets"], 1);
/// bench.destroy().await?;
/// assert_eq!(bench.stored("resets"), Some(0.into()));
/// # Ok::<(), Error>(())
/// # }).map_err(|e| e.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_attribute]
pub fn port(_words: TokenStream, item: TokenStream) -> TokenStream {
    expand::misplaced::port(item.into()).into()
}

/// Makes an async function a test whose clock is paused: the waits between retries pass at once.
///
/// It is tokio's own, found through the runtime, so that authors depend on one crate.
/// `crate = path` says where the runtime is, when it is not `::tiny_runtime`.
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
    entry::test(words.into(), &item.into()).into()
}
