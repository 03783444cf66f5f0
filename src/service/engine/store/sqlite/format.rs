//! The tables of the durable store.

use crate::sqlite::Format;

/// The file of the durable store; its mark is "cblk".
pub(crate) const FORMAT: Format = Format {
    name: "store",
    application_id: 0x6362_6c6b,
    version: 4,
    tables: "
    -- Who blocks whom: time is Unix seconds, position orders the list of an owner, and sequence is that of the list
    -- after the request that added the pair.
    CREATE TABLE pairs (
        owner TEXT NOT NULL,
        target TEXT NOT NULL,
        time INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (owner, target)
    ) STRICT, WITHOUT ROWID;
    -- Of owners whose last change removed a pair; the sequence of a list is the highest that it has in either table.
    CREATE TABLE sequences (
        owner TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    shrinks: true,
    checked_up_to: u64::MAX,
};
