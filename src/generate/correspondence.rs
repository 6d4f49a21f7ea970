//! Correspondences batches.

use std::io::{self, Write};

use super::batch::{Batch, Item, moment};
use super::content;
use super::mistake::Mistake;
use super::{Options, Profile, SENDER_NAME, Summary};

/// Namespace of the format.
const NAMESPACE: &str = "http://schemas.altinn.no/services/intermediary/correspondence/2009/10";

/// Bokmål, nynorsk, English.
const LANGUAGES: [&str; 3] = ["1044", "2068", "1033"];

/// One message in so many asks for an answer, and one in so many is told of.
const REPLY_EVERY: u64 = 3;
const NOTIFIED_EVERY: u64 = 2;

/// Writes a batch.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "MEL", out);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    batch.sheet.put(&format!("<Correspondences xmlns=\"{NAMESPACE}\">\n"));
    batch.sheet.element(2, "SystemUserCode", SENDER_NAME);
    batch.sheet.element(2, "ShipmentReference", &batch.reference);
    if let Some(number) = options.sequence {
        batch.sheet.element(2, "SequenceNo", &number.to_string());
    }
    for number in 1..=options.items {
        let mut item = batch.item(number);
        message(&mut batch, &mut item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("</Correspondences>\n");
    batch.finish()
}

fn message(batch: &mut Batch<'_>, item: &mut Item) {
    let service = Batch::service(item.of, item.mistake);
    let reference = batch.reference_of(item.of);
    batch.sheet.put("  <Correspondence>\n");
    batch.sheet.element(4, "ServiceCode", service.code);
    batch.sheet.element(4, "ServiceEdition", service.edition);
    let mut lines = [("SendersReference", reference.as_str()), ("Reportee", item.id.as_str())];
    if item.has(Mistake::WrongOrder) {
        lines.reverse();
    }
    for (name, text) in lines {
        batch.sheet.element(4, name, text);
    }
    message_content(batch, item, &reference);
    let visible = if item.has(Mistake::BadDate) { "2026-02-30T08:00:00" } else { "2026-02-02T08:00:00" };
    batch.sheet.element(4, "VisibleDateTime", visible);
    batch.sheet.element(4, "AllowSystemDeleteDateTime", "2031-02-02T00:00:00");
    if item.number.is_multiple_of(REPLY_EVERY) {
        reply(batch);
    }
    if item.number.is_multiple_of(NOTIFIED_EVERY) {
        notification(batch, item);
    }
    batch.sheet.element(4, "AllowForwarding", if item.has(Mistake::BadValue) { "kanskje" } else { "false" });
    batch.sheet.element(4, "IsReservable", "true");
    batch.sheet.put("  </Correspondence>\n");
}

fn message_content(batch: &mut Batch<'_>, item: &mut Item, reference: &str) {
    let language = item.random.pick(&LANGUAGES);
    batch.sheet.put("    <Content>\n");
    batch.sheet.element(6, "LanguageCode", language);
    if !item.has(Mistake::MissingElement) {
        batch.sheet.open(6, "MessageTitle");
        content::words(&mut batch.sheet.buffer, &mut item.random, 24);
        batch.sheet.close("MessageTitle");
    }
    batch.sheet.open(6, "MessageSummary");
    content::words(&mut batch.sheet.buffer, &mut item.random, 60);
    batch.sheet.close("MessageSummary");
    batch.sheet.open(6, "MessageBody");
    batch.html(&mut item.random);
    batch.sheet.close("MessageBody");
    if batch.profile == Profile::Attachment {
        attachment(batch, item, reference);
    }
    batch.sheet.put("    </Content>\n");
}

fn attachment(batch: &mut Batch<'_>, item: &mut Item, reference: &str) {
    batch.sheet.put("      <Attachments>\n        <BinaryAttachments>\n          <BinaryAttachment>\n");
    batch.sheet.element(12, "FileName", "vedlegg.pdf");
    batch.sheet.element(12, "Name", "Vedlegg");
    batch.sheet.element(12, "Encrypted", "false");
    batch.sheet.open(12, "Data");
    batch.attachment(&mut item.random);
    if item.has(Mistake::BadBase64) {
        batch.sheet.put("=");
    }
    batch.sheet.close("Data");
    batch.sheet.element(12, "SendersReference", &format!("{reference}-V1"));
    batch.sheet.element(12, "FunctionType", "Unspecified");
    batch.sheet.element(12, "AttachmentType", "application_pdf");
    batch.sheet.element(12, "DestinationType", "ShowToAll");
    batch.sheet.put("          </BinaryAttachment>\n        </BinaryAttachments>\n      </Attachments>\n");
}

fn reply(batch: &mut Batch<'_>) {
    batch.sheet.put("    <ReplyOptions>\n      <ReplyOption>\n        <Url>\n");
    batch.sheet.element(10, "LinkText", "Svar her");
    batch.sheet.element(10, "LinkUrl", "https://ttd.example/svar");
    batch.sheet.put("        </Url>\n      </ReplyOption>\n    </ReplyOptions>\n");
}

fn notification(batch: &mut Batch<'_>, item: &mut Item) {
    batch.sheet.put("    <Notifications>\n      <Notification>\n");
    batch.sheet.element(8, "FromAdress", "post@ttd.example");
    batch.sheet.element(8, "ShipmentDateTime", &moment(&mut item.random));
    batch.sheet.element(8, "LanguageCode", "1044");
    batch.sheet.element(8, "NotificationType", "Correspondence");
    batch.sheet.put("        <RecieverEndPoints>\n          <ReceiverEndPoint>\n");
    batch.sheet.element(12, "TransportType", "EmailPreferred");
    batch.sheet.put("          </ReceiverEndPoint>\n        </RecieverEndPoints>\n");
    batch.sheet.put("      </Notification>\n    </Notifications>\n");
}
