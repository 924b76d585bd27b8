//! `router`: one of several ways.

use tiny_runtime::prelude::*;
use tiny_runtime::schema::Schema;

use crate::passing::Context;

/// The ways there are.
#[message(default)]
pub(crate) struct RouterSettings {
    /// Their names; each is a port.
    #[ui(minItems = 1, uniqueItems)]
    pub(crate) routes: Vec<String>,
    /// Whether there is a way for what goes no other.
    pub(crate) enable_default_port: bool,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self { routes: vec!["A".into(), "B".into()], enable_default_port: false }
    }
}

/// Whether one way is taken.
#[message]
pub(crate) struct Condition {
    /// The way.
    pub(crate) route: String,
    /// Whether it is taken.
    pub(crate) condition: bool,
}

/// Something on its way.
#[message]
pub(crate) struct Routed {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// The first that holds decides.
    #[ui(minItems = 1)]
    pub(crate) conditions: Vec<Condition>,
}

/// Sends what comes one of several ways: a switch.
///
/// The first condition that holds decides. What goes no way goes to `default` where that is enabled, else nowhere.
#[component(name = "router", tags = ["common", "flow"])]
#[derive(Default)]
pub(crate) struct Router {
    settings: Settings<RouterSettings>,
}

impl Router {
    /// As ports are called.
    fn ways(&self) -> Vec<String> {
        self.settings.get().routes.iter().map(|route| route.to_lowercase()).collect()
    }

    fn has_default(&self) -> bool {
        self.settings.get().enable_default_port
    }

    fn with_routes(&self, schema: Schema) -> Schema {
        schema.choices("conditions.route", self.settings.get().routes.iter().map(String::as_str))
    }
}

#[component]
impl Router {
    /// Refuses ways that would share a port.
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, settings: &RouterSettings) -> Result<()> {
        let mut ways: Vec<String> = settings.routes.iter().map(|it| it.to_lowercase()).collect();
        ways.sort();
        match ways.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::permanent(format!(
                "two routes are called `{}` but for the size of their letters, and would share a port",
                pair[0]
            ))),
            None => Ok(()),
        }
    }

    /// Anything, and which way it goes.
    #[port(target, position = "left", schema = Self::with_routes)]
    async fn input(&self, ctx: &Ctx, message: Routed) -> Result {
        let context = Context(message.context);
        let Some(taken) = message.conditions.into_iter().find(|it| it.condition) else {
            return match self.has_default() {
                true => self.default(ctx, context).await,
                false => Ok(Reply::none()),
            };
        };
        let way = taken.route.to_lowercase();
        if !self.ways().contains(&way) {
            return Err(Error::permanent(format!(
                "there is no route `{}`; the settings have {}",
                taken.route,
                self.settings.get().routes.join(", ")
            )));
        }
        self.out(ctx, &way, context).await
    }

    /// What goes this way.
    #[port(source, name = "out_{route}", label = "{route}", position = "right", each = Self::ways)]
    async fn out(&self, ctx: &Ctx, route: &str, message: Context) -> Result;

    /// What goes no other way.
    #[port(source, position = "bottom", when = Self::has_default)]
    async fn default(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, in_force, json};

    fn routed(conditions: &[(&str, bool)]) -> Routed {
        let condition = |(route, condition): &(&str, bool)| Condition {
            route: (*route).into(),
            condition: *condition,
        };
        Routed { context: context("a"), conditions: conditions.iter().map(condition).collect() }
    }

    #[tiny_runtime::test]
    async fn the_first_condition_that_holds_decides() -> Result<()> {
        let bench = Bench::<Router>::new();
        bench.reply(Router::OUT.of("b"), "went b".to_owned());
        let reply =
            bench.send(Router::INPUT, routed(&[("A", false), ("B", true), ("A", true)])).await?;
        assert_eq!(reply.to_json()?, Some(json!("went b")));
        assert_eq!(bench.sent(Router::OUT.of("b"))[0].0, context("a"));
        assert!(bench.sent(Router::OUT.of("a")).is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_goes_no_way_goes_to_the_default_or_nowhere() -> Result<()> {
        let bench = Bench::<Router>::new();
        assert!(bench.send(Router::INPUT, routed(&[("A", false)])).await?.is_none());
        bench.settings_json(json!({"routes": ["A"], "enableDefaultPort": true}));
        in_force().await;
        bench.send(Router::INPUT, routed(&[("A", false)])).await?.ignore();
        assert_eq!(bench.sent(Router::DEFAULT).len(), 1);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_route_that_is_not_there_is_an_error_that_names_those_that_are() -> Result<()> {
        let bench = Bench::<Router>::new();
        let error = bench.send(Router::INPUT, routed(&[("C", true)])).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no route `C`; the settings have A, B");
        assert!(error.is_permanent());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn ports_and_choices_follow_the_settings() -> Result<()> {
        let bench = Bench::<Router>::new();
        bench.settings_json(json!({"routes": ["Paid", "Open"]}));
        in_force().await;
        let ports = bench.ports();
        assert!(ports.contains(&"out_paid".to_owned()) && ports.contains(&"out_open".to_owned()));
        assert!(!ports.contains(&"default".to_owned()), "{ports:?}");
        let schema = bench.schema("input").unwrap_or_default();
        assert_eq!(
            schema["$defs"]["Condition"]["properties"]["route"]["enum"],
            json!(["Paid", "Open"])
        );
        bench.settings_json(json!({"routes": ["x", "X"]}));
        in_force().await;
        assert!(bench.faults()[0].contains("would share a port"), "{:?}", bench.faults());
        Ok(())
    }
}
