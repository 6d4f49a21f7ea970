//! CorrespondenceUsageData 2009/10: how far reportees have come with an agency's messages.
//!
//! No schema of it is public and nothing in it is a reference: a message is told by its service, its reportee and when it was
//! sent. It has neither numbers nor counts.

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{FormatName, ItemKind};
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::UsageData,
    root: "CorrespondenceUsageData",
    namespace: "http://schemas.altinn.no/services/intermediary/correspondence/usagedata/2009/10",
    marks: MARKS,
    may_be_empty: true,
    source: Source::Own(|_| &PLAN),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/usagedata/correspondence-usage-data-2009-10.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/CorrespondenceUsageData", Role::Root),
    Mark::element("/CorrespondenceUsageData/CorrespondenceUsage/Service", Role::Group),
    Mark::item(
        "/CorrespondenceUsageData/CorrespondenceUsage/Service/ServiceEdition/ServiceEditionVersion/Correspondence",
        ItemKind::Usage,
    ),
    Mark::value(
        "/CorrespondenceUsageData/CorrespondenceUsage/Service/ServiceEdition/ServiceEditionVersion/Correspondence/ReporteeID",
        Role::ItemReportee,
    ),
    Mark::value(
        "/CorrespondenceUsageData/CorrespondenceUsage/Service/ServiceEdition/ServiceEditionVersion/Correspondence/SentCorrespondenceDatetime",
        Role::Identity,
    ),
];

static PLAN: LazyLock<Plan> =
    LazyLock::new(|| compiled("correspondence-usage-data-2009-10.xsd", SCHEMA, MARKS, Forms::PassedBy));
