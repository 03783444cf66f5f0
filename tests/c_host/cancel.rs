//! The program about `pthread_cancel()`: a call of every function by a thread with a cancellation pending, written from
//! the header, so that a new function cannot be forgotten.

use std::fmt::Write as _;

use crate::matrix::{Function, functions, good};

/// The program for `header`; `cancel.h` has what it uses.
pub fn write(header: &str) -> String {
    let (mut bodies, mut calls) = (String::new(), String::new());
    for function in functions(header) {
        let (name, call) = (&function.name, call(&function));
        writeln!(bodies, "CANCELLED({name}, {call})").expect("a String takes everything");
        writeln!(calls, "    cancelled(in_{name}, \"{name}\");")
            .expect("a String takes everything");
    }
    format!(
        "#include \"cancel.h\"\n\n{bodies}\nstatic void all(void)\n{{\n{calls}}}\n\nint main(void)\n{{\n    return in_every_backend(all, in_chatblock_blocklist_add_async);\n}}\n"
    )
}

/// A call with good values; what it gives to its caller is kept, to be freed after the thread has ended.
fn call(function: &Function) -> String {
    let parameters = function.parameters.iter();
    let arguments: Vec<_> = parameters.map(|one| good(function, one)).collect();
    let keep = match function.result.as_str() {
        "chatblock_result *" => "given = ",
        "chatblock_client *" => "opened = ",
        "void" => "",
        _ => "(void)",
    };
    format!("{keep}{}({})", function.name, arguments.join(", "))
}
