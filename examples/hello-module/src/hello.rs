use tiny_runtime::prelude::*;

/// How to greet.
#[message]
pub struct HelloSettings {
    /// The first word of every greeting.
    pub salutation: String,
}

impl Default for HelloSettings {
    fn default() -> Self {
        Self { salutation: "Hello".into() }
    }
}

/// Whom to greet.
#[message]
pub struct HelloInput {
    /// The person's name.
    #[ui(configurable)]
    pub name: String,
}

/// A finished greeting.
#[message]
pub struct HelloOutput {
    /// The greeting, ready to show.
    #[ui(shared)]
    pub greeting: String,
}

/// Greets a person by name.
///
/// The smallest useful component.
#[component(name = "hello", tags = ["example", "greeting"])]
#[derive(Default)]
pub struct Hello {
    settings: Settings<HelloSettings>,
}

#[component]
impl Hello {
    /// Receives a name and greets it; answers with whatever the flow behind `output` answered.
    #[port(target, position = "left")]
    async fn input(&self, ctx: &Ctx, message: HelloInput) -> Result {
        if message.name.is_empty() {
            return Err(Error::permanent("a greeting needs a name"));
        }
        let greeting = format!("{}, {}!", self.settings.get().salutation, message.name);
        self.output(ctx, HelloOutput { greeting }).await
    }

    /// The greeting.
    #[port(source, position = "right")]
    async fn output(&self, ctx: &Ctx, message: HelloOutput) -> Result;

    /// What could not be greeted. The runtime sends here when a target fails and an edge is connected.
    #[port(error, position = "bottom")]
    async fn error(&self, ctx: &Ctx, failure: Failure<HelloInput>) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::serde_json::json;

    use super::*;

    #[tiny_runtime::test]
    async fn greets_by_name() -> Result<()> {
        let bench = Bench::<Hello>::new();
        bench.send(Hello::INPUT, HelloInput { name: "World".into() }).await?.ignore();
        assert_eq!(bench.sent(Hello::OUTPUT)[0].greeting, "Hello, World!");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn greets_by_name_in_the_words_of_its_settings() -> Result<()> {
        let bench = Bench::<Hello>::new().settings_json(json!({"salutation": "Good morning"}));
        bench.send(Hello::INPUT, HelloInput { name: "World".into() }).await?.ignore();
        assert_eq!(bench.sent(Hello::OUTPUT)[0].greeting, "Good morning, World!");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn nobody_is_greeted_without_a_name() {
        let bench = Bench::<Hello>::new();
        let error = bench.send(Hello::INPUT, HelloInput { name: String::new() }).await.unwrap_err();
        assert_eq!(error.to_string(), "a greeting needs a name");
        assert_eq!(bench.sent(Hello::ERROR)[0].error, "a greeting needs a name");
        assert!(bench.sent(Hello::OUTPUT).is_empty());
    }
}
