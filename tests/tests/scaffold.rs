//! A crate of one's own: what `new` writes builds, passes its tests and runs, outside the repository.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tiny_tests::{Called, Desk, Running, root};

fn cargo(desk: &Desk, args: &[&str]) -> Called {
    desk.cargo("demo", args).output().unwrap().into()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What is said about a mistake that writes nothing.
fn refused(desk: &Desk, args: &[&str]) -> String {
    let before = entries(desk.path());
    let said = desk.call(args).refused();
    assert_eq!(entries(desk.path()), before);
    said
}

#[test]
fn a_new_crate_passes_its_tests_and_runs_its_flow() {
    let desk = Desk::new();
    let said = desk.call(&["new", "demo"]).ok();
    for part in [
        "created    demo: ",
        "depends    tiny-runtime = { path = ",
        "next       cd demo\n",
        "next       cargo run -- run --name demo --apply flow.yaml\n",
    ] {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    let tests = cargo(&desk, &["test"]).ok();
    assert!(tests.contains("3 passed; 0 failed"), "{tests}");

    cargo(&desk, &["build"]).ok();
    let tested = cargo(&desk, &["run", "--quiet", "--", "test", "flow.test.yaml"]).ok();
    assert!(tested.ends_with("3 tests passed\n"), "{tested}");
    let schema = cargo(&desk, &["run", "--quiet", "--", "schema"]).ok();
    if std::env::var_os("BLESS").is_some() {
        let template = root().join("tiny-runtime/src/cli/new/flow.schema.json.txt");
        fs::write(template, schema.replace("demo", "@name@")).unwrap();
    } else {
        let kept = fs::read_to_string(desk.path().join("demo/flow.schema.json")).unwrap();
        assert!(kept == schema, "the template of flow.schema.json is old: BLESS=1 writes it");
    }
    let run = ["run", "--quiet", "--", "run", "--name", "demo", "--apply", "flow.yaml"];
    let mut module = Running::start(desk.cargo("demo", &run));
    module.line("nodes      2 of 2 ready");
    // What the module says to type is what `new` and the README of the crate said.
    let signal = "cargo run -- signal demo-inner input '{\"text\":\"World\"}' --wait";
    assert_eq!(module.line("next "), format!("next       {signal}"));
    assert!(said.contains(signal), "{said}");
    let readme = fs::read_to_string(desk.path().join("demo/README.md")).unwrap();
    assert!(readme.contains(signal), "{readme}");
    let world = r#"{"text":"World"}"#;
    let signal = ["run", "--quiet", "--", "signal", "demo-inner", "input", world, "--wait"];
    assert_eq!(cargo(&desk, &signal).ok(), "[(World)]\n");
    assert!(module.interrupt().success());

    let called = cargo(&desk, &["run", "--quiet", "--", "new", "other"]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.stderr.contains("unrecognized subcommand 'new'"), "{called:?}");
}

#[test]
fn a_new_crate_is_formatted_whatever_its_name() {
    let rustfmt = || Command::new("rustfmt");
    if !rustfmt().arg("--version").output().is_ok_and(|found| found.status.success()) {
        eprintln!("skipped: there is no rustfmt on the PATH");
        return;
    }
    let desk = Desk::new();
    for name in ["x", "demo", &"long-".repeat(9)[..44]] {
        desk.call(&["new", name]).ok();
        let mut check = rustfmt();
        check.args(["--check", "--edition", "2024", "src/main.rs"]);
        let checked: Called = check.current_dir(desk.path().join(name)).output().unwrap().into();
        assert_eq!(checked.ok(), "", "{name}");
    }
}

#[test]
fn a_new_crate_has_the_versions_of_the_repository() {
    let desk = Desk::new();
    desk.call(&["new", "demo"]).ok();
    let [ours, theirs] = [root(), desk.path().join("demo")]
        .map(|folder| fs::read_to_string(folder.join("Cargo.lock")).unwrap());
    assert_eq!(ours, theirs);
}

#[test]
fn a_crate_can_depend_on_git_and_take_an_empty_folder() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("demo")).unwrap();
    let said = desk.call(&["new", "demo", "--git", "https://x.test/tiny", "--rev", "abc"]).ok();
    let git = r#"tiny-runtime = { git = "https://x.test/tiny", rev = "abc" }"#;
    assert!(said.contains(&format!("depends    {git}")), "{said}");
    let manifest = fs::read_to_string(desk.path().join("demo/Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("\n{git}\n")), "{manifest}");
    assert!(manifest.contains("\n# tiny-runtime = { path = "), "{manifest}");
}

#[test]
fn a_name_that_no_crate_can_have() {
    let desk = Desk::new();
    for (name, advice) in [
        ("Demo", "say `new demo`"),
        ("1demo", "choose another"),
        ("../demo", "say `new demo`"),
        ("match", "it is a keyword of Rust; say `new match-module`"),
        ("test", "say `new test-module`"),
    ] {
        let said = refused(&desk, &["new", name]);
        let start = format!("`{name}` cannot be the name of a module's crate: ");
        assert!(said.starts_with(&start) && said.ends_with(advice), "{said}");
    }
}

#[test]
fn a_place_that_is_taken() {
    let desk = Desk::new();
    desk.file("file", "");
    assert_eq!(
        refused(&desk, &["new", "file"]),
        "`file` is there already and no folder; choose another name, or move it away"
    );
    fs::create_dir(desk.path().join("full")).unwrap();
    desk.file("full/note", "");
    assert_eq!(
        refused(&desk, &["new", "full"]),
        "folder `full` is there already and not empty; choose another name, or move it away"
    );
    assert_eq!(entries(&desk.path().join("full")), ["note"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    fs::set_permissions(desk.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::create_dir(desk.path().join("probe")).is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let said = refused(&desk, &["new", "demo"]);
    assert!(said.starts_with("cannot make `demo`: "), "{said}");
    assert!(said.ends_with("; go to a folder that you may write to"), "{said}");
}
