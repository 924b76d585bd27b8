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
    #[schemars(extend("shared" = true, "tab" = "Main", "propertyOrder" = 7))]
    pub text: String,
    /// What else.
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
    #[schemars(title = "Wait")]
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
        the_words: String,
    },
}
#[automatically_derived]
impl ::tiny_runtime::component::Message for Command {}
#[derive(
    ::core::clone::Clone,
    ::core::fmt::Debug,
    ::tiny_runtime::derive::serde::Serialize,
    ::tiny_runtime::derive::serde::Deserialize,
    ::tiny_runtime::derive::schemars::JsonSchema
)]
#[serde(crate = "::tiny_runtime::derive::serde", rename_all = "camelCase")]
#[schemars(crate = "::tiny_runtime::derive::schemars")]
struct Bounded<T> {
    /// A name.
    #[schemars(extend("minLength" = 2, "pattern" = "^[a-z]+$"))]
    #[serde(
        default,
        bound(
            deserialize = "Bounded < T >: ::tiny_runtime::component::rules::Ruled<0, Field = Option < String >>, Option < String >: ::tiny_runtime::derive::serde::Deserialize<'de>"
        ),
        deserialize_with = "::tiny_runtime::component::rules::ruled::<Bounded < T >, 0, _>"
    )]
    first_name: Option<String>,
    /// Things.
    #[serde(rename = "all")]
    #[schemars(extend("uniqueItems" = true))]
    #[serde(
        bound(
            deserialize = "Bounded < T >: ::tiny_runtime::component::rules::Ruled<1, Field = Vec < T >>, Vec < T >: ::tiny_runtime::derive::serde::Deserialize<'de>"
        ),
        deserialize_with = "::tiny_runtime::component::rules::ruled::<Bounded < T >, 1, _>"
    )]
    things: Vec<T>,
}
#[automatically_derived]
impl<T: ::tiny_runtime::component::Message> ::tiny_runtime::component::Message
for Bounded<T> {
    ::tiny_runtime::secrets_in! {
        T
    }
}
#[automatically_derived]
impl<
    T: ::tiny_runtime::component::Message,
> ::tiny_runtime::component::rules::Ruled<0usize> for Bounded<T> {
    type Field = Option<String>;
    const NAME: &'static str = "firstName";
    const RULES: ::tiny_runtime::component::rules::Rules<Option<String>> = {
        #[allow(unused_imports)]
        use ::tiny_runtime::component::rules::{Bound, Rules};
        Rules::new().min_length(2).pattern("^[a-z]+$")
    };
}
#[automatically_derived]
impl<
    T: ::tiny_runtime::component::Message,
> ::tiny_runtime::component::rules::Ruled<1usize> for Bounded<T> {
    type Field = Vec<T>;
    const NAME: &'static str = "all";
    const RULES: ::tiny_runtime::component::rules::Rules<Vec<T>> = {
        #[allow(unused_imports)]
        use ::tiny_runtime::component::rules::{Bound, Rules};
        Rules::new().unique_items()
    };
}
