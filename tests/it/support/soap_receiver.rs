//! A service owner's receiver of batches over SOAP, as one would write one: it takes requests apart with code of its own,
//! checks them against the contract, and takes each key once.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Read as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sluse::model::SoapVersion;
use tokio::net::TcpListener;

/// What it does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Takes it and says so; a key it has it leaves and says the same.
    Take,
    /// Takes it, and the answer is lost: its place takes an error without a fault.
    TakeAndLose,
    /// Takes it, and answers with a fault.
    TakeAndFault,
    /// FAILED.
    Fail,
    /// FAILED_DO_NOT_RETRY.
    FailForGood,
    /// FAILED_DO_NOT_RETRY where it has the key; takes it otherwise.
    RefuseRepeats,
    /// A fault.
    Fault,
    /// A status with another body.
    Status(u16),
}

/// A request that it took.
#[derive(Debug, Clone)]
pub(crate) struct Took {
    /// The batch.
    pub(crate) batch: Vec<u8>,
    /// The attachments in the archive, by name.
    pub(crate) attachments: BTreeMap<String, Vec<u8>>,
    /// sequenceNumber.
    pub(crate) sequence_number: i64,
    /// The request as text, the boundary and the archive replaced.
    pub(crate) shown: String,
}

/// The receiver.
#[derive(Clone)]
pub(crate) struct SoapInbox {
    version: SoapVersion,
    mtom: bool,
    /// What it took, by key.
    pub(crate) taken: Arc<Mutex<BTreeMap<String, Took>>>,
    /// The keys of all requests, in their order.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// What it does with the next requests, and with those after them.
    pub(crate) script: Arc<Mutex<VecDeque<Act>>>,
    pub(crate) then: Arc<Mutex<Act>>,
    /// It answers in parts, as one does that speaks MTOM throughout.
    pub(crate) answers_in_parts: bool,
}

impl SoapInbox {
    pub(crate) fn new(version: SoapVersion, mtom: bool) -> Self {
        Self {
            version,
            mtom,
            taken: Arc::default(),
            asked: Arc::default(),
            script: Arc::default(),
            then: Arc::new(Mutex::new(Act::Take)),
            answers_in_parts: false,
        }
    }

    /// What it does with the next requests.
    pub(crate) fn script(&self, acts: &[Act]) {
        self.script.lock().unwrap().extend(acts);
    }

    /// Serves it; the address has `/soap` and `/soap/{key}`.
    pub(crate) async fn serve(&self) -> String {
        let router = axum::Router::new().route("/soap", post(receive)).route("/soap/{key}", get(status));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable()).with_state(self.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base_url
    }

