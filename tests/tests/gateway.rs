//! http-module and common-module together, as their READMEs tell of it: in one process and in two.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use tiny_tests::{Desk, Running, Typed, ask, eventually, root};

/// The binaries that the READMEs name.
const PACKAGES: [&str; 3] = ["gateway", "common-module", "http-module"];

/// Ports that are free, in the place of those that the examples have.
struct Ports([(&'static str, String); 2]);

impl Ports {
    fn free() -> Self {
        let held = ["8080", "8081"].map(|port| (port, TcpListener::bind("127.0.0.1:0").unwrap()));
        Self(held.map(|(port, held)| (port, held.local_addr().unwrap().port().to_string())))
    }

    fn put(&self, text: &str) -> String {
        let put = |text: String, (old, new): &(&str, String)| {
            text.replace(&format!("localhost:{old}"), &format!("localhost:{new}"))
        };
        self.0.iter().fold(text.to_owned(), put)
    }

    /// A flow of the examples, with these ports.
    fn flow(&self, desk: &Desk, path: &str) -> PathBuf {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        let name = path.rsplit('/').next().unwrap();
        desk.file(name, &self.put(&text))
    }
}

/// Sends what a `curl` of a README asks for, and gives the answer; `None` where nobody listens.
fn curl(words: &[String], ports: &Ports) -> Option<String> {
    let mut words = words.iter().skip(1);
    let (mut url, mut body, mut headers) = (String::new(), None, String::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "-d" => body = words.next(),
            "-H" => headers += &format!("{}\r\n", words.next().unwrap()),
            "-u" => {
                assert_eq!(words.next().unwrap(), "ada:s3cret");
                headers += "Authorization: Basic YWRhOnMzY3JldA==\r\n";
            }
            _ => url = ports.put(word),
        }
    }
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map(String::as_str).unwrap_or_default();
    TcpStream::connect(address).ok()?;
    Some(ask(address, method, &format!("/{path}"), &headers, body).1)
}

/// Types all that a README does, and looks at what it shows. What runs ends before something else runs in its place.
fn follow(desk: &Desk, readme: &str, takes_over: fn(&str, &str) -> bool) {
    let ports = Ports::free();
    let typed = Typed::of(readme);
    let mut running: Vec<(&str, Running)> = Vec::new();
    let answers = |typed: &[Typed]| {
        for Typed { words, shown } in typed.iter().filter(|typed| typed.words[0] == "curl") {
            eventually("the answer that the README shows", || {
                // Nobody may listen yet.
                let answer = curl(words, &ports)?;
                (answer.trim_end() == ports.put(shown.trim_end())).then_some(())
            });
        }
    };
    for (at, command) in typed.iter().enumerate() {
        let Some((package, args)) = command.binary() else { continue };
        let place = |word: &String| match word.starts_with("examples/") {
            true if word.ends_with(".yaml") => ports.flow(desk, word).to_str().unwrap().to_owned(),
            true => root().join(word).to_str().unwrap().to_owned(),
            false => word.clone(),
        };
        let args: Vec<String> = args.iter().map(place).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let of = PACKAGES.into_iter().find(|it| *it == package).unwrap();
        let desk = desk.beside(of);
        if args[0] != "run" {
            let said = desk.call(&args).ok();
            assert!(said.ends_with(&command.shown), "{args:?}: {said}");
            continue;
        }
        for (_, module) in running.extract_if(.., |(other, _)| takes_over(of, other)) {
            assert!(module.terminate().success());
        }
        let mut module = desk.start(&args);
        module.line("nodes ");
        running.push((of, module));
        // What follows is asked of what runs now, and what came before is asked again.
        if args.contains(&"--apply") {
            answers(&typed[..at]);
            let next = typed[at + 1..]
                .iter()
                .position(|it| it.binary().is_some_and(|it| it.1[0] == "run"));
            answers(&typed[at..next.map_or(typed.len(), |next| at + 1 + next)]);
        }
    }
    for (_, module) in running {
        assert!(module.terminate().success());
    }
}

#[test]
fn what_the_readme_of_http_module_types_works() {
    follow(&Desk::of("http-module"), "examples/http-module/README.md", |_, _| false);
}

#[test]
fn what_the_readme_of_gateway_types_works_in_one_process_and_in_two() {
    let takes_over = |new: &str, old: &str| new != old && old == "gateway";
    follow(&Desk::of("gateway"), "examples/gateway/README.md", takes_over);
}
