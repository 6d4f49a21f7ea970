//! AltUtConfirmationBatch reports.

use std::io::{self, Write};

use super::batch::{Batch, Item, moment};
use super::mistake::Mistake;
use super::{Options, SENDER_NAME, Summary};

/// One message in so many is confirmed, not read alone.
const CONFIRMED_EVERY: u64 = 2;

/// Writes a report.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "ALT", out);
    let (number, previous) = batch.numbers();
    let count = batch.count(options.items);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<AltUtConfirmationBatch");
    batch.sheet.attribute("batchReference", &number.to_string());
    batch.sheet.attribute("previousReference", &previous.to_string());
    batch.sheet.attribute("receiverReference", SENDER_NAME);
    batch.sheet.attribute("timeStamp", "2026-02-01T03:00:00");
    batch.sheet.attribute("confirmationsInBatch", &count);
    batch.sheet.put(">\n  <AltUtConfirmations>\n");
    for number in 1..=options.items {
        let mut item = batch.item(number);
        confirmation(&mut batch, &mut item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("  </AltUtConfirmations>\n</AltUtConfirmationBatch>\n");
    batch.finish()
}

fn confirmation(batch: &mut Batch<'_>, item: &mut Item) {
    let service = Batch::service(item.of, None);
    let reference = batch.reference_of(item.of);
    batch.sheet.put("    <Confirmation");
    batch.sheet.attribute("participantId", &item.id);
    batch.sheet.attribute("shortName", &format!("{}_{}", service.code, service.edition));
    batch.sheet.attribute("messageReference", &reference);
    batch.sheet.put(">\n");
    // Out of order, and of a login that there is not, can only be what is there.
    let shown = matches!(item.mistake, Some(Mistake::WrongOrder | Mistake::BadValue));
    let is_confirmed = shown || item.number.is_multiple_of(CONFIRMED_EVERY);
    if item.has(Mistake::WrongOrder) {
        confirmed(batch, item);
    }
    if !item.has(Mistake::MissingElement) {
        read(batch, item);
    }
    if is_confirmed && !item.has(Mistake::WrongOrder) {
        confirmed(batch, item);
    }
    batch.sheet.put("    </Confirmation>\n");
}

fn read(batch: &mut Batch<'_>, item: &mut Item) {
    let at = moment(&mut item.random);
    let at = if item.has(Mistake::BadDate) { "2026-02-30T10:00:00" } else { &at };
    batch.sheet.put("      <Read>\n");
    batch.sheet.element(8, "ReadDateTime", at);
    batch.sheet.put("      </Read>\n");
}

fn confirmed(batch: &mut Batch<'_>, item: &mut Item) {
    let person = batch.person(item.of);
    batch.sheet.put("      <Confirmed");
    batch.sheet.attribute("participantId", &person);
    batch.sheet.put(">\n");
    batch.sheet.element(8, "ConfirmedDateTime", &moment(&mut item.random));
    batch.sheet.element(8, "ConfirmedRoleList", "UTINN REGNA");
    batch.sheet.element(8, "LoginMethod", if item.has(Mistake::BadValue) { "5" } else { "3" });
    batch.sheet.put("      </Confirmed>\n");
}
