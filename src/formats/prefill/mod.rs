//! ServiceOwner 2009/10: prefilled form sets, prefilled fields and subscriptions, two parts of one file.

mod details;

use std::sync::LazyLock;

use super::{Format, Forms, Mark, Role, Source, compiled};
use crate::model::{FormatName, ItemKind, PartKind};
use crate::xsd::Plan;

pub(crate) use details::{field_detail, form_task_detail, subscription_detail};

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::Prefill,
    root: "ServiceOwner",
    namespace: "http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10",
    marks: MARKS,
    may_be_empty: false,
    source: Source::Own(|forms| if forms == Forms::Judged { &PLAN_OF_FORMS } else { &PLAN }),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../../schemas/prefill/service-owner-2009-10.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/ServiceOwner", Role::Root),
    Mark::value("/ServiceOwner/ServiceOwnerName", Role::SenderName),
    Mark::element("/ServiceOwner/Subscription", Role::Part(PartKind::Subscription)),
    Mark::value("/ServiceOwner/Subscription/SequenceNo", Role::SequenceNo),
    Mark::value("/ServiceOwner/Subscription/ExternalShipmentReference", Role::ShipmentReference),
    Mark::element("/ServiceOwner/Subscription/Reportee", Role::Group),
    Mark::value("/ServiceOwner/Subscription/Reportee/Id", Role::Reportee),
    Mark::item("/ServiceOwner/Subscription/Reportee/FormTask", ItemKind::Subscription),
    Mark::value("/ServiceOwner/Subscription/Reportee/FormTask/ExternalServiceCode", Role::ServiceCode),
    Mark::value("/ServiceOwner/Subscription/Reportee/FormTask/ExternalServiceEditionCode", Role::ServiceEdition),
    Mark::value(
        "/ServiceOwner/Subscription/Reportee/FormTask/IdentifyingFields/IdentifyingField",
        Role::IdentifyingField,
    ),
    Mark::element("/ServiceOwner/Prefill", Role::Part(PartKind::Prefill)),
    Mark::value("/ServiceOwner/Prefill/SequenceNo", Role::SequenceNo),
    Mark::value("/ServiceOwner/Prefill/ExternalShipmentReference", Role::ShipmentReference),
    Mark::element("/ServiceOwner/Prefill/Reportee", Role::Group),
    Mark::value("/ServiceOwner/Prefill/Reportee/Id", Role::Reportee),
    Mark::item("/ServiceOwner/Prefill/Reportee/FormTask", ItemKind::FormTask),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/ExternalServiceCode", Role::ServiceCode),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/ExternalServiceEditionCode", Role::ServiceEdition),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/ValidFrom", Role::ValidFrom),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/ValidTo", Role::ValidTo),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/SendersReference", Role::SendersReference),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/ReceiversReference", Role::ReceiversReference),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/IdentifyingFields/IdentifyingField", Role::IdentifyingField),
    Mark::element("/ServiceOwner/Prefill/Reportee/FormTask/Attachments/Attachment", Role::Attachment),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Attachments/Attachment/FileName", Role::Text),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Attachments/Attachment/AttachmentType", Role::Text),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Form/DataFormatId", Role::DataFormatId),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Form/DataFormatVersion", Role::DataFormatVersion),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Form/SendersReference", Role::FormReference),
    Mark::value("/ServiceOwner/Prefill/Reportee/FormTask/Form/ParentReference", Role::ParentReference),
    Mark::item("/ServiceOwner/Prefill/Reportee/Field", ItemKind::Field),
    Mark::value("/ServiceOwner/Prefill/Reportee/Field/Id", Role::Identity),
    Mark::value("/ServiceOwner/Prefill/Reportee/Field/ValidFrom", Role::ValidFrom),
    Mark::value("/ServiceOwner/Prefill/Reportee/Field/ValidTo", Role::ValidTo),
    Mark::value("/ServiceOwner/Prefill/Reportee/Field/Index", Role::Index),
    Mark::text("/ServiceOwner/Prefill/Reportee/FormTask/Form/FormData", Role::FormData),
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| compiled("service-owner-2009-10.xsd", SCHEMA, MARKS, Forms::PassedBy));

/// With what is needed to judge form data.
static PLAN_OF_FORMS: LazyLock<Plan> =
    LazyLock::new(|| compiled("service-owner-2009-10.xsd", SCHEMA, MARKS, Forms::Judged));
