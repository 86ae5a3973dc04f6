//! Every call into Envoy, and nothing else: no decision is taken here.
//!
//! Only calls that answer a `Result` and take bytes are used; the trait helpers of the SDK panic on what is not
//! UTF-8 and on a host's error (`.clippy.toml` refuses them). A failure is one word for the log, never a value.

use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType, Status};
use scimlock::store::{StoreRequest, Stored};
use scimlock::{Call, Certificate, Fault, Headers, Peer, PeerNeeds, Request, Response, ResponseHead, Verify};
use serde_json::Map;

use crate::{origin, store, stream, verify};

/// A host call that failed: its name.
pub(crate) type Failed = &'static str;

pub(crate) fn log(level: LogLevel, message: &str) {
    // Where logging fails there is nobody to tell.
    let _ = hostcalls::log(level, message);
}

/// Unix time in milliseconds.
pub(crate) fn now() -> Result<u64, Failed> {
    let time = hostcalls::get_current_time().map_err(|_| "get_current_time")?;
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| "get_current_time")?;
    u64::try_from(since.as_millis()).map_err(|_| "get_current_time")
}

/// Random bytes for one exchange.
pub(crate) fn seed() -> Result<[u8; 16], Failed> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|_| "random_get")?;
    Ok(seed)
}

pub(crate) fn plugin_configuration() -> Result<Vec<u8>, Failed> {
    let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    Ok(bytes.map_err(|_| "get_buffer")?.unwrap_or_default())
}

pub(crate) fn tick_every(period: Duration) -> Result<(), Failed> {
    hostcalls::set_tick_period(period).map_err(|_| "set_tick_period")
}

/// Makes the calls that follow apply to this stream.
pub(crate) fn select(context: u32) -> Result<(), Failed> {
    hostcalls::set_effective_context(context).map_err(|_| "set_effective_context")
}

/// What Envoy found out about the client, as far as the configuration asks for it.
pub(crate) fn peer(needs: &PeerNeeds) -> Result<Peer, Failed> {
    let mut peer = Peer::default();
    if needs.address {
        let address = property(&["source", "address"])?.unwrap_or_default();
        peer.address = address.parse::<SocketAddr>().ok().map(|address| address.ip());
    }
    // A byte: true where the client showed a certificate that Envoy took.
    let shown = || hostcalls::get_property(vec!["connection", "mtls"]).map_err(|_| "get_property");
    if needs.certificate && shown()?.is_some_and(|value| value == [1]) {
        let text = |name| property(&["connection", name]);
        let digits = text("sha256_peer_certificate_digest")?.unwrap_or_default();
        peer.certificate = Some(Box::new(Certificate {
            subject: text("subject_peer_certificate")?.unwrap_or_default(),
            dns: text("dns_san_peer_certificate")?.into_iter().collect(),
            uris: text("uri_san_peer_certificate")?.into_iter().collect(),
            sha256: digest(&digits),
        }));
    }
    for (payload, names) in &needs.claims {
        let mut claims = Map::new();
        for name in names {
            let path = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", payload, name];
            if let Some(text) = property(&path)? {
                claims.insert(name.clone(), text.into());
            }
        }
        if !claims.is_empty() {
            peer.claims.push((payload.clone(), claims));
        }
    }
    Ok(peer)
}

/// A property that is text; none where it is missing, empty or something else.
fn property(path: &[&str]) -> Result<Option<String>, Failed> {
    let value = hostcalls::get_property(path.to_vec()).map_err(|_| "get_property")?;
    Ok(value.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty()))
}

/// 64 hex digits.
fn digest(digits: &str) -> Option<[u8; 32]> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len() / 2).map(byte).collect();
    bytes?.try_into().ok()
}

/// The head of the request; the authority stands among the fields as `host`.
pub(crate) fn request(end: bool, peer: Peer) -> Result<Request, Failed> {
    let mut request = Request { method: Vec::new(), path: Vec::new(), headers: Headers::new(), end, peer };
    for (name, value) in map(MapType::HttpRequestHeaders)? {
        match name.as_str() {
            ":method" => request.method = value,
            ":path" => request.path = value,
            ":authority" => request.headers.push("host", value),
            name if name.starts_with(':') => {}
            name => request.headers.push(name, value),
        }
    }
    Ok(request)
}

