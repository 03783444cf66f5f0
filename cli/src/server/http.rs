//! One HTTP request, answered: host, head, body, and the few statuses other than 200.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Version};

use super::Limits;
use super::bodies::{Bodies, GatheredBody};
use super::framing::Findings;
use super::gateway::{Gateway, refusal};
use super::hosts::Hosts;
use super::seats::Seat;
use chatblock::api::codes::BAD_HTTP;

/// Largest body that is read (choice C40).
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// What every answer carries, as in the sample answer of the service (docs/protocol.md 1.2).
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "application/json; charset=utf-8"),
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "X-Requested-With"),
    (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
];

type Reply = Response<Full<Bytes>>;

/// Answers the requests of one connection.
pub(super) struct Handler<'a> {
    pub(super) gateway: Arc<Gateway>,
    pub(super) findings: Arc<Findings>,
    pub(super) limits: Limits,
    /// Who calls.
    pub(super) client: IpAddr,
    pub(super) hosts: &'a Hosts,
    pub(super) bodies: &'a Arc<Bodies>,
    pub(super) seat: &'a Seat,
}

impl Handler<'_> {
    pub(super) async fn handle(&self, request: Request<Incoming>) -> Result<Reply, Infallible> {
        let mut reply = match self.check_http(&request) {
            Ok(()) => self.answer(request).await,
            Err((status, what)) => self.fail(status, what),
        };
        if self.findings.is_last() {
            close(&mut reply);
        }
        Ok(reply)
    }

    /// The answer to what is no request, which ends the connection.
    fn fail(&self, status: StatusCode, what: &'static str) -> Reply {
        let name = format!("HTTP request (status {})", status.as_u16());
        let refusal = refusal(BAD_HTTP, what);
        let mut reply = answer(self.gateway.refuse(&name, self.client, &refusal));
        *reply.status_mut() = status;
        close(&mut reply);
        reply
    }

    /// What makes a request unusable as HTTP. The answer ends the connection.
    fn check_http(&self, request: &Request<Incoming>) -> Result<(), (StatusCode, &'static str)> {
        let bad = |what| Err((StatusCode::BAD_REQUEST, what));
        if !self.findings.agree() {
            return bad("the length of the request is ambiguous");
        }
        if request.method() == Method::CONNECT {
            return bad("CONNECT is not for this server");
        }
        let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
        if let Some(coding) = codings.next()
            && !(coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none())
        {
            return bad("only the transfer coding \"chunked\" is understood");
        }
        if request.body().size_hint().lower() > MAX_BODY as u64 {
            return Err((
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than 1 MiB",
            ));
        }
        self.check_host(request)
    }

    fn check_host(&self, request: &Request<Incoming>) -> Result<(), (StatusCode, &'static str)> {
        let bad = |what| Err((StatusCode::BAD_REQUEST, what));
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
            (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
            _ => return bad("there must be one Host"),
        };
        let Some(host) = host.filter(|host| !host.as_str().contains('@')) else {
            return bad("Host is not a host");
        };
        let named = request.uri().authority().unwrap_or(&host);
        if !(self.hosts.answer_to(&host) && self.hosts.answer_to(named)) {
            return bad(
                "Host is neither a loopback name nor one of the service; start the server with --allow-host NAME \
                 for another",
            );
        }
        Ok(())
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let is_post = head.method == Method::POST;
        let path = head.uri.path();
        let admitted = self.gateway.admit(is_post, path, head.uri.query());
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // The caller is not verified yet: the body is read and discarded.
                return match tokio::time::timeout(self.limits.body, discard(body)).await {
                    Ok(true) => answer(self.gateway.refuse(path, self.client, &refusal)),
                    _ => self.fail(
                        StatusCode::BAD_REQUEST,
                        "the body did not come in time or whole",
                    ),
                };
            }
        };
        if admitted.is_admin() {
            self.seat.authenticate();
        }
        let collected = collect(body, self.bodies.begin());
        let body = match tokio::time::timeout(self.limits.body, collected).await {
            Ok(Ok(body)) => body,
            Ok(Err((status, what))) => return self.fail(status, what),
            Err(_) => return self.fail(StatusCode::BAD_REQUEST, "the body did not come in time"),
        };
        if !self.gateway.waits(&admitted) {
            return answer(self.gateway.answer(&admitted, body.bytes(), self.client));
        }
        let (gateway, client) = (Arc::clone(&self.gateway), self.client);
        let work = move || gateway.answer(&admitted, body.bytes(), client);
        match tokio::task::spawn_blocking(work).await {
            Ok(text) => answer(text),
            Err(_) => self.fail(
                StatusCode::SERVICE_UNAVAILABLE,
                "the call was not carried out",
            ),
        }
    }
}

async fn collect(
    body: Incoming,
    mut room: GatheredBody,
) -> Result<GatheredBody, (StatusCode, &'static str)> {
    let mut body = Limited::new(body, MAX_BODY);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                (status, "the body is larger than 1 MiB")
            } else {
                (StatusCode::BAD_REQUEST, "the body is broken or cut")
            }
        })?;
        if frame.data_ref().is_some_and(|part| !room.push(part)) {
            return Err((
                StatusCode::SERVICE_UNAVAILABLE,
                "the bodies of all connections are too large together (--max-body-bytes); try again",
            ));
        }
    }
    Ok(room)
}

/// Reads `body` to its end and forgets it; whether it was sound and within bounds.
async fn discard(body: Incoming) -> bool {
    let mut body = Limited::new(body, MAX_BODY);
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

fn answer(text: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        reply.headers_mut().insert(name, value);
    }
    reply
}

fn close(reply: &mut Reply) {
    reply
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}