    fn namespace(&self) -> &'static str {
        match self.version {
            SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    fn answer(&self, status: StatusCode, body: &str) -> Response {
        let media_type = if self.version == SoapVersion::V11 { "text/xml" } else { "application/soap+xml" };
        let envelope = format!("<s:Envelope xmlns:s=\"{}\"><s:Body>{body}</s:Body></s:Envelope>", self.namespace());
        if !self.answers_in_parts {
            return (status, [("content-type", format!("{media_type}; charset=utf-8"))], envelope).into_response();
        }
        let content_type = format!(
            "multipart/related; type=\"application/xop+xml\"; start=\"<root>\"; boundary=\"uuid:7\"; start-info=\"{media_type}\""
        );
        let body = format!(
            "\r\n--uuid:7\r\nContent-ID: <root>\r\nContent-Type: application/xop+xml; type=\"{media_type}\"\r\n\r\n\
             {envelope}\r\n--uuid:7--\r\n"
        );
        (status, [("content-type", content_type)], body).into_response()
    }

    fn receipt(&self, code: &str) -> Response {
        let body = format!(
            "<ReceiveOnlineBatchExternalAttachmentResponse xmlns=\"http://AltInn.no/webservices/\">\
             <ReceiveOnlineBatchExternalAttachmentResult>&lt;?xml version=\"1.0\" encoding=\"utf-16\"?&gt;&#xD;\n\
             &lt;OnlineBatchReceipt&gt;&lt;Result resultCode=\"{code}\"&gt;Ola 14878510187&lt;/Result&gt;\
             &lt;/OnlineBatchReceipt&gt;</ReceiveOnlineBatchExternalAttachmentResult>\
             </ReceiveOnlineBatchExternalAttachmentResponse>"
        );
        self.answer(StatusCode::OK, &body)
    }

    fn fault(&self) -> Response {
        let inside = match self.version {
            SoapVersion::V11 => "<faultcode>s:Server</faultcode><faultstring>nede</faultstring>",
            SoapVersion::V12 => {
                "<s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"nb\">nede</s:Text></s:Reason>"
            }
        };
        self.answer(StatusCode::INTERNAL_SERVER_ERROR, &format!("<s:Fault>{inside}</s:Fault>"))
    }

    /// Takes a request apart; panics where it is not as the contract has it.
    fn read(&self, headers: &HeaderMap, body: &[u8]) -> (String, Took) {
        let content_type = headers["content-type"].to_str().unwrap();
        const ACTION: &str = "\"http://AltInn.no/webservices/ReceiveOnlineBatchExternalAttachment\"";
        let media_type = match self.version {
            SoapVersion::V11 => {
                assert_eq!(headers["soapaction"].to_str().unwrap(), ACTION);
                "text/xml"
            }
            SoapVersion::V12 => {
                assert!(content_type.ends_with(&format!("; action={ACTION}")), "{content_type}");
                "application/soap+xml"
            }
        };
        let (envelope, archive, boundary) = if content_type.starts_with("multipart/") {
            assert!(self.mtom, "parts were not asked for");
            assert!(content_type.starts_with("multipart/related; type=\"application/xop+xml\"; "), "{content_type}");
            assert_eq!(quoted(content_type, "start-info"), media_type);
            let boundary = quoted(content_type, "boundary");
            let parts = parts(body, boundary);
            assert_eq!(parts.len(), 2);
            assert_eq!(parts[0].0["content-id"], quoted(content_type, "start"));
            assert_eq!(
                parts[0].0["content-type"],
                format!("application/xop+xml; charset=UTF-8; type=\"{media_type}\"")
            );
            assert_eq!(parts[1].0["content-transfer-encoding"], "binary");
            let envelope = std::str::from_utf8(parts[0].1).unwrap();
            let cid = between(envelope, "href=\"cid:", "\"").unwrap();
            assert_eq!(parts[1].0["content-id"], format!("<{cid}>"));
            (envelope, parts[1].1.to_vec(), Some(boundary))
        } else {
            assert!(content_type.starts_with(&format!("{media_type}; charset=utf-8")), "{content_type}");
            let envelope = std::str::from_utf8(body).unwrap();
            let inside = between(envelope, "<attachments>", "</attachments>").unwrap_or_default();
            (envelope, BASE64_STANDARD.decode(inside).unwrap(), None)
        };
        assert!(envelope.contains(&format!("<soap:Envelope xmlns:soap=\"{}\">", self.namespace())), "{envelope}");
        assert!(envelope.contains("<ReceiveOnlineBatchExternalAttachment xmlns=\"http://AltInn.no/webservices/\">"));
        let value = |name: &str| between(envelope, &format!("<{name}>"), &format!("</{name}>")).unwrap().to_owned();
        let key = value("receiversReference");
        assert!(key.parse::<uuid::Uuid>().is_ok(), "{key}");
        let attachments = unzipped(&archive);
        let took = Took {
            batch: read_as_text(&value("batch")).into_bytes(),
            sequence_number: value("sequenceNumber").parse().unwrap(),
            shown: shown((headers, envelope, body), boundary, &archive, &attachments),
            attachments,
        };
        (key, took)
    }
}

async fn receive(State(inbox): State<SoapInbox>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    // Whoever breaks off brings nothing.
    let Ok(body) = body else { return StatusCode::BAD_REQUEST.into_response() };
    let (key, took) = inbox.read(&headers, &body);
    inbox.asked.lock().unwrap().push(key.clone());
    let act = inbox.script.lock().unwrap().pop_front().unwrap_or(*inbox.then.lock().unwrap());
    let had = inbox.taken.lock().unwrap().contains_key(&key);
    let takes = matches!(act, Act::Take | Act::TakeAndLose | Act::TakeAndFault | Act::RefuseRepeats);
    if takes {
        inbox.taken.lock().unwrap().entry(key).or_insert(took);
    }
    match act {
        Act::RefuseRepeats if had => inbox.receipt("FAILED_DO_NOT_RETRY"),
        Act::Take | Act::RefuseRepeats => inbox.receipt("OK"),
        Act::TakeAndLose => StatusCode::BAD_GATEWAY.into_response(),
        Act::TakeAndFault | Act::Fault => inbox.fault(),
        Act::Fail => inbox.receipt("FAILED"),
        Act::FailForGood => inbox.receipt("FAILED_DO_NOT_RETRY"),
        Act::Status(status) => (StatusCode::from_u16(status).unwrap(), "<html/>").into_response(),
    }
}

async fn status(State(inbox): State<SoapInbox>, axum::extract::Path(key): axum::extract::Path<String>) -> StatusCode {
    if inbox.taken.lock().unwrap().contains_key(&key) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

/// A part's headers, in lower case, and its content.
type Part<'a> = (BTreeMap<String, String>, &'a [u8]);

fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<Part<'a>> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let mark = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&mark.as_bytes()[2..]).expect("it begins with the boundary");
    let mut parts = Vec::new();
    while let Some(behind) = rest.strip_prefix(b"\r\n") {
        let head_end = find(behind, b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&behind[..head_end]).unwrap();
        let fields = head.lines().map(|line| line.split_once(": ").unwrap());
        let fields = fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let content = &behind[head_end + 4..];
        let end = find(content, mark.as_bytes()).unwrap();
        parts.push((fields, &content[..end]));
        rest = &content[end + mark.len()..];
    }
    assert_eq!(rest, b"--\r\n");
    parts
}

