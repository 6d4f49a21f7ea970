//! A request taken apart: the key, the batch and whether attachments came with it.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::model::SoapVersion;

/// What was sent.
pub(super) struct Sent {
    pub(super) key: Uuid,
    /// The batch as it stood in the envelope.
    batch: String,
    pub(super) has_archive: bool,
}

impl Sent {
    /// The batch's items; of one in which none can be told apart, the whole.
    pub(super) fn items(&self) -> Vec<&str> {
        let found = ITEMS.iter().map(|name| elements(&self.batch, name)).find(|found| !found.is_empty());
        found.unwrap_or_else(|| vec![&self.batch])
    }
}

/// The version of the envelope that the headers announce.
pub(super) fn version(headers: &HeaderMap) -> Option<SoapVersion> {
    let content_type = headers.get("content-type")?.to_str().ok()?;
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let is_of = |name: &str| match kind.trim() {
        "multipart/related" => quoted(parameters, "start-info") == Some(name),
        kind => kind == name,
    };
    if is_of("text/xml") {
        let action = headers.get("soapaction")?.to_str().ok()?.trim_matches('"');
        return (action == ACTION).then_some(SoapVersion::V11);
    }
    is_of("application/soap+xml").then_some(SoapVersion::V12)
}

/// Takes a request apart; `None` when it is not as the contract has it.
pub(super) fn sent(headers: &HeaderMap, body: &[u8], version: SoapVersion) -> Option<Sent> {
    let content_type = headers.get("content-type")?.to_str().ok()?;
    let (envelope, archive) = match quoted(content_type, "boundary") {
        Some(boundary) => {
            let (envelope, archive) = two_parts(body, boundary)?;
            (std::str::from_utf8(envelope).ok()?, archive.to_vec())
        }
        None => {
            let envelope = std::str::from_utf8(body).ok()?;
            let inside = between(envelope, "<attachments>", "</attachments>").unwrap_or_default();
            (envelope, STANDARD.decode(inside).ok()?)
        }
    };
    let is_archive = archive.starts_with(b"PK");
    if !envelope.contains(namespace(version)) || !envelope.contains(OPERATION) || !(archive.is_empty() || is_archive) {
        return None;
    }
    between(envelope, "<sequenceNumber>", "</sequenceNumber>")?.parse::<i64>().ok()?;
    let key = between(envelope, "<receiversReference>", "</receiversReference>")?.parse().ok()?;
    let batch = text(between(envelope, "<batch>", "</batch>")?);
    batch.contains('<').then_some(Sent { key, batch, has_archive: is_archive })
}

/// What the envelope's elements are of.
pub(super) fn namespace(version: SoapVersion) -> &'static str {
    match version {
        SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
    }
}

/// The contents of the envelope's part and of the one behind it.
fn two_parts<'a>(body: &'a [u8], boundary: &str) -> Option<(&'a [u8], &'a [u8])> {
    let mark = format!("\r\n--{boundary}");
    let rest = body.strip_prefix(mark.trim_start().as_bytes())?;
    let (envelope, rest) = part(rest, mark.as_bytes())?;
    let (archive, rest) = part(rest, mark.as_bytes())?;
    rest.starts_with(b"--").then_some((envelope, archive))
}

/// The content of the part that begins here, and what is behind its end.
fn part<'a>(rest: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (_, content) = cut(rest, b"\r\n\r\n")?;
    cut(content, mark)
}

fn cut<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = memchr::memmem::find(bytes, at)?;
    Some((bytes.get(..place)?, bytes.get(place + at.len()..)?))
}

/// The elements of a name that are not within one another.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}"), format!("</{name}>"));
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((_, behind)) = rest.split_once(&start) {
        // Another name may begin as this one does.
        if behind.starts_with([' ', '\t', '\r', '\n', '>']) {
            let Some((element, after)) = behind.split_once(&end) else { break };
            found.push(element);
            rest = after;
        } else {
            rest = behind;
        }
    }
    found
}

/// What a parser makes of the text of an element.
fn text(raw: &str) -> String {
    let text = raw.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#13;", "\r");
    text.replace("&amp;", "&")
}

fn quoted<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    between(parameters, &format!("{name}=\""), "\"")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// What the items of a batch are called, in the formats that such receivers take.
const ITEMS: [&str; 3] = ["DataUnit", "FormTask", "Correspondence"];

const OPERATION: &str = "<ReceiveOnlineBatchExternalAttachment xmlns=\"http://AltInn.no/webservices/\">";
const ACTION: &str = "http://AltInn.no/webservices/ReceiveOnlineBatchExternalAttachment";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_told_apart() {
        let items = |batch: &str| {
            let sent = Sent { key: Uuid::nil(), batch: batch.to_owned(), has_archive: false };
            sent.items().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        let batch =
            "<D><DataUnits><DataUnit a='1'><FormTask/></DataUnit>\n<DataUnit a='2'>x</DataUnit></DataUnits></D>";
        assert_eq!(items(batch), [" a='1'><FormTask/>", " a='2'>x"]);
        assert_eq!(items("<S><FormTask>1</FormTask><FormTask>2</FormTask></S>"), [">1", ">2"]);
        assert_eq!(items("<x/>"), ["<x/>"]);
    }

    #[test]
    fn parts_are_told_apart() {
        let body = b"--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n";
        assert_eq!(two_parts(body, "b"), Some((&b"one"[..], &b"two"[..])));
        assert_eq!(two_parts(b"--b\r\n\r\none\r\n--b--\r\n", "b"), None);
    }
}
