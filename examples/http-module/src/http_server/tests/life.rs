//! From the start to the end, on one replica and on more.

use super::*;

fn at(address: &str) -> Start {
    Start { hostnames: vec![address.to_owned()], ..Start::default() }
}

/// An address that is free.
fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("localhost:{}", listener.local_addr().unwrap().port())
}

async fn is_gone(address: &str) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_ok() {
        assert!(Instant::now() < deadline, "{address} is still there");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn it_serves_for_as_long_as_somebody_waits() {
    let desk = Desk::new(json!({"enableStatusPort": true})).await;
    let statuses = || desk.bench.sent(HttpServer::STATUS);
    eventually(|| statuses().first().filter(|it| it.is_running).map(|_| ())).await;
    assert_eq!(statuses()[0].listen_addr, [format!("http://{}", desk.address)]);
    assert_eq!(desk.bench.view().unwrap()["status"], "Running");
    desk.started.abort();
    is_gone(&desk.address).await;
    eventually(|| statuses().get(1).filter(|it| !it.is_running).map(|_| ())).await;
    assert_eq!(desk.bench.view().unwrap()["status"], "Not running");
    assert_eq!(desk.bench.stored("served").unwrap()["start"], Value::Null);
}

#[tokio::test]
async fn a_lost_lease_does_not_end_it_because_the_next_leader_goes_on() {
    let desk = Desk::new(json!({})).await;
    desk.bench.lead(false);
    desk.started.abort();
    // Longer than it takes where the process leads.
    sleep(Duration::from_millis(500)).await;
    assert!(TcpStream::connect(&desk.address).await.is_ok());
    assert!(desk.bench.stored("served").unwrap()["start"].is_object());
}

#[tokio::test]
async fn who_cannot_be_told_of_its_status_does_not_end_it() {
    let bench = Bench::new();
    bench.settings_json(json!({"enableStatusPort": true}));
    bench.fail(HttpServer::STATUS, Error::permanent("no"));
    bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let desk = Desk::on(bench, Start::default()).await;
    eventually(|| (desk.bench.sent(HttpServer::STATUS).len() == 1).then_some(())).await;
    sleep(Duration::from_millis(300)).await;
    assert!(!desk.started.is_finished());
    assert_eq!(desk.get("/").await.status(), 200);
}

#[tokio::test]
async fn another_start_takes_its_place() {
    let mut desk = Desk::started(json!({}), at(&free())).await;
    let again = Start { write_timeout: 3, ..at(&desk.address) };
    let second = tokio::spawn(desk.bench.send(HttpServer::START, again));
    let replaced = timeout(PATIENCE, &mut desk.started).await.unwrap().unwrap();
    assert_eq!(replaced.unwrap_err().to_string(), "another `start` has taken its place");
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    assert_eq!(desk.get("/").await.status(), 200, "the same address goes on");
    let elsewhere = free();
    let third = tokio::spawn(desk.bench.send(HttpServer::START, at(&elsewhere)));
    assert!(timeout(PATIENCE, second).await.unwrap().unwrap().is_err());
    is_gone(&desk.address).await;
    desk.address = elsewhere;
    assert_eq!(desk.get("/").await.status(), 200);
    third.abort();
}

#[tokio::test]
async fn it_is_stopped_from_the_dashboard() {
    let mut desk = Desk::new(json!({})).await;
    let stop = ServerPanel { stop: true, ..ServerPanel::default() };
    desk.bench.send(HttpServer::CONTROL, stop).await.unwrap();
    timeout(PATIENCE, &mut desk.started).await.unwrap().unwrap().unwrap();
    is_gone(&desk.address).await;
}

#[tokio::test]
async fn every_replica_serves_on_a_port_of_its_own_and_a_restart_on_the_same() {
    let desk = Desk::new(json!({})).await;
    let replica = desk.bench.replica();
    replica.reply(HttpServer::REQUEST, answer(json!("the other")));
    let other = listening(&replica).await;
    assert_ne!(other, desk.address);
    let got = client().get(format!("http://{other}")).send().await.unwrap();
    assert_eq!(got.text().await.unwrap(), "the other");

    // As a process that ends in order, and the next one.
    desk.bench.close().await;
    is_gone(&desk.address).await;
    let next = desk.bench.restart();
    assert_eq!(listening(&next).await, desk.address, "without being told again");
}

#[tokio::test]
async fn a_process_that_ends_finishes_what_it_has_begun_and_leaves_the_rest_to_the_next() {
    let mut desk = Desk::started(json!({}), Start { write_timeout: 2, ..Start::default() }).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi"))).stall(HttpServer::REQUEST);
    let mut idle = TcpStream::connect(&desk.address).await.unwrap();
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let read = async |stream: &mut TcpStream| {
        let mut said = vec![0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut said)).await.unwrap().unwrap();
        String::from_utf8_lossy(&said[..read]).into_owned()
    };
    idle.write_all(get).await.unwrap();
    assert!(!read(&mut idle).await.contains("connection: close"));
    let mut busy = TcpStream::connect(&desk.address).await.unwrap();
    busy.write_all(get).await.unwrap();
    eventually(|| (desk.asked().len() == 2).then_some(())).await;

    let bench = desk.bench.clone();
    let closed = tokio::spawn(async move { bench.close().await });
    let left = timeout(PATIENCE, &mut desk.started).await.unwrap().unwrap();
    assert_eq!(left.unwrap_err().to_string(), "the process is stopping");
    is_gone(&desk.address).await;
    assert!(desk.bench.stored("served").unwrap()["start"].is_object(), "the next one goes on");
    // A request that was on its way is answered, and told that it is the last one.
    idle.write_all(get).await.unwrap();
    let (last, ended) = (read(&mut idle).await, read(&mut busy).await);
    assert!(last.starts_with("HTTP/1.1 504") && last.contains("connection: close"), "{last}");
    assert!(ended.starts_with("HTTP/1.1 504") && ended.contains("connection: close"), "{ended}");
    timeout(PATIENCE, closed).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_is_connected_when_a_process_ends_is_answered_although_nobody_has_accepted_it() {
    let desk = Desk::new(json!({})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    // Nothing else happens in this thread meanwhile.
    let mut clients: Vec<std::net::TcpStream> = Vec::new();
    for _ in 0..20 {
        let mut client = std::net::TcpStream::connect(&desk.address).unwrap();
        std::io::Write::write_all(&mut client, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        clients.push(client);
    }
    timeout(PATIENCE, desk.bench.close()).await.unwrap();
    for mut client in clients {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut client, &mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 200") && said.contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn settings_that_allow_more_clients_let_in_who_waits() {
    let desk = Desk::new(json!({"maxConnections": 1})).await;
    desk.bench.reply(HttpServer::REQUEST, answer(json!("hi")));
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut one, mut two) = (
        TcpStream::connect(&desk.address).await.unwrap(),
        TcpStream::connect(&desk.address).await.unwrap(),
    );
    for stream in [&mut one, &mut two] {
        stream.write_all(get).await.unwrap();
    }
    let mut said = [0; 12];
    timeout(PATIENCE, one.read_exact(&mut said)).await.unwrap().unwrap();
    desk.bench.settings_json(json!({"maxConnections": 2}));
    timeout(PATIENCE, two.read_exact(&mut said)).await.unwrap().unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_and_one_that_cannot_be_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let bench = Bench::<HttpServer>::new();
    let started = tokio::spawn(bench.send(HttpServer::START, at(&address)));
    let why = eventually(|| {
        let status = bench.view()?["status"].as_str()?.to_owned();
        status.starts_with("cannot listen").then_some(status)
    });
    assert!(why.await.starts_with(&format!("cannot listen on {address}: ")));
    drop(taken);
    assert_eq!(listening(&bench).await.replace("localhost", "127.0.0.1"), address, "tried again");
    started.abort();
    let refused = bench.send(HttpServer::START, at("web:eighty")).await.unwrap_err();
    assert!(refused.is_permanent());
    assert!(refused.to_string().starts_with("`web:eighty` in `hostnames` is no address"));
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_run() {
    let desk = Desk::new(json!({})).await;
    desk.bench.stall(HttpServer::REQUEST);
    let asked = desk.get("/");
    drop(timeout(Duration::from_millis(300), asked).await);
    assert_eq!(desk.asked().len(), 1);
    // Nothing is under way any more: the end has nothing to wait for but what lingers.
    timeout(Duration::from_secs(5), desk.bench.close()).await.unwrap();
}
