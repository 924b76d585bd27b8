//! What strangers may do.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tiny_runtime::wire::Security;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};

use crate::Dice;
use crate::judge::Report;
use crate::peer::Options;
use crate::proto::module_service_client::ModuleServiceClient;
use crate::proto::{Call, MessageRequest};
use crate::town::Town;

/// The longest wait for an answer to a stranger.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at once of those who send garbage.
const CROWD: usize = 32;
/// Connections of those who open streams, and the streams of each.
const STREAMS: (usize, usize) = (10, 1000);

/// Mutual TLS with the papers of a folder.
pub(crate) fn security(folder: &Path) -> Security {
    let file = |name: &str| folder.join(name);
    Security::of_files(&file("crt"), &file("key"), Some(&file("ca"))).unwrap()
}

/// An authority and a certificate of it.
fn papers(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(folder.join("ca"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("crt"), own.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(folder.join("key"), key.serialize_pem()).unwrap();
}

/// For a while, the address leads to somebody whom another authority knows.
pub(crate) async fn by_an_impostor(dice: Dice) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    papers(&ours);
    papers(&theirs);
    let mut town = Town::new(dice, security(&ours));
    town.options.papers = Some(ours);
    let peer = town.peer();
    let ledger = town.folder().join("impostor");
    let options = Options { ledger: ledger.clone(), papers: Some(theirs), ..town.options.clone() };
    let impostor = crate::peer::Peer::start(&options);
    town.tell(&peer.address);
    town.begin().await;
    town.tell(&impostor.address);
    town.pass(Duration::from_millis(500), Duration::from_secs(1)).await;
    town.tell(&peer.address);
    let recovery = town.recovered("the address was right again").await;
    if !std::fs::read_to_string(&ledger).unwrap().is_empty() {
        town.fault("a stranger got messages".into());
    }
    town.end(&peer, recovery).await
}

async fn client(address: &str) -> ModuleServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = timeout(PATIENCE, endpoint.connect()).await.unwrap().unwrap();
    ModuleServiceClient::new(channel).max_encoding_message_size(usize::MAX)
}

/// Messages that are too large, by either call, and headers.
pub(crate) async fn by_too_much(dice: Dice) -> Report {
    let (mut town, peer) = Town::that_talks(dice).await;
    for _ in 0..4 {
        let more = town.dice.usize(0..8 << 20);
        let payload = Bytes::from(vec![b' '; (4 << 20) + (64 << 10) + 1 + more]);
        let large = MessageRequest {
            to: "two:input".into(),
            payload: payload.clone(),
            ..MessageRequest::default()
        };
        let mut stranger = client(&peer.address).await;
        match timeout(PATIENCE, stranger.message(large.clone())).await {
            Ok(Err(_)) => {}
            Ok(Ok(_)) => town.fault(format!("{} bytes were taken", payload.len())),
            Err(_) => town.fault("who sends too much hangs".into()),
        }
        let calls = futures::stream::iter([Call { id: 1, message: Some(large) }]);
        let ended = async {
            let mut answers = client(&peer.address).await.exchange(calls).await?.into_inner();
            while answers.message().await?.is_some() {}
            Ok::<_, tonic::Status>(())
        };
        if timeout(PATIENCE, ended).await.is_err() {
            town.fault("a stream of too much hangs".into());
        }
        let mut request = Request::new(MessageRequest::default());
        let header = MetadataValue::try_from("x".repeat(64 << 10)).unwrap();
        request.metadata_mut().insert("x-large", header);
        let mut stranger = client(&peer.address).await;
        match timeout(PATIENCE, stranger.message(request)).await {
            Ok(Err(_)) => {}
            Ok(Ok(_)) => town.fault("a header of 64 KiB was taken".into()),
            Err(_) => town.fault("who sends a large header hangs".into()),
        }
        town.weigh(&peer);
    }
    let recovery = town.recovered("strangers sent too much").await;
    town.end(&peer, recovery).await
}

/// Bytes of all kinds, some of which begin as they should.
pub(crate) async fn by_garbage(dice: Dice) -> Report {
    let (mut town, peer) = Town::that_talks(dice).await;
    let strangers = (0..CROWD).map(|at| {
        let (mut dice, address) = (Dice::with_seed(town.dice.u64(..)), peer.address.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut bytes = Vec::new();
            if at % 2 == 0 {
                bytes.extend(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
                // Settings that say nothing.
                bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
            }
            let count = dice.usize(1..64 << 10);
            bytes.extend(std::iter::repeat_with(|| dice.u8(..)).take(count));
            // It may have hung up already.
            drop(stream.write_all(&bytes).await);
            drop(stream.shutdown().await);
            let mut answer = Vec::new();
            // Who sends garbage is sent away, and does not wait for ever.
            timeout(PATIENCE, stream.read_to_end(&mut answer)).await.is_ok()
        })
    });
    for stranger in strangers.collect::<Vec<_>>() {
        if !stranger.await.unwrap() {
            town.fault("who sends garbage keeps a connection".into());
        }
    }
    town.weigh(&peer);
    let recovery = town.recovered("strangers sent garbage").await;
    town.end(&peer, recovery).await
}

/// Streams on which nothing is said.
pub(crate) async fn by_streams(dice: Dice) -> Report {
    let (town, peer) = Town::that_talks(dice).await;
    let (connections, each) = STREAMS;
    let mut kept = Vec::new();
    for _ in 0..connections {
        let client = client(&peer.address).await;
        let opened = (0..each).map(|_| {
            let mut client = client.clone();
            async move {
                let calls = futures::stream::pending::<Call>();
                let mut answers = client.exchange(calls).await?.into_inner();
                let first = answers.message().await?;
                Ok::<_, tonic::Status>((first, answers))
            }
        });
        match timeout(PATIENCE, futures::future::try_join_all(opened)).await {
            Ok(Ok(streams)) => kept.extend(streams),
            Ok(Err(why)) => town.fault(format!("a stream was refused: {why}")),
            Err(_) => town.fault("a stream hangs".into()),
        }
    }
    town.weigh(&peer);
    let recovery = town.recovered("10 000 streams stand").await;
    drop(kept);
    town.end(&peer, recovery).await
}
