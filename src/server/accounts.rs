//! The account calls that SDKs make before they block anybody. They are outside protocol.md: their
//! names are spelled here and nowhere else.

use serde::{Deserialize, Serialize};

use crate::api::codes::{BAD_JSON, NO_SUCH_COMMAND};
use crate::error::Error;
use crate::service::engine::Engine;
use crate::wire::{self, Refusal};

/// A member of an account call is missing or wrong.
const BAD_ACCOUNT_PARAMETER: i32 = 70402;
/// The account to delete does not exist.
const UNKNOWN_ACCOUNT: i32 = 70107;
/// Most accounts in one call.
const MOST_ACCOUNTS: usize = 100;

const IMPORTED: &str = "Imported";
const NOT_IMPORTED: &str = "NotImported";

/// One of the four account calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountCall {
    Import,
    ImportMany,
    Check,
    Delete,
}

impl AccountCall {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "account_import" => Some(Self::Import),
            "multiaccount_import" => Some(Self::ImportMany),
            "account_check" => Some(Self::Check),
            "account_delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct ImportBody {
    /// `Identifier` is the name of the editions before 2020.
    #[serde(rename = "UserID", alias = "Identifier")]
    account: String,
}

#[derive(Deserialize)]
struct ImportManyBody {
    #[serde(rename = "Accounts", default)]
    names: Vec<String>,
    #[serde(rename = "AccountList", default)]
    members: Vec<Named>,
}

#[derive(Deserialize)]
struct ManyBody {
    #[serde(rename = "CheckItem", alias = "DeleteItem")]
    accounts: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "UserID")]
    account: String,
}

#[derive(Serialize)]
struct ManyAnswer<'a> {
    #[serde(rename = "FailAccounts", skip_serializing_if = "Option::is_none")]
    failed: Option<Vec<&'a str>>,
    #[serde(rename = "ResultItem", skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemAnswer<'a>>>,
    #[serde(rename = "ActionStatus")]
    status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: i32,
    #[serde(rename = "ErrorInfo")]
    info: &'static str,
}

#[derive(Serialize)]
struct ItemAnswer<'a> {
    #[serde(rename = "UserID")]
    account: &'a str,
    #[serde(rename = "ResultCode")]
    code: i32,
    #[serde(rename = "ResultInfo")]
    info: &'static str,
    #[serde(rename = "AccountStatus", skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

/// The answer to `call`, and whether the engine's store was needed and failed.
///
/// # Errors
/// [`crate::Status::Storage`].
pub(super) fn answer(
    engine: Option<&Engine>,
    call: AccountCall,
    body: &[u8],
) -> Result<String, Error> {
    let Some(engine) = engine else {
        let why = "account calls are answered by the embedded backend only";
        return Ok(wire::write_envelope(NO_SUCH_COMMAND, why));
    };
    let outcome = match call {
        AccountCall::Import => import(engine, body),
        AccountCall::ImportMany => import_many(engine, body),
        AccountCall::Check => check(engine, body),
        AccountCall::Delete => delete(engine, body),
    };
    outcome.unwrap_or_else(|refusal| Ok(wire::write_envelope(refusal.code, &refusal.message)))
}

type Outcome = Result<Result<String, Error>, Refusal>;

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    wire::check_object(body)?;
    serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() {
            BAD_ACCOUNT_PARAMETER
        } else {
            BAD_JSON
        };
        refusal(
            code,
            "a member of the request is missing, twice, or of the wrong type",
        )
    })
}

fn refusal(code: i32, what: &str) -> Refusal {
    Refusal {
        code,
        message: what.to_owned(),
    }
}

fn import(engine: &Engine, body: &[u8]) -> Outcome {
    let ImportBody { account } = read(body)?;
    if let Some(fault) = engine.charset().fault(&account) {
        return Err(refusal(BAD_ACCOUNT_PARAMETER, &format!("UserID {fault}")));
    }
    let stored = engine.store().write(&mut |lists| lists.import(&account));
    Ok(stored.map(|()| wire::write_envelope(0, "")))
}

fn import_many(engine: &Engine, body: &[u8]) -> Outcome {
    let ImportManyBody { mut names, members } = read(body)?;
    names.extend(members.into_iter().map(|member| member.account));
    check_count(names.len())?;
    let (valid, invalid): (Vec<&str>, Vec<&str>) = names
        .iter()
        .map(String::as_str)
        .partition(|name| engine.charset().allows(name));
    let stored = engine
        .store()
        .write(&mut |lists| valid.iter().try_for_each(|name| lists.import(name)));
    Ok(stored.map(|()| write(Some(invalid), None)))
}

fn check(engine: &Engine, body: &[u8]) -> Outcome {
    let accounts = read_many(body)?;
    let mut items = Vec::with_capacity(accounts.len());
    let looked = engine.store().read(&mut |lists| {
        for Named { account } in &accounts {
            let fault = engine.charset().fault(account);
            let exists = fault.is_none() && engine.is_account(lists, account)?;
            items.push(ItemAnswer {
                account,
                code: fault.map_or(0, |_| BAD_ACCOUNT_PARAMETER),
                info: fault.unwrap_or_default(),
                status: Some(if exists { IMPORTED } else { NOT_IMPORTED }),
            });
        }
        Ok(())
    });
    Ok(looked.map(|()| write(None, Some(items))))
}

/// Deletes the accounts and their own lists; entries about them in the lists of others stay.
fn delete(engine: &Engine, body: &[u8]) -> Outcome {
    let accounts = read_many(body)?;
    let mut items = Vec::with_capacity(accounts.len());
    let stored = engine.store().write(&mut |lists| {
        for Named { account } in &accounts {
            let (code, info) = match engine.charset().fault(account) {
                Some(fault) => (BAD_ACCOUNT_PARAMETER, fault),
                None if engine.is_account(&*lists, account)? => (0, ""),
                None => (UNKNOWN_ACCOUNT, "is not imported"),
            };
            if code == 0 {
                lists.forget(account)?;
                if let Some(list) = lists.find(account)? {
                    lists.clear(&list)?;
                }
            }
            items.push(ItemAnswer {
                account,
                code,
                info,
                status: None,
            });
        }
        Ok(())
    });
    Ok(stored.map(|()| write(None, Some(items))))
}

fn read_many(body: &[u8]) -> Result<Vec<Named>, Refusal> {
    let ManyBody { accounts } = read(body)?;
    check_count(accounts.len())?;
    Ok(accounts)
}

fn check_count(count: usize) -> Result<(), Refusal> {
    if (1..=MOST_ACCOUNTS).contains(&count) {
        return Ok(());
    }
    let what = format!("{count} accounts in one call; 1 to {MOST_ACCOUNTS} are allowed");
    Err(refusal(BAD_ACCOUNT_PARAMETER, &what))
}

fn write<'a>(failed: Option<Vec<&'a str>>, items: Option<Vec<ItemAnswer<'a>>>) -> String {
    let answer = ManyAnswer {
        failed,
        items,
        status: "OK",
        code: 0,
        info: "",
    };
    serde_json::to_string(&answer).expect("strings and numbers always serialize")
}
