//! Bodies and responses of the account calls, which SDKs make before they block accounts. These calls are outside
//! docs/protocol.md; only the fields that those SDKs send and read are here.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use chatblock::api::codes::BAD_JSON;
use chatblock::wire::{Object, Refusal, check_object};

/// A member of an account call is missing or wrong.
pub const BAD_ACCOUNT_PARAMETER: i32 = 70402;
/// Most accounts in one call.
pub const MOST_ACCOUNTS: usize = 100;

const IMPORTED: &str = "Imported";
const NOT_IMPORTED: &str = "NotImported";

#[derive(Deserialize)]
struct ImportBody {
    /// `Identifier` is its older name.
    #[serde(rename = "UserID", alias = "Identifier")]
    account: String,
}

#[derive(Deserialize)]
struct ImportManyBody {
    #[serde(rename = "Accounts", default)]
    names: Vec<String>,
    #[serde(rename = "AccountList", default)]
    members: Vec<Object<Named>>,
}

#[derive(Deserialize)]
struct ManyBody {
    #[serde(rename = "CheckItem", alias = "DeleteItem")]
    accounts: Vec<Object<Named>>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "UserID")]
    account: String,
}

/// The result for one account of a check or a deletion.
pub struct AccountItem<'a> {
    /// The account.
    pub account: &'a str,
    /// 0, or why not.
    pub code: i32,
    /// The cause; empty on success.
    pub info: &'a str,
    /// Check only: whether it was imported.
    pub is_imported: Option<bool>,
}

#[derive(Serialize)]
struct AccountsAnswer<'a> {
    #[serde(rename = "FailAccounts", skip_serializing_if = "Option::is_none")]
    failed: Option<&'a [&'a str]>,
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
    info: &'a str,
    #[serde(rename = "AccountStatus", skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

/// The account of an `account_import`.
pub fn parse_import(body: &[u8]) -> Result<String, Refusal> {
    parse(body).map(|ImportBody { account }| account)
}

/// The accounts of a `multiaccount_import`, at most 100.
pub fn parse_import_many(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let ImportManyBody { mut names, members } = parse(body)?;
    names.extend(members.into_iter().map(|Object(member)| member.account));
    check_count(names)
}

/// The accounts of an `account_check` or `account_delete`, at most 100.
pub fn parse_many(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let ManyBody { accounts } = parse(body)?;
    let names = accounts.into_iter().map(|Object(member)| member.account);
    check_count(names.collect())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    check_object(None, body)?;
    let parsed = serde_json::from_slice(body).map(|Object(body)| body);
    parsed.map_err(|error: serde_json::Error| Refusal {
        code: if error.is_data() {
            BAD_ACCOUNT_PARAMETER
        } else {
            BAD_JSON
        },
        message: "a member of the request is missing, twice, or of the wrong type".to_owned(),
    })
}

fn check_count(accounts: Vec<String>) -> Result<Vec<String>, Refusal> {
    let count = accounts.len();
    if (1..=MOST_ACCOUNTS).contains(&count) {
        return Ok(accounts);
    }
    Err(Refusal {
        code: BAD_ACCOUNT_PARAMETER,
        message: format!("{count} accounts in one call; 1 to {MOST_ACCOUNTS} are allowed"),
    })
}

/// The answer to `multiaccount_import`: the accounts that were not imported.
pub fn write_failed(failed: &[&str]) -> String {
    write(Some(failed), None)
}

/// The answer to `account_check` and `account_delete`.
pub fn write_items(items: &[AccountItem]) -> String {
    let items = items.iter().map(|item| ItemAnswer {
        account: item.account,
        code: item.code,
        info: item.info,
        status: item
            .is_imported
            .map(|yes| if yes { IMPORTED } else { NOT_IMPORTED }),
    });
    write(None, Some(items.collect()))
}

fn write(failed: Option<&[&str]>, items: Option<Vec<ItemAnswer>>) -> String {
    let answer = AccountsAnswer {
        failed,
        items,
        status: "OK",
        code: 0,
        info: "",
    };
    serde_json::to_string(&answer).expect("strings and numbers always serialize")
}
