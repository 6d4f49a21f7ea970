//! GovOrgan with AltUt 6.0: messages of the platform before the old one, which agencies never stopped sending.
//!
//! No schema of it is public; ours is lenient where the field table is silent. A message is told by its service, its
//! reference and its participants.

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{FormatName, ItemKind};
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::AltUt,
    root: "GovOrgan",
    namespace: "",
    marks: MARKS,
    may_be_empty: true,
    source: Source::Own(|_| &PLAN),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/altut/gov-organ-6-0.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/GovOrgan", Role::Root),
    Mark::value("/GovOrgan/@name", Role::SenderName),
    Mark::value("/GovOrgan/AltUt/@sequenceno", Role::SequenceNo),
    Mark::item("/GovOrgan/AltUt/Message", ItemKind::AltUtMessage),
    Mark::value("/GovOrgan/AltUt/Message/@shortName", Role::ServiceName),
    Mark::value("/GovOrgan/AltUt/Message/@messageReference", Role::ItemReference),
    Mark::value("/GovOrgan/AltUt/Message/Participant/@id", Role::ItemReportee),
    Mark::value("/GovOrgan/AltUt/Message/Participant/VisibleDate", Role::Moment),
    Mark::value("/GovOrgan/AltUt/Message/Participant/DueDate", Role::Moment),
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| compiled("gov-organ-6-0.xsd", SCHEMA, MARKS, Forms::PassedBy));
