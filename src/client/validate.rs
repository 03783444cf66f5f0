//! Validates the arguments of a call: a request, or the error that names the argument.

use super::reply::Reply;
use crate::api::codes::BAD_JSON;
use crate::api::{Charset, Command, MAX_PER_CALL, Operation, Request};
use crate::error::{Error, Status};
use crate::wire;

/// Most targets of one typed call; longer lists are a mistake more often than a wish.
pub const MAX_TARGETS: usize = 100_000;

/// A call that did not become a request: nothing was accepted or sent.
pub(super) struct RefusedArguments {
    command: Option<Command>,
    owner: String,
    pub(super) error: Error,
}

impl From<RefusedArguments> for Reply {
    fn from(refused: RefusedArguments) -> Self {
        Self::failed(refused.command, &refused.owner, &refused.error)
    }
}

/// How a caller calls the two members that hold identifiers.
struct Names {
    owner: &'static str,
    targets: &'static str,
    status: Status,
}

const TYPED: Names = Names {
    owner: "owner",
    targets: "targets",
    status: Status::Argument,
};

const JSON: Names = Names {
    owner: "From_Account",
    targets: "To_Account",
    status: Status::Request,
};

/// The request of a typed call: 1 to 100,000 targets, or a page of 1 to 1000 entries.
pub(super) fn typed(
    charset: Charset,
    owner: &str,
    operation: Operation,
) -> Result<Request, RefusedArguments> {
    let request = Request {
        owner: owner.into(),
        operation,
    };
    let error = match &request.operation {
        Operation::Get { limit, .. } => {
            let fits = (1..=MAX_PER_CALL).contains(&(*limit as usize));
            (!fits).then(|| {
                Error::argument("limit", format!("is {limit}, outside 1 to {MAX_PER_CALL}"))
            })
        }
        Operation::Add(targets) | Operation::Delete(targets) | Operation::Check(targets, _) => {
            let count = targets.len();
            let fits = (1..=MAX_TARGETS).contains(&count);
            (!fits).then(|| {
                Error::argument("count", format!("is {count}, outside 1 to {MAX_TARGETS}"))
            })
        }
    };
    match error.or_else(|| fault(charset, &request, &TYPED)) {
        None => Ok(request),
        Some(error) => Err(RefusedArguments {
            command: Some(request.command()),
            owner: request.owner.to_string(),
            error,
        }),
    }
}

/// The request of a call in the service's own JSON: at most 1000 targets, as the service would.
pub(super) fn json(
    charset: Charset,
    command: &str,
    request_json: &str,
) -> Result<Request, RefusedArguments> {
    let refused = |command, error| RefusedArguments {
        command,
        owner: String::new(),
        error,
    };
    let Some(command) = Command::from_name(command) else {
        let names = Command::ALL.map(Command::name).join(", ");
        return Err(refused(
            None,
            Error::argument("command", format!("must be one of {names}")),
        ));
    };
    let request = parse_json(charset, command, request_json).map_err(|message| {
        let message = format!("{message}; nothing was sent");
        refused(Some(command), Error::new(Status::Request, message))
    })?;
    match fault(charset, &request, &JSON) {
        None => Ok(request),
        Some(error) => Err(refused(Some(command), error)),
    }
}

/// The request, or what is wrong with its JSON. A member that is unknown goes before one that is missing: it may be the
/// same one, misspelt.
fn parse_json(charset: Charset, command: Command, request_json: &str) -> Result<Request, String> {
    let parsed = wire::parse_request(command, request_json.as_bytes(), charset);
    if let Err(refusal) = &parsed
        && refusal.code == BAD_JSON
    {
        return Err(refusal.message.clone());
    }
    if let Some(name) = wire::unknown_member(command, request_json) {
        return Err(unknown_member(command, &name));
    }
    parsed.map_err(|refusal| format!("request member {}", refusal.message))
}

/// Longest name of a member that a message repeats, in characters.
const LONGEST_NAME: usize = 64;

fn unknown_member(command: Command, name: &str) -> String {
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    format!(
        "request member {} is unknown: {} has {}",
        shown.escape_debug(),
        command.name(),
        wire::member_names(command).join(", ")
    )
}

/// A call with an invalid identifier is refused whole: it is the caller's mistake.
fn fault(charset: Charset, request: &Request, names: &Names) -> Option<Error> {
    let error =
        |name: &str, fault| Error::new(names.status, format!("{name} {fault}; nothing was sent"));
    if let Some(fault) = charset.fault(&request.owner) {
        return Some(error(names.owner, fault));
    }
    let mut targets = request.targets().iter().enumerate();
    targets.find_map(|(index, target)| {
        let fault = charset.fault(target)?;
        Some(error(&format!("{}[{index}]", names.targets), fault))
    })
}
