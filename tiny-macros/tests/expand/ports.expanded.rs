impl Hello {
    /// Receives.
    async fn input(&self, ctx: &Ctx, message: HelloInput) -> Result {
        self.output(ctx, message).await
    }
    /// Borrows, and answers.
    #[cfg(feature = "peek")]
    async fn r#type(&self, _: &Ctx, HelloInput { name }: &HelloInput) -> Result<Answer> {
        Ok(Answer::of(name))
    }
    /// Sends.
    #[allow(clippy::unused_self)]
    pub async fn output(
        &self,
        ctx: &Ctx,
        message: HelloInput,
    ) -> Result<Option<Answer>> {
        ctx.send(&Self::OUTPUT, message).await
    }
    /// What failed.
    #[allow(dead_code, clippy::unused_self)]
    async fn error(&self, ctx: &Ctx, failure: Failure<HelloInput>) -> Result<()> {
        ctx.send(&Self::ERROR, failure).await
    }
    fn own(&self) {}
    ///The port `input`.
    #[allow(dead_code, private_interfaces)]
    pub const INPUT: ::tiny_runtime::component::Key<
        Self,
        HelloInput,
        ::tiny_runtime::component::Reply,
    > = ::tiny_runtime::component::key::<
        Self,
        HelloInput,
        ::tiny_runtime::component::Reply,
    >("input");
    #[cfg(feature = "peek")]
    ///The port `type`.
    #[allow(dead_code, private_interfaces)]
    pub const TYPE: ::tiny_runtime::component::Key<Self, HelloInput, Answer> = ::tiny_runtime::component::key::<
        Self,
        HelloInput,
        Answer,
    >("type");
    ///The port `out`.
    #[allow(dead_code, private_interfaces)]
    pub const OUTPUT: ::tiny_runtime::component::Key<Self, HelloInput, Option<Answer>> = ::tiny_runtime::component::key::<
        Self,
        HelloInput,
        Option<Answer>,
    >("out");
    ///The port `error`.
    #[allow(dead_code, private_interfaces)]
    pub const ERROR: ::tiny_runtime::component::Key<Self, Failure<HelloInput>, ()> = ::tiny_runtime::component::key::<
        Self,
        Failure<HelloInput>,
        (),
    >("error");
}
#[automatically_derived]
impl ::tiny_runtime::component::Ports for Hello {
    fn ports(table: &mut ::tiny_runtime::component::Table<Self>) {
        table
            .target(
                "input",
                Self::INPUT.ops(),
                |me, ctx, _, message| Self::INPUT.ops().answer(me.input(ctx, message)),
            )
            .shown("Input", "Receives.", ::tiny_runtime::component::Position::Left);
        #[cfg(feature = "peek")]
        {
            table
                .target_ref(
                    "type",
                    Self::TYPE.ops(),
                    |me, ctx, _, message| {
                        Self::TYPE.ops().answer(me.r#type(ctx, message))
                    },
                )
                .shown(
                    "Type",
                    "Borrows, and answers.",
                    ::tiny_runtime::component::Position::Left,
                );
        }
        table
            .source("out", Self::OUTPUT.ops())
            .shown("The way out", "Sends.", ::tiny_runtime::component::Position::Right);
        table
            .error("error", Self::ERROR.ops())
            .shown("Error", "What failed.", ::tiny_runtime::component::Position::Bottom);
    }
}
const _: () = ::tiny_runtime::component::is_component::<Hello>();