/// The head of the answer in the stream, and whether it is the provider's.
pub(crate) fn response(end: bool) -> Result<(ResponseHead, Result<(), Fault>), Failed> {
    let (status, headers) = status_and_fields(MapType::HttpResponseHeaders)?;
    let details = hostcalls::get_property(vec!["response", "code_details"]).map_err(|_| "get_property")?;
    Ok((ResponseHead { status, headers, end }, origin::of_stream(&details.unwrap_or_default())))
}

/// The answer to a request beside the stream.
pub(crate) fn reply(fields: usize, size: usize) -> Result<Result<Response, Fault>, Failed> {
    if fields == 0 {
        return Ok(Err(Fault::Reset));
    }
    let (status, headers) = status_and_fields(MapType::HttpCallResponseHeaders)?;
    let body = bytes(BufferType::HttpCallResponseBody, 0, size)?;
    let origin = origin::of_reply(status, headers.get(origin::MARK).is_some(), &body);
    Ok(origin.map(|()| Response { status, headers, body }))
}

pub(crate) fn request_body(at: usize, len: usize) -> Result<Vec<u8>, Failed> {
    bytes(BufferType::HttpRequestBody, at, len)
}

pub(crate) fn response_body(at: usize, len: usize) -> Result<Vec<u8>, Failed> {
    bytes(BufferType::HttpResponseBody, at, len)
}

pub(crate) fn set_request_head(head: &Headers) -> Result<(), Failed> {
    set_map(MapType::HttpRequestHeaders, head)
}

pub(crate) fn set_request_body(body: &[u8]) -> Result<(), Failed> {
    hostcalls::set_buffer(BufferType::HttpRequestBody, 0, usize::MAX, body).map_err(|_| "set_buffer")
}

pub(crate) fn empty_request_trailers() -> Result<(), Failed> {
    set_map(MapType::HttpRequestTrailers, &Headers::new())
}

pub(crate) fn resume_request() -> Result<(), Failed> {
    hostcalls::resume_http_request().map_err(|_| "resume_http_request")
}

pub(crate) fn set_response_head(head: &Headers) -> Result<(), Failed> {
    set_map(MapType::HttpResponseHeaders, head)
}

pub(crate) fn set_response_body(body: &[u8]) -> Result<(), Failed> {
    hostcalls::set_buffer(BufferType::HttpResponseBody, 0, usize::MAX, body).map_err(|_| "set_buffer")
}

pub(crate) fn empty_response_trailers() -> Result<(), Failed> {
    set_map(MapType::HttpResponseTrailers, &Headers::new())
}

pub(crate) fn resume_response() -> Result<(), Failed> {
    hostcalls::resume_http_response().map_err(|_| "resume_http_response")
}

pub(crate) fn answer(response: &Response) -> Result<(), Failed> {
    let headers = text(&response.headers)?;
    let body = (!response.body.is_empty()).then_some(response.body.as_slice());
    hostcalls::send_http_response(u32::from(response.status), headers, body).map_err(|_| "send_http_response")
}

pub(crate) fn reset() -> Result<(), Failed> {
    hostcalls::reset_http_request().map_err(|_| "reset_http_request")
}

/// Sends a request beside the stream. Envoy adds `x-envoy-internal` and `x-envoy-expected-rq-timeout-ms` to it.
pub(crate) fn dispatch(call: &Call, timeout: u64) -> Result<(), Failed> {
    let cluster = call.cluster.as_deref().ok_or("cluster")?;
    let mut head = stream::request_head(call);
    if !call.body.is_empty() {
        head.push("content-length", call.body.len().to_string());
    }
    let body = (!call.body.is_empty()).then_some(call.body.as_slice());
    let timeout = Duration::from_millis(timeout);
    hostcalls::dispatch_http_call(cluster, text(&head)?, body, Vec::new(), timeout)
        .map(|_token| ())
        .map_err(|_| "dispatch_http_call")
}

