//! Endpoints of the service and what counts as a safe address (docs/protocol.md 2).

use serde_json::value::RawValue;
use ureq::http::Uri;

use super::raw;
use crate::error::Error;

/// Where the service is: scheme, host, port and path prefix, without a slash at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://host[:port][/prefix]`
    pub base_url: String,
    /// The same of the region's standby host; none for a free URL.
    pub standby_url: Option<String>,
}

/// `http://host:port` of a proxy. May hold a password: never shown.
#[derive(Clone)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// The text that was configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyUrl(..)")
    }
}

/// Host and standby host of each data centre.
const REGIONS: [(&str, (&str, &str)); 7] = [
    ("china", ("console.tim.qq.com", "adminapi.my-imcloud.com")),
    (
        "singapore",
        ("adminapisgp.im.qcloud.com", "adminapisgp.my-imcloud.com"),
    ),
    (
        "seoul",
        ("adminapikr.im.qcloud.com", "adminapikr.my-imcloud.com"),
    ),
    (
        "tokyo",
        ("adminapijpn.im.qcloud.com", "adminapijpn.my-imcloud.com"),
    ),
    (
        "frankfurt",
        ("adminapiger.im.qcloud.com", "adminapiger.my-imcloud.com"),
    ),
    (
        "silicon_valley",
        ("adminapiusa.im.qcloud.com", "adminapiusa.my-imcloud.com"),
    ),
    (
        "jakarta",
        ("adminapiidn.im.qcloud.com", "adminapiidn.my-imcloud.com"),
    ),
];

/// Data centres that were documented once, or seen in use.
const OTHER_HOSTS: [&str; 4] = [
    "adminapiind.im.qcloud.com",
    "adminapiind.my-imcloud.com",
    "adminapiksa.im.qcloud.com",
    "adminapiksa.my-imcloud.com",
];

/// Every host of the service that is known.
pub fn service_hosts() -> impl Iterator<Item = &'static str> {
    let known = REGIONS.into_iter();
    let known = known.flat_map(|(_, (host, standby))| [host, standby]);
    known.chain(OTHER_HOSTS)
}

/// Where the service is, when the configuration says so.
pub(super) fn parse(
    region: Option<&RawValue>,
    base_url: Option<&RawValue>,
) -> Result<Option<Endpoint>, Error> {
    match (region, base_url) {
        (Some(region), None) => {
            let (host, standby) = raw::choice("region", region, &REGIONS)?;
            Ok(Some(Endpoint {
                base_url: format!("https://{host}"),
                standby_url: Some(format!("https://{standby}")),
            }))
        }
        (None, Some(url)) => parse_base_url(&raw::text("base_url", url)?).map(Some),
        (Some(_), Some(_)) => Err(Error::config(
            "base_url",
            "and \"region\" exclude each other; keep one",
        )),
        (None, None) => Ok(None),
    }
}

/// https anywhere, http on loopback only.
fn parse_base_url(url: &str) -> Result<Endpoint, Error> {
    let uri = parse_url("base_url", url)?;
    if uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_loopback) {
        return Err(Error::config(
            "base_url",
            "may use http only on loopback (127.0.0.1, localhost, [::1]); use https",
        ));
    }
    Ok(Endpoint {
        base_url: uri.to_string().trim_end_matches('/').to_owned(),
        standby_url: None,
    })
}

/// http or https with a host; no user, query or fragment. The text is not repeated in a message,
/// because it may contain a password.
pub(super) fn parse_url(key: &str, url: &str) -> Result<Uri, Error> {
    let bad = |what| Err(Error::config(key, what));
    if url.contains('#') {
        return bad("must not have a fragment");
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return bad("is not a URL; write https://host or https://host:port");
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return bad("must start with https://");
    };
    if authority.as_str().contains('@') {
        return bad("must not contain a user name or password");
    }
    if uri.query().is_some() {
        return bad("must not have a query");
    }
    if authority.host().is_empty() {
        return bad("needs a host");
    }
    let port = authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return bad("needs a port from 1 to 65535, or none");
    }
    if !matches!(scheme, "http" | "https") {
        return bad("must start with https:// or http://");
    }
    Ok(uri)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

pub(super) fn parse_proxy(raw: &RawValue) -> Result<ProxyUrl, Error> {
    let proxy = raw::text("proxy", raw)?;
    let usable = proxy.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && matches!(uri.path(), "" | "/")
    });
    if usable && ureq::Proxy::new(&proxy).is_ok() {
        Ok(ProxyUrl(proxy))
    } else {
        Err(Error::config(
            "proxy",
            "must be http://host:port or https://host:port",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_http_are_accepted() {
        let good = [
            ("https://example.invalid", "https://example.invalid"),
            ("https://example.invalid/", "https://example.invalid"),
            (
                "https://example.invalid:8443/prefix/",
                "https://example.invalid:8443/prefix",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.3.2.1", "http://127.3.2.1"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://[::1]:9", "http://[::1]:9"),
        ];
        for (url, base) in good {
            assert_eq!(
                parse_base_url(url).map(|endpoint| endpoint.base_url),
                Ok(base.to_owned()),
                "{url}"
            );
        }
    }

    #[test]
    fn addresses_that_could_leak_or_mislead_are_refused_without_being_repeated() {
        let bad = [
            "example.invalid",
            "//example.invalid",
            "/path",
            "",
            " ",
            "ftp://example.invalid",
            "file:///etc/passwd",
            "http://example.invalid",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://127.0.0.1.example.invalid",
            "http://localhost.example.invalid",
            "http://localhost@example.invalid",
            "https://user:CANARY@example.invalid",
            "https://CANARY@example.invalid",
            "https://example.invalid?usersig=CANARY",
            "https://example.invalid/#CANARY",
            "https://example.invalid#CANARY",
            "https://",
            "https://:443",
            "https://example.invalid:",
            "https://example.invalid:0",
            "https://example.invalid:99999",
            "https://exa mple.invalid",
            "https://example.invalid\n",
            "http://[::2]",
            "http://[fe80::1]",
            "http://2130706433",
            "http://0x7f000001",
            "http:127.0.0.1",
            "http:///127.0.0.1",
            "javascript:alert(1)",
            "https//example.invalid",
            "HTTPS//x",
            "gopher://127.0.0.1",
            "unix:/tmp/socket",
            "http://[::ffff:10.0.0.1]",
            "http://127.0.0.1:80@example.invalid",
            "https://[",
            "https://]",
            "https://example.invalid\\@127.0.0.1",
        ];
        for url in bad {
            let error = parse_base_url(url).expect_err(url);
            assert!(error.message().contains("base_url"), "{url}: {error}");
            assert!(!error.message().contains("CANARY"), "{url}: {error}");
        }
    }
}
