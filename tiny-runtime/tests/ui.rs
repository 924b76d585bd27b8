//! What an author reads when something is wrong, word for word. `TRYBUILD=overwrite` writes it anew.

#[test]
fn every_mistake_is_one_plain_sentence_at_the_authors_line() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
