//! The old platform's OnlineBatchReceipt: one result and a line of text for operators.
//!
//! `OK`: taken (accepted), or everything delivered (final). `FAILED`: it may be sent again as it is.
//! `FAILED_DO_NOT_RETRY`: sending the same again would end the same way.

use super::markup::{attribute, escape};
use super::{Account, ReceiverCount, Rendering, codes_of};
use crate::model::{Finding, FindingGroup, Item, News, ReceiptKind, ReceiptStatus};

/// The document.
#[derive(Debug)]
pub struct Online {
    account: Account,
}

impl Online {
    /// Nothing is written yet.
    pub fn new(account: Account) -> Self {
        Self { account }
    }

    fn result(&self) -> &'static str {
        let tally = &self.account.tally;
        match self.account.overall().0 {
            ReceiptStatus::Ok => "OK",
            // Only when nothing of it took effect is it safe to have the whole sent again.
            ReceiptStatus::UnExpectedError if tally.delivered + tally.failed + tally.open() == 0 => "FAILED",
            ReceiptStatus::UnExpectedError | ReceiptStatus::Rejected | ReceiptStatus::ValidationFailed => {
                "FAILED_DO_NOT_RETRY"
            }
        }
    }

    fn text(&self) -> String {
        let (status, code) = self.account.overall();
        let id = self.account.shipment.id;
        let what = match code {
            Some(code) => format!("{} {}", code, codes_of(code).title),
            None => format!("{}.", status.as_str()),
        };
        if self.account.kind == ReceiptKind::Accepted {
            return format!("{what} (shipment {id})");
        }
        let tally = &self.account.tally;
        let at = |count: &ReceiverCount| {
            format!(" At {}: {} delivered, {} failed.", count.receiver, count.delivered, count.failed)
        };
        let receivers: String = self.account.receivers.iter().map(at).collect();
        format!(
            "{what} Items: {} in all, {} delivered, {} refused, {} ignored, {} failed.{receivers} (shipment {id})",
            tally.total(),
            tally.delivered,
            tally.refused,
            tally.ignored,
            tally.failed
        )
    }
}

impl Rendering for Online {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OnlineBatchReceipt><Result");
        attribute(out, "resultCode", self.result());
        out.push(b'>');
        escape(out, &self.text());
        out.extend_from_slice(b"</Result></OnlineBatchReceipt>\n");
    }

    fn group(&mut self, _group: &FindingGroup, _out: &mut Vec<u8>) {}

    fn finding(&mut self, _finding: &Finding, _out: &mut Vec<u8>) {}

    fn item(&mut self, _item: &Item, _findings: &[Finding], _out: &mut Vec<u8>) {}

    fn news(&mut self, _item: &Item, _news: &News, _out: &mut Vec<u8>) {}

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}
