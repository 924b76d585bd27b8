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
    #[allow(clippy::unused_self, reason = "the flow is its body")]
    pub async fn output(
        &self,
        ctx: &Ctx,
        message: HelloInput,
    ) -> Result<Option<Answer>> {
        ctx.send("out", message).await
    }
    /// What failed.
    #[allow(dead_code, clippy::unused_self, reason = "the flow is its body")]
    async fn error(&self, ctx: &Ctx, failure: Failure<HelloInput>) -> Result<()> {
        ctx.send("error", failure).await
    }
    fn own(&self) {}
    ///The port `input`.
    #[allow(
        dead_code,
        private_interfaces,
        reason = "a key is as private as its message"
    )]
    pub const INPUT: ::tiny_runtime::component::Key<Self, HelloInput> = ::tiny_runtime::component::Key::new(
        "input",
    );
    #[cfg(feature = "peek")]
    ///The port `type`.
    #[allow(
        dead_code,
        private_interfaces,
        reason = "a key is as private as its message"
    )]
    pub const TYPE: ::tiny_runtime::component::Key<Self, HelloInput, Answer> = ::tiny_runtime::component::Key::new(
        "type",
    );
    ///The port `out`.
    #[allow(
        dead_code,
        private_interfaces,
        reason = "a key is as private as its message"
    )]
    pub const OUTPUT: ::tiny_runtime::component::Key<Self, HelloInput, Option<Answer>> = ::tiny_runtime::component::Key::new(
        "out",
    );
    ///The port `error`.
    #[allow(
        dead_code,
        private_interfaces,
        reason = "a key is as private as its message"
    )]
    pub const ERROR: ::tiny_runtime::component::Key<Self, Failure<HelloInput>, ()> = ::tiny_runtime::component::Key::new(
        "error",
    );
}
#[automatically_derived]
impl ::tiny_runtime::component::Ports for Hello {
    fn ports(table: &mut ::tiny_runtime::component::Table<Self>) {
        table
            .target::<
                HelloInput,
            >(
                ::tiny_runtime::component::PortMeta {
                    name: "input",
                    label: "Input",
                    description: "Receives.",
                    position: ::tiny_runtime::component::Position::Left,
                },
                ::core::option::Option::None,
                |me, ctx, message| ::std::boxed::Box::pin(
                    ::tiny_runtime::__private::TryFutureExt::map_ok(
                        me.input(ctx, message),
                        ::tiny_runtime::component::IntoReply::into_reply,
                    ),
                ),
            );
        #[cfg(feature = "peek")]
        table
            .target_ref::<
                HelloInput,
            >(
                ::tiny_runtime::component::PortMeta {
                    name: "type",
                    label: "Type",
                    description: "Borrows, and answers.",
                    position: ::tiny_runtime::component::Position::Left,
                },
                ::core::option::Option::Some(
                    ::tiny_runtime::__private::reply_schema::<Answer>,
                ),
                |me, ctx, message| ::std::boxed::Box::pin(
                    ::tiny_runtime::__private::TryFutureExt::map_ok(
                        me.r#type(ctx, message),
                        ::tiny_runtime::component::IntoReply::into_reply,
                    ),
                ),
            );
        table
            .source::<
                HelloInput,
            >(
                ::tiny_runtime::component::PortMeta {
                    name: "out",
                    label: "The way out",
                    description: "Sends.",
                    position: ::tiny_runtime::component::Position::Right,
                },
                ::core::option::Option::Some(
                    ::tiny_runtime::__private::reply_schema::<Answer>,
                ),
            );
        table
            .error::<
                HelloInput,
            >(
                ::tiny_runtime::component::PortMeta {
                    name: "error",
                    label: "Error",
                    description: "What failed.",
                    position: ::tiny_runtime::component::Position::Bottom,
                },
                ::core::option::Option::None,
            );
    }
}
const _: () = ::tiny_runtime::__private::is_component::<Hello>();
