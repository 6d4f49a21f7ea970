//! Broker ZIPs: a manifest, recipients, and files that nobody looks into.

mod payload;

use std::io::{self, Write};

use aws_lc_rs::digest::{SHA256, digest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::batch::{Batch, Item};
use super::mistake::Mistake;
use super::{Options, Summary};
use payload::Payload;

/// Namespace of manifest and recipients.
const NAMESPACE: &str = "http://schema.altinn.no/services/ServiceEngine/Broker/2015/06";

/// How the manifest is encoded, by the seed: both orders of UTF-16 have been seen, the recipients in UTF-8 alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Big,
    Utf16Little,
}

impl Encoding {
    fn of(seed: u64) -> Self {
        match seed % 4 {
            1 => Self::Utf16Big,
            2 => Self::Utf16Little,
            _ => Self::Utf8,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Big | Self::Utf16Little => "utf-16",
        }
    }

    fn encoded(self, text: String) -> Vec<u8> {
        let units = || "\u{feff}".encode_utf16().chain(text.encode_utf16());
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::Utf16Big => units().flat_map(u16::to_be_bytes).collect(),
            Self::Utf16Little => units().flat_map(u16::to_le_bytes).collect(),
        }
    }
}

/// Writes an archive, whose recipients are the items.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut counted = Counted { out, bytes: 0 };
    let mut archive = ZipWriter::new_stream(&mut counted);
    let payload = payload::of(&Batch::new(options, "FOR", &mut io::sink()));
    // Both spellings of the names are in use.
    let [manifest_name, recipients_name] = if options.seed.is_multiple_of(2) {
        ["manifest.xml", "recipients.xml"]
    } else {
        ["Manifest.xml", "Recipients.xml"]
    };
    archive.start_file(manifest_name, deflated())?;
    archive.write_all(&manifest(options, &payload)?)?;
    archive.start_file(recipients_name, deflated())?;
    let summary = recipients(options, &mut archive)?;
    for (name, bytes) in payload {
        archive.start_file(name, deflated())?;
        archive.write_all(&bytes)?;
    }
    archive.finish()?;
    Ok(Summary { bytes: counted.bytes, ..summary })
}

/// The same moment in every archive, so that the same options give the same bytes.
fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

fn manifest(options: &Options, payload: &Payload) -> io::Result<Vec<u8>> {
    let encoding = Encoding::of(options.seed);
    let mut text = Vec::new();
    let mut batch = Batch::new(options, "FOR", &mut text);
    let service = Batch::service(0, None);
    let sender = batch.reportee(0);
    batch.sheet.put(&format!("<?xml version=\"1.0\" encoding=\"{}\"?>\n", encoding.name()));
    batch.sheet.put(&format!("<BrokerServiceManifest xmlns=\"{NAMESPACE}\">\n"));
    batch.sheet.element(2, "ExternalServiceCode", service.code);
    batch.sheet.element(2, "ExternalServiceEditionCode", service.edition);
    batch.sheet.element(2, "SendersReference", &batch.reference);
    batch.sheet.element(2, "Reportee", &sender);
    batch.sheet.put("  <FileList>\n");
    for (name, bytes) in payload {
        let sum: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        batch.sheet.put("    <File>\n");
        batch.sheet.element(6, "FileName", name);
        batch.sheet.element(6, "CheckSum", &sum);
        batch.sheet.put("    </File>\n");
    }
    batch.sheet.put("  </FileList>\n  <PropertyList>\n    <Property>\n");
    batch.sheet.element(6, "PropertyKey", "Tittel");
    batch.sheet.element(6, "PropertyValue", "Årsoppgave");
    batch.sheet.put("    </Property>\n  </PropertyList>\n</BrokerServiceManifest>\n");
    batch.finish()?;
    Ok(encoding.encoded(String::from_utf8_lossy(&text).into_owned()))
}

fn recipients(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "FOR", out);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    batch.sheet.put(&format!("<BrokerServiceRecipientList xmlns=\"{NAMESPACE}\">\n"));
    for number in 1..=options.items {
        let item = batch.item(number);
        recipient(&mut batch, &item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("</BrokerServiceRecipientList>\n");
    batch.finish()
}

fn recipient(batch: &mut Batch<'_>, item: &Item) {
    batch.sheet.put("  <Recipient>\n");
    if !item.has(Mistake::MissingElement) {
        batch.sheet.element(4, "PartyNumber", &item.id);
    }
    batch.sheet.put("  </Recipient>\n");
}

/// Counts what goes through.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
