//! More clients than there may be.

use serde_json::json;

use super::talk::{Talk, request};
use super::web::Web;

#[tokio::test]
async fn a_client_too_many_waits_until_another_one_leaves() {
    let web = Web::new(1, json!({"maxConnections": 3}), json!({}));
    let running = web.start();
    let address = web.address(0);
    let mut three = Vec::new();
    for _ in 0..3 {
        let mut talk = Talk::to(&address).await.unwrap();
        assert_eq!(talk.ask("GET", "/first", "").await.unwrap().status, 200);
        three.push(talk);
    }
    let mut fourth = Talk::to(&address).await.unwrap();
    fourth.send(&request("GET", "/fourth", "")).await.unwrap();
    for _ in 0..50 {
        for talk in &mut three {
            assert_eq!(talk.ask("GET", "/again", "").await.unwrap().status, 200);
        }
    }
    assert!(fourth.is_silent());
    drop(three.pop());
    let said = fourth.said().await.unwrap();
    assert_eq!((said.status, said.body.as_str()), (200, "/fourth "));
    assert!(running.terminate().success());
}
