//! AltUtConfirmationBatch: that messages of AltUt were read or confirmed.
//!
//! Empty batches are sent, too: they carry the number on.

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{Counted, FormatName, ItemKind};
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::AltUtConfirmations,
    root: "AltUtConfirmationBatch",
    namespace: "",
    marks: MARKS,
    may_be_empty: true,
    source: Source::Own(|_| &PLAN),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/altut-confirmations/altut-confirmation-batch.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/AltUtConfirmationBatch", Role::Root),
    Mark::value("/AltUtConfirmationBatch/@receiverReference", Role::SenderName),
    Mark::value("/AltUtConfirmationBatch/@batchReference", Role::SequenceNo),
    Mark::value("/AltUtConfirmationBatch/@previousReference", Role::PreviousNo),
    Mark::value("/AltUtConfirmationBatch/@confirmationsInBatch", Role::Count(Counted::Items)),
    Mark::item("/AltUtConfirmationBatch/AltUtConfirmations/Confirmation", ItemKind::AltUtConfirmation),
    Mark::value("/AltUtConfirmationBatch/AltUtConfirmations/Confirmation/@participantId", Role::ItemReportee),
    Mark::value("/AltUtConfirmationBatch/AltUtConfirmations/Confirmation/@shortName", Role::ServiceName),
    Mark::value("/AltUtConfirmationBatch/AltUtConfirmations/Confirmation/@messageReference", Role::ItemReference),
    Mark::value("/AltUtConfirmationBatch/AltUtConfirmations/Confirmation/Read/ReadDateTime", Role::Text),
];

static PLAN: LazyLock<Plan> =
    LazyLock::new(|| compiled("altut-confirmation-batch.xsd", SCHEMA, MARKS, Forms::PassedBy));
