//! The query of a request line (docs/protocol.md 1.1 and section 10, rows 3 and 4).

use std::borrow::Cow;

use chatblock::api::codes::{BAD_QUERY, SDKAPPID_MISSING};
use chatblock::query::{Found, collect};
use chatblock::wire::Refusal;

/// What the query says about the caller. The values are well-formed, not yet verified.
pub(super) struct Query<'a> {
    /// `None` when the number is sound but larger than any that an app can have.
    pub(super) sdkappid: Option<u64>,
    pub(super) identifier: Cow<'a, str>,
    pub(super) usersig: Cow<'a, str>,
}

/// The parameters whose value matters. `random` is not among them (choices C44 and C49).
const NAMES: [&str; 4] = ["sdkappid", "identifier", "usersig", "contenttype"];

/// Reads `query`. Names and values are percent-decoded, `+` stays (choice C2), unknown names are ignored, and a
/// duplicate of a known name is refused.
pub(super) fn parse(query: &str) -> Result<Query<'_>, Refusal> {
    let [sdkappid, identifier, usersig, content_type] = collect(query, &NAMES);
    let sdkappid = match sdkappid {
        Found::Not => {
            return Err(refusal(
                SDKAPPID_MISSING,
                "sdkappid is missing in the query",
            ));
        }
        found => parse_sdkappid(&value(found, "sdkappid")?)?,
    };
    let identifier = value(identifier, "identifier")?;
    if identifier.chars().any(char::is_control) {
        // The signed text is made of lines: such a name could imitate further ones (choice C36).
        return Err(bad("identifier contains a control character"));
    }
    let usersig = value(usersig, "usersig")?;
    if value(content_type, "contenttype")? != "json" {
        return Err(bad("contenttype is not json"));
    }
    Ok(Query {
        sdkappid,
        identifier,
        usersig,
    })
}

fn value<'a>(found: Found<'a>, name: &str) -> Result<Cow<'a, str>, Refusal> {
    match found {
        Found::Once(value) if !value.is_empty() => Ok(value),
        Found::Not | Found::Once(_) => Err(bad(&format!("{name} is missing in the query"))),
        Found::Unusable => Err(bad(&format!(
            "{name} stands twice in the query or is not UTF-8"
        ))),
    }
}

fn parse_sdkappid(text: &str) -> Result<Option<u64>, Refusal> {
    let is_positive_decimal =
        text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte != b'0');
    if is_positive_decimal {
        Ok(text.parse().ok())
    } else {
        Err(bad("sdkappid is not a positive decimal integer"))
    }
}

fn bad(what: &str) -> Refusal {
    refusal(BAD_QUERY, what)
}

fn refusal(code: i32, what: &str) -> Refusal {
    Refusal {
        code,
        message: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> i32 {
        parse(query).err().map_or(0, |refusal| refusal.code)
    }

    #[test]
    fn names_and_values_are_percent_decoded_and_plus_is_no_space() {
        let query = "%73dkappid=88&identifier=a%20b+c&usersig=x*-_&contenttype=%6ason&random=-1";
        let parsed = parse(query).expect("a sound query");
        assert_eq!(parsed.sdkappid, Some(88));
        assert_eq!(parsed.identifier, "a b+c");
        assert_eq!(parsed.usersig, "x*-_");
    }

    #[test]
    fn every_fault_has_the_code_of_its_row() {
        let rest = "identifier=a&usersig=b&contenttype=json";
        let table = [
            ("", SDKAPPID_MISSING),
            ("SDKAPPID=1", SDKAPPID_MISSING),
            ("sdkappid", BAD_QUERY),
            ("sdkappid=", BAD_QUERY),
            ("sdkappid=0", BAD_QUERY),
            ("sdkappid=00", BAD_QUERY),
            ("sdkappid=-1", BAD_QUERY),
            ("sdkappid=+1", BAD_QUERY),
            ("sdkappid=1.0", BAD_QUERY),
            ("sdkappid=0x1", BAD_QUERY),
            ("sdkappid=1%00", BAD_QUERY),
            ("sdkappid=1&sdkappid=1", BAD_QUERY),
            ("sdkappid=1&%73dkappid=1", BAD_QUERY),
            ("sdkappid=1", 0),
            ("sdkappid=99999999999999999999999", 0),
            ("sdkappid=1&random=1&random=%ff", 0),
            ("sdkappid=1&other=1&other=2&=&&%ff=1", 0),
            ("sdkappid=1&identifier=c", BAD_QUERY),
        ];
        for (start, expected) in table {
            assert_eq!(code(&format!("{start}&{rest}")), expected, "{start}");
        }
        let rests = [
            "usersig=b&contenttype=json",
            "identifier=&usersig=b&contenttype=json",
            "identifier=a%0ab&usersig=b&contenttype=json",
            "identifier=%ff&usersig=b&contenttype=json",
            "identifier=a&contenttype=json",
            "identifier=a&usersig=&contenttype=json",
            "identifier=a&usersig=b",
            "identifier=a&usersig=b&contenttype=JSON",
        ];
        for rest in rests {
            assert_eq!(code(&format!("sdkappid=1&{rest}")), BAD_QUERY, "{rest}");
        }
    }
}
