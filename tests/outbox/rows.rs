//! Rows of the file that somebody else has made.

use rusqlite::Connection;

use super::*;

fn sql(place: &Place, sql: &str) {
    let connection = Connection::open(place.file()).expect("the file");
    connection.execute_batch(sql).expect("sound SQL");
}

/// Number and reason of each row that is set aside.
fn set_aside(place: &Place) -> Vec<(i64, String)> {
    let connection = Connection::open(place.file()).expect("the file");
    let mut marks = connection
        .prepare("SELECT id, reason FROM dead_letters JOIN writes USING (id) ORDER BY id")
        .expect("the table");
    let marks = marks.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    marks
        .expect("rows")
        .map(|mark| mark.expect("a row"))
        .collect()
}

#[test]
fn rows_that_are_no_writes_are_set_aside_and_named_and_the_others_are_sent() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 1).expect("accepted");
    });
    sql(
        &place,
        "INSERT INTO writes (id, command, owner, targets, accepted) VALUES
         (-5, 'black_list_add', 'ann', 'bob', 0),
         (100, 'black_list_add', '', 'bob', 0),
         (101, 'black_list_add', 'ann', '', 0),
         (102, 'black_list_add', 'ann', printf('%.*c', 5000, 'x'), 0),
         (103, 'black_list_add', printf('%.*c', 5000, 'x'), 'bob', 0),
         (104, 'black_list_add', 'ann', 'bob' || char(10) || 'c' || char(7), 0),
         (105, 'black_list_check', 'ann', 'bob', 0),
         (106, 'DROP TABLE', 'ann', 'bob', 0),
         (107, 'black_list_add', 'a' || char(10), 'bob', 0),
         (108, 'black_list_add', 'ann', 'bob' || char(10), 0),
         (109, 'black_list_add', CAST(x'ff' AS TEXT), 'bob', 0),
         (9223372036854775807, 'black_list_add', 'ann', 'bob', 0)",
    );
    let server = FaultServer::plain(vec![done(&["bob"]), done(&["cat"])]);
    let mut config = place.config(&server.base_url());
    let log = place.folder.path().join("log");
    config["log"] = json!({"to": log});
    for open_again in [false, true] {
        let client = open(&config).expect("the rest is sound");
        assert_eq!(client.flush(SOON), Status::Ok);
        if !open_again {
            assert_eq!(client.add("ann", &["cat"]).status(), Status::Ok);
        }
        assert_eq!(client.sync(SOON), Status::Ok);
        let outbox = client.stats().outbox.expect("an outbox");
        assert_eq!((outbox.writes, outbox.bad_rows), (0, 12));
        assert_eq!(client.close(SOON), Status::Ok);
    }
    let expected = [
        write("black_list_add", "ann", r#"["bob"]"#),
        write("black_list_add", "ann", r#"["cat"]"#),
    ];
    assert_eq!(arrived(&server), expected);
    let log = fs::read_to_string(log).expect("the log");
    let marks = set_aside(&place);
    assert_eq!(marks.len(), 12);
    for (id, reason) in marks {
        assert!(log.contains(&format!("row {id} ")), "{log}");
        assert!(log.contains(&reason), "{log}");
    }
}

#[test]
fn a_file_that_does_not_name_one_app_is_refused() {
    for change in [
        "INSERT INTO app (sdkappid) VALUES (7)",
        "DELETE FROM app",
        "UPDATE app SET sdkappid = -1",
    ] {
        let place = Place::new();
        leave(&place, |client| {
            client.add_async("ann", &["bob"], 1).expect("accepted");
        });
        sql(&place, change);
        let message = refused(&place.config(NOWHERE), &place.file());
        assert!(message.contains("app"), "{message}");
    }
}

#[test]
fn a_file_of_an_older_format_is_refused_and_untouched() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 1).expect("accepted");
    });
    sql(
        &place,
        "DROP TABLE dead_letters; PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)",
    );
    let before = std::fs::read(place.file()).expect("the file");
    let message = refused(&place.config(NOWHERE), &place.file());
    assert!(message.contains("an earlier chatblock"), "{message}");
    assert!(message.contains("format 1, this one reads 2"), "{message}");
    assert_eq!(std::fs::read(place.file()).expect("the file"), before);
}
