//! `http_server`: asks a flow whatever somebody asks over HTTP.

mod address;
mod body;
mod exchange;
mod listening;
mod messages;
mod routes;
mod trusted;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::Notify;
use tiny_runtime::tokio::time::sleep;
use tiny_runtime::tracing;

use self::body::Bodies;
use self::listening::Listening;
pub(crate) use self::messages::{
    Answer, Asked, Served, ServerPanel, ServerSettings, ServerStatus, Start,
};
use self::routes::Routes;
use self::trusted::Trusted;

/// How long a `start` that nobody waits for any more may be another replica's to go on with: longer than a lease takes to change hands.
const HANDOVER: Duration = Duration::from_secs(30);
/// Before it tries again to listen, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

/// Serves HTTP: each request is a run of its own, and what the flow replies is the response.
///
/// Every replica listens from `start` on for as long as somebody waits for it: a signal that is deleted ends it, a restart does not. A request
/// has `writeTimeout` to be answered in.
#[component(name = "http_server", tags = ["http", "trigger"])]
#[derive(Default)]
pub(crate) struct HttpServer {
    settings: Settings<ServerSettings>,
    /// What all replicas serve.
    served: State<Served>,
    /// Says that `served` may have changed.
    changed: Notify,
    /// What this process listens on, or why it does not.
    here: Mutex<Here>,
    /// What the settings have made.
    made: Mutex<Arc<Made>>,
    bodies: Arc<Bodies>,
}

#[derive(Default)]
enum Here {
    #[default]
    Nowhere,
    Failed(String),
    Listening(Listening),
}

/// What settings make, once for all requests.
#[derive(Default)]
struct Made {
    routes: Routes,
    trusted: Trusted,
}

impl HttpServer {
    fn has_status(&self) -> bool {
        self.settings.get().enable_status_port
    }

    fn has_no_routes(&self) -> bool {
        self.settings.get().routes.is_empty()
    }

    fn routes(&self) -> Vec<String> {
        self.settings.get().routes.iter().map(|route| route.name.clone()).collect()
    }

    fn panel(&self) -> ServerPanel {
        let (status, listen_addr) = match &*self.here() {
            Here::Nowhere => ("Not running".to_owned(), Vec::new()),
            Here::Failed(why) => (why.clone(), Vec::new()),
            Here::Listening(listening) => ("Running".to_owned(), vec![listening.url()]),
        };
        ServerPanel { status, listen_addr, stop: false }
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) -> Arc<Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has this process listen or not, as the state says. Where an address is free again only later, the next call of `reconcile` listens.
    fn follow(&self, ctx: &Ctx) -> Result<()> {
        let served = self.served.get();
        let mut here = self.here();
        let Some(start) = &served.start else {
            *here = Here::Nowhere;
            return Ok(());
        };
        if let Here::Listening(listening) = &*here
            && listening.goes_on_with(start)
        {
            return Ok(());
        }
        // What listens on other addresses ends first.
        *here = Here::Nowhere;
        let (listening, listener) = match Listening::on(start, served.port) {
            Ok(bound) => bound,
            Err(why) => {
                *here = Here::Failed(why.clone());
                return Err(Error::transient(why));
            }
        };
        let serving = listening.serving();
        ctx.spawn(self, |me, ctx| serving.run(me, ctx, listener))?;
        tracing::info!(node = ctx.node(), "listens at {}", listening.url());
        *here = Here::Listening(listening);
        Ok(())
    }

