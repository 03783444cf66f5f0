//! Marks every failure before anything was sent, so that "nothing was sent" is certain.

use std::sync::Arc;

use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, RustlsConnector, Transport,
};

use super::NotConnected;
use super::coalesce::Coalesced;
use super::resolver::CachingResolver;
use super::tcp::Tcp;
use crate::error::with_next_step;

/// TLS as ureq has it by default, handshake included; below it writes are coalesced, over the sockets of `tcp.rs`.
pub(super) fn usual(resolver: CachingResolver) -> impl Connector<()> {
    ().chain(ConnectProxyConnector::default())
        .chain(Tcp::new(resolver))
        .chain(JoiningRecords)
        .chain(RustlsConnector::default())
}

/// Connects and says why it cannot.
#[derive(Debug)]
pub(super) struct Connecting<C> {
    inner: C,
    resolver: CachingResolver,
    open: Arc<()>,
}

impl<C> Connecting<C> {
    /// Every connection holds a clone of `open`.
    pub(super) fn new(inner: C, resolver: CachingResolver, open: Arc<()>) -> Self {
        Self {
            inner,
            resolver,
            open,
        }
    }
}

impl<C: Connector<()>> Connector<()> for Connecting<C> {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let connected = self.inner.connect(details, chained).map_err(|error| {
            // The address may have moved: look it up again before the next attempt.
            self.resolver.forget(details.uri);
            ureq::Error::Other(Box::new(NotConnected(why(&error))))
        })?;
        Ok(connected.map(|inner| Coalesced::new(inner, Arc::clone(&self.open)).boxed()))
    }
}

/// The layer below TLS. A plain connection has it too: a piece that is as long as a full record is sent when the
/// response is awaited, which is at once.
#[derive(Debug)]
struct JoiningRecords;

impl<In: Transport> Connector<In> for JoiningRecords {
    type Out = Coalesced;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(Coalesced::records))
    }
}

fn why(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no connection in time (config key \"connect_ms\")".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy refused".to_owned(),
        ureq::Error::Rustls(error) => tls(error),
        ureq::Error::Tls(_) => {
            "TLS failed: the host is no name that a certificate can have".to_owned()
        }
        ureq::Error::Io(error) => match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(error) => tls(error),
            None => with_next_step(error),
        },
        _ => "the connection failed".to_owned(),
    }
}

fn tls(error: &rustls::Error) -> String {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };
    let what = match error {
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the certificate has expired, or the clock of this machine is wrong"
        }
        rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "the certificate is not valid yet, or the clock of this machine is wrong"
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the certificate is for another host"
        }
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            "the certificate is from an unknown authority (config key \"tls.ca_file\" adds one)"
        }
        rustls::Error::InvalidCertificate(_) => "the certificate is not acceptable",
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => {
            "no agreement on TLS; version 1.2 or newer is needed"
        }
        _ => "the peer does not speak TLS as it should",
    };
    format!("TLS failed: {what}")
}
