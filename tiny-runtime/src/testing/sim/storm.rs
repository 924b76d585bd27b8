//! Random steps through a flow, seed after seed.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::fault::{Fault, Weather};
use super::{Flow, Sim, Ticket};
use crate::engine::NodeDecl;
use crate::testing::script::Cast;

type Make = Box<dyn Fn(u64) -> Value>;
type Check = Box<dyn Fn(&Sim, &[Ticket]) -> Result<(), String>>;

/// Drives a flow through random steps: messages, time, the end of the process in the middle of anything, messages told of twice or
/// taken back, other settings, nodes that go and come, ports that are out of order for a while, and faults of every kind at every one. What the engine promises is checked
/// after each step; what a flow promises beside that, its test says in [`Storm::check`].
///
/// ```
/// use tiny_runtime::prelude::*;
/// use tiny_runtime::serde_json::json;
/// use tiny_runtime::testing::{Fate, Flow, Storm};
///
/// /// Counts.
/// #[component(name = "counter")]
/// #[derive(Default)]
/// pub struct Counter {
///     count: State<u64>,
/// }
///
/// #[component]
/// impl Counter {
///     /// Counts, and answers with the number once that is stored.
///     #[port(target)]
///     async fn input(&self, _: &Ctx, _: String) -> Result<u64> {
///         self.count.update(|count| { *count += 1; *count }).await
///     }
/// }
///
/// let steps = Storm::of(Flow::local().node::<Counter>("counter"))
///     .send("counter:input", |number| json!(format!("message {number}")))
///     .check(|sim, sent| {
///         let counted = sent.iter().filter(|ticket| matches!(sim.fate(**ticket), Some(Fate::Replied(_))));
///         let stored = sim.stored("counter", "count").and_then(|count| count.as_u64()).unwrap_or(0);
///         match stored >= counted.count() as u64 {
///             true => Ok(()),
///             false => Err("a number was told and not stored".into()),
///         }
///     })
///     .run(0..20);
/// assert_eq!(steps, 20 * 50);
/// ```
pub struct Storm {
    /// The flow under a seed.
    flow: Box<dyn Fn(u64) -> Sim>,
    sends: Vec<(String, Make)>,
    settings: Vec<(String, Vec<Value>)>,
    removable: Vec<String>,
    checks: Vec<Check>,
    weather: Weather,
    steps: u32,
}

impl Storm {
    /// Fifty steps through `flow`, in rough weather.
    pub fn of(flow: Flow) -> Self {
        Self::through(move |seed| flow.sim(seed))
    }

    /// The same through the flow of these files and folders; see [`Sim::of_files`].
    ///
    /// ```no_run
    /// use tiny_runtime::serde_json::json;
    /// use tiny_runtime::testing::Storm;
    ///
    /// Storm::of_files(&["flow.yaml"])?
    ///     .send("hello:input", |number| json!({"name": format!("Ada {number}")}))
    ///     .run(0..1000);
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// When they cannot be read, or the flow cannot run.
    pub fn of_files(paths: &[impl AsRef<Path>]) -> Result<Self, String> {
        let cast = Cast::of_files(paths)?;
        Ok(Self::through(move |seed| cast.sim(seed)))
    }

    fn through(flow: impl Fn(u64) -> Sim + 'static) -> Self {
        let flow = Box::new(flow);
        let (sends, settings, removable, checks) = Default::default();
        Self { flow, sends, settings, removable, checks, weather: Weather::ROUGH, steps: 50 }
    }

    /// Sends to `to`, a target `node:port`; `make` makes the message of its number.
    #[must_use]
    pub fn send(mut self, to: &str, make: impl Fn(u64) -> Value + 'static) -> Self {
        self.sends.push((to.to_owned(), Box::new(make)));
        self
    }

    /// Gives `node` one of these settings now and then.
    #[must_use]
    pub fn settings(mut self, node: &str, choices: impl Into<Vec<Value>>) -> Self {
        self.settings.push((node.to_owned(), choices.into()));
        self
    }

    /// Removes `node` now and then, and puts it back later.
    #[must_use]
    pub fn removes(mut self, node: &str) -> Self {
        self.removable.push(node.to_owned());
        self
    }

