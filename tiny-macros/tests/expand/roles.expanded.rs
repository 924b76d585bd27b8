impl Mixer {
    /// One way in for each.
    async fn input(&self, ctx: &Ctx, input: &str, message: Part) -> Result {
        self.output(ctx, input, message).await
    }
    /// One way out for each.
    #[allow(clippy::unused_self)]
    async fn output(&self, ctx: &Ctx, to: &str, message: Part) -> Result {
        ctx.send(&Self::OUTPUT.of(to), message).await
    }
    /// All that failed.
    #[allow(dead_code, clippy::unused_self)]
    async fn failed(&self, ctx: &Ctx, failure: Failure<Json>) -> Result {
        ctx.send(&Self::FAILED, failure).await
    }
    /// Checks the settings.
    async fn check(&self, ctx: &Ctx, settings: &MixerSettings) -> Result<()> {
        Ok(())
    }
    /// Start and stop.
    async fn control(&self, ctx: &Ctx, buttons: Buttons) -> Result {
        Ok(Reply::none())
    }
    /// Looks after things.
    #[cfg(unix)]
    async fn reconcile(&self, ctx: &Ctx) -> Result<()> {
        Ok(())
    }
    /// Deletes what it made outside.
    async fn on_destroy(&self, ctx: &Ctx) -> Result<()> {
        Ok(())
    }
    ///The ports `in_{input}`.
    #[allow(dead_code, private_interfaces)]
    pub const INPUT: ::tiny_runtime::component::Keys<
        Self,
        Part,
        ::tiny_runtime::component::Reply,
    > = ::tiny_runtime::component::keys::<
        Self,
        Part,
        ::tiny_runtime::component::Reply,
    >("in_{input}");
    ///The ports `output_{to}`.
    #[allow(dead_code, private_interfaces)]
    pub const OUTPUT: ::tiny_runtime::component::Keys<
        Self,
        Part,
        ::tiny_runtime::component::Reply,
    > = ::tiny_runtime::component::keys::<
        Self,
        Part,
        ::tiny_runtime::component::Reply,
    >("output_{to}");
    ///The port `failed`.
    #[allow(dead_code, private_interfaces)]
    pub const FAILED: ::tiny_runtime::component::Key<
        Self,
        Failure<Json>,
        ::tiny_runtime::component::Reply,
    > = ::tiny_runtime::component::key::<
        Self,
        Failure<Json>,
        ::tiny_runtime::component::Reply,
    >("failed");
    ///The port `_control`.
    #[allow(dead_code, private_interfaces)]
    pub const CONTROL: ::tiny_runtime::component::Key<
        Self,
        Buttons,
        ::tiny_runtime::component::Reply,
    > = ::tiny_runtime::component::key::<
        Self,
        Buttons,
        ::tiny_runtime::component::Reply,
    >("_control");
}
#[automatically_derived]
impl ::tiny_runtime::component::Ports for Mixer {
    fn ports(table: &mut ::tiny_runtime::component::Table<Self>) {
        table
            .target(
                "in_{input}",
                Self::INPUT.ops(),
                |me, ctx, item, message| {
                    Self::INPUT.ops().answer(me.input(ctx, item, message))
                },
            )
            .shown(
                "In {input}",
                "One way in for each.",
                ::tiny_runtime::component::Position::Left,
            )
            .each(Self::inputs)
            .schema(Self::input_schema);
        table
            .source("output_{to}", Self::OUTPUT.ops())
            .shown(
                "Output {to}",
                "One way out for each.",
                ::tiny_runtime::component::Position::Right,
            )
            .when(Self::is_on)
            .each(Self::outputs);
        table
            .error("failed", Self::FAILED.ops())
            .shown(
                "Failed",
                "All that failed.",
                ::tiny_runtime::component::Position::Bottom,
            );
        table.settings_schema(Self::settings_schema);
        table
            .on_settings::<
                MixerSettings,
            >(|me, ctx, settings| { ::std::boxed::Box::pin(me.check(ctx, settings)) });
        table
            .control(
                Self::CONTROL.ops(),
                |me, ctx, _, message| {
                    Self::CONTROL
                        .ops()
                        .answer(me.control(ctx, ::core::clone::Clone::clone(message)))
                },
            )
            .shown(
                "Control",
                "Start and stop.",
                ::tiny_runtime::component::Position::Top,
            );
        table.read(Self::view);
        #[cfg(unix)]
        {
            table
                .reconcile(
                    "Looks after things.",
                    |me, ctx| ::std::boxed::Box::pin(me.reconcile(ctx)),
                );
        }
        table.destroy(|me, ctx| ::std::boxed::Box::pin(me.on_destroy(ctx)));
    }
}
const _: () = ::tiny_runtime::component::is_component::<Mixer>();
/// Mixes.
struct Mixer {
    settings: Settings<MixerSettings>,
    state: State<Kept>,
}
#[automatically_derived]
impl ::tiny_runtime::component::Component for Mixer {
    const INFO: ::tiny_runtime::component::Info = ::tiny_runtime::component::Info {
        name: "mixer",
        description: "Mixes.",
        info: "",
        tags: &[],
        aliases: &[],
        concurrency: ::tiny_runtime::component::Info::CONCURRENCY,
    };
    fn cells(table: &mut ::tiny_runtime::component::Table<Self>) {
        table.settings::<MixerSettings>("The settings of the node.");
        table.state("state", |me| &me.state);
    }
}
#[automatically_derived]
impl ::tiny_runtime::component::SettingsOf<MixerSettings> for Mixer {
    fn settings_cell(&self) -> &::tiny_runtime::component::Settings<MixerSettings> {
        &self.settings
    }
}
const _: () = {
    #[allow(unused_imports)]
    use ::tiny_runtime::component::NoMessage as _;
    ::core::assert!(
        ! < ::tiny_runtime::component::Probe < Kept >> ::SECRET,
        "a state cannot hold a `Secret`: it lies open in the node's status, take settings"
    );
};
::tiny_runtime::derive::inventory::submit! {
    ::tiny_runtime::component::Registration::of:: < Mixer >
    (::core::concat!(::core::file!(), ":", ::core::line!()))
}
const _: () = {
    ::tiny_runtime::component::travels::<Other>();
};
#[derive(
    ::core::clone::Clone,
    ::core::fmt::Debug,
    ::tiny_runtime::derive::serde::Serialize,
    ::tiny_runtime::derive::serde::Deserialize,
    ::tiny_runtime::derive::schemars::JsonSchema
)]
#[serde(crate = "::tiny_runtime::derive::serde", rename_all = "camelCase")]
#[schemars(crate = "::tiny_runtime::derive::schemars")]
struct Kept {
    /// Others.
    others: Vec<Other>,
    /// Itself.
    more: Option<Box<Kept>>,
    /// Text.
    text: Option<String>,
}
#[automatically_derived]
impl ::tiny_runtime::component::Message for Kept {
    ::tiny_runtime::secrets_in! {
        Other, Kept
    }
}
