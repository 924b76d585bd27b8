//! What a file of tests says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tiny_crds::duration;

use crate::testing::Fault;
use crate::words;

/// A file of tests of one flow.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct File {
    /// Files or folders of the flow, as `apply` takes them; relative to this file.
    flow: OneOrMore,
    pub(crate) tests: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(PathBuf),
    More(Vec<PathBuf>),
}

/// One test.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// What the dice throw: waits between retries, and the order of what happens at once.
    pub(crate) seed: Option<u64>,
    /// Settings of nodes, in place of those in the flow.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) faults: Vec<Planned>,
    pub(crate) steps: Vec<Step>,
}

/// What goes wrong at a port, or answers in its place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Planned {
    pub(crate) at: String,
    fail: Option<How>,
    /// What the failure says.
    text: Option<String>,
    #[serde(default, deserialize_with = "time")]
    delay: Option<Duration>,
    #[serde(default, deserialize_with = "present")]
    answer: Option<Value>,
    /// Messages that are hit; all without it.
    times: Option<u32>,
    /// Messages that pass before.
    #[serde(default)]
    after: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum How {
    Transient,
    Permanent,
    Panic,
    Late,
    Hang,
}

/// One step of a test. Which one says the field that is there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) send: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) data: Option<Value>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) timeout: Option<Duration>,
    /// It goes on beside the steps that follow.
    #[serde(default)]
    pub(crate) background: bool,
    #[serde(default, deserialize_with = "present")]
    pub(crate) reply: Option<Value>,
    pub(crate) fails: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(crate) within: Option<Duration>,

    pub(crate) expect: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) is: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) has: Option<Value>,

    pub(crate) silent: Option<String>,

    #[serde(default, deserialize_with = "time")]
    pub(crate) pass: Option<Duration>,

    #[serde(default)]
    pub(crate) crash: bool,

    pub(crate) settings: Option<String>,
    pub(crate) with: Option<Value>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Send,
    Expect,
    Silent,
    Pass,
    Crash,
    Settings,
}

impl File {
    /// Reads a file of tests.
    ///
    /// # Errors
    /// One sentence that names file, place and what is wrong there.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|e| format!("cannot read `{shown}`: {e}"))?;
        let value: Value = serde_saphyr::from_str(&text).map_err(|e| {
            let text = e.to_string();
            match text.contains("multiple YAML documents") {
                true => format!(
                    "{shown} holds several documents, so it is a flow; tests of one lie beside it, in a file `*.test.yaml`"
                ),
                false => format!("{shown} is not YAML: {}", text.lines().next().unwrap_or_default()),
            }
        })?;
        let mut file: Self = serde_path_to_error::deserialize(&value).map_err(|e| {
            let (place, why) = (e.path().to_string(), e.into_inner().to_string());
            if !value.is_object() {
                return format!("{shown} is no file of tests: it has no `flow` and no `tests`");
            }
            format!("{shown}: {}", words::at(&place, &why))
        })?;
        if file.tests.is_empty() {
            return Err(format!("{shown} holds no test"));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let flow = match &file.flow {
            OneOrMore::One(path) => vec![folder.join(path)],
            OneOrMore::More(paths) => paths.iter().map(|path| folder.join(path)).collect(),
        };
        file.flow = OneOrMore::More(flow);
        for (at, case) in file.tests.iter().enumerate() {
            case.check().map_err(|why| format!("{shown}: tests[{at}] ({}): {why}", case.name))?;
        }
        Ok(file)
    }

    /// Where the flow stands.
    pub(crate) fn flow(&self) -> &[PathBuf] {
        match &self.flow {
            OneOrMore::More(paths) => paths,
            OneOrMore::One(path) => std::slice::from_ref(path),
        }
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        if self.steps.is_empty() {
            return Err("it has no step, so it cannot fail".into());
        }
        for (at, planned) in self.faults.iter().enumerate() {
            planned.fault().map_err(|why| format!("faults[{at}]: {why}"))?;
        }
        for (at, step) in self.steps.iter().enumerate() {
            step.verb().map_err(|why| format!("steps[{at}]: {why}"))?;
        }
        Ok(())
    }
}

impl Planned {
    /// The fault.
    ///
    /// # Errors
    /// When it is none, or more than one.
    pub(crate) fn fault(&self) -> Result<Fault, String> {
        let text = || self.text.clone().unwrap_or_else(|| "a planned fault".into());
        let fault = match (self.fail, self.delay, &self.answer) {
            (Some(How::Transient), None, None) => Fault::transient(text()),
            (Some(How::Permanent), None, None) => Fault::permanent(text()),
            (Some(How::Panic), None, None) => Fault::panic(text()),
            (Some(How::Late), None, None) => Fault::late(text()),
            (Some(How::Hang), None, None) => Fault::hang(),
            (None, Some(wait), None) => Fault::delay(wait),
            (None, None, Some(Value::Null)) => Fault::answer(None),
            (None, None, Some(reply)) => Fault::answer(reply.clone()),
            _ => return Err("say one of `fail`, `delay` and `answer`".into()),
        };
        let fault = fault.after(self.after);
        Ok(match self.times {
            Some(times) => fault.times(times),
            None => fault,
        })
    }
}

impl Step {
    /// What the step does.
    ///
    /// # Errors
    /// When it does nothing, or several things, or says something that its verb does not take.
    pub(crate) fn verb(&self) -> Result<Verb, String> {
        let verbs = [
            (Verb::Send, "send", self.send.is_some()),
            (Verb::Expect, "expect", self.expect.is_some()),
            (Verb::Silent, "silent", self.silent.is_some()),
            (Verb::Pass, "pass", self.pass.is_some()),
            (Verb::Crash, "crash", self.crash),
            (Verb::Settings, "settings", self.settings.is_some()),
        ];
        let mut said = verbs.iter().filter(|(.., is_there)| *is_there);
        let Some((verb, name, _)) = said.next() else {
            let all = words::list(verbs.iter().map(|(_, name, _)| *name));
            return Err(format!("a step says one of {all}"));
        };
        if let Some((_, other, _)) = said.next() {
            return Err(format!("it says `{name}` and `{other}`: make two steps of it"));
        }
        let words = [
            (Verb::Send, "data", self.data.is_some()),
            (Verb::Send, "timeout", self.timeout.is_some()),
            (Verb::Send, "background", self.background),
            (Verb::Send, "reply", self.reply.is_some()),
            (Verb::Send, "fails", self.fails.is_some()),
            (Verb::Send, "within", self.within.is_some()),
            (Verb::Expect, "is", self.is.is_some()),
            (Verb::Expect, "has", self.has.is_some()),
            (Verb::Settings, "with", self.with.is_some()),
        ];
        if let Some((_, word, _)) = words.iter().find(|(of, _, is_there)| *is_there && of != verb) {
            return Err(format!("`{word}` says nothing beside `{name}`"));
        }
        if *verb == Verb::Settings && self.with.is_none() {
            return Err(
                "`settings` names the node, and `with` says what they are: it is missing".into()
            );
        }
        let (ends, is_known) = (self.reply.is_some(), self.fails.is_some());
        if ends && is_known {
            return Err("what fails gives no reply: say `reply` or `fails`".into());
        }
        if self.background && (ends || is_known || self.within.is_some()) {
            return Err("what goes on in the background has not ended yet: `reply`, `fails` and `within` say nothing there".into());
        }
        if self.is.is_some() && self.has.is_some() {
            return Err("say `is` for all of the message, or `has` for a part of it".into());
        }
        Ok(*verb)
    }
}

/// Null is a value, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration::parse(&text).map(Some).map_err(D::Error::custom)
}
