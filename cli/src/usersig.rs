//! usersig make and verify.

use chatblock::clock::{Clock, SystemClock};
use chatblock::config::{App, Config};
use chatblock::usersig;
use zeroize::Zeroizing;

use crate::args::Usersig;
use crate::exit::Failure;
use crate::{input, output};

/// No signature is longer.
const MOST_BYTES: u64 = 64 * 1024;

/// Makes or verifies a signature with the app and key of `config`.
pub fn run(config: Config, action: &Usersig) -> Result<(), Failure> {
    let app = config.app.ok_or_else(|| {
        Failure::usage(
            "a signature needs \"sdkappid\" and a secret key (\"secret_key_file\" or \"secret_key_env\") in the \
             configuration; add \"backend\": \"embedded\" if no service is called",
        )
    })?;
    match action {
        Usersig::Make { identifier, expire } => make(&app, identifier.as_deref(), *expire),
        Usersig::Verify {
            usersig,
            identifier,
        } => verify(&app, identifier.as_deref(), usersig),
    }
}

fn make(app: &App, identifier: Option<&str>, expire: Option<u32>) -> Result<(), Failure> {
    let identifier = identifier.unwrap_or(&app.identifier);
    let life = (SystemClock.unix_seconds(), expire.unwrap_or(app.expire_s));
    let usersig = usersig::generate(app.sdkappid, &app.key, identifier, life)?;
    output::line(&usersig)?;
    Ok(())
}

fn verify(app: &App, identifier: Option<&str>, usersig: &str) -> Result<(), Failure> {
    let mut text = Zeroizing::new(usersig.to_owned());
    if *text == "-" {
        text = input::secret(MOST_BYTES)?;
    }
    let text = text.trim();
    let identifier = identifier.unwrap_or(&app.identifier);
    usersig::check_arguments(app.sdkappid, &app.key, identifier)?;
    let now = SystemClock.unix_seconds();
    match usersig::verify(&app.key, u64::from(app.sdkappid), identifier, text, now) {
        Ok(claims) => {
            let left = claims
                .time
                .saturating_add(claims.expire)
                .saturating_sub(now);
            output::line(&format!("good: vouches for {identifier}, {left} s left"))?;
            Ok(())
        }
        Err(code) => Err(Failure::refused(format!(
            "{code}: {}",
            usersig::explain(code, text, now)
        ))),
    }
}
