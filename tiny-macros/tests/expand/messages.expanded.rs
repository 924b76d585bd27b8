#[derive(
    ::core::fmt::Debug,
    ::tiny_runtime::derive::serde::Serialize,
    ::tiny_runtime::derive::serde::Deserialize,
    ::tiny_runtime::derive::schemars::JsonSchema
)]
#[serde(crate = "::tiny_runtime::derive::serde", rename_all = "camelCase")]
#[schemars(crate = "::tiny_runtime::derive::schemars")]
/// A greeting.
#[derive(PartialEq, Clone)]
pub struct Greeting<T> {
    /// The text.
    #[schemars(extend("propertyOrder" = 7, "shared" = true, "tab" = "Main"))]
    pub text: String,
    /// What else.
    #[schemars(extend("propertyOrder" = 2))]
    pub rest: T,
    #[serde(skip)]
    cache: u8,
}
#[automatically_derived]
impl<T: ::tiny_runtime::component::Message> ::tiny_runtime::component::Message
for Greeting<T> {
    ::tiny_runtime::secrets_in! {
        T
    }
}
#[derive(
    ::core::clone::Clone,
    ::core::fmt::Debug,
    ::tiny_runtime::derive::serde::Serialize,
    ::tiny_runtime::derive::serde::Deserialize,
    ::tiny_runtime::derive::schemars::JsonSchema
)]
#[serde(crate = "::tiny_runtime::derive::serde", rename_all = "camelCase", default)]
#[schemars(crate = "::tiny_runtime::derive::schemars")]
#[derive(Default)]
struct Pause {
    /// How long.
    #[schemars(title = "Wait", extend("propertyOrder" = 1))]
    for_millis: u64,
}
#[automatically_derived]
impl ::tiny_runtime::component::Message for Pause {
    fn configuration() -> ::core::option::Option<
        ::tiny_runtime::derive::serde_json::Value,
    > {
        let default = <Self as ::core::default::Default>::default();
        ::tiny_runtime::derive::serde_json::to_value(default).ok()
    }
}
#[derive(
    ::core::clone::Clone,
    ::core::fmt::Debug,
    ::tiny_runtime::derive::serde::Serialize,
    ::tiny_runtime::derive::serde::Deserialize,
    ::tiny_runtime::derive::schemars::JsonSchema
)]
#[serde(crate = "::tiny_runtime::derive::serde", rename_all_fields = "camelCase")]
#[schemars(crate = "::tiny_runtime::derive::schemars")]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Command {
    Stop,
    Say {
        /// What.
        #[schemars(extend("propertyOrder" = 1))]
        the_words: String,
    },
}
#[automatically_derived]
impl ::tiny_runtime::component::Message for Command {}
