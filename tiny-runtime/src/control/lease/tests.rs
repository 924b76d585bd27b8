use std::ops::Range;
use std::pin::pin;
use std::sync::Mutex;

use futures::FutureExt;
use http::Method;
use tokio::task::JoinHandle;

use super::plane::{Link, Plane, Shared, connect, lock};
use super::*;

/// A process that would lead.
struct Candidate {
    link: Shared<Link>,
    leadership: Leadership,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Candidate {
    fn start(plane: &Shared<Plane>, name: &str) -> Self {
        let (lease, link) = claim(plane, name, 7);
        let leadership = lease.leadership();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(lease.run(shutdown.clone()));
        Self { link, leadership, shutdown, running }
    }

    /// One that leads already.
    async fn leading(plane: &Shared<Plane>, name: &str) -> Self {
        let mut candidate = Self::start(plane, name);
        assert!(candidate.leadership.changed().await.is_some());
        candidate
    }

    fn link(&self, link: Link) {
        *lock(&self.link) = link;
    }

    fn term(&self) -> Option<Term> {
        self.leadership.term()
    }
}

fn claim(plane: &Shared<Plane>, name: &str, seed: u64) -> (Lease, Shared<Link>) {
    let link = Arc::new(Mutex::new(Link::Fine));
    let client = connect(Arc::clone(plane), Arc::clone(&link));
    (Lease::new(client, "ns", "Hello Module", name, Dice::seeded(seed)), link)
}

fn seconds(range: Range<u64>) -> Range<Duration> {
    Duration::from_secs(range.start)..Duration::from_secs(range.end)
}

async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn one_alone_leads_at_once_and_idle_it_writes_one_renewal_each_two_seconds() {
    let plane = Shared::default();
    let alone = Candidate::leading(&plane, "a").await;
    pass(61).await;
    assert_eq!(alone.term(), Some(Term(0)));
    assert_eq!(alone.leadership.identity(), "a");
    let writes = lock(&plane).writes.clone();
    assert_eq!(writes.len(), 31, "one to lead and one each two seconds");
    assert_eq!(writes[0].method, Method::POST);
    for pair in writes.windows(2) {
        assert_eq!(pair[1].method, Method::PUT);
        assert_eq!((pair[1].holder.as_str(), pair[1].term), ("a", 0));
        let gap = pair[1].at - pair[0].at;
        assert!((PERIOD..PERIOD + Duration::from_millis(10)).contains(&gap), "{gap:?}");
    }
    let spec = lock(&plane).record.clone().unwrap().spec.unwrap();
    assert_eq!(spec.lease_duration_seconds, Some(15));
    assert!(spec.acquire_time.unwrap() < spec.renew_time.unwrap());
}

#[tokio::test(start_paused = true)]
async fn renewals_wake_nobody_who_waits_for_a_change() {
    let plane = Shared::default();
    let mut alone = Candidate::leading(&plane, "a").await;
    assert!(timeout(Duration::from_secs(60), alone.leadership.changed()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn another_takes_over_15_seconds_after_the_last_change_it_saw_and_not_before() {
    let plane = Shared::default();
    let first = Candidate::leading(&plane, "a").await;
    let mut second = Candidate::start(&plane, "b");
    pass(60).await;
    assert_eq!(second.term(), None);
    // Died without a word.
    first.running.abort();
    let last = lock(&plane).writes.last().unwrap().at;
    assert_eq!(second.leadership.changed().await, Some(Term(1)));
    let (waited, look) = (last.elapsed(), Duration::from_millis(2400));
    assert!((EXPIRES_AFTER..EXPIRES_AFTER + 2 * look).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_others_find_expires_by_their_own_clock_whatever_its_times_say() {
    let plane: Shared<Plane> = Shared::default();
    let long_ago = Some(MicroTime(Timestamp::UNIX_EPOCH));
    let spec = LeaseSpec {
        holder_identity: Some("from another clock".into()),
        lease_transitions: Some(4),
        renew_time: long_ago.clone(),
        acquire_time: long_ago,
        ..LeaseSpec::default()
    };
    let record = Record { spec: Some(spec), ..Record::default() };
    lock(&plane).store(&Method::POST, record);
    let began = Instant::now();
    let mut candidate = Candidate::start(&plane, "a");
    assert_eq!(candidate.leadership.changed().await, Some(Term(5)));
    assert!(seconds(15..18).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_touched_record_without_a_renewal_does_not_put_off_the_takeover() {
    let plane = Shared::default();
    let first = Candidate::leading(&plane, "a").await;
    let mut second = Candidate::start(&plane, "b");
    pass(1).await;
    first.running.abort();
    let began = Instant::now();
    let waiting = second.leadership.changed();
    let mut waiting = pin!(waiting);
    let term = loop {
        match timeout(Duration::from_secs(1), &mut waiting).await {
            Ok(term) => break term,
            Err(_) => lock(&plane).touch(),
        }
    };
    assert_eq!(term, Some(Term(1)));
    assert!(seconds(13..20).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_hung_renewal_ends_the_term_10_seconds_after_the_last_one_that_was_sent_and_stored() {
    for link in [Link::Hangs, Link::Fails, Link::LosesAnswers] {
        let plane = Shared::default();
        let mut alone = Candidate::leading(&plane, "a").await;
        pass(21).await;
        let last = lock(&plane).writes.last().unwrap().at;
        alone.link(link);
        assert_eq!(alone.leadership.changed().await, None);
        let held = last.elapsed();
        let slack = Duration::from_millis(5);
        assert!(
            (Duration::from_secs(10)..Duration::from_secs(10) + slack).contains(&held),
            "{link:?}: {held:?}"
        );
        // What it does once it can again is a new term.
        alone.link(Link::Fine);
        let term = alone.leadership.changed().await.unwrap();
        assert!(term > Term(0), "{link:?}: {term}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_counts_from_the_sending() {
    let plane = Shared::default();
    let mut alone = Candidate::leading(&plane, "a").await;
    pass(5).await;
    alone.link(Link::Delays(4000));
    // The renewal of second 6 is answered at second 10, the one after it never.
    pass(4).await;
    alone.link(Link::Hangs);
    pass(2).await;
    let stored = lock(&plane).writes.last().unwrap().at;
    assert_eq!(alone.leadership.changed().await, None);
    let held = stored.elapsed();
    assert!(seconds(5..7).contains(&held), "sent 4 s before it was stored: {held:?}");
}

#[tokio::test(start_paused = true)]
async fn one_failed_renewal_costs_nothing() {
    let plane = Shared::default();
    let alone = Candidate::leading(&plane, "a").await;
    for link in [Link::Fails, Link::Hangs, Link::LosesAnswers, Link::Races] {
        alone.link(link);
        pass(2).await;
        alone.link(Link::Fine);
        pass(10).await;
        assert_eq!(alone.term(), Some(Term(0)), "{link:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_read_again_at_once() {
    let plane = Shared::default();
    let alone = Candidate::leading(&plane, "a").await;
    pass(1).await;
    lock(&plane).touch();
    pass(2).await;
    let writes = lock(&plane).writes.clone();
    assert_eq!((writes.len(), alone.term()), (2, Some(Term(0))));
    let gap = writes[1].at - writes[0].at;
    assert!(gap < PERIOD + Duration::from_millis(20), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_lets_the_next_one_lead_at_its_next_look() {
    let plane = Shared::default();
    let mut first = Candidate::leading(&plane, "a").await;
    let mut second = Candidate::start(&plane, "b");
    pass(7).await;
    let began = Instant::now();
    first.shutdown.cancel();
    assert_eq!(first.leadership.changed().await, None);
    assert_eq!(second.leadership.changed().await, Some(Term(1)));
    assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
    first.running.await.unwrap();
    let writes = lock(&plane).writes.clone();
    assert!(writes.iter().any(|write| write.holder.is_empty() && write.term == 0));
}

#[tokio::test(start_paused = true)]
async fn a_release_that_gets_no_answer_ends_after_5_seconds() {
    for link in [Link::Fails, Link::Hangs] {
        let plane = Shared::default();
        let first = Candidate::leading(&plane, "a").await;
        first.link(link);
        let began = Instant::now();
        first.shutdown.cancel();
        first.running.await.unwrap();
        assert!(seconds(4..6).contains(&began.elapsed()), "{link:?}: {:?}", began.elapsed());
        assert_eq!(first.leadership.term(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_led_gives_back_nothing() {
    let plane = Shared::default();
    let first = Candidate::leading(&plane, "a").await;
    let second = Candidate::start(&plane, "b");
    pass(3).await;
    second.link(Link::Hangs);
    let began = Instant::now();
    second.shutdown.cancel();
    second.running.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    pass(60).await;
    assert_eq!(first.term(), Some(Term(0)));
}

#[tokio::test(start_paused = true)]
async fn of_two_that_race_to_create_one_leads() {
    let plane = Shared::default();
    let mut both = [Candidate::start(&plane, "a"), Candidate::start(&plane, "b")];
    // Both have read that there is no record before either writes.
    both.iter().for_each(|candidate| candidate.link(Link::Delays(100)));
    pass(1).await;
    let leading = both.iter().filter(|candidate| candidate.term().is_some()).count();
    assert_eq!(leading, 1);
    assert_eq!(lock(&plane).writes.iter().filter(|sent| sent.method == Method::POST).count(), 1);
    pass(60).await;
    let [a, b] = &mut both;
    assert!(a.leadership.changed().now_or_never() != b.leadership.changed().now_or_never());
}

#[tokio::test(start_paused = true)]
async fn terms_stay_over_renewals_and_grow_with_every_takeover() {
    let plane = Shared::default();
    for expected in 0..5 {
        let candidate = Candidate::leading(&plane, &format!("process {expected}")).await;
        pass(30).await;
        assert_eq!(candidate.term(), Some(Term(expected)));
        candidate.running.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn terms_grow_even_when_somebody_deletes_the_record() {
    let plane = Shared::default();
    let mut alone = Candidate::leading(&plane, "a").await;
    lock(&plane).record = None;
    assert_eq!(alone.leadership.changed().await, Some(Term(1)));
    pass(10).await;
    assert_eq!(alone.term(), Some(Term(1)));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stood_still_has_no_term_when_it_goes_on() {
    let plane = Shared::default();
    let (lease, _link) = claim(&plane, "a", 1);
    let leadership = lease.leadership();
    let mut waiter = lease.leadership();
    let mut run = pin!(lease.run(CancellationToken::new()));
    tokio::select! {
        () = &mut run => unreachable!("it runs for ever"),
        term = waiter.changed() => assert_eq!(term, Some(Term(0))),
    }
    // From here nothing of the process moves.
    let mut other = Candidate::start(&plane, "b");
    tokio::time::advance(Duration::from_millis(9900)).await;
    assert_eq!(leadership.term(), Some(Term(0)));
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(leadership.term(), None);
    assert_eq!(other.leadership.changed().await, Some(Term(1)));
    // It goes on, and hears the truth before anybody hears otherwise.
    let woken = async {
        assert_eq!(waiter.changed().await, None);
        assert!(timeout(Duration::from_secs(60), waiter.changed()).await.is_err());
    };
    tokio::select! {
        () = &mut run => unreachable!("it runs for ever"),
        () = woken => assert_eq!(other.term(), Some(Term(1))),
    }
}

#[tokio::test(start_paused = true)]
async fn the_term_ends_with_whoever_keeps_it() {
    let plane = Shared::default();
    let mut dropped = Candidate::leading(&plane, "a").await;
    dropped.running.abort();
    assert_eq!(dropped.leadership.changed().await, None);
    let more = dropped.leadership.changed();
    assert!(timeout(Duration::from_secs(60), more).await.is_err(), "no news is no wake-up");
}

#[tokio::test(start_paused = true)]
async fn never_do_two_lead_and_terms_only_grow_whatever_the_network_does() {
    for seed in 0..8 {
        let plane = Shared::default();
        let start = |name: &&str| Candidate::start(&plane, name);
        let mut all: Vec<_> = ["a", "b", "c"].iter().map(start).collect();
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut latest = None;
        let mut led = 0;
        for moment in 0..1500 {
            sleep(Duration::from_millis(100)).await;
            let terms: Vec<_> = all.iter().filter_map(Candidate::term).collect();
            assert!(terms.len() < 2, "seed {seed}, moment {moment}: {terms:?}");
            if let [term] = terms[..] {
                led += usize::from(latest != Some(term));
                assert!(latest <= Some(term), "seed {seed}: {term} after {latest:?}");
                latest = Some(term);
            }
            if rng.u8(..) < 4 {
                let links = [
                    Link::Fine,
                    Link::Fails,
                    Link::Hangs,
                    Link::LosesAnswers,
                    Link::Delays(rng.u64(..9000)),
                    Link::Races,
                ];
                let candidate = &all[rng.usize(..3)];
                candidate.link(links[rng.usize(..links.len())]);
            }
            if rng.u16(..) < 40 {
                let index = rng.usize(..3);
                let name = format!("{seed} {moment}");
                let ended = std::mem::replace(&mut all[index], Candidate::start(&plane, &name));
                ended.shutdown.cancel();
            }
        }
        assert!(led > 0, "seed {seed}: nobody ever led");
    }
}

#[test]
fn an_identity_names_the_host_and_no_other_process_has_it() {
    let (one, other) = (identity(), identity());
    assert_ne!(one, other);
    let (host, random) = one.rsplit_once('_').unwrap();
    assert!(!host.is_empty());
    assert_eq!(random.len(), 36);
}

#[tokio::test]
async fn alone_for_good_is_a_term_too() {
    let alone = Leadership::always();
    assert_eq!((alone.term(), alone.identity()), (Some(Term(0)), "alone"));
}
