#[component]
impl Mixer {
    /// One way in for each.
    #[port(target, name = "in_{input}", each = Self::inputs, schema = Self::input_schema)]
    async fn input(&self, ctx: &Ctx, input: &str, message: Part) -> Result {
        self.output(ctx, input, message).await
    }

    /// One way out for each.
    #[port(source, each = Self::outputs, when = Self::is_on)]
    async fn output(&self, ctx: &Ctx, to: &str, message: Part) -> Result;

    /// All that failed.
    #[port(error)]
    async fn failed(&self, ctx: &Ctx, failure: Failure<Json>) -> Result;

    /// Checks the settings.
    #[port(settings, schema = Self::settings_schema)]
    async fn check(&self, ctx: &Ctx, settings: &MixerSettings) -> Result<()> {
        Ok(())
    }

    /// Start and stop.
    #[port(control, read = Self::view)]
    async fn control(&self, ctx: &Ctx, buttons: Buttons) -> Result {
        Ok(Reply::none())
    }

    /// Looks after things.
    #[cfg(unix)]
    #[port(reconcile)]
    async fn reconcile(&self, ctx: &Ctx) -> Result<()> {
        Ok(())
    }

    /// Deletes what it made outside.
    #[port(destroy)]
    async fn on_destroy(&self, ctx: &Ctx) -> Result<()> {
        Ok(())
    }
}

/// Mixes.
#[component(name = "mixer")]
struct Mixer {
    settings: Settings<MixerSettings>,
    state: State<Kept>,
}

#[message]
struct Kept {
    /// Others.
    others: Vec<Other>,
    /// Itself.
    more: Option<Box<Kept>>,
    /// Text.
    text: Option<String>,
}