    /// Listens as soon as the address is free: somebody waits for it, and the dashboard says what is in the way.
    async fn listen(&self, ctx: &Ctx) {
        let mut pause = PAUSES.0;
        while let Err(why) = self.follow(ctx) {
            ctx.refresh();
            tracing::warn!(node = ctx.node(), "{why}; trying again in {pause:?}");
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        ctx.refresh();
    }

    /// The port of the first that listens is the one that others take too, where they can.
    async fn keep_port(&self) -> Result<()> {
        let port = match &*self.here() {
            Here::Listening(listening) => listening.port(),
            _ => return Ok(()),
        };
        if self.served.get().port == 0 {
            self.served
                .update(|served| {
                    if served.port == 0 {
                        served.port = port;
                    }
                })
                .await?;
        }
        Ok(())
    }

    /// Ends what `by` has started, or whatever was, everywhere.
    async fn stop(&self, ctx: &Ctx, by: Option<&str>) -> Result<()> {
        let was_served = |served: &mut Served| {
            let is_it = served.start.is_some() && by.is_none_or(|by| served.by == by);
            match is_it {
                true => std::mem::take(served).start,
                false => None,
            }
        };
        let Some(start) = self.served.update(was_served).await? else { return Ok(()) };
        self.changed.notify_waiters();
        self.follow(ctx)?;
        ctx.refresh();
        self.tell(ctx, start.context, Vec::new()).await;
        Ok(())
    }

    /// Sends to `status` what has changed, if anybody wants to hear of it. Whoever cannot take it does not end the server.
    async fn tell(&self, ctx: &Ctx, context: Json, listen_addr: Vec<String>) {
        let is_running = !listen_addr.is_empty();
        let status = ServerStatus { context, listen_addr, is_running };
        match self.status(&ctx.new_run("status"), status).await {
            Ok(reply) => reply.ignore(),
            Err(e) => tracing::warn!(node = ctx.node(), "nobody could be told of its status: {e}"),
        }
    }

    /// Waits until `mine` is no more what is served; false when something else is.
    async fn ended(&self, mine: &str) -> bool {
        loop {
            let changed = self.changed.notified();
            let served = self.served.get();
            if served.by != mine {
                return served.start.is_none();
            }
            changed.await;
        }
    }

    /// Asks the flow, over the port of `route` or the only one.
    async fn ask(&self, ctx: &Ctx, route: Option<&str>, asked: Asked) -> Result<Option<Answer>> {
        match route {
            Some(route) => self.request_of(ctx, route, asked).await,
            None => self.request(ctx, asked).await,
        }
    }
}

/// Ends what was started when nobody waits for it any more.
struct Waited<'a> {
    server: &'a HttpServer,
    ctx: &'a Ctx,
    by: Option<String>,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        let Some(by) = self.by.take() else { return };
        let stopping = self.ctx.spawn(self.server, move |me, ctx| async move {
            // A process that does not lead any more hears of it about now, and leaves what it ran to the one that does.
            sleep(Duration::from_millis(100)).await;
            if !ctx.leads() {
                sleep(HANDOVER).await;
            }
            me.stop(&ctx, Some(&by)).await
        });
        if let Err(e) = stopping {
            // The node is gone, and what it serves with it.
            tracing::debug!(node = self.ctx.node(), "nothing is left to stop: {e}");
        }
    }
}

#[component]
impl HttpServer {
    /// Reads routes and networks, or refuses them.
    #[port(settings)]
    async fn prepare(&self, _ctx: &Ctx, settings: &ServerSettings) -> Result<()> {
        let made = Made {
            routes: Routes::read(&settings.routes).map_err(Error::permanent)?,
            trusted: Trusted::read(&settings.trusted_proxies).map_err(Error::permanent)?,
        };
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
        Ok(())
    }

    /// Serves for as long as somebody waits; another `start` takes its place.
    #[port(target, position = "left")]
    async fn start(&self, ctx: &Ctx, message: Start) -> Result<()> {
        address::wanted(&message).map_err(Error::permanent)?;
        let (mine, context) = (ctx.run().id().to_string(), message.context.clone());
        self.served
            .update(|served| {
                served.start = Some(message.clone());
                served.by.clone_from(&mine);
            })
            .await?;
        let mut waited = Waited { server: self, ctx, by: Some(mine.clone()) };
        self.changed.notify_waiters();
        let intake = ctx.intake();
        let listening = async {
            self.listen(ctx).await;
            self.keep_port().await?;
            self.tell(ctx, context, self.panel().listen_addr).await;
            std::future::pending::<Result<()>>().await
        };
        tiny_runtime::tokio::select! {
            biased;
            is_over = self.ended(&mine) => {
                waited.by = None;
                match is_over {
                    true => Ok(()),
                    false => Err(Error::permanent("another `start` has taken its place")),
                }
            }
            why = intake.closing() => {
                // The next process goes on.
                waited.by = None;
                Err(why)
            }
            failed = listening => failed,
        }
    }

    /// What the flow answers: the value of this is the response.
    #[port(target, position = "right")]
    async fn response(&self, _ctx: &Ctx, message: Answer) -> Result<Answer> {
        Ok(message)
    }

    /// Whatever is asked, where the settings have no routes.
    #[port(source, position = "right", when = Self::has_no_routes)]
    async fn request(&self, ctx: &Ctx, message: Asked) -> Result<Option<Answer>>;

    /// What is asked of one route.
    #[port(source, name = "request_{route}", label = "{route}", position = "right", each = Self::routes)]
    async fn request_of(&self, ctx: &Ctx, route: &str, message: Asked) -> Result<Option<Answer>>;

    /// That it listens, or does no more.
    #[port(source, position = "bottom", when = Self::has_status)]
    async fn status(&self, ctx: &Ctx, message: ServerStatus) -> Result;

    /// What people see and do.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: &ServerPanel) -> Result<()> {
        match panel.stop {
            true => self.stop(ctx, None).await,
            false => Ok(()),
        }
    }

    /// Goes on where another process, or the last one, was told to start or stop.
    #[port(reconcile)]
    async fn reconcile(&self, ctx: &Ctx) -> Result<()> {
        self.changed.notify_waiters();
        let listens = self.follow(ctx);
        ctx.refresh();
        listens?;
        self.keep_port().await
    }
}

#[cfg(test)]
mod tests;
