//! The code of the wire is that of `proto/module.proto`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use prost::Message;
use tiny_tests::root;

/// `BLESS=1` writes the files instead of comparing them. Neither needs an installed protoc.
#[test]
fn generated_code_is_fresh() {
    let descriptors = protox::compile(["module.proto"], [root().join("proto")]).unwrap();
    let mut bare = descriptors.clone();
    for file in &mut bare.file {
        // Comments, which reflection does not tell.
        file.source_code_info = None;
    }
    let out = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .bytes(".")
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)
        .unwrap();
    let code = fs::read(out.path().join("module.rs")).unwrap();
    let folder = root().join("tiny-runtime/src/wire/proto");
    for (name, fresh) in [("module.rs", code), ("module.bin", bare.encode_to_vec())] {
        let path = folder.join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, fresh).unwrap();
        } else {
            let stands = fs::read(&path).unwrap();
            assert!(
                stands == fresh,
                "{name} is not what proto/module.proto says: run `just bless`"
            );
        }
    }
}