/// The files in an archive.
fn unzipped(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    if archive.is_empty() {
        return files;
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(files.insert(name, bytes).is_none(), "a name twice");
    }
    files
}

/// A request for a golden file.
fn shown(
    (headers, envelope, body): (&HeaderMap, &str, &[u8]),
    boundary: Option<&str>,
    archive: &[u8],
    files: &BTreeMap<String, Vec<u8>>,
) -> String {
    let field = |name: &str| headers.get(name).map(|value| format!("{name}: {}\n", value.to_str().unwrap()));
    let head: String = ["content-type", "soapaction", "authorization"].into_iter().filter_map(field).collect();
    let listed: Vec<String> = files.iter().map(|(name, bytes)| format!("{name}: {} bytes", bytes.len())).collect();
    let listed = format!("[ZIP of {}]", listed.join(", "));
    let body = match boundary {
        Some(_) => {
            let at = body.windows(archive.len()).position(|window| window == archive).unwrap();
            let ends = [&body[..at], listed.as_bytes(), &body[at + archive.len()..]].concat();
            String::from_utf8(ends).unwrap()
        }
        None if archive.is_empty() => envelope.to_owned(),
        None => envelope.replace(&BASE64_STANDARD.encode(archive), &listed),
    };
    let whole = format!("{head}\n{body}\n").replace("\r\n", "\n");
    boundary.map_or(whole.clone(), |boundary| whole.replace(boundary, "BOUNDARY"))
}

fn quoted<'a>(value: &'a str, name: &str) -> &'a str {
    between(value, &format!("; {name}=\""), "\"").unwrap()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// What an XML parser makes of the text of an element.
fn read_as_text(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n").replace('\r', "\n");
    let read = raw.replace("&#13;", "\r").replace("&lt;", "<").replace("&gt;", ">");
    assert!(!raw.contains('<'), "markup in text");
    read.replace("&amp;", "&")
}
