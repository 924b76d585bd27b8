//! `mixer`: the last of each of several.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tiny_runtime::prelude::*;

use crate::passing::Passing;

/// What is mixed.
#[message(default)]
pub(crate) struct MixerSettings {
    /// The inputs; each is a port.
    #[ui(minItems = 1, uniqueItems)]
    pub(crate) inputs: Vec<Input>,
}

/// An input.
#[message]
pub(crate) struct Input {
    /// What its port is called.
    #[ui(minLength = 1)]
    pub(crate) name: String,
    /// Whether what comes there is sent on, with the last of the others.
    pub(crate) trigger: bool,
}

impl Default for MixerSettings {
    fn default() -> Self {
        let input = |name: &str| Input { name: name.into(), trigger: true };
        Self { inputs: vec![input("A"), input("B")] }
    }
}

/// The last of each input.
#[message]
pub(crate) struct Mixed {
    /// The input that came last.
    pub(crate) from: String,
    /// `context` and the name of an input: what came there last.
    #[serde(flatten)]
    pub(crate) latest: BTreeMap<String, Json>,
}

/// Keeps the last of each of its inputs, and sends all of them when one comes that triggers: a merge.
///
/// What is kept is lost when the process ends, and when the settings change.
#[component(name = "mixer", tags = ["common", "flow"])]
#[derive(Default)]
pub(crate) struct Mixer {
    settings: Settings<MixerSettings>,
    latest: Mutex<BTreeMap<String, Json>>,
}

impl Mixer {
    fn names(&self) -> Vec<String> {
        self.settings.get().inputs.iter().map(|input| input.name.clone()).collect()
    }
}

#[component]
impl Mixer {
    /// Forgets what came by other inputs, and refuses two of one name.
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, settings: &MixerSettings) -> Result<()> {
        let mut names: Vec<&str> = settings.inputs.iter().map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::permanent(format!("two inputs are called `{}`", pair[0])));
        }
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// What comes by this input.
    #[port(target, name = "{input}", label = "{input}", position = "left", each = Self::names)]
    async fn input(&self, ctx: &Ctx, input: &str, message: Passing) -> Result {
        let (triggers, latest) = {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            // A message may have waited while its input was taken out of the settings: what it brings would stay for ever.
            let inputs = &self.settings.get().inputs;
            latest.retain(|key, _| {
                inputs.iter().any(|it| key.strip_prefix("context") == Some(&it.name))
            });
            let Some(own) = inputs.iter().find(|it| it.name == input) else {
                return Ok(Reply::none());
            };
            latest.insert(format!("context{input}"), message.context);
            (own.trigger, latest.clone())
        };
        match triggers {
            true => self.output(ctx, Mixed { from: input.to_owned(), latest }).await,
            false => Ok(Reply::none()),
        }
    }

    /// The last of each.
    #[port(source, position = "right")]
    async fn output(&self, ctx: &Ctx, message: Mixed) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::component::Component;
    use tiny_runtime::tokio::spawn;

    use super::*;
    use crate::passing::{context, in_force, json, passing};

    #[tiny_runtime::test]
    async fn a_trigger_sends_the_last_of_all() -> Result<()> {
        let bench = Bench::<Mixer>::new();
        bench.settings_json(
            json!({"inputs": [{"name": "A", "trigger": true}, {"name": "B", "trigger": false}]}),
        );
        in_force().await;
        bench.send(Mixer::INPUT.of("B"), passing("one")).await?.ignore();
        bench.send(Mixer::INPUT.of("B"), passing("two")).await?.ignore();
        assert!(bench.sent(Mixer::OUTPUT).is_empty(), "it does not trigger");
        bench.send(Mixer::INPUT.of("A"), passing("three")).await?.ignore();
        let sent = bench.sent(Mixer::OUTPUT);
        assert_eq!((sent.len(), sent[0].from.as_str()), (1, "A"));
        assert_eq!(sent[0].latest["contextA"], context("three"));
        assert_eq!(sent[0].latest["contextB"], context("two"));
        let text = tiny_runtime::serde_json::to_value(&sent[0])?;
        assert_eq!(text["contextB"]["text"], "two");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn other_settings_forget_what_came() -> Result<()> {
        let bench = Bench::<Mixer>::new();
        bench.send(Mixer::INPUT.of("A"), passing("old")).await?.ignore();
        bench.settings_json(json!({"inputs": [{"name": "B", "trigger": true}]}));
        in_force().await;
        assert!(!bench.ports().contains(&"A".to_owned()));
        bench.send(Mixer::INPUT.of("B"), passing("new")).await?.ignore();
        assert_eq!(bench.sent(Mixer::OUTPUT)[1].latest.len(), 1);
        bench.settings_json(
            json!({"inputs": [{"name": "B", "trigger": true}, {"name": "B", "trigger": false}]}),
        );
        in_force().await;
        assert!(bench.faults()[0].contains("two inputs are called `B`"), "{:?}", bench.faults());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_waited_for_its_turn_while_its_input_went_is_not_kept() -> Result<()> {
        let bench = Bench::<Mixer>::new();
        bench.stall(Mixer::OUTPUT);
        // As many as the node takes at once, so that the next one waits.
        let busy = Mixer::INFO.concurrency;
        let send = |input: &str, text| spawn(bench.send(Mixer::INPUT.of(input), passing(text)));
        let busy: Vec<_> = (0..busy).map(|_| send("B", "old")).collect();
        in_force().await;
        let late = send("A", "late");
        in_force().await;
        assert_eq!(bench.component().latest.lock().map(|it| it.len()).ok(), Some(1), "it waits");
        bench.settings_json(json!({"inputs": [{"name": "B", "trigger": true}]}));
        in_force().await;
        busy.iter().for_each(|task| task.abort());
        in_force().await;
        assert!(late.is_finished());
        bench.reply(Mixer::OUTPUT, 1_u64);
        bench.send(Mixer::INPUT.of("B"), passing("new")).await?.ignore();
        let last = bench.sent(Mixer::OUTPUT).pop().map(|it| it.latest).unwrap_or_default();
        assert_eq!(last.into_keys().collect::<Vec<_>>(), ["contextB"]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn an_input_is_not_called_like_what_is_the_systems() -> Result<()> {
        let bench = Bench::<Mixer>::new();
        bench.settings_json(json!({"inputs": [{"name": "_settings", "trigger": true}]}));
        in_force().await;
        assert_eq!(bench.ports(), ["output", "_settings"]);
        let faults = bench.faults();
        assert!(faults[0].contains("no port may be called `_settings`"), "{faults:?}");
        Ok(())
    }
}
