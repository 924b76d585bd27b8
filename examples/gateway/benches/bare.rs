//! The floor of `.ci/web`: what the flow of the benchmark does, by hand in axum. Prints its address and serves until it is killed.

use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// Of an order, what is read.
#[derive(Deserialize)]
struct Order {
    user: User,
    order: Sum,
}

#[derive(Deserialize)]
struct User {
    name: String,
}

#[derive(Deserialize)]
struct Sum {
    total: f64,
}

/// What is answered.
#[derive(Serialize)]
struct Answer {
    name: String,
    total: f64,
}

async fn answer(Json(order): Json<Order>) -> Json<Answer> {
    Json(Answer { name: order.user.name, total: order.order.total })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // Cargo runs all benches with this; what is asked to list tests has none.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/m", post(answer))).await
}
