//! Certificate and key of the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

use chatblock::error::{Error, Status};
use chatblock::user_files;

/// The files of a certificate.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM: the certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// TLS 1.2 and 1.3 with the certificate in `files`, and what is to be said of the file of the key.
pub(super) fn acceptor(files: &TlsFiles) -> Result<(TlsAcceptor, Option<String>), Error> {
    let read =
        |path| user_files::read(path, user_files::MAX_PEM).map_err(|what| unusable(path, &what));
    let chain: Vec<CertificateDer> =
        CertificateDer::pem_slice_iter(&read(&files.certificate)?.bytes)
            .collect::<Result<_, _>>()
            .map_err(|_| unusable(&files.certificate, "cannot be read as PEM certificates"))?;
    if chain.is_empty() {
        return Err(unusable(&files.certificate, "contains no certificate"));
    }
    let input = read(&files.key)?;
    let exposure = input
        .exposure()
        .map_err(|what| unusable(&files.key, &what))?;
    let warning = exposure.map(|what| format!("{} {what}", files.key.display()));
    let key = PrivateKeyDer::from_pem_slice(&input.bytes)
        .map_err(|_| unusable(&files.key, "cannot be read as a PEM private key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&files.certificate, &error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), warning))
}

fn unusable(path: &Path, what: &str) -> Error {
    Error::new(Status::Config, format!("{} {what}", path.display()))
}
