//! The drawings of the examples are those that `picture` makes of their flows. `BLESS=1` draws them again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use tiny_tests::{Desk, root};

/// Flows with the binary that draws them, from the root of the repository.
const FLOWS: [(&str, &str); 7] = [
    ("hello-module", "examples/hello-module/flow"),
    ("hello-module", "examples/hello-module/two-modules"),
    ("common-module", "examples/common-module/flow"),
    ("common-module", "examples/common-module/readings"),
    ("http-module", "examples/http-module/flow"),
    ("gateway", "examples/gateway/flow"),
    ("gateway", "examples/gateway/two-modules"),
];

#[test]
fn every_example_has_its_drawing() {
    for (module, flow) in FLOWS {
        let desk = Desk::of(module);
        let flow = root().join(flow);
        let drawing = flow.with_extension("svg");
        let drawn = desk.call(&["picture", flow.with_extension("yaml").to_str().unwrap()]).ok();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&drawing, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&drawing).unwrap_or_default();
        assert!(kept == drawn, "{} is old: BLESS=1 draws it again", drawing.display());
        let readme = std::fs::read_to_string(flow.with_file_name("README.md")).unwrap();
        let name = drawing.file_name().unwrap().to_str().unwrap();
        assert!(readme.contains(&format!("({name})")), "the README does not show {name}");
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let desk = Desk::new();
    let project =
        "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyProject\nmetadata:\n  name: p\n";
    let file = desk.file("p.yaml", project);
    let said = desk.call(&["picture", file.to_str().unwrap()]).refused();
    assert_eq!(said, "there is no TinyNode in these files, so there is nothing to draw");
}

#[test]
fn a_node_of_elsewhere_and_one_of_an_unknown_module_are_drawn_too() {
    let desk = Desk::new();
    let node = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata:\n  name: one\nspec:\n  module: other\n  component: x\n  \
                edges:\n  - { id: e, port: sent, to: 'away:taken' }\n";
    let file = desk.file("n.yaml", node);
    desk.call(&["picture", file.to_str().unwrap(), "--output", "n.svg"]).ok();
    let drawn = std::fs::read_to_string(desk.path().join("n.svg")).unwrap();
    for part in ["x of other", "elsewhere\"", ">away<", ">sent<", ">taken<", "<title>e</title>"] {
        assert!(drawn.contains(part), "no {part} in {drawn}");
    }
}
