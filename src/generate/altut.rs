//! GovOrgan batches of AltUt messages.

use std::io::{self, Write};

use super::batch::{Batch, Item};
use super::content;
use super::mistake::Mistake;
use super::{Options, Profile, SENDER_NAME, Summary};

/// Writes a batch.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "ALT", out);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<GovOrgan");
    batch.sheet.attribute("name", SENDER_NAME);
    batch.sheet.put(">\n  <AltUt");
    if let Some(number) = options.sequence {
        batch.sheet.attribute("sequenceno", &number.to_string());
    }
    batch.sheet.put(">\n");
    for number in 1..=options.items {
        let mut item = batch.item(number);
        message(&mut batch, &mut item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("  </AltUt>\n</GovOrgan>\n");
    batch.finish()
}

fn message(batch: &mut Batch<'_>, item: &mut Item) {
    let service = Batch::service(item.of, item.mistake);
    let reference = batch.reference_of(item.of);
    batch.sheet.put("    <Message");
    batch.sheet.attribute("shortName", &format!("{}_{}", service.code, service.edition));
    batch.sheet.attribute("messageReference", &reference);
    batch.sheet.put(">\n");
    batch.sheet.element(6, "RoleReqRead", "UTINN");
    if !item.has(Mistake::MissingElement) {
        participant(batch, item);
    }
    batch.sheet.put("    </Message>\n");
}

fn participant(batch: &mut Batch<'_>, item: &mut Item) {
    batch.sheet.put("      <Participant");
    batch.sheet.attribute("id", &item.id);
    batch.sheet.put(">\n");
    let visible = if item.has(Mistake::BadDate) { "2026-02-30" } else { "2026-02-02" };
    batch.sheet.element(8, "VisibleDate", visible);
    batch.sheet.element(8, "AllowSystemDeleteDate", "2031-02-02");
    batch.sheet.element(8, "Year", "2026");
    batch.sheet.put("        <Content languageCode=\"1044\">\n");
    for (name, bytes) in [("MessageHeader", 24), ("MessageSummery", 60)] {
        batch.sheet.open(10, name);
        content::words(&mut batch.sheet.buffer, &mut item.random, bytes);
        batch.sheet.close(name);
    }
    if batch.profile == Profile::Attachment {
        attachment(batch, item);
    }
    batch.sheet.open(10, "HTML");
    batch.html(&mut item.random);
    batch.sheet.close("HTML");
    batch.sheet.put("        </Content>\n      </Participant>\n");
}

fn attachment(batch: &mut Batch<'_>, item: &mut Item) {
    batch.sheet.put("          <Attachments>\n            <Attachment");
    batch.sheet.attribute("id", "1");
    batch.sheet.attribute("functionType", "Unspecified");
    batch.sheet.attribute("type", "application_pdf");
    batch.sheet.attribute("filename", "vedlegg.pdf");
    batch.sheet.attribute("name", "Vedlegg");
    batch.sheet.put(">");
    batch.attachment(&mut item.random);
    if item.has(Mistake::BadBase64) {
        batch.sheet.put("=");
    }
    batch.sheet.put("</Attachment>\n          </Attachments>\n");
}
