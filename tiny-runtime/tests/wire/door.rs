//! Who comes to the port, and who may come in.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use tiny_runtime::wire::Security;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::seed::MessageRequest;
use crate::seed::module_service_client::ModuleServiceClient;
use crate::stage::{Act, answer, failure};
use crate::town::{Module, Town};

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_port_hurts_nobody() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]).script("two", &[Act::Answer("well")]);
    for garbage in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\u{0}\u{1}\u{2}garbage",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense",
        // Somebody who begins, and says no more.
        "P",
    ] {
        let mut stream = TcpStream::connect(&b.address).await.unwrap();
        stream.write_all(garbage.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let end =
            tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut said)).await;
        assert!(end.is_ok(), "the connection is closed");
    }
    assert_eq!(answer(&a.run("one:input").await).as_deref(), Some("well"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_health_and_reflection() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest as Ask;
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_response::MessageResponse as Told,
    };

    let town = Town::new();
    let b = town.module("b").await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", b.address));
    let channel = channel.unwrap().connect().await.unwrap();
    let service = HealthCheckRequest { service: "module.ModuleService".into() };
    let mut health = HealthClient::new(channel.clone());
    assert_eq!(health.check(service.clone()).await.unwrap().into_inner().status, 1);
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(Ask::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(channel);
    let asked = futures::stream::iter([ask]);
    let mut told = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let told = told.message().await.unwrap().unwrap().message_response.unwrap();
    let Told::ListServicesResponse(services) = told else { panic!("{told:?}") };
    let names: Vec<String> = services.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"module.ModuleService".to_owned()), "{names:?}");
    b.drain.drained().await;
    assert_eq!(
        health.check(service).await.unwrap().into_inner().status,
        2,
        "it takes nothing more"
    );
}

/// Certificates of one authority, as files.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            std::fs::File::create(folder.path().join(name))
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        write("ca", authority.pem());
        let issuer = rcgen::Issuer::new(params, key);
        for (name, host) in [("module", "127.0.0.1"), ("stray", "elsewhere.example")] {
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
            write(&format!("{name}.crt"), params.signed_by(&key, &issuer).unwrap().pem());
            write(&format!("{name}.key"), key.serialize_pem());
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn security(&self, name: &str, is_mutual: bool) -> Security {
        let authority = is_mutual.then(|| self.file("ca"));
        let (certificate, key) =
            (self.file(&format!("{name}.crt")), self.file(&format!("{name}.key")));
        Security::of_files(&certificate, &key, authority.as_deref()).unwrap()
    }
}

async fn greets(a: &Module, b: &Module) -> Result<Option<String>, String> {
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]).script("two", &[Act::Answer("well")]);
    let outcome = a.run_within("one:input", Duration::from_secs(2)).await;
    match &outcome.result {
        Ok(_) => Ok(answer(&outcome)),
        Err(_) => Err(failure(&outcome).to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_certificates_of_one_authority_modules_talk_and_nobody_else_does() {
    let (ours, theirs) = (Papers::new(), Papers::new());
    let town = Town::new();
    let a = town.secured("a", ours.security("module", true)).await;
    let b = town.secured("b", ours.security("module", true)).await;
    assert_eq!(greets(&a, &b).await.unwrap().as_deref(), Some("well"));

    // Plain text, and a stranger.
    let plain = ModuleServiceClient::connect(format!("http://{}", b.address)).await;
    let refused = match plain {
        Ok(mut client) => client.message(MessageRequest::default()).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    for (case, security) in [
        ("another authority", theirs.security("module", true)),
        ("no encryption", Security::default()),
    ] {
        let town = Town::new();
        let a = town.secured("a", security).await;
        let b = town.secured("b", ours.security("module", true)).await;
        assert!(greets(&a, &b).await.is_err(), "{case}");
        assert!(b.world.arrivals().iter().all(|line| !line.starts_with("two")), "{case}");
    }
    // Of the same authority, for another host.
    let town = Town::new();
    let a = town.secured("a", ours.security("module", true)).await;
    let b = town.secured("b", ours.security("stray", true)).await;
    let said = greets(&a, &b).await.unwrap_err();
    assert!(said.contains("certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_certificate_for_all_is_enough_to_encrypt() {
    let papers = Papers::new();
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(papers.file("own.crt"), key.cert.pem()).unwrap();
    std::fs::write(papers.file("own.key"), key.signing_key.serialize_pem()).unwrap();
    let town = Town::new();
    let a = town.secured("a", papers.security("own", false)).await;
    let b = town.secured("b", papers.security("own", false)).await;
    assert_eq!(greets(&a, &b).await.unwrap().as_deref(), Some("well"));
}

#[test]
fn files_that_are_no_certificates_are_refused_in_words() {
    let papers = Papers::new();
    let missing = Security::of_files(&papers.file("nothing"), &papers.file("module.key"), None);
    let said = missing.unwrap_err().to_string();
    assert!(said.contains("`") && said.contains("--grpc-tls-cert"), "{said}");
    let swapped = Security::of_files(&papers.file("module.key"), &papers.file("module.crt"), None);
    let said = swapped.unwrap_err().to_string();
    assert!(said.contains("both must be PEM"), "{said}");
    let foreign = Security::of_files(&papers.file("module.crt"), &papers.file("stray.key"), None);
    assert!(foreign.is_err(), "a key of another certificate");
}
