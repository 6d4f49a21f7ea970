//! The request: an envelope around a batch, which stands in it as text, and around its attachments.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use secrecy::ExposeSecret as _;

use super::{OPERATION, SERVICE, UserPassword};
use crate::model::{CredentialPlace, ItemKey, SoapVersion};

/// Bytes on their way.
pub(super) type Flow = BoxStream<'static, io::Result<Bytes>>;

/// What an envelope holds.
pub(super) struct Letter<'a> {
    pub(super) version: SoapVersion,
    pub(super) user: Option<&'a UserPassword>,
    pub(super) key: ItemKey,
    pub(super) sequence_number: i64,
}

/// Where the attachments are.
pub(super) enum Attached {
    /// There are none.
    Nothing,
    /// In the envelope, as base64.
    Inside(Flow),
    /// In a part of its own with this id.
    Beside(&'static str),
}

impl Letter<'_> {
    /// The whole envelope. Only one chunk of the batch is in memory at a time.
    pub(super) fn sealed(&self, batch: Flow, attached: Attached) -> Flow {
        let end = format!("</{OPERATION}></soap:Body></soap:Envelope>");
        let attachments = match attached {
            Attached::Nothing => ready("<attachments/>".to_owned()),
            Attached::Inside(bytes) => {
                let (begin, end) = (ready("<attachments>".to_owned()), ready("</attachments>".to_owned()));
                begin.chain(base64(bytes)).chain(end).boxed()
            }
            Attached::Beside(id) => {
                ready(format!("<attachments><xop:Include xmlns:xop=\"{XOP}\" href=\"cid:{id}\"/></attachments>"))
            }
        };
        let (begin, middle) = (ready(self.begin()), ready("</batch>".to_owned()));
        begin.chain(as_text(batch)).chain(middle).chain(attachments).chain(ready(end)).boxed()
    }

    fn begin(&self) -> String {
        let namespace = namespace(self.version);
        let (mut header, mut own) = (String::new(), String::new());
        if let Some(user) = self.user {
            let (name, password) = (escaped(&user.name), escaped(user.password.expose_secret()));
            match user.place {
                CredentialPlace::Body => own = format!("<username>{name}</username><passwd>{password}</passwd>"),
                CredentialPlace::Header => {
                    header = format!(
                        "<soap:Header><wsse:Security xmlns:wsse=\"{WSSE}\" soap:mustUnderstand=\"1\"><wsse:UsernameToken>\
                         <wsse:Username>{name}</wsse:Username><wsse:Password Type=\"{PASSWORD_TEXT}\">{password}\
                         </wsse:Password></wsse:UsernameToken></wsse:Security></soap:Header>"
                    );
                }
            }
        }
        let (key, number) = (self.key, self.sequence_number);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<soap:Envelope xmlns:soap=\"{namespace}\">{header}<soap:Body>\
             <{OPERATION} xmlns=\"{SERVICE}\">{own}<receiversReference>{key}</receiversReference>\
             <sequenceNumber>{number}</sequenceNumber><batch>"
        )
    }
}

/// The namespace of a version's envelope.
pub(super) fn namespace(version: SoapVersion) -> &'static str {
    match version {
        SoapVersion::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V12 => "http://www.w3.org/2003/05/soap-envelope",
    }
}

pub(super) fn ready(text: String) -> Flow {
    stream::iter([Ok(Bytes::from(text))]).boxed()
}

/// A document in UTF-8 as the text of an element, which reads as it was written: a parser would make other line ends of bare
/// carriage returns. Without a byte order mark, which is no part of a text.
fn as_text(document: Flow) -> Flow {
    let mut is_first = true;
    document
        .map(move |chunk| {
            let chunk = chunk?;
            let begins = std::mem::replace(&mut is_first, false);
            let bytes = chunk.strip_prefix(b"\xEF\xBB\xBF").filter(|_| begins).unwrap_or(&chunk);
            let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 4);
            escape(bytes, &mut text);
            Ok(Bytes::from(text))
        })
        .boxed()
}

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    escape(text.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'\r' => out.extend_from_slice(b"&#13;"),
            other => out.push(*other),
        }
    }
}

/// Bytes as base64, chunk by chunk.
fn base64(bytes: Flow) -> Flow {
    let encoded = stream::try_unfold(Some((bytes, Vec::new())), |state| async {
        let Some((mut bytes, mut held)) = state else { return Ok(None) };
        match bytes.next().await.transpose()? {
            Some(chunk) => {
                held.extend_from_slice(&chunk);
                let rest = held.split_off(held.len() - held.len() % 3);
                Ok::<_, io::Error>(Some((Bytes::from(BASE64_STANDARD.encode(&held)), Some((bytes, rest)))))
            }
            None => Ok(Some((Bytes::from(BASE64_STANDARD.encode(&held)), None))),
        }
    });
    encoded.boxed()
}

const XOP: &str = "http://www.w3.org/2004/08/xop/include";
const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;
    use proptest::prelude::*;

    use super::*;

    fn flow(bytes: &[u8], size: usize) -> Flow {
        let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        stream::iter(chunks).boxed()
    }

    fn gathered(flow: Flow) -> Vec<u8> {
        futures::executor::block_on(flow.try_collect::<Vec<_>>()).unwrap().concat()
    }

    proptest! {
        #[test]
        fn base64_is_the_same_in_any_chunks(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
            prop_assert_eq!(gathered(base64(flow(&bytes, size))), BASE64_STANDARD.encode(&bytes).into_bytes());
        }
    }

    #[test]
    fn a_document_is_text_that_reads_as_it_was_written() {
        let document = "\u{feff}<a b=\"&lt;\">å\r\n]]></a>";
        let expected = "&lt;a b=\"&amp;lt;\"&gt;å&#13;\n]]&gt;&lt;/a&gt;";
        assert_eq!(gathered(as_text(flow(document.as_bytes(), 7))), expected.as_bytes());
        assert_eq!(gathered(as_text(flow("b\u{feff}".as_bytes(), 1))), "b\u{feff}".as_bytes());
    }
}
