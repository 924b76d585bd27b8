//! The flow as a whole; each component has its tests beside it.

use tiny_runtime::serde_json::json;
use tiny_runtime::testing::{Storm, test_file};

#[test]
fn the_flow_does_what_its_tests_say() {
    test_file("flow.test.yaml");
}

#[test]
fn the_flow_survives_a_storm() -> Result<(), String> {
    Storm::of_files(&["flow.yaml"])?
        .send("hello:input", |number| json!({"name": format!("Ada {number}")}))
        .settings("hello", [json!({"salutation": "Hi"}), json!({"salutation": 1})])
        .removes("show")
        .run(0..200);
    Ok(())
}
