//! A certificate authority that exists for one test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Signs certificates for servers.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate for one name.
pub struct Leaf {
    /// What a server needs to show it.
    pub config: Arc<ServerConfig>,
    /// The certificate in PEM.
    pub pem: String,
    /// Its private key in PEM.
    pub key_pem: String,
}

impl Authority {
    /// A new authority with a new key.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are no bad names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("ring makes keys");
        let pem = params.self_signed(&key).expect("ring signs").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Its own certificate in PEM, for `tls.ca_file`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for `name`, valid for centuries.
    pub fn leaf(&self, name: &str) -> Leaf {
        self.leaf_of(name, (1990, 2500))
    }

    /// A certificate for `name`, valid from the first of January of a year until that of another.
    pub fn leaf_of(&self, name: &str, (from, until): (i32, i32)) -> Leaf {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a sound name");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("ring makes keys");
        let certificate = params.signed_by(&key, &self.issuer).expect("ring signs");
        let key_der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key_der)
            .expect("key and certificate fit");
        Leaf {
            config: Arc::new(config),
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}
