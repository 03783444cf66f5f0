//! The server beside ours: hyper with nothing around it.
//!
//! `bench_server constant BYTES` answers every request with the same body of that size: what the HTTP
//! library alone costs (P13). `bench_server service [CERT KEY]` answers every change of a list as the
//! service would, "done" for each posted account, over HTTP or TLS: the far end for both clients of P7
//! and P8. `bench_server lists` answers every listing with what `population.hpp` says that the owner blocks
//! (P1, P5). It prints one line, `listening on ADDRESS`, and serves until it is killed.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Failure = Box<dyn std::error::Error>;

/// What every request is answered with.
enum Answer {
    Constant(Bytes),
    EachAccountDone,
    WholeList,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (answer, tls) = match arguments[..] {
        ["constant", bytes] => (Answer::Constant(vec![b' '; bytes.parse()?].into()), None),
        ["service"] => (Answer::EachAccountDone, None),
        ["service", certificate, key] => (Answer::EachAccountDone, Some(tls(certificate, key)?)),
        ["lists"] => (Answer::WholeList, None),
        _ => return Err("usage: bench_server constant BYTES | service [CERT KEY] | lists".into()),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(Arc::new(answer), tls))
}

fn tls(certificate: &str, key: &str) -> Result<TlsAcceptor, Failure> {
    let chain = vec![CertificateDer::from_pem_file(certificate)?];
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(answer: Arc<Answer>, tls: Option<TlsAcceptor>) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (answer, tls) = (Arc::clone(&answer), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, answer).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, answer).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, answer: Arc<Answer>) {
    let service = service_fn(|request| respond(request, &answer));
    // A client that hangs up is not an error here: each measurement ends so.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    answer: &Answer,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = request.into_body().collect().await;
    let body = match answer {
        Answer::Constant(body) => body.clone(),
        Answer::EachAccountDone => asked
            .ok()
            .and_then(|asked| each_account_done(&asked.to_bytes()))
            .unwrap_or_else(|| Bytes::from_static(b"not a change of a list")),
        Answer::WholeList => asked
            .ok()
            .and_then(|asked| whole_list(&asked.to_bytes()))
            .unwrap_or_else(|| Bytes::from_static(b"not a listing of an owner of the population")),
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    Ok(response)
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(rename = "To_Account", borrow)]
    accounts: Vec<Cow<'a, str>>,
}

/// The answer to `black_list_add` and `black_list_delete`; the ids of the benches need no escaping.
fn each_account_done(asked: &[u8]) -> Option<Bytes> {
    let Asked { accounts } = serde_json::from_slice(asked).ok()?;
    let mut body = String::with_capacity(128 + accounts.len() * 80);
    body.push_str(r#"{"ResultItem":["#);
    for (index, account) in accounts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"To_Account":"{account}","ResultCode":0,"ResultInfo":""}}"#
        )
        .ok()?;
    }
    body.push_str(r#"],"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#);
    Some(body.into())
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(rename = "From_Account", borrow)]
    owner: Cow<'a, str>,
}

const PAIRS_PER_OWNER: u64 = 100;

/// The answer to `black_list_get` of an owner "owne_NUMBER", in one page.
fn whole_list(asked: &[u8]) -> Option<Bytes> {
    let Listing { owner } = serde_json::from_slice(asked).ok()?;
    let owner: u64 = owner.strip_prefix("owne_")?.parse().ok()?;
    let mut body = String::with_capacity(128 + 100 * 68);
    body.push_str(r#"{"BlackListItem":["#);
    for index in 0..PAIRS_PER_OWNER {
        let comma = if index == 0 { "" } else { "," };
        let account = (owner * PAIRS_PER_OWNER + index) * 2_654_435_761 % (1 << 32);
        write!(
            body,
            r#"{comma}{{"To_Account":"play_{account:010}","AddBlackTimeStamp":1700000000}}"#
        )
        .ok()?;
    }
    body.push_str(r#"],"StartIndex":0,"CurruentSequence":1,"CurrentSequence":1,"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#);
    Some(body.into())
}
