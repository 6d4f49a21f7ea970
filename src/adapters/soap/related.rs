//! An envelope with a part beside it: `multipart/related` as MTOM and XOP have it.

use futures::StreamExt as _;
use uuid::Uuid;

use super::envelope::{Flow, ready};
use super::{ACTION, media_type};
use crate::model::SoapVersion;

/// The id of the part with the attachments.
pub(super) const ATTACHMENTS: &str = "attachments@sluse";

/// The content type and the body. Only one chunk is in memory at a time.
pub(super) fn related(version: SoapVersion, envelope: Flow, attachments: Flow) -> (String, Flow) {
    // Nobody who writes a batch can know it, and so none can write a part of his own.
    let boundary = format!("sluse-{}", Uuid::new_v4().simple());
    let media_type = media_type(version);
    let action = match version {
        SoapVersion::V11 => String::new(),
        SoapVersion::V12 => format!("; action=\"{ACTION}\""),
    };
    let content_type = format!(
        "multipart/related; type=\"application/xop+xml\"; start=\"<{ENVELOPE}>\"; start-info=\"{media_type}\"; \
         boundary=\"{boundary}\"{action}"
    );
    let first = format!(
        "--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"{media_type}\"\r\n\
         Content-Transfer-Encoding: 8bit\r\nContent-ID: <{ENVELOPE}>\r\n\r\n"
    );
    let second = format!(
        "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\
         Content-ID: <{ATTACHMENTS}>\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let body = ready(first).chain(envelope).chain(ready(second)).chain(attachments).chain(ready(end));
    (content_type, body.boxed())
}

/// The first part of an answer, which is the envelope; the whole of one that has no parts.
pub(super) fn root<'a>(content_type: &str, body: &'a [u8]) -> Option<&'a [u8]> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("multipart/related") {
        return Some(body);
    }
    let boundary = parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))?;
    let mark = format!("--{boundary}");
    let mut rest = body;
    let start = parameter(content_type, "start");
    let mut first = None;
    for _ in 0..MOST_PARTS {
        let (part, behind) = next_part(rest, mark.as_bytes())?;
        let Some((head, content)) = part else { break };
        let is_root = start.as_ref().is_none_or(|start| head_field(head, "content-id").as_deref() == Some(start));
        if is_root {
            return Some(content);
        }
        first = first.or(Some(content));
        rest = behind;
    }
    // Some name their parts otherwise than the start says; the first is the root then.
    first
}

/// The head and the content of a part, and where the next begins; `None` in its place behind the last one.
type Part<'a> = (Option<(&'a [u8], &'a [u8])>, &'a [u8]);

fn next_part<'a>(rest: &'a [u8], mark: &[u8]) -> Option<Part<'a>> {
    let (_, behind) = marked(rest, mark)?;
    if behind.starts_with(b"--") {
        return Some((None, behind));
    }
    // The mark's own line end may also be that of an empty head.
    let head_end = memchr::memmem::find(behind, b"\r\n\r\n")?;
    let (head, content) = (behind.get(..head_end)?, behind.get(head_end + 4..)?);
    let (end, _) = marked(content, &[b"\r\n", mark].concat())?;
    Some((Some((head, content.get(..end)?)), content.get(end..)?))
}

/// Where a mark stands that is not the beginning of a longer one, and what is behind it from its line's end on.
fn marked<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(usize, &'a [u8])> {
    memchr::memmem::find_iter(bytes, mark).find_map(|at| {
        let behind = bytes.get(at + mark.len()..)?;
        let blank = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let behind = if behind.starts_with(b"--") { behind } else { behind.get(blank..)? };
        (behind.starts_with(b"--") || behind.starts_with(b"\r\n")).then_some((at, behind))
    })
}

/// A parameter of a header's value, without its quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once(';') {
        let (found, after) = behind.split_once('=')?;
        let after = after.trim_start();
        let (text, behind) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.find(';').map_or((after, ""), |at| after.split_at(at)),
        };
        if found.trim().eq_ignore_ascii_case(name) {
            return Some(text.trim().to_owned());
        }
        rest = behind;
    }
    None
}

fn head_field(head: &[u8], name: &str) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut found = fields.filter(|(field, _)| field.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim().to_owned())
}

const ENVELOPE: &str = "envelope@sluse";
/// Answers have one.
const MOST_PARTS: usize = 16;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::{TryStreamExt as _, stream};
    use proptest::prelude::*;

    use super::*;

    fn flow(bytes: Vec<u8>) -> Flow {
        let chunks: Vec<_> = bytes.chunks(7).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        stream::iter(chunks).boxed()
    }

    proptest! {
        #[test]
        fn parts_are_read_as_they_were_written(
            envelope in "(\r\n|--|sluse|\\PC)*",
            attachments in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let (content_type, body) = related(SoapVersion::V12, flow(envelope.clone().into()), flow(attachments.clone()));
            let body = futures::executor::block_on(body.try_collect::<Vec<_>>()).unwrap().concat();
            prop_assert_eq!(root(&content_type, &body), Some(envelope.as_bytes()));
            let boundary = parameter(&content_type, "boundary").unwrap();
            let end = [b"\r\n\r\n", &attachments[..], format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
            prop_assert!(body.ends_with(&end));
        }
    }

    #[test]
    fn the_root_is_found_by_its_id_or_by_its_place() {
        let body = b"preamble\r\n--b 1\r\nContent-ID: <x>\r\n\r\n<one/>\r\n--b 1\r\nContent-Id:<y>\r\nA: b\r\n\r\n<two/>\r\n--b 1--";
        let of = |content_type: &str| root(content_type, body).map(|part| String::from_utf8(part.to_vec()).unwrap());
        for (content_type, expected) in [
            ("Multipart/Related; boundary=\"b 1\"; start=\"<y>\"", Some("<two/>")),
            ("multipart/related;start=\"<x>\";boundary=\"b 1\"", Some("<one/>")),
            ("multipart/related; boundary=\"b 1\"", Some("<one/>")),
            ("multipart/related; boundary=\"b 1\"; start=\"<z>\"", Some("<one/>")),
            ("multipart/related; boundary=b", None),
            ("multipart/related; start=\"<x>\"", None),
            ("multipart/related; boundary=\"\"", None),
        ] {
            assert_eq!(of(content_type).as_deref(), expected, "{content_type}");
        }
        assert_eq!(root("text/xml; charset=utf-8", b"<a/>"), Some(&b"<a/>"[..]));
        assert_eq!(root("multipart/related; boundary=b", b"--b\r\n\r\n<a/>\r\n--b--"), Some(&b"<a/>"[..]));
        assert_eq!(root("multipart/related; boundary=b", b"--b\r\n\r\n<a/>"), None, "it breaks off");
    }
}
