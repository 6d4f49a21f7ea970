//! What the targets do with their bytes. The test suite runs the same on mutants of its own, so that they keep holding
//! where cargo-fuzz is not installed.

use std::sync::Arc;

#[cfg(feature = "gateway")]
use sluse::adapters::sftp_server::wire;
#[cfg(feature = "gateway")]
use sluse::adapters::soap::reply;
#[cfg(feature = "gateway")]
use sluse::formats::broker::{self, BrokerJudgement, Found};
#[cfg(feature = "gateway")]
use sluse::ports::Blob;
use sluse::xml::{self, Locator, Scope, Sink, Tag, Tokenizer};
use sluse::xsd::{Finding, Limits, Plan, Schema, SchemaDocument, Validator};

/// Between a schema and a document.
pub const BETWEEN: &[u8] = b"\n%%\n";
/// Documents are cut at so many places.
const CUTS: usize = 3;

/// Any bytes, cut in two anywhere, are heard alike, and never panic.
pub fn xml_tokenizer(data: &[u8]) {
    let Some((cut, document)) = data.split_first() else { return };
    let (head, tail) = document.split_at(usize::from(*cut).min(document.len()));
    assert_eq!(heard(&[document]), heard(&[head, tail]));
}

/// Any bytes as a schema are compiled or refused, and never panic.
pub fn xsd_compile(data: &[u8]) {
    let _ = compiled(data);
}

/// Any schema that can be compiled judges any document, and never panics.
pub fn xsd_validate(data: &[u8]) {
    let between = data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN);
    let Some((schema, document)) = between.map(|at| data.split_at(at)) else { return };
    let Some(plan) = compiled(schema) else { return };
    let document = document.get(BETWEEN.len()..).unwrap_or_default();
    let findings = findings(&plan, document, &[]);
    // An accepted document stays accepted, however often it is asked.
    assert_eq!(findings.is_empty(), self::findings(&plan, document, &[]).is_empty());
}

/// A pattern on the first line is compiled or refused; what it takes, it takes again.
pub fn xsd_pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, value) = text.split_once('\n').unwrap_or((&text, ""));
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let schema = format!(
        "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:element name='v'><s:simpleType>\
         <s:restriction base='s:string'><s:pattern value=\"{}\"/></s:restriction></s:simpleType></s:element></s:schema>",
        escaped(pattern)
    );
    let Some(plan) = compiled(schema.as_bytes()) else { return };
    let document = format!("<v>{}</v>", escaped(value));
    findings(&plan, document.as_bytes(), &[]);
}

/// A schema and a document behind places to cut it at: any pieces give the same findings.
pub fn chunking(data: &[u8]) {
    let Some((places, data)) = data.split_at_checked(CUTS) else { return };
    let between = data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN);
    let Some((schema, document)) = between.map(|at| data.split_at(at)) else { return };
    let Some(plan) = compiled(schema) else { return };
    let document = document.get(BETWEEN.len()..).unwrap_or_default();
    let mut cuts: Vec<usize> = places.iter().map(|place| usize::from(*place) * (document.len() + 1) / 256).collect();
    cuts.sort_unstable();
    let whole = findings(&plan, document, &[]);
    assert_eq!(whole, findings(&plan, document, &cuts), "cut at {cuts:?}");
    let bytes: Vec<usize> = (0..document.len()).collect();
    assert_eq!(whole, findings(&plan, document, &bytes), "byte by byte");
}

/// Any bytes as a broker ZIP, behind the size of the pieces they are read in, are judged alike whatever that is. What is
/// taken can be delivered, and is sound then for its one recipient.
#[cfg(feature = "gateway")]
pub fn broker_archive(data: &[u8]) {
    let Some((size, archive)) = data.split_first() else { return };
    let whole = Archive { bytes: archive.to_vec(), piece: usize::MAX };
    let (judgement, findings) = whole.judged();
    let pieces = Archive { piece: usize::from(*size) + 1, ..whole };
    assert_eq!((&judgement, &findings), (&pieces.judged().0, &pieces.judged().1));
    let (None, Some(contents)) = (judgement.refusal, judgement.contents) else { return };
    let delivery = broker::for_recipient(&pieces, &contents, "910000004", None).expect("a sound archive");
    let (mut reader, mut bytes) = (delivery.pieces(), Vec::new());
    loop {
        match reader.read(&pieces).expect("a sound archive") {
            [] => break,
            piece => bytes.extend_from_slice(piece),
        }
    }
    assert_eq!(bytes.len() as u64, delivery.size_bytes());
    let (judgement, _) = Archive { bytes, piece: usize::MAX }.judged();
    assert_eq!(judgement.refusal, None);
}

/// A staged file in memory, read in pieces of some size.
#[cfg(feature = "gateway")]
struct Archive {
    bytes: Vec<u8>,
    piece: usize,
}

