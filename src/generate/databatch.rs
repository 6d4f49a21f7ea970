//! DataBatch batches, as an agency receives them.

use std::io::{self, Write};

use super::batch::{Batch, Item, moment};
use super::mistake::Mistake;
use super::{Options, Profile, SENDER_NAME, Summary};

/// One unit in so many has a sub-form, and one in so many something else that may be there.
const SUB_FORM_EVERY: u64 = 3;
const APPROVED_EVERY: u64 = 2;

/// How much of a reference stands in an archive reference, which is short.
const REFERENCE_CHARS: usize = 30;

/// Writes a batch.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "DAT", out);
    head(&mut batch);
    for number in 1..=options.items {
        let mut item = batch.item(number);
        unit(&mut batch, &mut item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("  </DataUnits>\n");
    if batch.profile == Profile::Attachment {
        attachments(&mut batch)?;
    }
    batch.sheet.put("</DataBatch>\n");
    batch.finish()
}

fn head(batch: &mut Batch<'_>) {
    // Not numbered: zero after zero.
    let unnumbered = batch.options.sequence.is_none() && !batch.options.wrong_sequence;
    let (number, previous) = if unnumbered { (0, 0) } else { batch.numbers() };
    let items = batch.options.items;
    let count = batch.count(items);
    let sheet = &mut batch.sheet;
    sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<DataBatch");
    sheet.attribute("schemaVersion", "2013.06");
    sheet.attribute("batchReference", &number.to_string());
    sheet.attribute("previousReference", &previous.to_string());
    sheet.attribute("receiverReference", SENDER_NAME);
    sheet.attribute("timeStamp", "2026-02-01T03:00:00");
    sheet.attribute("formTasksInBatch", &count);
    sheet.attribute("formsInBatch", &(items + items / SUB_FORM_EVERY).to_string());
    sheet.put(">\n  <DataUnits>\n");
}

fn unit(batch: &mut Batch<'_>, item: &mut Item) {
    let archived = moment(&mut item.random);
    let archived = if item.has(Mistake::BadDate) { "2026-02-30T10:00:00" } else { &archived };
    let archive_reference = archive_reference(batch, item.of);
    batch.sheet.put("    <DataUnit");
    batch.sheet.attribute("reportee", &item.id);
    batch.sheet.attribute("archiveReference", &archive_reference);
    batch.sheet.attribute("archiveTimeStamp", archived);
    batch.sheet.put(">\n");
    if item.number.is_multiple_of(APPROVED_EVERY) || item.has(Mistake::BadValue) {
        metadata_and_approver(batch, item);
    }
    batch.sheet.put("      <FormTask>\n");
    service(batch, item);
    form(batch, item, None);
    if item.number.is_multiple_of(SUB_FORM_EVERY) {
        form(batch, item, Some(item.number * 10));
    }
    batch.sheet.put("      </FormTask>\n    </DataUnit>\n");
}

fn metadata_and_approver(batch: &mut Batch<'_>, item: &mut Item) {
    let (person, at) = (batch.person(item.of), moment(&mut item.random));
    let sheet = &mut batch.sheet;
    sheet.put("      <MetadataList>\n        <Metadata name=\"EndUserSystem\" content=\"Regnskap\"/>\n");
    sheet.put("      </MetadataList>\n      <Approvers>\n        <Approver");
    sheet.attribute("approverId", &person);
    sheet.attribute("approvedTimeStamp", &at);
    sheet.attribute("securityLevel", if item.has(Mistake::BadValue) { "secret" } else { "sensitive" });
    sheet.put("/>\n      </Approvers>\n");
}

fn service(batch: &mut Batch<'_>, item: &Item) {
    let service = Batch::service(item.of, item.mistake);
    let mut lines = [("ServiceCode", service.code), ("ServiceEditionCode", service.edition)];
    if item.has(Mistake::WrongOrder) {
        lines.reverse();
    }
    for (name, text) in lines {
        batch.sheet.element(8, name, text);
    }
}

/// The main form, or a sub-form of it with a reference of its own.
fn form(batch: &mut Batch<'_>, item: &mut Item, sub_form: Option<u64>) {
    let service = Batch::service(item.of, None);
    batch.sheet.put("        <Form>\n");
    batch.sheet.element(10, "DataFormatId", service.form.0);
    if !item.has(Mistake::MissingElement) {
        batch.sheet.element(10, "DataFormatVersion", service.form.1);
    }
    let main = item.number * 10 - 1;
    batch.sheet.element(10, "Reference", &sub_form.unwrap_or(main).to_string());
    batch.sheet.element(10, "ParentReference", &sub_form.map_or(0, |_| main).to_string());
    batch.sheet.open(10, "FormData");
    batch.form_data(service.form, &mut item.random);
    batch.sheet.close("FormData");
    batch.sheet.put("        </Form>\n");
}

/// One for each unit, after all of them.
fn attachments(batch: &mut Batch<'_>) -> io::Result<()> {
    batch.sheet.put("  <Attachments>\n");
    for number in 1..=batch.options.items {
        let reference = archive_reference(batch, batch.repeated(number));
        let mut random = batch.chance(number);
        batch.sheet.put("    <Attachment");
        batch.sheet.attribute("archiveReference", &reference);
        batch.sheet.attribute("fileName", "vedlegg.pdf");
        batch.sheet.attribute("internalFileName", &format!("{reference}_{number}"));
        batch.sheet.attribute("attachmentType", "application_pdf");
        batch.sheet.attribute("isEncrypted", "false");
        batch.sheet.attribute("attachmentTypeName", "Vedlegg");
        batch.sheet.put(">");
        batch.attachment(&mut random);
        batch.sheet.put("</Attachment>\n");
        batch.sheet.rest()?;
    }
    batch.sheet.put("  </Attachments>\n");
    Ok(())
}

fn archive_reference(batch: &Batch<'_>, number: u64) -> String {
    let of_batch: String = batch.reference.chars().take(REFERENCE_CHARS).collect();
    format!("AR-{of_batch}-{number:08}")
}
