//! What a receipt says, in the words of the old platform's receipts.

/// Which of a shipment's answers a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReceiptKind {
    /// Received and kept; written at claim.
    Accepted,
    /// Every item is settled; exactly one per shipment.
    Final,
    /// The refused items in the input's envelope, to mend and drop again.
    Rest,
}

impl ReceiptKind {
    /// The word used in the ledger and in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Final => "final",
            Self::Rest => "rest",
        }
    }

    /// The receipt's file name, for a file of the given name received as the given shipment.
    pub fn file_name(self, file_name: &str, shipment: super::ShipmentId) -> String {
        let tail = format!(".{}.{}.xml", shipment.short(), self.as_str());
        let mut keep = file_name.len().min(255 - tail.len());
        while !file_name.is_char_boundary(keep) {
            keep -= 1;
        }
        let (head, _) = file_name.split_at(keep);
        format!("{head}{tail}")
    }
}

/// Status of a receipt or a sub-receipt, with the names of the old platform's Receipt service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptStatus {
    /// Everything was delivered (or left out on purpose).
    Ok,
    /// Refused by a rule or by the receiver.
    Rejected,
    /// Refused because the content is not valid.
    ValidationFailed,
    /// Could not be delivered.
    UnExpectedError,
}

impl ReceiptStatus {
    /// The literal in a receipt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Rejected => "Rejected",
            Self::ValidationFailed => "ValidationFailed",
            Self::UnExpectedError => "UnExpectedError",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ShipmentId;

    #[test]
    fn a_receipt_name_fits_a_directory_entry_whatever_the_senders_name() {
        let id = ShipmentId::new();
        assert_eq!(ReceiptKind::Final.file_name("n.xml", id), format!("n.xml.{}.final.xml", id.short()));
        let long = "æ".repeat(127);
        let name = ReceiptKind::Accepted.file_name(&long, id);
        assert!(name.len() <= 255 && name.ends_with(".accepted.xml"), "{name}");
    }
}
