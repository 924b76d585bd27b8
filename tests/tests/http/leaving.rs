//! Clients that stand before no proxy, while the process is told to end.

use std::time::Duration;

use serde_json::json;
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::talk::{Talk, request};
use super::web::Web;

/// Asks until it is told that a response is the last one; says how many there were.
async fn asks(address: String) -> usize {
    let mut talk = Talk::to(&address).await.unwrap();
    for count in 1.. {
        let body = format!("body {count}");
        let said = talk.ask("POST", "/x", &body).await.unwrap();
        assert_eq!((said.status, &said.body), (200, &format!("/x {body}")));
        if said.is_last() {
            assert!(talk.is_closed().await);
            return count;
        }
    }
    unreachable!("it is told some time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_answers_until_it_says_that_a_response_is_the_last_one() {
    let web = Web::new(1, json!({}), json!({}));
    // What is under way has more than the second that it has at home.
    let running = web.start_with(&["--drain-timeout", "30s"]);
    let address = web.address(0);
    let busy: Vec<_> = (0..8).map(|_| tokio::spawn(asks(address.clone()))).collect();
    let mut half = Talk::to(&address).await.unwrap();
    let whole = request("POST", "/half", "one two");
    let (first, second) = whole.split_at(whole.len() - 3);
    half.send(first).await.unwrap();
    // Nobody has spoken here yet.
    let mut fresh = Talk::to(&address).await.unwrap();
    // Every one of them has been answered some times.
    sleep(Duration::from_millis(300)).await;

    let ending = tokio::spawn(async move { block_in_place(|| running.terminate()) });
    let mut total = 0;
    for client in busy {
        total += client.await.unwrap();
    }
    println!(
        "{total} requests on 8 connections were answered, the last of each with `connection: close`"
    );
    assert!(fresh.is_closed().await);
    half.send(second).await.unwrap();
    let said = half.said().await.unwrap();
    assert_eq!((said.status, said.body.as_str()), (200, "/half one two"));
    assert!(said.is_last() && half.is_closed().await);
    assert!(ending.await.unwrap().success());
}
