//! `include/chatblock.h` is what cbindgen makes of `src/ffi` today.

use std::path::Path;

#[test]
fn the_committed_header_is_the_generated_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is sound");
    let bindings = cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("src/ffi can be read");
    let mut generated = Vec::new();
    bindings.write(&mut generated);
    let generated = String::from_utf8(generated).expect("a header is text");

    let path = root.join("include/chatblock.h");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != generated {
        if std::env::var_os("CI").is_none() {
            std::fs::write(&path, &generated).expect("include/ can be written");
        }
        panic!(
            "include/chatblock.h was stale; outside CI it has been written anew: look at the diff"
        );
    }
}
