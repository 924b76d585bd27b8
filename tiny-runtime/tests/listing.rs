//! The listing of the design, word for word, and what it promises.

include!("listing/design.rs");

/// Answers with the greeting that it got.
#[component(name = "mirror", aliases = ["looking_glass"], sequential)]
#[derive(Default)]
struct Mirror;

#[component]
impl Mirror {
    /// What to look at; a look costs nothing.
    #[port(target, name = "in", label = "Look here", position = "top")]
    async fn r#in(&self, ctx: &Ctx, message: &HelloOutput) -> Result<HelloOutput> {
        if message.greeting.contains("nobody") {
            return Err(Error::permanent(format!("`{}` sees nobody", ctx.node())));
        }
        Ok(message.clone())
    }

    /// Asks somebody else.
    #[cfg(test)]
    #[port(source)]
    #[allow(dead_code, reason = "nobody is asked here")]
    async fn ask_else(&self, ctx: &Ctx, message: HelloOutput) -> Result<Option<HelloInput>>;

    /// Is never there.
    #[cfg(not(test))]
    #[port(source)]
    async fn absent(&self, ctx: &Ctx, message: NoSuchType) -> Result;
}

/// How long to wait.
#[message(default)]
struct Pause {
    /// In milliseconds.
    #[ui(title = "Wait", order = 2, minimum = 0)]
    for_millis: u64,
    /// # Why
    ///
    /// To let others
    /// go first.
    #[ui(configurable)]
    reason: Option<String>,
}

impl Default for Pause {
    fn default() -> Self {
        Self { for_millis: 50, reason: None }
    }
}

/// Waits.
#[component(name = "pause")]
#[derive(Default)]
struct Pauser;

#[component]
impl Pauser {
    /// Waits.
    #[port(target)]
    async fn wait(&self, _ctx: &Ctx, _message: &Pause) -> Result<()> {
        Ok(())
    }
}

