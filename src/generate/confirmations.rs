//! CorrespondenceConfirmations reports.

use std::io::{self, Write};

use super::batch::{Batch, Item, moment};
use super::mistake::Mistake;
use super::{Options, SENDER_NAME, Summary};

/// Namespaces of the format, by the seed: two versions that are otherwise the same.
const NAMESPACES: [&str; 2] = [
    "http://schemas.altinn.no/services/intermediary/correspondence/confirmations/2010/10",
    "http://schemas.altinn.no/services/intermediary/correspondence/confirmations/2009/10",
];

/// One message in so many is confirmed, not read alone.
const CONFIRMED_EVERY: u64 = 2;

/// Writes a report.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "MEL", out);
    let [even, odd] = NAMESPACES;
    let namespace = if options.seed.is_multiple_of(2) { even } else { odd };
    let (number, previous) = batch.numbers();
    let count = batch.count(options.items);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    batch.sheet.put(&format!("<CorrespondenceConfirmations xmlns=\"{namespace}\">\n"));
    batch.sheet.element(2, "SequenceNo", &number.to_string());
    batch.sheet.element(2, "PreviousSequenceNo", &previous.to_string());
    batch.sheet.element(2, "SystemUserCode", SENDER_NAME);
    batch.sheet.element(2, "ShipmentDateTime", "2026-02-01T03:00:00");
    batch.sheet.element(2, "CountConfirmationsInShipment", &count);
    for number in 1..=options.items {
        let mut item = batch.item(number);
        confirmation(&mut batch, &mut item);
        batch.sheet.rest()?;
    }
    batch.sheet.put("</CorrespondenceConfirmations>\n");
    batch.finish()
}

fn confirmation(batch: &mut Batch<'_>, item: &mut Item) {
    let service = Batch::service(item.of, None);
    let reference = batch.reference_of(item.of);
    batch.sheet.put("  <Confirmation>\n");
    batch.sheet.element(4, "ServiceCode", service.code);
    batch.sheet.element(4, "ServiceEdition", service.edition);
    let mut lines = [("Reportee", item.id.as_str()), ("CorrespondenceReference", reference.as_str())];
    if item.has(Mistake::WrongOrder) {
        lines.reverse();
    }
    for (name, text) in lines {
        batch.sheet.element(4, name, text);
    }
    if !item.has(Mistake::MissingElement) {
        let read = moment(&mut item.random);
        let read = if item.has(Mistake::BadDate) { "2026-02-30T10:00:00" } else { &read };
        batch.sheet.put("    <Read>\n");
        batch.sheet.element(6, "ReadDateTime", read);
        batch.sheet.put("    </Read>\n");
    }
    if item.number.is_multiple_of(CONFIRMED_EVERY) || item.has(Mistake::BadValue) {
        confirmed(batch, item);
    }
    batch.sheet.put("  </Confirmation>\n");
}

fn confirmed(batch: &mut Batch<'_>, item: &mut Item) {
    let person = batch.person(item.of);
    batch.sheet.put("    <Confirmed>\n");
    batch.sheet.element(6, "UserSSN", &person);
    batch.sheet.element(6, "ConfirmedDateTime", &moment(&mut item.random));
    batch.sheet.element(6, "ConfirmedRoleList", "UTINN REGNA");
    batch.sheet.element(6, "AuthenticationMethod", if item.has(Mistake::BadValue) { "sikker" } else { "3" });
    batch.sheet.put("    </Confirmed>\n");
}
