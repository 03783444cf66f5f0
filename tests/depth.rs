//! The three depths of the tests: they are ordered, and a value that names none is an error.

use std::process::Command;

use testkit::Depth;

#[test]
fn each_depth_has_a_name_and_they_are_ordered() {
    let parse = |text| Depth::parse(text).expect("a depth");
    assert_eq!(parse(None), Depth::Quick);
    assert_eq!(parse(Some("")), Depth::Quick);
    assert_eq!(parse(Some("quick")), Depth::Quick);
    assert!(parse(Some("quick")) < parse(Some("full")));
    assert!(parse(Some("full")) < parse(Some("deep")));
    assert_eq!(Depth::Deep.pick(1, 2, 3), 3);
}

#[test]
fn a_value_that_names_no_depth_is_an_error() {
    for wrong in ["ful", "FULL", "1", "full "] {
        let message = Depth::parse(Some(wrong)).expect_err(wrong);
        assert!(message.contains(&format!("\"{wrong}\"")), "{message}");
        assert!(message.contains("quick, full or deep"), "{message}");
    }
}

/// Before anything is built.
#[test]
fn make_refuses_a_value_that_names_no_depth() {
    if !testkit::has_tool("depth", "make") {
        return;
    }
    for (value, is_fine) in [
        ("quick", true),
        ("full", true),
        ("deep", true),
        ("ful", false),
    ] {
        let output = Command::new("make")
            .arg("depth")
            .current_dir(testkit::root())
            .env("CHATBLOCK_TEST", value)
            .output()
            .expect("make starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_fine, "{value}: {said}");
        assert_eq!(said.contains("quick, full or deep"), !is_fine, "{said}");
    }
}
