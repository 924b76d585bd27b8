//! Replicas that end and come again behind nginx, under load.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tiny_tests::Running;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, block_in_place};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::nginx::Nginx;
use super::talk::{PATIENCE, Said, Talk};
use super::web::Web;

/// Requests a second: the next one waits for none before.
const RATE: u32 = 500;
/// Answers of each replica before one of them ends, so that nginx keeps connections to both.
const WARM: usize = 500;

/// What has come of the requests so far.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// By replica.
    answered: [usize; 2],
    /// Those that came to an answer only from the second that nginx asked.
    asked_twice: usize,
    failed: Vec<String>,
}

/// People who ask whatever happens.
struct Crowd {
    tally: watch::Receiver<Tally>,
    stop: watch::Sender<bool>,
    asking: JoinHandle<Duration>,
}

impl Crowd {
    fn before(nginx: &Nginx, web: &Web) -> Self {
        let (told, tally) = watch::channel(Tally::default());
        let (stop, stopped) = watch::channel(false);
        let replicas = [web.address(0), web.address(1)];
        let asking = tokio::spawn(ask(nginx.address(), replicas, told, stopped));
        Self { tally, stop, asking }
    }

    /// Waits until the replica has answered so many more.
    async fn hear(&mut self, nth: usize, more: usize) {
        let most = self.tally.borrow().answered[nth] + more;
        let heard = self.tally.wait_for(|tally| tally.answered[nth] >= most);
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        let is_heard = heard.is_ok_and(|it| it.is_ok());
        assert!(is_heard, "replica {nth} answers no more: {:#?}", self.tally.borrow());
    }

    async fn end(self) -> (Tally, Duration) {
        self.stop.send_replace(true);
        let took = self.asking.await.unwrap();
        (self.tally.borrow().clone(), took)
    }
}

async fn ask(
    nginx: String,
    replicas: [String; 2],
    told: watch::Sender<Tally>,
    stopped: watch::Receiver<bool>,
) -> Duration {
    let began = Instant::now();
    let idle = Arc::new(Mutex::new(Vec::new()));
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    for nth in 0_usize.. {
        ticks.tick().await;
        if *stopped.borrow() {
            break;
        }
        let (nginx, replicas, told, idle) =
            (nginx.clone(), replicas.clone(), told.clone(), idle.clone());
        requests.spawn(async move {
            let (method, body) =
                [("GET", String::new()), ("POST", format!("body {nth}"))][nth % 2].clone();
            let path = format!("/{nth}");
            let said = one(&nginx, &idle, method, &path, &body).await;
            told.send_modify(|tally| match said {
                Ok(said) if said.status == 200 && said.body == format!("{path} {body}") => {
                    let asked = said.header("x-asked").unwrap_or_default();
                    tally.asked_twice += usize::from(asked.contains(", "));
                    let who = replicas.iter().position(|it| asked.ends_with(it.as_str()));
                    match who {
                        Some(who) => tally.answered[who] += 1,
                        None => tally.failed.push(format!("{method} {path}: answered by {asked}")),
                    }
                }
                said => tally.failed.push(format!("{method} {path}: {said:?}")),
            });
        });
        while requests.try_join_next().is_some() {}
    }
    while requests.join_next().await.is_some() {}
    began.elapsed()
}

/// Asks on a connection that waits, or on a new one.
async fn one(
    nginx: &str,
    idle: &Mutex<Vec<Talk>>,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<Said> {
    let kept = idle.lock().unwrap().pop();
    let mut talk = match kept {
        Some(talk) => talk,
        None => Talk::to(nginx).await?,
    };
    let said = talk.ask(method, path, body).await?;
    if !said.is_last() {
        idle.lock().unwrap().push(talk);
    }
    Ok(said)
}

/// Tells a replica to end, as Kubernetes does, and starts it again.
async fn restarted(web: &Web, crowd: &mut Crowd, running: Running, nth: usize) -> Running {
    for nth in 0..2 {
        crowd.hear(nth, WARM).await;
    }
    let status = block_in_place(|| running.terminate());
    assert!(status.success(), "{status}");
    crowd.hear(1 - nth, WARM).await;
    let running = block_in_place(|| web.join(nth));
    crowd.hear(nth, 1).await;
    running
}

/// `ROUNDS` times three restarts.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_replicas_behind_nginx_are_restarted_one_after_the_other() {
    let rounds: usize =
        std::env::var("ROUNDS").map_or(1, |text| text.parse().expect("a number of rounds"));
    let web = Web::new(2, json!({}), json!({}));
    let Some(nginx) = Nginx::before(&web.ports) else { return };
    // The first one hosts the plane, and leads.
    let mut first = web.start();
    let mut second = web.join(1);
    let mut crowd = Crowd::before(&nginx, &web);
    for _ in 0..rounds {
        first = restarted(&web, &mut crowd, first, 0).await;
        second = restarted(&web, &mut crowd, second, 1).await;
        first = restarted(&web, &mut crowd, first, 0).await;
    }
    let (tally, took) = crowd.end().await;
    let Tally { answered, asked_twice, failed } = tally;
    let count = answered[0] + answered[1] + failed.len();
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "{} restarts: {count} requests, {rate:.0}/s, {answered:?} answered by each replica, {asked_twice} by the second that was asked, {} failed",
        3 * rounds,
        failed.len()
    );
    let some = &failed[..failed.len().min(20)];
    assert!(failed.is_empty(), "{} failed, such as {some:#?}\n{}", failed.len(), nginx.errors());
    for running in [first, second] {
        assert!(block_in_place(|| running.terminate()).success());
    }
}
