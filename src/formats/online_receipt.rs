//! OnlineBatchReceipt: an agency's answer to a batch that was handed over on line.
//!
//! Its only item is the result, which says whether the batch was received, never what became of it.

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{FormatName, ItemKind};
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::OnlineReceipt,
    root: "OnlineBatchReceipt",
    namespace: "",
    marks: MARKS,
    may_be_empty: false,
    source: Source::Own(|_| &PLAN),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/online-receipt/online-batch-receipt.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/OnlineBatchReceipt", Role::Root),
    Mark::item("/OnlineBatchReceipt/Result", ItemKind::OnlineResult),
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| compiled("online-batch-receipt.xsd", SCHEMA, MARKS, Forms::PassedBy));
