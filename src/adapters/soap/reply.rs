//! The answer: an envelope around a receipt, which stands in it as text; or a fault.
//!
//! Elements and codes decide, never texts: what a receiver writes for its own operators may hold anything, and is neither
//! kept nor shown.

use super::related::root;
use super::{OPERATION, SERVICE};
use crate::xml::{Limits, LineEnds, Locator, Namespace, Scope, Sink, Tag, Tokenizer};

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The batch was received.
    Ok,
    /// It was not, and may be sent again.
    Failed,
    /// It was not, and is not to be sent again.
    FailedForGood,
    /// The receiver is down.
    Fault,
    /// Nothing that was agreed.
    Unclear,
}

/// Reads an answer's body.
pub fn reply(content_type: &str, body: &[u8]) -> Reply {
    let mut envelope = Envelope::default();
    let read = root(content_type, body).is_some_and(|part| hear(part, ENVELOPES, &mut envelope));
    if !read || envelope.is_odd {
        return Reply::Unclear;
    }
    match (envelope.faults, envelope.responses, envelope.results) {
        (1, 0, 0) => Reply::Fault,
        (0, 1, 1) => receipt(&envelope.text),
        _ => Reply::Unclear,
    }
}

/// Reads the receipt that stands in the envelope.
fn receipt(text: &[u8]) -> Reply {
    let mut receipt = Receipt::default();
    if !hear(without_declaration(text), &[], &mut receipt) || receipt.is_odd || receipt.results != 1 {
        return Reply::Unclear;
    }
    match receipt.code.as_slice() {
        b"OK" => Reply::Ok,
        b"FAILED" => Reply::Failed,
        b"FAILED_DO_NOT_RETRY" => Reply::FailedForGood,
        _ => Reply::Unclear,
    }
}

/// Tells whether it is well-formed and within the limits.
fn hear(document: &[u8], namespaces: &[&str], sink: &mut impl Sink) -> bool {
    let mut tokenizer = Tokenizer::new(LIMITS, namespaces);
    tokenizer.feed(document, sink).and_then(|()| tokenizer.finish(sink)).is_ok()
}

/// A document that was a string once: its declaration often names the encoding that strings have in memory there.
fn without_declaration(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    if !text.starts_with(b"<?xml") {
        return text;
    }
    let end = memchr::memmem::find(text, b"?>").map_or(text.len(), |at| at + 2);
    text.get(end..).unwrap_or_default().trim_ascii_start()
}

/// Listens for what stands where in an envelope.
#[derive(Default)]
struct Envelope {
    open: Vec<Place>,
    faults: u32,
    responses: u32,
    results: u32,
    text: Vec<u8>,
    line_ends: LineEnds,
    /// Something stands where nothing of its kind belongs.
    is_odd: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Envelope(Namespace),
    Body(Namespace),
    Response,
    Result,
    /// What is within it is passed by.
    Elsewhere,
}

impl Envelope {
    fn place(&mut self, tag: &Tag<'_>) -> Place {
        let response = || tag.local.strip_prefix(OPERATION.as_bytes());
        match self.open.last().copied() {
            None if is_soap(tag.namespace) && tag.local == b"Envelope" => Place::Envelope(tag.namespace),
            Some(Place::Envelope(soap)) if soap == tag.namespace && tag.local == b"Body" => Place::Body(soap),
            Some(Place::Envelope(_) | Place::Elsewhere) => Place::Elsewhere,
            Some(Place::Body(soap)) if soap == tag.namespace && tag.local == b"Fault" => {
                self.faults += 1;
                Place::Elsewhere
            }
            Some(Place::Body(_)) if tag.namespace == ALTINN && response() == Some(b"Response") => {
                self.responses += 1;
                Place::Response
            }
            Some(Place::Response) if tag.namespace == ALTINN && response() == Some(b"Result") => {
                self.results += 1;
                Place::Result
            }
            None | Some(Place::Body(_) | Place::Response | Place::Result) => {
                self.is_odd = true;
                Place::Elsewhere
            }
        }
    }
}

impl Sink for Envelope {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        let place = self.place(tag);
        self.open.push(place);
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {
        self.open.pop();
    }

    fn text(&mut self, raw: &[u8], offset: u64, _: &mut Locator<'_>) {
        if self.open.last() == Some(&Place::Result) {
            self.line_ends.settle(raw, offset, |text| self.text.extend_from_slice(text));
        }
    }

