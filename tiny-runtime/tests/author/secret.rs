//! A secret is seen by its component only.

use serde_json::json;
use tiny_runtime::component::{ComponentType, Message};
use tiny_runtime::prelude::*;
use tiny_runtime::testing::Flow;

/// How to sign in.
#[message]
#[derive(Default)]
struct SignIn {
    /// The user.
    user: String,
    /// The password.
    password: Secret<String>,
}

/// What holds a secret deep inside.
#[message]
struct Outer {
    /// Several.
    inner: Vec<Option<SignIn>>,
}

/// What holds itself, and no secret.
#[message]
struct Tree {
    /// Below.
    below: Vec<Tree>,
    /// Its value.
    value: Json,
}

/// What starts with a secret.
#[message(default)]
struct Start {
    /// The token.
    token: Secret<String>,
    /// More of it, in a circle.
    again: Vec<Circle>,
}

impl Default for Start {
    fn default() -> Self {
        Self { token: "hunter2".to_owned().into(), again: Vec::new() }
    }
}

/// What leads back.
#[message]
struct Circle {
    /// Where it begins.
    start: Option<Box<Start>>,
}

/// Tells the token.
#[component(name = "teller")]
#[derive(Default)]
struct Teller;

#[component]
impl Teller {
    /// Answers with the token.
    #[port(target)]
    async fn tell(&self, _ctx: &Ctx, start: Start) -> Result<String> {
        Ok(start.token.expose().clone())
    }
}

/// Signs in.
#[component(name = "login")]
#[derive(Default)]
struct Login {
    settings: Settings<SignIn>,
}

#[component]
impl Login {
    /// Tells how long the password is, and sends it on.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: SignIn) -> Result<SignIn> {
        if message.user == "who" {
            return Err(Error::permanent(format!("cannot sign in with {message:?}")));
        }
        self.output(ctx, message.clone()).await?.ignore();
        Ok(message)
    }

    /// Who signed in.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: SignIn) -> Result;
}

#[tokio::test(start_paused = true)]
async fn an_edge_carries_it_and_an_error_text_does_not() {
    let flow = Flow::local().node::<Login>("a").node::<Login>("b").edge(
        "a:output",
        "b:input",
        json!({"user": "{{ $.user }}", "password": "{{ $.password }}"}),
    );
    let outcome = flow.send("a:input", json!({"user": "ada", "password": "hunter2"})).await;
    let reply = outcome.result.unwrap().to_json().unwrap();
    assert_eq!(reply, Some(json!({"user": "ada", "password": "hunter2"})), "code gets the value");
    let outcome = flow.send("a:input", json!({"user": "who", "password": "hunter2"})).await;
    let error = outcome.result.unwrap_err().to_string();
    assert_eq!(error, "cannot sign in with SignIn { user: \"who\", password: *** }");
}

#[tokio::test(start_paused = true)]
async fn a_mask_that_comes_back_from_an_editor_is_refused() {
    let bench = Bench::<Login>::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        bench.settings_json(json!({"password": "***"}));
    }));
    let text = panicked.unwrap_err().downcast_ref::<String>().cloned().unwrap();
    assert!(text.contains("`***` is the mask of a secret, not its value"), "{text}");
}

#[test]
fn every_message_knows_whether_there_is_one_in_it() {
    let deep = [Outer::SECRET, <Failure<Outer>>::SECRET, <Vec<SignIn>>::SECRET, Circle::SECRET];
    let with = [SignIn::SECRET, Start::SECRET, deep == [true; 4]];
    let without = [Tree::SECRET, String::SECRET, Json::SECRET];
    assert_eq!((with, without), ([true; 3], [false; 3]));
}

#[test]
fn a_form_knows_that_it_is_a_password() {
    let login = ComponentType::of::<Login>();
    let (_, settings) = login.port("_settings").unwrap();
    let schema = (settings.schema)().value();
    let password = &schema["$defs"]["Signin"]["properties"]["password"];
    assert_eq!((&password["format"], &password["type"]), (&json!("password"), &json!("string")));
}

#[test]
fn no_schema_and_no_list_of_components_holds_the_default_of_a_secret() {
    let teller = ComponentType::of::<Teller>();
    let schema = (teller.ports()[0].schema)().to_string();
    assert!(!schema.contains("hunter2"), "{schema}");
    assert!(schema.contains("***"), "there is a default, and it is masked: {schema}");
}
