//! Files that somebody else has made or changed: nothing in them is run.

use std::fs;

use crate::place::{KINDS, Kind, Place, foreign};

/// Changes a file that nobody has open.
fn change(place: &Place, sql: &str) {
    let file = foreign(&place.file());
    file.execute_batch(sql).expect(sql);
    file.close().expect("closed");
}

fn made(kind: Kind) -> Place {
    let place = Place::new(kind);
    let client = place.open();
    place.keep(&client, &["a1"]);
    drop(client);
    place
}

#[test]
fn an_object_that_does_not_belong_there_is_refused_by_name_and_never_run() {
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT i AS id, '' AS command, '' AS owner, '' AS targets, 0 AS accepted FROM n";
    let table = |kind| match kind {
        Kind::Store => "imported",
        Kind::Outbox => "writes",
    };
    let cases = |table: &str| {
        [
            ("an extra view", format!("CREATE VIEW stray AS {endless}")),
            (
                "a view in the place of a table",
                format!("ALTER TABLE {table} RENAME TO stray; CREATE VIEW {table} AS {endless}"),
            ),
            (
                "a trigger",
                format!(
                    "CREATE TRIGGER stray AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END"
                ),
            ),
            ("an extra table", "CREATE TABLE stray (a)".to_owned()),
            (
                "an index",
                format!("CREATE INDEX stray ON {table} (hex(zeroblob(1)))"),
            ),
            (
                "another column",
                format!("ALTER TABLE {table} ADD COLUMN stray TEXT"),
            ),
        ]
    };
    for kind in KINDS {
        for (what, sql) in cases(table(kind)) {
            let place = made(kind);
            change(&place, &sql);
            let before = fs::read(place.file()).expect("the file");
            let message = place.refusal();
            let named =
                message.contains("\"stray\"") || message.contains(&format!("{:?}", table(kind)));
            assert!(named, "{kind:?}: {what}: {message}");
            assert!(message.contains("another program changed"), "{message}");
            assert_eq!(fs::read(place.file()).expect("the file"), before, "{what}");
        }
    }
}

#[test]
fn a_missing_table_is_refused_by_name() {
    for kind in KINDS {
        let place = made(kind);
        let (table, sql) = match kind {
            Kind::Store => ("imported", "DROP TABLE imported"),
            Kind::Outbox => ("app", "DROP TABLE app"),
        };
        change(&place, sql);
        let message = place.refusal();
        assert!(message.contains(&format!("{table:?}")), "{message}");
    }
}

#[test]
fn a_check_of_a_stranger_is_not_evaluated() {
    // SQLite's own check of a file evaluates it for every row.
    let place = made(Kind::Store);
    change(
        &place,
        "DROP TABLE imported; CREATE TABLE imported (account TEXT CHECK (abs(-9223372036854775807 - 1)))",
    );
    let message = place.refusal();
    assert!(message.contains("\"imported\""), "{message}");
}
