//! CorrespondenceConfirmations 2009/10 and 2010/10: that messages were read or confirmed. The two differ in nothing but
//! their namespace. Empty shipments are sent, too: they carry the number on.

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{Counted, FormatName, ItemKind};
use crate::xsd::Plan;

/// The format of 2010/10.
pub(crate) static OF_2010: Format = Format {
    namespace: "http://schemas.altinn.no/services/intermediary/correspondence/confirmations/2010/10",
    source: Source::Own(|_| &PLAN_OF_2010),
    ..FORMAT
};

/// The format of 2009/10.
pub(crate) static OF_2009: Format = Format {
    namespace: "http://schemas.altinn.no/services/intermediary/correspondence/confirmations/2009/10",
    source: Source::Own(|_| &PLAN_OF_2009),
    ..FORMAT
};

const FORMAT: Format = Format {
    name: FormatName::Confirmations,
    root: "CorrespondenceConfirmations",
    namespace: "",
    marks: MARKS,
    may_be_empty: true,
    source: Source::Own(|_| &PLAN_OF_2010),
};

const SCHEMA_OF_2010: &[u8] = include_bytes!("../../schemas/confirmations/confirmations-2010-10.xsd");
const SCHEMA_OF_2009: &[u8] = include_bytes!("../../schemas/confirmations/confirmations-2009-10.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/CorrespondenceConfirmations", Role::Root),
    Mark::value("/CorrespondenceConfirmations/SequenceNo", Role::SequenceNo),
    Mark::value("/CorrespondenceConfirmations/PreviousSequenceNo", Role::PreviousNo),
    Mark::value("/CorrespondenceConfirmations/SystemUserCode", Role::SenderName),
    Mark::value("/CorrespondenceConfirmations/CountConfirmationsInShipment", Role::Count(Counted::Items)),
    Mark::item("/CorrespondenceConfirmations/Confirmation", ItemKind::Confirmation),
    Mark::value("/CorrespondenceConfirmations/Confirmation/ServiceCode", Role::ServiceCode),
    Mark::value("/CorrespondenceConfirmations/Confirmation/ServiceEdition", Role::ServiceEdition),
    Mark::value("/CorrespondenceConfirmations/Confirmation/Reportee", Role::ItemReportee),
    Mark::value("/CorrespondenceConfirmations/Confirmation/CorrespondenceReference", Role::ItemReference),
    Mark::value("/CorrespondenceConfirmations/Confirmation/Read/ReadDateTime", Role::Text),
];

static PLAN_OF_2010: LazyLock<Plan> =
    LazyLock::new(|| compiled("confirmations-2010-10.xsd", SCHEMA_OF_2010, MARKS, Forms::PassedBy));
static PLAN_OF_2009: LazyLock<Plan> =
    LazyLock::new(|| compiled("confirmations-2009-10.xsd", SCHEMA_OF_2009, MARKS, Forms::PassedBy));