mod promises {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};
    use tiny_runtime::component::{ComponentType, Info, Key, NodeInfo, PortInfo, Position, Role};
    use tiny_runtime::engine::{
        Address, Dice, EdgeDecl, NodeDecl, Outcome, Peer, RetryBounds, Scheduler, Trigger, Waits,
    };
    use tiny_runtime::registry::Registry;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[test]
    fn a_component_says_of_itself_what_its_author_wrote() {
        let hello = ComponentType::of::<Hello>();
        let expected = Info {
            name: "hello",
            description: "Greets a person by name.",
            info: "The smallest useful component.",
            tags: &["example", "greeting"],
            aliases: &[],
            concurrency: 256,
        };
        assert_eq!(hello.info, expected);
        let mirror = ComponentType::of::<Mirror>().info;
        assert_eq!((mirror.aliases, mirror.concurrency), (&["looking_glass"][..], 1));
    }

    #[test]
    fn ports_stand_in_the_order_of_the_methods_and_settings_come_last() {
        let hello = ComponentType::of::<Hello>();
        let ports: Vec<_> = hello
            .ports()
            .iter()
            .map(|port| (port.meta.name, port.meta.label, port.role, port.meta.position))
            .collect();
        let expected = [
            ("input", "Input", Role::Target, Position::Left),
            ("output", "Output", Role::Source, Position::Right),
            ("error", "Error", Role::Error, Position::Bottom),
            ("_settings", "Settings", Role::Settings, Position::Top),
        ];
        assert_eq!(ports, expected);
        let text = hello.ports()[1].meta.description;
        assert_eq!(text, "The greeting.");
        assert_eq!(hello.ports()[3].meta.description, "The settings of the node.");
        assert!(hello.ports().iter().all(|port| port.response.is_none()));
    }

    #[test]
    fn what_an_attribute_says_wins_over_what_follows_from_the_method() {
        let mirror = ComponentType::of::<Mirror>();
        let [way_in, ask] = mirror.ports() else { panic!("two ports, and no absent one") };
        let meta = way_in.meta;
        assert_eq!((meta.name, meta.label, meta.position), ("in", "Look here", Position::Top));
        assert_eq!((ask.meta.name, ask.meta.label), ("ask_else", "Ask Else"));
        let response = |port: &PortInfo| port.response.map(|of| of().value());
        assert_eq!(response(way_in), Some(tiny_runtime::schema::of::<HelloOutput>()));
        assert_eq!(response(ask), Some(tiny_runtime::schema::of::<HelloInput>()));
    }

    #[test]
    fn keys_carry_the_types_of_their_ports() {
        let _: Key<Hello, HelloInput> = Hello::INPUT;
        let _: Key<Hello, Failure<HelloInput>> = Hello::ERROR;
        let _: Key<Mirror, HelloOutput, HelloOutput> = Mirror::IN;
        let _: Key<Mirror, HelloOutput, Option<HelloInput>> = Mirror::ASK_ELSE;
        assert_eq!((Hello::OUTPUT.name(), Mirror::IN.name()), ("output", "in"));
    }

    #[test]
    fn a_schema_tells_order_words_and_comments_in_the_same_bytes_every_time() {
        let hello = ComponentType::of::<Hello>();
        let bytes = |port: usize| (hello.ports()[port].schema)().to_string();
        assert_eq!(bytes(0), bytes(0));
        assert_eq!(
            bytes(1),
            json!({
                "$ref": "#/$defs/Hellooutput",
                "$defs": {
                    "Hellooutput": {
                        "type": "object",
                        "properties": {
                            "greeting": { "$ref": "#/$defs/Greeting", "propertyOrder": 1 }
                        },
                        "required": ["greeting"],
                        "description": "A finished greeting.",
                        "path": "$"
                    },
                    "Greeting": {
                        "type": "string",
                        "description": "The greeting, ready to show.",
                        "shared": true,
                        "path": "$.greeting"
                    }
                }
            })
            .to_string()
        );
    }

    #[test]
    fn a_new_node_starts_with_the_default_settings() {
        let hello = ComponentType::of::<Hello>();
        let configuration = hello.ports()[3].configuration.and_then(|of| of());
        assert_eq!(configuration, Some(json!({"salutation": "Hello"})));
        assert_eq!(hello.ports()[0].configuration.and_then(|of| of()), None);
    }

    #[test]
    fn a_default_is_the_ports_configuration_and_the_schemas_defaults() {
        let pause = ComponentType::of::<Pauser>();
        let [port] = pause.ports() else { panic!("one port") };
        let configuration = port.configuration.and_then(|of| of());
        assert_eq!(configuration, Some(json!({"forMillis": 50, "reason": null})));
        let schema = (port.schema)().value();
        let expected = json!({
            "type": "object",
            "properties": {
                "reason": { "$ref": "#/$defs/Reason", "propertyOrder": 1 },
                "forMillis": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": u64::MAX,
                    "title": "Wait",
                    "description": "In milliseconds.",
                    "default": 50,
                    "propertyOrder": 2
                }
            },
            "description": "How long to wait.",
            "alwaysSent": ["forMillis", "reason"],
            "path": "$"
        });
        assert_eq!(schema["$defs"]["Pause"], expected);
        let reason = json!({
            "type": ["string", "null"],
            "title": "Why",
            "description": "To let others\ngo first.",
            "configurable": true,
            "path": "$.reason"
        });
        assert_eq!(schema["$defs"]["Reason"], reason);
    }

    fn node(name: &str, component: &str, edges: &[(&str, &str, &str)]) -> NodeDecl {
        let edge = |&(port, node, to): &(&str, &str, &str)| EdgeDecl {
            id: format!("{port}-{node}-{to}").into(),
            port: port.into(),
            to: Address::new(node, to),
            mapping: None,
            bounds: RetryBounds::default(),
            fault: None,
        };
        NodeDecl {
            info: NodeInfo { name: name.into(), ..NodeInfo::default() },
            component: component.into(),
            edges: edges.iter().map(edge).collect(),
            ..NodeDecl::default()
        }
    }

    async fn greet(salutation: &str, data: Value) -> Outcome {
        let registry = Arc::new(Registry::collect().expect("two names"));
        let scheduler = Scheduler::new(registry, Waits::default(), Dice::seeded(1));
        let peer = |name: &str| Peer::Ours {
            component: if name == "hello" { "hello" } else { "looking_glass" }.into(),
        };
        let mut hello = node("hello", "hello", &[("output", "mirror", "in")]);
        hello.configurations.insert("_settings".into(), json!({"salutation": salutation}));
        for decl in [node("mirror", "looking_glass", &[]), hello] {
            let findings = scheduler.update(decl, peer);
            assert!(findings.is_empty(), "{findings:?}");
        }
        let trigger = Trigger {
            name: "a test".into(),
            to: Address::new("hello", Hello::INPUT.name()),
            data: Some(data),
            timeout: Some(Duration::from_secs(5)),
            cancel: CancellationToken::new(),
        };
        scheduler.start(trigger).await
    }

    #[tokio::test]
    async fn a_message_reaches_the_method_and_its_source_the_flow() {
        let reply = greet("Good day", json!({"name": "Ada"})).await.result.unwrap();
        assert_eq!(reply.to_json().unwrap(), Some(json!({"greeting": "Good day, Ada!"})));
    }

    #[tokio::test]
    async fn what_a_method_fails_with_comes_back() {
        let error = greet("Hello", json!({"name": ""})).await.result.unwrap_err();
        assert_eq!(error.to_string(), "a greeting needs a name");
        let error = greet("Hello", json!({"name": "nobody"})).await.result.unwrap_err();
        assert_eq!(error.to_string(), "`mirror` sees nobody");
    }
}
