//! What the README shows is what the examples say: its Rust, line by line, stands in a file that is compiled and tested.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

/// The Rust listings of a page.
fn listings(page: &str) -> Vec<Vec<&str>> {
    let mut listings = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line.starts_with("```rust")) {
        let listing: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        listings.push(listing);
    }
    listings
}

/// The first line that does not follow the ones before it in `source`; listings may leave lines out.
fn first_stray<'a>(listing: &[&'a str], source: &str) -> Option<&'a str> {
    let mut source = source.lines().map(str::trim);
    let mut lines = listing.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    lines.find(|line| !source.any(|other| other == *line))
}

#[test]
fn the_rust_of_the_readme_is_that_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let hello = fs::read_to_string(root.join("examples/hello-module/src/hello.rs")).unwrap();
    let listings = listings(&readme);
    assert_eq!(listings.len(), 2, "a component and its test: {listings:#?}");
    for listing in listings {
        assert_eq!(first_stray(&listing, &hello), None, "{}", listing.join("\n"));
    }
}

#[test]
fn a_listing_that_differs_is_seen() {
    let page = "a\n```rust,ignore\nlet a = 1;\nlet c = 3;\n```\n";
    let listings = listings(page);
    assert_eq!(first_stray(&listings[0], "let a = 1;\nlet b = 2;\n  let c = 3;"), None);
    assert_eq!(first_stray(&listings[0], "let c = 3;\nlet a = 1;"), Some("let c = 3;"));
}
