//! What the components of a simulation stand on: their faults, and a store of state that may fail.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::fault::{Act, Fault, Weather};
use super::ledger::Ledger;
use crate::component::{
    Body, BoxFuture, ComponentType, Ctx, DecodeError, Error, Instance, LivePorts, Reply, Result,
};
use crate::engine::{Memory, StateStore, Stored, Unwritten};
use crate::schema::Text;

/// What all nodes of one simulation share. It outlives their process.
pub(super) struct Stage {
    /// Faults by `node:port`.
    faults: Mutex<BTreeMap<String, Vec<Fault>>>,
    weather: Mutex<Weather>,
    dice: Mutex<fastrand::Rng>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) memory: Memory,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            faults: Mutex::default(),
            weather: Mutex::new(Weather::CALM),
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
            ledger: Arc::default(),
            memory: Memory::default(),
        })
    }

    pub(super) fn plan(&self, at: &str, fault: Fault) {
        lock(&self.faults).entry(at.to_owned()).or_default().push(fault);
    }

    /// Nothing that was planned happens any more.
    pub(super) fn mend(&self) {
        lock(&self.faults).clear();
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        *lock(&self.weather) = weather;
    }

    pub(super) fn throw<T>(&self, throw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        throw(&mut lock(&self.dice))
    }

    /// What happens to the next message at `port` of `node`: what the test planned, else what the weather does.
    fn next(&self, node: &str, port: &str) -> Option<Act> {
        if let Some(faults) = lock(&self.faults).get_mut(&format!("{node}:{port}"))
            && let Some(act) = faults.iter_mut().find_map(Fault::next)
        {
            return Some(act);
        }
        let weather = *lock(&self.weather);
        self.throw(|dice| weather.throw(dice))
    }

    /// The component with its faults.
    pub(super) fn wrapped(self: &Arc<Self>, component: &Arc<ComponentType>) -> ComponentType {
        let stage = self.clone();
        let most = component.info.concurrency.max(1) as usize;
        component.wrapped(move |inner| Box::new(Faulty { inner, most, stage: stage.clone() }))
    }
}

pub(super) fn lock<T>(cell: &Mutex<T>) -> MutexGuard<'_, T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A component whose messages meet faults on their way.
struct Faulty {
    inner: Box<dyn Instance>,
    /// Runs that its node takes at once.
    most: usize,
    stage: Arc<Stage>,
}

impl Instance for Faulty {
    fn handle<'a>(
        &'a self,
        row: usize,
        item: &'a str,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        let (stage, at) = (&*self.stage, ctx.hop().at());
        let act = stage.next(&at.node, &at.port);
        Box::pin(async move {
            let _attempt = stage.ledger.attempt(ctx.hop(), self.most);
            // Between any two hops something else may happen, or the process may end.
            if act.is_none() && stage.throw(fastrand::Rng::bool) {
                tokio::task::yield_now().await;
            }
            match &act {
                Some(Act::Transient(text)) => return Err(Error::transient(text)),
                Some(Act::Permanent(text)) => return Err(Error::permanent(text)),
                // Without the panic hook: nobody needs to read of a panic that was meant.
                Some(Act::Panic(text)) => std::panic::resume_unwind(Box::new(text.clone())),
                Some(Act::Hang) => std::future::pending().await,
                Some(Act::Answer(None)) => return Ok(Reply::none()),
                Some(Act::Answer(Some(value))) => return Ok(Reply::of_json(value.clone())),
                Some(Act::Delay(wait)) => sleep(*wait).await,
                Some(Act::Late(_)) | None => {}
            }
            let result = self.inner.handle(row, item, ctx, body).await;
            match (act, result) {
                (Some(Act::Late(text)), Ok(reply)) => {
                    reply.ignore();
                    Err(Error::transient(text))
                }
                (_, result) => result,
            }
        })
    }

    fn apply_settings(&self, configuration: Option<&Value>) -> Result<(), DecodeError> {
        self.inner.apply_settings(configuration)
    }

    fn change_settings<'a>(
        &'a self,
        ctx: &'a Ctx,
        configuration: Option<&Value>,
    ) -> BoxFuture<'a, Result<()>> {
        self.inner.change_settings(ctx, configuration)
    }

    fn reconcile<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        self.inner.reconcile(ctx)
    }

    fn destroy<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        self.inner.destroy(ctx)
    }

    fn keep_state(&self, ledger: &Arc<dyn crate::component::Ledger>) {
        self.inner.keep_state(ledger);
    }

    fn take_state(&self, stored: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        self.inner.take_state(stored)
    }

    fn live(&self) -> Option<LivePorts> {
        self.inner.live()
    }

    fn schema(&self, row: usize) -> Option<Text> {
        self.inner.schema(row)
    }

    fn view(&self) -> Option<Result<Value, DecodeError>> {
        self.inner.view()
    }

    fn component(&self) -> Arc<dyn Any + Send + Sync> {
        self.inner.component()
    }
}

/// The store is slow, fails at times, and a process may end between a write and its answer.
impl StateStore for Stage {
    fn read<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move {
            self.pause().await;
            self.memory.read(node).await
        })
    }

    fn write<'a>(
        &'a self,
        node: &'a str,
        version: Option<&'a str>,
        changes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Stored, Unwritten>> {
        Box::pin(async move {
            self.pause().await;
            let share = lock(&self.weather).store;
            if self.throw(|dice| dice.u32(0..1000)) < share {
                return Err(match self.throw(fastrand::Rng::bool) {
                    true => Unwritten::Conflict,
                    false => Unwritten::Failed(Error::transient("the store is not there")),
                });
            }
            let written = self.memory.write(node, version, changes).await;
            self.pause().await;
            written
        })
    }
}

impl Stage {
    async fn pause(&self) {
        let wait = self.throw(|dice| dice.u64(0..20));
        sleep(Duration::from_millis(wait)).await;
    }
}
