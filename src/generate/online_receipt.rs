//! OnlineBatchReceipt answers.

use std::io::{self, Write};

use super::batch::Batch;
use super::mistake::Mistake;
use super::{Options, Summary};

/// Answers: mostly good news.
const RESULTS: [&str; 4] = ["OK", "OK", "FAILED", "FAILED_DO_NOT_RETRY"];

/// Writes an answer, which is one item however many are asked for.
pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let options = &Options { items: 1, ..options.clone() };
    let mut batch = Batch::new(options, "SVA", out);
    let mut item = batch.item(1);
    let result = if item.has(Mistake::BadValue) { "KANSKJE" } else { item.random.pick(&RESULTS) };
    batch.sheet.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<OnlineBatchReceipt>\n  <Result");
    batch.sheet.attribute("resultCode", result);
    batch.sheet.put(">");
    let reference = batch.reference.clone();
    super::content::escaped(&mut batch.sheet.buffer, format!("Mottatt: {reference}").as_bytes());
    batch.sheet.close("Result");
    batch.sheet.put("</OnlineBatchReceipt>\n");
    batch.finish()
}
