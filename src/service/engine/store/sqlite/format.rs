//! The tables of the durable store, in every version that there was.

use crate::sqlite::Format;

/// The file of the durable store; its mark is "cblk".
pub(crate) const FORMAT: Format = Format {
    name: "store",
    application_id: 0x6362_6c6b,
    version: 3,
    tables: "
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- lines has one line for each entry: Unix seconds, a tab, the account. Oldest first, as are rows.
    CREATE TABLE lists (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    -- What is not in lists yet: a row for each call, in order, with the counters of the owner after it. lines has one
    -- line for each change: that of lists, or a minus, a tab, the account that was removed.
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL REFERENCES owners (id),
        sequence INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        lines TEXT NOT NULL
    ) STRICT;
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    earlier: &[TABLES_1, TABLES_2],
    // Format 1 had a row for each entry. SQLite keeps the order of a subquery for group_concat. An upgrade makes the
    // tables of its own version, whatever those of later versions are: so they stand here again.
    upgrades: &["
    CREATE TABLE lists (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO lists (owner, position, lines)
        SELECT owner, position / 20, group_concat(added || char(9) || account || char(10), '')
        FROM (SELECT * FROM entries ORDER BY owner, position)
        GROUP BY owner, position / 20;
    DROP TABLE entries;
    ALTER TABLE owners DROP COLUMN next_position;
","
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL REFERENCES owners (id),
        sequence INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        lines TEXT NOT NULL
    ) STRICT;
"],
    checked_up_to: u64::MAX,
};

const TABLES_1: &str = "
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0,
        next_position INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE entries (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        account TEXT NOT NULL,
        added INTEGER NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX entries_by_account ON entries (owner, account);
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
";

const TABLES_2: &str = "
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE lists (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
";
