//! The vectors as `tests/vectors/README.md` describes them, and how an answer is compared.

use chatblock::Command;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::serve;

#[derive(Deserialize)]
pub struct Vector {
    pub name: String,
    pub scope: String,
    pub setup: Value,
    pub request: Request,
    pub http_status: u16,
    pub response: Value,
    pub raw_response: Option<String>,
    #[serde(default)]
    pub loose: Vec<String>,
    #[serde(default)]
    pub absent: Vec<String>,
    pub after: Option<Value>,
    pub webhooks: Option<Vec<Value>>,
    pub expect: Option<Value>,
}

#[derive(Deserialize)]
pub struct Request {
    pub method: String,
    pub command: String,
    pub query: Map<String, Value>,
    #[serde(default)]
    pub body: Value,
    pub raw_body: Option<String>,
}

/// All vectors.
pub fn read() -> Vec<Vector> {
    let path = testkit::root().join("tests/vectors/conformance.json");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    serde_json::from_str(&text).expect("the vectors are sound")
}

impl Vector {
    /// Whether it is about friendships, which this project does not know.
    pub fn needs_friends(&self) -> bool {
        let friends = self.setup["friends"].as_array();
        friends.is_some_and(|friends| !friends.is_empty())
    }

    /// Whether a server can be asked this.
    pub fn is_for_server(&self) -> bool {
        self.scope == "both" && !self.needs_friends()
    }

    /// One of the four commands, if the request names one.
    pub fn command(&self) -> Option<Command> {
        Command::from_name(self.request.command.strip_prefix("v4/sns/")?)
    }

    /// The body as it is sent.
    pub fn body(&self) -> String {
        match (&self.request.raw_body, &self.request.body) {
            (Some(raw), _) => raw.clone(),
            (None, Value::Null) => String::new(),
            (None, body) => body.to_string(),
        }
    }

    /// The answer as it is fed to a client.
    pub fn answer(&self) -> String {
        self.raw_response
            .clone()
            .unwrap_or_else(|| self.response.to_string())
    }

    /// Whether nothing is wrong above the body, so that the answer comes from below the gateway.
    pub fn passes_gateway(&self) -> bool {
        let query = &self.request.query;
        let admins = self.setup["admins"].as_array();
        self.request.method == "POST"
            && self.command().is_some()
            && query.get("sdkappid") == Some(&self.setup["sdkappid"])
            && query.get("usersig") == Some(&json!("$valid"))
            && query.get("contenttype") == Some(&json!("json"))
            && query
                .get("identifier")
                .is_some_and(|identifier| admins.is_some_and(|all| all.contains(identifier)))
    }

    /// Path and query.
    pub fn target(&self) -> String {
        format!("/{}?{}", self.request.command, self.query())
    }

    /// The query, with the signature that the placeholder stands for.
    pub fn query(&self) -> String {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let pair = |(name, value): (&String, &Value)| match value.as_str() {
            Some(usersig) if name == "usersig" => format!("usersig={}", self.usersig(usersig)),
            _ => format!("{name}={}", text(value)),
        };
        let pairs: Vec<String> = self.request.query.iter().map(pair).collect();
        pairs.join("&")
    }

    fn usersig(&self, placeholder: &str) -> String {
        let now = self.setup["now"].as_i64().expect("every vector has a time");
        let sdkappid = self.setup["sdkappid"]
            .as_u64()
            .expect("every vector has an app");
        let key = self.setup["key"].as_str().expect("every vector has a key");
        let given = self.request.query.get("identifier").and_then(Value::as_str);
        let identifier = given.unwrap_or("admin");
        match placeholder {
            "$valid" => serve::sign_with(key, sdkappid, identifier, now),
            "$expired" => serve::sign_with(key, sdkappid, identifier, now - 86_401),
            "$garbage" => "garbage".to_owned(),
            "$wrong_key" => {
                serve::sign_with("synthetic-key-for-tests-0002", sdkappid, identifier, now)
            }
            "$other_user" => serve::sign_with(key, sdkappid, "someone-else", now),
            "$other_app" => serve::sign_with(key, sdkappid + 1, identifier, now),
            literal => {
                assert!(!literal.starts_with('$'), "unknown placeholder {literal}");
                literal.to_owned()
            }
        }
    }

    /// Compares an answer with the expected one.
    pub fn compare(&self, answer: &str) -> Result<(), String> {
        let actual: Value = serde_json::from_str(answer)
            .map_err(|error| format!("the answer is not JSON ({error}): {answer}"))?;
        for name in &self.absent {
            if actual.get(name).is_some() {
                return Err(format!("{name} must be absent: {answer}"));
            }
        }
        differ(&self.response, &actual, &self.loose, "")
            .map_or(Ok(()), |what| Err(format!("{what}\n  in {answer}")))
    }

    /// Compares the bodies of the webhooks that were sent, in order.
    pub fn compare_webhooks(&self, bodies: &[String]) -> Result<(), String> {
        let Some(expected) = &self.webhooks else {
            return Ok(());
        };
        let expected: Vec<String> = expected.iter().map(Value::to_string).collect();
        if bodies == expected {
            return Ok(());
        }
        Err(format!("webhooks: expected {expected:?}, sent {bodies:?}"))
    }

    /// Owners whose lists `after` fixes, with their entries.
    pub fn lists_after(&self) -> Vec<(String, Value)> {
        let Some(after) = &self.after else {
            return Vec::new();
        };
        let lists = after["blocklists"].as_object().expect("after has lists");
        if !lists.is_empty() {
            return lists.clone().into_iter().collect();
        }
        let accounts = self.setup["accounts"]
            .as_array()
            .expect("accounts are listed");
        let names = accounts.iter().filter_map(Value::as_str);
        names.map(|name| (name.to_owned(), json!([]))).collect()
    }
}

/// The first difference; members that are not expected are allowed.
fn differ(expected: &Value, actual: &Value, loose: &[String], place: &str) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().find_map(|(name, value)| {
                let place = format!("{place}.{name}");
                let Some(found) = actual.get(name) else {
                    return Some(format!("{place} is missing"));
                };
                if loose.contains(name) {
                    let same = std::mem::discriminant(value) == std::mem::discriminant(found);
                    return (!same).then(|| format!("{place} has another type: {found}"));
                }
                differ(value, found, loose, &place)
            })
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                let (wanted, found) = (expected.len(), actual.len());
                return Some(format!("{place} has {found} elements, not {wanted}"));
            }
            let pairs = expected.iter().zip(actual).enumerate();
            pairs
                .map(|(index, (expected, actual))| (format!("{place}[{index}]"), expected, actual))
                .find_map(|(place, expected, actual)| differ(expected, actual, loose, &place))
        }
        _ => (expected != actual).then(|| format!("{place} is {actual}, not {expected}")),
    }
}
