//! The floors of the house: imports go down only, and what a floor must not know it does not name.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the runtime with their floors.
const ROOMS: [(&str, u8); 15] = [
    ("component", 0),
    ("schema", 0),
    ("mapping", 0),
    ("registry", 0),
    ("words", 0),
    ("json", 0),
    ("engine", 1),
    ("wire", 2),
    ("control", 3),
    ("operator", 4),
    ("telemetry", 4),
    ("image", 4),
    ("cli", 4),
    ("local", 4),
    ("testing", 4),
];

/// Crates that the lower two floors must not know.
const ABOVE_THE_ENGINE: [&str; 5] = ["kube", "k8s_openapi", "tonic", "tiny_crds", "axum"];

/// What only one file of them may know: it makes the spans of hops.
const OF_SPANS: (&str, [&str; 2]) = ("engine/trace.rs", ["opentelemetry", "tracing_opentelemetry"]);

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// What is wrong with a file of `room` that holds `text`.
fn faults(room: &str, text: &str) -> Vec<String> {
    let own = floor(room).unwrap_or_else(|| panic!("give room `{room}` a floor"));
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut faults = Vec::new();
    for line in code {
        for (other, theirs) in ROOMS {
            let named = format!("crate::{other}::");
            if theirs > own && (line.contains(&named) || grouped(line, other)) {
                faults.push(format!(
                    "floor {own} names `{other}` of floor {theirs}: {}",
                    line.trim()
                ));
            }
        }
        for name in ABOVE_THE_ENGINE {
            let path = format!("{name}::");
            let starts =
                |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if own <= 1 && line.match_indices(&path).any(|(at, _)| starts(at)) {
                faults.push(format!("floor {own} names `{name}`: {}", line.trim()));
            }
        }
    }
    faults
}

/// `use crate::{control::…, …}` on one line.
fn grouped(line: &str, room: &str) -> bool {
    let Some((_, group)) = line.split_once("use crate::{") else { return false };
    group.split([',', '{', ' ']).any(|part| part.trim().starts_with(&format!("{room}::")))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => sources(&path, found),
            path if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn imports_go_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let mut all = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        all.extend(faults(room, &text).into_iter().map(|fault| format!("{inside}: {fault}")));
        let (of_spans, names) = OF_SPANS;
        if floor(room) <= Some(1) && inside != of_spans {
            let named = names.iter().filter(|name| text.contains(&format!("{name}::")));
            all.extend(named.map(|name| format!("{inside}: only {of_spans} names `{name}`")));
        }
    }
    assert_eq!(all, Vec::<String>::new());
}

#[test]
fn an_import_that_goes_up_is_seen() {
    assert_eq!(faults("engine", "use crate::control::Summary;").len(), 1);
    assert_eq!(faults("component", "use crate::{schema, engine::Route};").len(), 1);
    assert_eq!(faults("engine", "fn f(node: &kube::Client) {}").len(), 1);
    assert_eq!(
        faults("engine", "// kube::Client is a word here\nuse crate::component::Ctx;").len(),
        0
    );
    assert_eq!(faults("control", "use crate::engine::Scheduler;\nuse kube::Api;").len(), 0);
}
