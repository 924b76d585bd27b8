//! The files of a new crate.

use super::name::Name;

const FILES: [(&str, &str); 9] = [
    ("Cargo.toml", include_str!("Cargo.toml.txt")),
    ("src/main.rs", include_str!("main.rs.txt")),
    ("src/@snake@.rs", include_str!("component.rs.txt")),
    ("flow.yaml", include_str!("flow.yaml.txt")),
    ("flow.test.yaml", include_str!("flow.test.yaml.txt")),
    ("flow.schema.json", include_str!("flow.schema.json.txt")),
    ("README.md", include_str!("README.md.txt")),
    (".gitignore", include_str!("gitignore.txt")),
    (".github/workflows/ci.yml", include_str!("ci.yml.txt")),
];

/// Path and text of each file; `dependency` is what stands under `[workspace.dependencies]`.
pub(super) fn files(name: &Name, dependency: &str) -> Vec<(String, String)> {
    let filled = |text: &str| {
        // The dependency comes last: it holds a path, in which anything may stand.
        text.replace("@name@", name.as_str())
            .replace("@Name@", &name.camel())
            .replace("@snake@", &name.snake())
            .replace("@rust@", env!("CARGO_PKG_RUST_VERSION"))
            .replace("@dependency@", dependency)
    };
    FILES.iter().map(|(path, text)| (filled(path), filled(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::documents;

    fn rendered(name: &str) -> Vec<(String, String)> {
        files(&Name::parse(name).unwrap(), "tiny-runtime = \"0\"")
    }

    #[test]
    fn every_place_is_filled() {
        let open = regex::Regex::new("@[A-Za-z]+@").unwrap();
        for (path, text) in rendered("my-demo") {
            assert!(!open.is_match(&path), "{path}");
            assert!(!open.is_match(&text), "{path}: {text}");
        }
    }

    #[test]
    fn the_component_is_named_after_the_crate() {
        let files = rendered("my-demo");
        let (path, text) = &files[2];
        assert_eq!(path, "src/my_demo.rs");
        assert!(text.contains("#[component(name = \"my-demo\")]"), "{text}");
        assert!(text.contains("pub struct MyDemo {"), "{text}");
        assert!(files[1].1.contains("mod my_demo;"), "{}", files[1].1);
    }

    #[test]
    fn the_flow_holds_objects_of_our_kinds_also_with_the_longest_name() {
        for name in ["x", &"a".repeat(48)] {
            let desk = tempfile::tempdir().unwrap();
            let file = desk.path().join("flow.yaml");
            std::fs::write(&file, &rendered(name)[3].1).unwrap();
            let read = documents::read(&[file]).unwrap();
            let titles: Vec<_> = read.iter().map(documents::Document::title).collect();
            let [inner, outer] = ["inner", "outer"].map(|end| format!("node {name}-{end}"));
            assert_eq!(titles, [format!("project {name}"), format!("flow {name}"), inner, outer]);
        }
    }
}