    fn character(&mut self, c: char, _: u64, _: &mut Locator<'_>) {
        if self.open.last() == Some(&Place::Result) {
            self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Listens for the code of a receipt.
#[derive(Default)]
struct Receipt {
    depth: usize,
    results: u32,
    code: Vec<u8>,
    is_odd: bool,
}

impl Sink for Receipt {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        let bare = tag.namespace == Namespace::NONE;
        match (self.depth, tag.local) {
            (0, b"OnlineBatchReceipt") if bare => {}
            (1, b"Result") if bare => {
                self.results += 1;
                let code = tag.attributes().find(|attribute| attribute.local == b"resultCode");
                self.code = code.map(|code| code.value.to_vec()).unwrap_or_default();
            }
            _ => self.is_odd = true,
        }
        self.depth += 1;
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

fn is_soap(namespace: Namespace) -> bool {
    namespace == Namespace::known(0) || namespace == Namespace::known(1)
}

/// Those of the envelope in either version, and the service's own.
const ENVELOPES: &[&str] =
    &["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope", SERVICE];
const ALTINN: Namespace = Namespace::known(2);
/// Far more than an answer needs; its body has a limit of its own.
const LIMITS: Limits = Limits {
    depth: 32,
    attributes: 32,
    name_bytes: 256,
    attribute_bytes: 4 << 10,
    tag_bytes: 16 << 10,
    bindings: 64,
    declaration_bytes: 256,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(soap: &str, body: &str) -> String {
        format!("<s:Envelope xmlns:s='{soap}'><s:Header><x/></s:Header><s:Body>{body}</s:Body></s:Envelope>")
    }

    fn response(result: &str) -> String {
        format!(
            "<{OPERATION}Response xmlns='{SERVICE}'><{OPERATION}Result>{result}</{OPERATION}Result></{OPERATION}Response>"
        )
    }

    fn of(body: &str) -> Reply {
        let replies = [0, 1].map(|version| reply("text/xml", envelope(ENVELOPES[version], body).as_bytes()));
        assert_eq!(replies[0], replies[1], "{body}");
        replies[0]
    }

    #[test]
    fn each_code_is_heard_however_the_receipt_is_written() {
        for (code, expected) in [
            ("OK", Reply::Ok),
            ("FAILED", Reply::Failed),
            ("FAILED_DO_NOT_RETRY", Reply::FailedForGood),
            ("ok", Reply::Unclear),
            ("", Reply::Unclear),
        ] {
            let receipt =
                format!("<OnlineBatchReceipt>\r\n <Result resultCode=\"{code}\">å</Result></OnlineBatchReceipt>");
            let escaped = receipt.replace('<', "&lt;").replace('\r', "&#xD;");
            assert_eq!(of(&response(&escaped)), expected);
            assert_eq!(of(&response(&format!("<![CDATA[{receipt}]]>"))), expected);
            let declared = format!("&#xFEFF;\n&lt;?xml version=\"1.0\" encoding=\"utf-16\"?>\n{escaped}");
            assert_eq!(of(&response(&declared)), expected);
        }
    }

    #[test]
    fn a_fault_is_one_wherever_its_reason_lies_and_nothing_else_is() {
        assert_eq!(of("<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>"), Reply::Fault);
        assert_eq!(of("<s:Fault/>"), Reply::Fault);
        for odd in ["<Fault/>", "<s:Fault/><s:Fault/>", "", "<x/>", "text"] {
            assert_eq!(of(odd), Reply::Unclear, "{odd}");
        }
        let ok = response("&lt;OnlineBatchReceipt>&lt;Result resultCode='OK'/>&lt;/OnlineBatchReceipt>");
        assert_eq!(of(&ok), Reply::Ok);
        assert_eq!(of(&format!("{ok}<s:Fault/>")), Reply::Unclear);
        assert_eq!(of(&format!("{ok}{ok}")), Reply::Unclear);
        let other = [("1.1", ENVELOPES[0], ENVELOPES[1]), ("1.2", ENVELOPES[1], ENVELOPES[0])];
        for (version, soap, other) in other {
            let mixed = envelope(soap, &format!("<f:Fault xmlns:f='{other}'/>"));
            assert_eq!(reply("text/xml", mixed.as_bytes()), Reply::Unclear, "{version}");
        }
    }

    #[test]
    fn what_is_not_the_receipt_that_was_agreed_is_unclear() {
        let receipts = [
            "",
            "OK",
            "<Result resultCode='OK'/>",
            "<OnlineBatchReceipt/>",
            "<OnlineBatchReceipt><Result>OK</Result></OnlineBatchReceipt>",
            "<OnlineBatchReceipt xmlns='urn:x'><Result resultCode='OK'/></OnlineBatchReceipt>",
            "<OnlineBatchReceipt><Result resultCode='OK'/><Result resultCode='OK'/></OnlineBatchReceipt>",
            "<OnlineBatchReceipt><Result resultCode='OK'><b/></Result></OnlineBatchReceipt>",
            "<OnlineBatchReceipt><Result resultCode='OK'/>",
            "<!DOCTYPE a><OnlineBatchReceipt><Result resultCode='OK'/></OnlineBatchReceipt>",
        ];
        for receipt in receipts {
            assert_eq!(of(&response(&receipt.replace('<', "&lt;"))), Reply::Unclear, "{receipt}");
        }
        let markup = response("<OnlineBatchReceipt><Result resultCode='OK'/></OnlineBatchReceipt>");
        assert_eq!(of(&markup), Reply::Unclear, "markup in place of text");
        let ok = response("&lt;OnlineBatchReceipt>&lt;Result resultCode='OK'/>&lt;/OnlineBatchReceipt>");
        let whole = envelope(ENVELOPES[0], &ok);
        let cut = whole.strip_suffix("pe>").unwrap();
        for broken in [cut, &format!("<!DOCTYPE x>{whole}"), &format!("{whole}<x/>"), "{}", ""] {
            assert_eq!(reply("text/xml", broken.as_bytes()), Reply::Unclear, "{broken}");
        }
        let deep = format!("{}{}", "<x>".repeat(40), "</x>".repeat(40));
        assert_eq!(of(&format!("<s:Fault>{deep}</s:Fault>")), Reply::Unclear);
        assert_eq!(reply("text/xml", envelope(SERVICE, &ok).as_bytes()), Reply::Unclear);
    }
}
