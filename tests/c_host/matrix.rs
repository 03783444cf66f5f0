//! The NULL matrix: a C program with a call for every function and every pointer it takes, written from
//! the header, so that a new function cannot be forgotten.

use std::fmt::Write as _;

/// A prototype of the header.
pub struct Function {
    pub name: String,
    pub result: String,
    pub parameters: Vec<Parameter>,
}

pub struct Parameter {
    pub kind: String,
    pub name: String,
}

impl Parameter {
    fn is_pointer(&self) -> bool {
        self.kind.ends_with('*')
    }
}

/// Every function that `header` declares.
pub fn functions(header: &str) -> Vec<Function> {
    let declarations = without_comments(header);
    let prototypes = declarations
        .split("\nCHATBLOCK_API")
        .skip(1)
        .filter_map(|text| text.split_once(");"));
    prototypes
        .map(|(text, _)| function(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

fn without_comments(header: &str) -> String {
    let mut pieces = header.split("/*");
    let mut code = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        code += piece.split_once("*/").map_or("", |(_, rest)| rest);
    }
    code
}

fn function(prototype: &str) -> Function {
    let (head, parameters) = prototype.split_once('(').expect("a prototype");
    let head = parameter(head);
    Function {
        name: head.name,
        result: head.kind,
        parameters: parameters
            .split(", ")
            .filter(|text| *text != "void")
            .map(parameter)
            .collect(),
    }
}

/// Splits a declaration into type and name.
fn parameter(text: &str) -> Parameter {
    let end = text.trim_end().len();
    let start = text[..end]
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);
    Parameter {
        kind: text[..start].trim().to_owned(),
        name: text[start..end].to_owned(),
    }
}

/// A good value for a parameter.
pub fn good(function: &Function, parameter: &Parameter) -> String {
    match (parameter.kind.as_str(), parameter.name.as_str()) {
        ("const chatblock_client *", _) => "client".into(),
        // A function that takes its object gets a fresh one each time.
        ("chatblock_client *", _) => "fresh_client()".into(),
        ("const chatblock_result *", _) => "result".into(),
        ("chatblock_result *", _) => "chatblock_blocklist_get(client, \"ann\", 0, 1)".into(),
        ("chatblock_result **", _) => "&error".into(),
        ("const char *const *", _) => "targets".into(),
        ("int8_t *", _) => "answers".into(),
        ("uint32_t *", _) => "pairs".into(),
        ("size_t *", _) => "&unknown".into(),
        ("const char *", "config_json") => "GOOD_CONFIG".into(),
        ("const char *", "request_json") => "GOOD_REQUEST".into(),
        ("const char *", "command") => "\"black_list_get\"".into(),
        ("const char *", _) => "\"ann\"".into(),
        (kind, _) if !kind.ends_with('*') => format!("({kind})1"),
        (kind, name) => panic!(
            "{} takes {name} of type {kind}: say here what is good",
            function.name
        ),
    }
}

/// What replaces a good value: NULL for every pointer, for texts also what is not UTF-8.
fn bad(parameter: &Parameter) -> Vec<&'static str> {
    match parameter.kind.as_str() {
        // Bytes, and not a text.
        "const char *" if parameter.name == "body" => vec!["NULL"],
        "const char *" => vec!["NULL", "\"a\\xff\""],
        "const char *const *" => vec!["NULL", "holed", "garbled"],
        _ if parameter.is_pointer() => vec!["NULL"],
        _ => Vec::new(),
    }
}

/// The check around a call whose parameter `name` is bad: what a function answers depends on what it
/// returns (rules at the top of the header).
fn check(function: &Function, name: &str, call: &str) -> String {
    match function.result.as_str() {
        "void" => call.to_owned(),
        "chatblock_client *" if name == "out_error" => format!("opened({call})"),
        _ if name == "out_error" => format!("CHECK_NUMBER({call}, CHATBLOCK_OK)"),
        // These may be NULL, look only at the length of an account, or answer for each owner.
        _ if name == "out_unknown" => format!("CHECK_NUMBER({call}, 0)"),
        _ if looks_at_length_only(function, call) => format!("CHECK_NUMBER({call}, 0)"),
        "chatblock_client *" => format!("not_opened({call}, &error)"),
        // NULL says that nothing was taken, also here.
        _ if function.name == "chatblock_client_poll" => format!("CHECK({call} == NULL)"),
        "chatblock_result *" => format!("refused({call}, \"{name}\")"),
        "const char *" => format!("CHECK_TEXT({call}, \"\")"),
        _ if function.name == "chatblock_client_close" => {
            format!("CHECK_NUMBER({call}, CHATBLOCK_OK)")
        }
        "chatblock_status" if call.contains("&error") => {
            format!("not_accepted({call}, \"{name}\")")
        }
        "chatblock_status" => format!("CHECK_NUMBER({call}, CHATBLOCK_ERR_ARGUMENT)"),
        _ if function.name.starts_with("chatblock_result_") => format!("CHECK_NUMBER({call}, 0)"),
        _ => format!("CHECK_NUMBER({call}, CHATBLOCK_ERR_ARGUMENT)"),
    }
}

/// Whether what is bad in this call is a text on the hot path, or one owner of many.
fn looks_at_length_only(function: &Function, call: &str) -> bool {
    let name = function.name.as_str();
    (name.contains("_blocked") && (call.contains("\\xff") || call.contains("garbled")))
        || (name == "chatblock_client_is_blocked_many" && call.contains("holed"))
}

/// What the program is and how much it does.
pub struct Matrix {
    pub source: String,
    pub functions: usize,
    pub pointers: usize,
    pub calls: usize,
}

/// The program for `header`; `matrix.h` has the checks it uses.
pub fn write(header: &str) -> Matrix {
    let functions = functions(header);
    let (mut body, mut pointers, mut calls) = (String::new(), 0, 0);
    for function in &functions {
        pointers += function
            .parameters
            .iter()
            .filter(|one| one.is_pointer())
            .count();
        for (position, parameter) in function.parameters.iter().enumerate() {
            for bad in bad(parameter) {
                let arguments: Vec<_> = (0..)
                    .zip(&function.parameters)
                    .map(|(at, one)| {
                        if at == position {
                            bad.to_owned()
                        } else {
                            good(function, one)
                        }
                    })
                    .collect();
                let call = format!("{}({})", function.name, arguments.join(", "));
                let check = check(function, &parameter.name, &call);
                writeln!(body, "    KEEPS_ERRNO({check});").expect("a String takes everything");
                calls += 1;
            }
        }
    }
    Matrix {
        source: format!(
            "#include \"matrix.h\"\n\nint main(void)\n{{\n    begin();\n{body}    return end();\n}}\n"
        ),
        functions: functions.len(),
        pointers,
        calls,
    }
}
