//! The chart holds what the types say.

use std::{collections::BTreeSet, fs, path::PathBuf};

use tiny_crds::manifest;

fn templates() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts/tiny-crds/templates")
}

/// What people write by hand beside them.
const BY_HAND: [&str; 3] = ["NOTES.txt", "_helpers.tpl", "aggregate.yaml"];

/// Run with `BLESS=1` to write the files anew.
#[test]
fn crds_in_charts_are_current() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut expected = BTreeSet::from(BY_HAND.map(str::to_owned));
    for mut crd in manifest::crds() {
        let file = format!("crd-{}.yaml", crd.spec.names.plural);
        let keep = ("helm.sh/resource-policy".to_owned(), "keep".to_owned());
        crd.metadata.annotations.get_or_insert_default().extend([keep]);
        let text = manifest::document(&crd);
        assert!(!text.contains("{{"), "{file}: Helm would read this as a template");
        let path = templates().join(&file);
        if bless {
            fs::write(&path, &text).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == text, "{file} is not current: run this test with BLESS=1");
        expected.insert(file);
    }
    let found: BTreeSet<_> = fs::read_dir(templates())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
}
