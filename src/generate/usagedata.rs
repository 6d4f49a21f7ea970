//! CorrespondenceUsageData reports.

use std::io::{self, Write};

use super::batch::{Batch, Item, moment};
use super::mistake::Mistake;
use super::{Options, SENDER_NAME, Summary};

/// Namespace of the format.
const NAMESPACE: &str = "http://schemas.altinn.no/services/intermediary/correspondence/usagedata/2009/10";

/// How many messages stand under one service before the next.
const PER_SERVICE: u64 = 500;

/// What the other formats call a message's states.
const STATES: [&str; 3] = ["Created", "Read", "Confirmed"];

/// Writes a report.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let mut batch = Batch::new(options, "MEL", out);
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    batch.sheet.put(&format!("<CorrespondenceUsageData xmlns=\"{NAMESPACE}\">\n"));
    batch.sheet.element(2, "ShipmentDateTime", "2026-02-01T03:00:00");
    batch.sheet.put("  <CorrespondenceUsage>\n");
    for number in 1..=options.items {
        if number % PER_SERVICE == 1 {
            open_service(&mut batch, number / PER_SERVICE);
        }
        let mut item = batch.item(number);
        message(&mut batch, &mut item);
        if number.is_multiple_of(PER_SERVICE) || number == options.items {
            batch.sheet.put("        </ServiceEditionVersion>\n      </ServiceEdition>\n    </Service>\n");
        }
        batch.sheet.rest()?;
    }
    batch.sheet.put("  </CorrespondenceUsage>\n</CorrespondenceUsageData>\n");
    batch.finish()
}

fn open_service(batch: &mut Batch<'_>, nth: u64) {
    let service = Batch::service(nth, None);
    batch.sheet.put("    <Service>\n");
    batch.sheet.element(6, "ServiceOwnerCode", SENDER_NAME);
    batch.sheet.element(6, "ServiceName", service.code);
    batch.sheet.put("      <ServiceEdition>\n");
    batch.sheet.element(8, "ServiceEditionID", service.edition);
    batch.sheet.put("        <ServiceEditionVersion>\n");
    batch.sheet.element(10, "ServiceEditionVersionName", "2026");
}

fn message(batch: &mut Batch<'_>, item: &mut Item) {
    let state = item.random.pick(&STATES);
    let sent = moment(&mut item.random);
    let sent = if item.has(Mistake::BadDate) { "2026-02-30T10:00:00" } else { &sent };
    batch.sheet.put("          <Correspondence>\n");
    let mut lines = [("ReporteeID", item.id.as_str()), ("CorrespondenceStatusType", state)];
    if item.has(Mistake::WrongOrder) {
        lines.reverse();
    }
    for (name, text) in lines {
        if !(name == "ReporteeID" && item.has(Mistake::MissingElement)) {
            batch.sheet.element(12, name, text);
        }
    }
    batch.sheet.element(12, "SentCorrespondenceDatetime", sent);
    batch.sheet.put("          </Correspondence>\n");
}
