//! Prefill batches.

use std::io::{self, Write};

use super::batch::{Batch, Item};
use super::content;
use super::mistake::Mistake;
use super::random::Random;
use super::{Options, Profile, SENDER_NAME, Summary};

/// Namespace of the format.
const NAMESPACE: &str = "http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10";

const VALID_FROM: &str = "2026-01-01";
const VALID_TO: &str = "2035-12-31";

/// Fields of one reportee in the field profile.
const FIELDS_PER_REPORTEE: u64 = 20;

/// Writes a batch.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "PRE", out);
    head(&mut batch);
    match batch.profile {
        Profile::Field => field_reportees(&mut batch)?,
        Profile::Small | Profile::Medium | Profile::Attachment | Profile::Escaped => task_reportees(&mut batch)?,
    }
    batch.sheet.put("  </Prefill>\n</ServiceOwner>\n");
    batch.finish()
}

fn head(batch: &mut Batch<'_>) {
    let sheet = &mut batch.sheet;
    sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    sheet.put(&format!("<ServiceOwner xmlns=\"{NAMESPACE}\">\n"));
    sheet.put(&format!("  <ServiceOwnerName>{SENDER_NAME}</ServiceOwnerName>\n  <Prefill>\n"));
    if let Some(number) = batch.options.sequence {
        sheet.element(4, "SequenceNo", &number.to_string());
    }
    sheet.element(4, "ExternalShipmentReference", &batch.reference);
}

fn task_reportees(batch: &mut Batch<'_>) -> io::Result<()> {
    for number in 1..=batch.options.items {
        let mut item = batch.item(number);
        open_reportee(batch, &item.id);
        form_task(batch, &mut item);
        batch.sheet.put("    </Reportee>\n");
        batch.sheet.rest()?;
    }
    Ok(())
}

fn field_reportees(batch: &mut Batch<'_>) -> io::Result<()> {
    let mut number = 0;
    while number < batch.options.items {
        let id = batch.reportee(number / FIELDS_PER_REPORTEE);
        open_reportee(batch, &id);
        for index in 0..FIELDS_PER_REPORTEE.min(batch.options.items - number) {
            number += 1;
            let mistake = batch.mistake(number);
            let mut random = batch.chance(number);
            field(batch, index, mistake, &mut random);
        }
        batch.sheet.put("    </Reportee>\n");
        batch.sheet.rest()?;
    }
    Ok(())
}

fn open_reportee(batch: &mut Batch<'_>, id: &str) {
    batch.sheet.put("    <Reportee>\n");
    batch.sheet.element(6, "Id", id);
}

fn form_task(batch: &mut Batch<'_>, item: &mut Item) {
    let service = Batch::service(item.of, item.mistake);
    let reference = batch.reference_of(item.of);
    batch.sheet.put("      <FormTask>\n");
    batch.sheet.element(8, "ExternalServiceCode", service.code);
    batch.sheet.element(8, "ExternalServiceEditionCode", service.edition);
    validity(batch, item.mistake);
    batch.sheet.element(8, "SendersReference", &reference);
    if batch.profile == Profile::Attachment {
        attachment(batch, &reference, &mut item.random);
    }
    batch.sheet.put("        <Form>\n");
    batch.sheet.element(10, "DataFormatId", service.form.0);
    batch.sheet.element(10, "DataFormatVersion", service.form.1);
    batch.sheet.element(10, "SendersReference", &format!("{reference}-F1"));
    batch.sheet.open(10, "FormData");
    batch.form_data(service.form, &mut item.random);
    batch.sheet.close("FormData");
    batch.sheet.put("        </Form>\n      </FormTask>\n");
}

/// ValidFrom and ValidTo, right or wrong.
fn validity(batch: &mut Batch<'_>, mistake: Option<Mistake>) {
    let (from, to) = match mistake {
        Some(Mistake::BadDate) => ("2026-02-30", VALID_TO),
        Some(Mistake::ReversedValidity) => (VALID_TO, VALID_FROM),
        _ => (VALID_FROM, VALID_TO),
    };
    if mistake == Some(Mistake::WrongOrder) {
        batch.sheet.element(8, "ValidTo", to);
    }
    batch.sheet.element(8, "ValidFrom", from);
    if !matches!(mistake, Some(Mistake::WrongOrder | Mistake::MissingElement)) {
        batch.sheet.element(8, "ValidTo", to);
    }
}

fn attachment(batch: &mut Batch<'_>, reference: &str, random: &mut Random) {
    batch.sheet.put("        <Attachments>\n          <Attachment>\n");
    batch.sheet.element(12, "AttachmentName", "Vedlegg");
    batch.sheet.element(12, "FileName", "vedlegg.pdf");
    batch.sheet.open(12, "AttachmentData");
    batch.attachment(random);
    batch.sheet.close("AttachmentData");
    batch.sheet.element(12, "SendersReference", &format!("{reference}-V1"));
    batch.sheet.element(12, "Encrypted", "false");
    batch.sheet.element(12, "AttachmentType", "application_pdf");
    batch.sheet.put("          </Attachment>\n        </Attachments>\n");
}

fn field(batch: &mut Batch<'_>, index: u64, mistake: Option<Mistake>, random: &mut Random) {
    batch.sheet.put("      <Field>\n");
    batch.sheet.element(8, "Id", &format!("/skjema/felt{index}"));
    validity(batch, mistake);
    batch.sheet.element(8, "Index", "0");
    batch.sheet.open(8, "Value");
    content::words(&mut batch.sheet.buffer, random, 24);
    batch.sheet.close("Value");
    batch.sheet.put("      </Field>\n");
}
