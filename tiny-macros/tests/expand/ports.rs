#[component]
impl Hello {
    /// Receives.
    #[port(target, position = "left")]
    async fn input(&self, ctx: &Ctx, message: HelloInput) -> Result {
        self.output(ctx, message).await
    }

    /// Borrows, and answers.
    #[cfg(feature = "peek")]
    #[port(target)]
    async fn r#type(&self, _: &Ctx, HelloInput { name }: &HelloInput) -> Result<Answer> {
        Ok(Answer::of(name))
    }

    /// Sends.
    #[port(source, name = "out", label = "The way out")]
    pub async fn output(&self, ctx: &Ctx, message: HelloInput) -> Result<Option<Answer>>;

    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<HelloInput>) -> Result<()>;

    fn own(&self) {}
}
