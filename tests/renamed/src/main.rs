//! Every role and cell, in a crate that has no `tiny_runtime`.

use tiny::prelude::*;

tiny::main!();

/// How to speak.
#[message(default, crate = ::tiny)]
pub struct Manner {
    /// What stands before.
    #[ui(configurable)]
    pub prefix: String,
    /// What to sign with.
    pub sign: Secret<String>,
    /// Where to send.
    pub ways: Vec<String>,
}

impl Default for Manner {
    fn default() -> Self {
        Self { prefix: "> ".into(), sign: "x".to_owned().into(), ways: vec!["a".into()] }
    }
}

/// A word, with luggage.
#[message(crate = ::tiny)]
pub struct Word {
    /// The word.
    pub word: String,
    /// The luggage.
    #[serde(default)]
    pub context: Json,
}

/// What is kept.
#[message(crate = ::tiny)]
#[derive(Default)]
pub struct Kept {
    /// The words, and what else.
    pub words: Vec<Word>,
}

/// Has all that a component can have.
#[component(name = "everything", crate = ::tiny, tags = ["test"], aliases = ["all"])]
#[derive(Default)]
pub struct Everything {
    settings: Settings<Manner>,
    kept: State<Kept>,
}

impl Everything {
    fn ways(&self) -> Vec<String> {
        self.settings.get().ways.clone()
    }

    fn has_ways(&self) -> bool {
        !self.ways().is_empty()
    }

    fn shape(&self, schema: Schema) -> Schema {
        schema.choices("word", self.ways())
    }

    fn view(&self) -> Kept {
        Kept { words: self.kept.get().words.clone() }
    }
}

#[component(crate = ::tiny)]
impl Everything {
    /// Takes a word.
    #[port(target, when = Self::has_ways, schema = Self::shape)]
    async fn input(&self, ctx: &Ctx, word: Word) -> Result {
        self.kept.update(|kept| kept.words.push(word.clone())).await?;
        self.out(ctx, "a", word).await
    }

    /// Asks for a word.
    #[port(source)]
    async fn ask(&self, ctx: &Ctx, word: Word) -> Result<Option<Word>>;

    /// A way out.
    #[port(source, each = Self::ways)]
    async fn out(&self, ctx: &Ctx, way: &str, word: Word) -> Result;

    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Word>) -> Result;

    /// Looks at new settings.
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, _settings: &Manner) -> Result<()> {
        Ok(())
    }

    /// Asks for a word from a dashboard.
    #[port(control, read = Self::view)]
    async fn control(&self, ctx: &Ctx, kept: Kept) -> Result<()> {
        for word in kept.words {
            let _answer = self.ask(ctx, word).await?;
        }
        Ok(())
    }

    /// Looks after things.
    #[port(reconcile)]
    async fn look(&self, _ctx: &Ctx) -> Result<()> {
        Ok(())
    }

    /// Cleans up.
    #[port(destroy)]
    async fn on_destroy(&self, _ctx: &Ctx) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tiny::test(crate = ::tiny)]
    async fn all_of_it_works_under_another_name() -> Result<()> {
        let bench = Bench::<Everything>::new();
        let word = Word { word: "hey".into(), context: Json::default() };
        bench.send(Everything::INPUT, word).await?.ignore();
        assert_eq!(bench.sent(Everything::OUT.of("a"))[0].word, "hey");
        assert_eq!(bench.component().kept.get().words.len(), 1);
        Ok(())
    }
}