    /// How much goes wrong.
    #[must_use]
    pub fn weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// Steps of each seed.
    #[must_use]
    pub fn steps(mut self, steps: u32) -> Self {
        self.steps = steps;
        self
    }

    /// What must hold when all has come to an end: of the simulation and the messages that were sent, in their order.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&Sim, &[Ticket]) -> Result<(), String> + 'static,
    ) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// Goes through all steps of each seed. Returns how many those were.
    ///
    /// # Panics
    /// At the first thing that does not hold, with its seed.
    #[track_caller]
    pub fn run(&self, seeds: Range<u64>) -> u64 {
        let count = seeds.end.saturating_sub(seeds.start) * u64::from(self.steps);
        for seed in seeds {
            drop(self.seed(seed));
        }
        count
    }

    /// Goes through all steps of one seed, and returns the simulation as it is then.
    ///
    /// # Panics
    /// At the first thing that does not hold.
    #[track_caller]
    pub fn seed(&self, seed: u64) -> Sim {
        let mut sim = (self.flow)(seed);
        sim.weather(self.weather);
        let (mut sent, mut away) = (Vec::new(), Vec::new());
        for _ in 0..self.steps {
            self.step(&mut sim, &mut sent, &mut away);
        }
        // The weather clears up, and everything comes to an end.
        sim.weather(Weather::CALM);
        sim.stage.mend();
        away.drain(..).for_each(|decl| sim.put(decl));
        sim.start();
        sim.pass(Duration::from_secs(60 * 60));
        // What still runs hangs at a fault, for ever: a new process begins it again.
        sim.crash();
        sim.settle();
        sim.pass(Duration::from_secs(60 * 60));
        if !sim.under_way().is_empty() {
            sim.fail(&format!(
                "nobody waits for anything, and there are hops under way: {:?}",
                sim.under_way()
            ));
        }
        for check in &self.checks {
            if let Err(why) = check(&sim, &sent) {
                sim.fail(&why);
            }
        }
        sim
    }

    fn step(&self, sim: &mut Sim, sent: &mut Vec<Ticket>, away: &mut Vec<NodeDecl>) {
        let old = |sim: &Sim| {
            let count = sent.len() as u64;
            (count > 0).then(|| sent[sim.throw(count) as usize])
        };
        match sim.throw(100) {
            0..40 if !self.sends.is_empty() => {
                let (to, make) = &self.sends[sim.throw(self.sends.len() as u64) as usize];
                let limit = (sim.throw(10) == 0).then(|| Duration::from_secs(sim.throw(60)));
                let data = make(sent.len() as u64);
                sent.push(sim.send_within(to, Some(data), limit));
            }
            0..70 => {
                let time = Duration::from_millis(sim.throw(30_000));
                sim.pass(time);
            }
            70..76 => {
                if let Some(ticket) = old(sim) {
                    sim.send_again(ticket);
                }
            }
            76..79 => {
                if let Some(ticket) = old(sim) {
                    sim.cancel(ticket);
                }
            }
            79..84 => sim.crash(),
            84..86 => sim.stop(),
            86..88 => sim.start(),
            88..94 if !self.settings.is_empty() => {
                let at = sim.throw(self.settings.len() as u64) as usize;
                let (node, choices) = &self.settings[at];
                let choice = choices[sim.throw(choices.len() as u64) as usize].clone();
                if away.iter().all(|decl| decl.info.name != *node) {
                    sim.settings(node, choice);
                }
            }
            94..97 if !self.removable.is_empty() => {
                let node = &self.removable[sim.throw(self.removable.len() as u64) as usize];
                if away.iter().all(|decl| decl.info.name != *node) {
                    away.push(sim.remove(node));
                }
            }
            97..99 => {
                // Longer than the engine tries, at times.
                let targets = sim.targets();
                if !targets.is_empty() {
                    let at = &targets[sim.throw(targets.len() as u64) as usize];
                    let count = u32::try_from(sim.throw(25)).unwrap_or_default();
                    sim.fault(at, Fault::transient("out of order").times(count));
                }
            }
            99 => {
                if let Some(decl) = away.pop() {
                    sim.put(decl);
                }
            }
            _ => sim.pass(Duration::from_millis(1)),
        }
    }
}

impl fmt::Debug for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storm").field("steps", &self.steps).finish_non_exhaustive()
    }
}
