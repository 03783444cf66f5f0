//! Whether the tables of a file are those of its format, and nothing else is in it.
//!
//! A file may come from anywhere. A table can be a view over an endless query, a trigger runs on every write, and
//! SQLite executes both automatically. So the text of every object is compared before anything is read from one.

use std::path::Path;

use rusqlite::Connection;

use super::{Format, storage};
use crate::error::Error;

/// More objects than any format of this library has.
const MOST: usize = 64;

/// A table, index, view or trigger: type, name, table, text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SchemaObject {
    name: String,
    kind: String,
    table: String,
    sql: String,
}

/// Refuses a file that has other objects than `format`.
pub(super) fn check(path: &Path, connection: &Connection, format: &Format) -> Result<(), Error> {
    let failed = |error| storage(path, &error);
    let found = objects(connection).map_err(failed)?;
    let schema = format.schema().map_err(failed)?;
    let expected = objects(&schema).map_err(failed)?;
    if expected == found {
        return Ok(());
    }
    let what = match first_difference(&expected, &found) {
        Some((object, is_extra)) => {
            let (kind, name) = (&object.kind, &object.name);
            let how = if is_extra {
                "is not as"
            } else {
                "is missing that"
            };
            format!("the {kind} {name:?} {how} chatblock makes it")
        }
        None => "its tables are not those that chatblock makes".to_owned(),
    };
    Err(Error::storage(
        path,
        format!(
            "is no sound {} (format {}): {what}; another program changed the file, {}",
            format.name,
            format.version,
            super::restore(path)
        ),
    ))
}

/// The first object of either that the other has not; true when it is one of `found`.
fn first_difference<'a>(
    expected: &'a [SchemaObject],
    found: &'a [SchemaObject],
) -> Option<(&'a SchemaObject, bool)> {
    let extra = found.iter().find(|object| !expected.contains(object));
    let missing = expected.iter().find(|object| !found.contains(object));
    extra
        .map(|object| (object, true))
        .or_else(|| missing.map(|object| (object, false)))
}

/// Everything in a file, without running any of it.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<SchemaObject>> {
    let mut statement = connection.prepare(
        "SELECT name, type, tbl_name, ifnull(sql, '') FROM sqlite_schema ORDER BY rowid LIMIT ?1",
    )?;
    let rows = statement.query_map([MOST], |row| {
        let sql: String = row.get(3)?;
        Ok(SchemaObject {
            name: row.get(0)?,
            kind: row.get(1)?,
            table: row.get(2)?,
            sql: sql.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    })?;
    let mut objects = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    objects.sort();
    Ok(objects)
}
