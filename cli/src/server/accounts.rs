//! The account calls, executed by the engine.

use super::account_json::{self, AccountItem, BAD_ACCOUNT_PARAMETER};
use chatblock::api::codes::NO_SUCH_COMMAND;
use chatblock::error::Error;
use chatblock::service::engine::Engine;
use chatblock::wire::{self, Refusal};

/// The account to delete does not exist.
const UNKNOWN_ACCOUNT: i32 = 70107;

/// One of the four account calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountCall {
    Import,
    ImportMany,
    Check,
    Delete,
}

impl AccountCall {
    pub(super) const ALL: [Self; 4] = [Self::Import, Self::ImportMany, Self::Check, Self::Delete];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Import => "account_import",
            Self::ImportMany => "multiaccount_import",
            Self::Check => "account_check",
            Self::Delete => "account_delete",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }
}

/// What the store said, or the refusal that kept it from being asked.
pub(super) type Outcome = Result<Result<String, Error>, Refusal>;

/// The answer to `call`. Without an engine the accounts are those of a remote service, which has its
/// own calls for them.
pub(super) fn answer(engine: Option<&Engine>, call: AccountCall, body: &[u8]) -> Outcome {
    let Some(engine) = engine else {
        return Err(Refusal {
            code: NO_SUCH_COMMAND,
            message: "account calls are answered by the embedded backend only".to_owned(),
        });
    };
    match call {
        AccountCall::Import => import(engine, body),
        AccountCall::ImportMany => import_many(engine, body),
        AccountCall::Check => check(engine, body),
        AccountCall::Delete => delete(engine, body),
    }
}

fn import(engine: &Engine, body: &[u8]) -> Outcome {
    let account = account_json::parse_import(body)?;
    if let Some(fault) = engine.charset().fault(&account) {
        return Err(Refusal {
            code: BAD_ACCOUNT_PARAMETER,
            message: format!("UserID {fault}"),
        });
    }
    let stored = engine.store().write(&mut |lists| lists.import(&account));
    Ok(stored.map(|()| wire::write_envelope(0, "")))
}

fn import_many(engine: &Engine, body: &[u8]) -> Outcome {
    let names = account_json::parse_import_many(body)?;
    let (valid, invalid): (Vec<&str>, Vec<&str>) = names
        .iter()
        .map(String::as_str)
        .partition(|name| engine.charset().allows(name));
    let stored = engine
        .store()
        .write(&mut |lists| valid.iter().try_for_each(|name| lists.import(name)));
    Ok(stored.map(|()| account_json::write_failed(&invalid)))
}

fn check(engine: &Engine, body: &[u8]) -> Outcome {
    let names = account_json::parse_many(body)?;
    let mut items = Vec::with_capacity(names.len());
    let looked = engine.store().read(&mut |lists| {
        for account in &names {
            let fault = engine.charset().fault(account);
            items.push(AccountItem {
                account,
                code: fault.map_or(0, |_| BAD_ACCOUNT_PARAMETER),
                info: fault.unwrap_or_default(),
                is_imported: Some(fault.is_none() && engine.is_account(lists, account)?),
            });
        }
        Ok(())
    });
    Ok(looked.map(|()| account_json::write_items(&items)))
}

/// Deletes the accounts and their own lists; entries about them in the lists of others stay.
fn delete(engine: &Engine, body: &[u8]) -> Outcome {
    let names = account_json::parse_many(body)?;
    let mut items = Vec::with_capacity(names.len());
    let stored = engine.store().write(&mut |lists| {
        for account in &names {
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
            items.push(AccountItem {
                account,
                code,
                info,
                is_imported: None,
            });
        }
        Ok(())
    });
    Ok(stored.map(|()| account_json::write_items(&items)))
}