#[cfg(feature = "gateway")]
impl Archive {
    fn judged(&self) -> (BrokerJudgement, Vec<Found>) {
        let judging = broker::Judging {
            partner: "fuzz",
            routes: &[],
            limits: broker::Limits { control_bytes: 1 << 20, ..broker::Limits::default() },
            xml: Limits::default(),
            max_findings: 100,
            unknown_checksums: broker::UnknownChecksums::Refuse,
            rights: None,
            code: sluse::validate::code,
            hash: false,
        };
        let mut found = Vec::new();
        let judgement = broker::judge(self, &judging, &mut |chunk| {
            found.push(chunk);
            Ok(())
        });
        (judgement.expect("memory can be read"), found)
    }
}

#[cfg(feature = "gateway")]
impl Blob for Archive {
    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let count = rest.len().min(into.len()).min(self.piece);
        into.iter_mut().zip(rest.iter().take(count)).for_each(|(into, byte)| *into = *byte);
        Ok(count)
    }
}

/// Any bytes on an SFTP channel, behind the size of the pieces they come in: the same requests, and no memory is taken on
/// the word of a length.
#[cfg(feature = "gateway")]
pub fn sftp_packets(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let (whole, _) = wire::hear(stream, stream.len());
    let (pieces, held_bytes) = wire::hear(stream, usize::from(*piece) + 1);
    assert_eq!(whole, pieces);
    // A buffer that grows doubles.
    assert!(held_bytes <= 2 * stream.len() + 1024, "{held_bytes} bytes for {}", stream.len());
    let said: usize = whole.requests.iter().map(String::len).sum();
    assert!(said <= 400 * (stream.len() + 1), "{said} characters for {}", stream.len());
}

/// Any bytes as a SOAP receiver's answer are read or not, and never panic; what is heard of an envelope is heard of it as a
/// part, too.
#[cfg(feature = "gateway")]
pub fn soap_reply(data: &[u8]) {
    const MARK: &[u8] = b"\r\n--b";
    let alone = reply("text/xml; charset=utf-8", data);
    let content_type = "multipart/related; start=\"<r>\"; boundary=\"b\"";
    reply(content_type, data);
    if !data.windows(MARK.len()).any(|window| window == MARK) {
        let part = [&b"--b\r\nContent-ID: <r>\r\n\r\n"[..], data, MARK, b"--"].concat();
        assert_eq!(reply(content_type, &part), alone);
    }
}

/// Any bytes before an SSH connection: a header lies within them, and what follows it changes nothing.
#[cfg(feature = "gateway")]
pub fn proxy_header(data: &[u8]) {
    let Some((length, origin)) = wire::proxied(data) else { return };
    assert!(length <= data.len());
    assert_eq!(wire::proxied(data.get(..length).unwrap_or_default()), Some((length, origin)));
    assert_eq!(wire::proxied(&[data, b"SSH-2.0-x\r\n"].concat()), Some((length, origin)));
}

/// Any bytes in place of a client's version and what follows it: the server says its part and ends.
#[cfg(feature = "gateway")]
pub fn ssh_greeting(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let answered = runtime.block_on(async { tokio::time::timeout(ANSWER_WITHIN, wire::greet(data)).await });
    let answered = answered.expect("the server hangs up when the client does");
    assert!(answered <= MOST_ANSWERED, "{answered} bytes");
}

/// How long the server may take to hang up.
#[cfg(feature = "gateway")]
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);
/// The server's version and its key exchange, without ever an answer to what was not asked.
#[cfg(feature = "gateway")]
const MOST_ANSWERED: u64 = 64 * 1024;

fn compiled(schema: &[u8]) -> Option<Plan> {
    let schema = Schema::compile(&[SchemaDocument { name: "fuzz.xsd", bytes: schema }]).ok()?;
    Plan::new(Arc::new(schema), &[]).ok()
}

fn findings(plan: &Plan, document: &[u8], cuts: &[usize]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut validator = Validator::new(plan, Limits::default());
    let mut from = 0;
    for cut in cuts.iter().copied().chain([document.len()]) {
        validator.feed(document.get(from..cut).unwrap_or_default(), &mut found);
        from = cut;
    }
    let end = validator.finish(&mut found);
    assert_eq!(end.sound, found.is_empty());
    found
}

fn heard(pieces: &[&[u8]]) -> (Option<xml::Fault>, Counter) {
    let mut tokenizer = Tokenizer::new(xml::Limits::default(), &["urn:a"]);
    let mut counter = Counter::default();
    let fed = pieces.iter().try_for_each(|piece| tokenizer.feed(piece, &mut counter));
    let fault = fed.and_then(|()| tokenizer.finish(&mut counter)).err();
    (fault.map(|fault| *fault), counter)
}

/// Counts what it hears.
#[derive(Default, PartialEq, Debug)]
struct Counter(u64, u64, u64);

impl Sink for Counter {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        self.0 += locator.position(tag.offset).column + tag.attributes().count() as u64;
    }

    fn end(&mut self, _: u64, to: u64, _: &Scope, _: &mut Locator<'_>) {
        self.1 += to;
    }

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, c: char, _: u64, _: &mut Locator<'_>) {
        self.2 += u64::from(c);
    }
}
