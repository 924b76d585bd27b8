//! The code of the wire is that of `proto/module.proto`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;

use prost::Message;
use tiny_tests::root;

/// What a folder of protocols gives as code. Needs no installed protoc.
fn generated(folder: PathBuf, file: &str) -> (Vec<u8>, Vec<u8>) {
    let descriptors = protox::compile([file], [folder]).unwrap();
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
    (fs::read(out.path().join("module.rs")).unwrap(), bare.encode_to_vec())
}

/// `BLESS=1` writes the file instead of comparing it.
fn assert_fresh(path: &str, fresh: Vec<u8>) {
    let path = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, fresh).unwrap();
    } else {
        let stands = fs::read(&path).unwrap();
        assert!(stands == fresh, "{path:?} is not what its protocol says: run `just bless`");
    }
}

#[test]
fn generated_code_is_fresh() {
    let (code, descriptors) = generated(root().join("proto"), "module.proto");
    assert_fresh("tiny-runtime/src/wire/proto/module.rs", code);
    assert_fresh("tiny-runtime/src/wire/proto/module.bin", descriptors);
}

/// Tests talk to older modules as these were generated.
#[test]
fn generated_code_of_the_first_version_is_fresh() {
    let (code, _) = generated(root().join("tests/fixtures"), "seed.proto");
    assert_fresh("tiny-runtime/tests/wire/seed/module.rs", code);
}
