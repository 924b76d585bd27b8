//! What a component keeps over restarts.

use std::collections::BTreeMap;

use futures::FutureExt;
use serde_json::json;
use tiny_runtime::prelude::*;

/// What is kept of visitors.
#[message]
#[derive(Default, PartialEq)]
struct Visitors {
    /// How many came.
    total: u64,
    /// How often each came.
    by_name: BTreeMap<String, u64>,
}

/// Keeps a book of visitors.
#[component(name = "book")]
#[derive(Default)]
struct Book {
    visitors: State<Visitors>,
    last: State<Last>,
}

/// Who came last.
#[message]
#[derive(Default)]
struct Last {
    /// The name.
    name: Option<String>,
}

#[component]
impl Book {
    /// Takes a name and answers how many came so far.
    #[port(target)]
    async fn visit(&self, _ctx: &Ctx, name: String) -> Result<u64> {
        let total = self.visitors.update(|visitors| {
            visitors.total += 1;
            *visitors.by_name.entry(name.clone()).or_default() += 1;
            visitors.total
        });
        let total = total.await?;
        self.last.update(|last| last.name = Some(name.clone())).await?;
        Ok(total)
    }

    /// Keeps a text of so many bytes.
    #[port(target)]
    async fn fill(&self, _ctx: &Ctx, size: u64) -> Result<()> {
        let size = usize::try_from(size)?;
        self.last.update(|last| last.name = Some("x".repeat(size))).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_finds_what_was_stored() {
    let bench = Bench::<Book>::new();
    for name in ["ada", "bob", "ada"] {
        bench.send(Book::VISIT, name.into()).await.unwrap();
    }
    let bench = bench.restart();
    let kept = bench.component().visitors.get();
    assert_eq!((kept.total, kept.by_name["ada"]), (3, 2), "before the first message");
    assert_eq!(bench.send(Book::VISIT, "eve".into()).await.unwrap(), 4);
    let stored = json!({"total": 4, "byName": {"ada": 2, "bob": 1, "eve": 1}});
    assert_eq!(bench.stored("visitors"), Some(stored));
    assert_eq!(bench.stored("last"), Some(json!({"name": "eve"})));
}

#[tokio::test(start_paused = true)]
async fn changes_that_come_together_are_all_kept() {
    let bench = Bench::<Book>::new();
    let sent = (0..200).map(|n| bench.send(Book::VISIT, format!("guest {}", n % 7)).boxed());
    let mut answers = Vec::new();
    for answer in futures::future::join_all(sent).await {
        answers.push(answer.unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers, (1..=200).collect::<Vec<u64>>(), "each saw its own change");
    assert_eq!(bench.stored("visitors").unwrap()["total"], json!(200));
}

#[tokio::test(start_paused = true)]
async fn two_replicas_never_lose_an_update() {
    let one = Bench::<Book>::new();
    let two = one.replica();
    let visit = |bench: &Bench<Book>, n: u32| bench.send(Book::VISIT, format!("guest {n}")).boxed();
    let sent = (0..150).flat_map(|n| [visit(&one, n), visit(&two, n)]);
    for answer in futures::future::join_all(sent).await {
        answer.unwrap();
    }
    let stored = one.stored("visitors").unwrap();
    assert_eq!(stored["total"], json!(300));
    assert!(stored["byName"].as_object().unwrap().values().all(|times| *times == json!(2)));
    // What the other wrote is seen once the plane tells of it.
    one.see_state();
    assert_eq!(one.component().visitors.get().total, 300);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_an_error_and_changes_nothing() {
    let bench = Bench::<Book>::new();
    bench.send(Book::VISIT, "ada".into()).await.unwrap();
    // One transient fault is what the retries are for.
    bench.fail_state(Error::transient("the plane is away"));
    assert_eq!(bench.send(Book::VISIT, "bob".into()).await.unwrap(), 2);
    bench.fail_state(Error::permanent("the plane says no"));
    let error = bench.send(Book::VISIT, "eve".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "storing the state of node `book`: the plane says no");
    assert_eq!(bench.component().visitors.get().total, 2);
    assert_eq!(bench.stored("visitors").unwrap()["total"], json!(2));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_too_large_is_refused_with_its_size() {
    let bench = Bench::<Book>::new();
    bench.send(Book::FILL, 200_000).await.unwrap();
    let error = bench.send(Book::FILL, 300_000).await.unwrap_err();
    assert!(error.is_permanent());
    assert_eq!(
        error.to_string(),
        "the state of node `book` would take 300015 bytes, more than 262144: keep less of it"
    );
    assert_eq!(bench.component().last.get().name.as_ref().map(String::len), Some(200_000));
}

#[tokio::test(start_paused = true)]
async fn keys_that_a_stored_value_lacks_have_their_defaults() {
    let bench = Bench::<Book>::with_state(json!({"visitors": {"total": 7}, "others": "stay"}));
    assert_eq!(bench.component().visitors.get().total, 7);
    assert!(bench.component().visitors.get().by_name.is_empty());
    bench.send(Book::VISIT, "ada".into()).await.unwrap();
    assert_eq!(bench.stored("others"), Some(json!("stay")), "what others keep is left alone");
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "node `book`: the stored state `visitors` does not fit: `total`: invalid type: string, expected u64; correct or delete it in `status.metadata`"
)]
async fn a_node_whose_state_cannot_be_read_does_not_start() {
    let bench = Bench::<Book>::with_state(json!({"visitors": {"total": "many"}}));
    drop(bench);
}