/// Carries out a request to the store.
pub(crate) fn store(now: u64, request: &StoreRequest) -> Result<Stored, Failed> {
    store::run(&SharedData, now, request)
}

/// The data that all VMs of this `vm_id` share.
struct SharedData;

impl store::Memory for SharedData {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Failed> {
        let (value, version) = hostcalls::get_shared_data(key).map_err(|_| "get_shared_data")?;
        Ok(value.zip(version))
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Result<bool, Failed> {
        match hostcalls::set_shared_data(key, Some(value), Some(version)) {
            Ok(()) => Ok(true),
            Err(Status::CasMismatch) => Ok(false),
            Err(_) => Err("set_shared_data"),
        }
    }
}

/// The signature algorithms that this Envoy verifies itself.
pub(crate) fn verifies() -> &'static [&'static str] {
    match hostcalls::call_foreign_function(verify::FUNCTION, None) {
        Err(Status::NotFound) => &[],
        Ok(_) | Err(_) => verify::ALGORITHMS,
    }
}

/// Verifies a signature; the fault says that it could not be tried.
pub(crate) fn verify(verify: &Verify) -> Result<bool, Fault> {
    let arguments = verify::arguments(verify).ok_or(Fault::Unreachable)?;
    match hostcalls::call_foreign_function(verify::FUNCTION, Some(&arguments)) {
        Ok(answer) => Ok(verify::result(&answer.unwrap_or_default())),
        // A key or a signature that cannot be read.
        Err(Status::BadArgument) => Ok(false),
        Err(_) => Err(Fault::Unreachable),
    }
}

pub(crate) fn counter(name: &str) -> Result<u32, Failed> {
    hostcalls::define_metric(MetricType::Counter, name).map_err(|_| "define_metric")
}

pub(crate) fn gauge(name: &str) -> Result<u32, Failed> {
    hostcalls::define_metric(MetricType::Gauge, name).map_err(|_| "define_metric")
}

pub(crate) fn set(gauge: u32, to: u64) -> Result<(), Failed> {
    hostcalls::record_metric(gauge, to).map_err(|_| "record_metric")
}

pub(crate) fn count(counter: u32, by: u64) -> Result<(), Failed> {
    match i64::try_from(by) {
        Ok(0) => Ok(()),
        Ok(by) => hostcalls::increment_metric(counter, by).map_err(|_| "increment_metric"),
        Err(_) => Err("increment_metric"),
    }
}

fn status_and_fields(from: MapType) -> Result<(u16, Headers), Failed> {
    let (mut status, mut headers) = (None, Headers::new());
    for (name, value) in map(from)? {
        match name.as_str() {
            ":status" => status = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()),
            name => headers.push(name, value),
        }
    }
    Ok((status.ok_or(":status")?, headers))
}

fn map(from: MapType) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    hostcalls::get_map_bytes(from).map_err(|_| "get_map")
}

/// Replaces all fields.
fn set_map(of: MapType, fields: &Headers) -> Result<(), Failed> {
    hostcalls::set_map_bytes(of, fields.iter().collect()).map_err(|_| "set_map")
}

/// The host may have less than was announced: then the message is not what the engine is told it is.
fn bytes(from: BufferType, at: usize, len: usize) -> Result<Vec<u8>, Failed> {
    if len == 0 {
        return Ok(Vec::new());
    }
    match hostcalls::get_buffer(from, at, len) {
        Ok(Some(bytes)) if bytes.len() == len => Ok(bytes),
        Ok(_) | Err(_) => Err("get_buffer"),
    }
}

/// Two calls of the SDK take text; all fields that the engine writes are.
fn text(headers: &Headers) -> Result<Vec<(&str, &str)>, Failed> {
    headers.iter().map(|(name, value)| Ok((name, std::str::from_utf8(value).map_err(|_| "utf-8")?))).collect()
}
