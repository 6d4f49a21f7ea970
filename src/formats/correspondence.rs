//! Correspondences 2009/10 (2016.02, 2022.08 and 2022.11): messages from an agency to reportees.
//!
//! One schema takes the three: each only added elements that may be left out. A shipment without messages is allowed.

use std::sync::LazyLock;

use super::details::{Details, PartDraft, Reader};
use super::{Format, Forms, Mark, ReadItemError, Role, Source, compiled};
use crate::model::{ByteRange, FormatName, ItemKind};
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::Correspondence,
    root: "Correspondences",
    namespace: "http://schemas.altinn.no/services/intermediary/correspondence/2009/10",
    marks: MARKS,
    may_be_empty: true,
    source: Source::Own(|forms| if forms == Forms::Judged { &PLAN_OF_FORMS } else { &PLAN }),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/correspondence/correspondences-2009-10.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/Correspondences", Role::Root),
    Mark::value("/Correspondences/SystemUserCode", Role::SenderName),
    Mark::value("/Correspondences/ShipmentReference", Role::ShipmentReference),
    Mark::value("/Correspondences/SequenceNo", Role::SequenceNo),
    Mark::item("/Correspondences/Correspondence", ItemKind::Correspondence),
    Mark::value("/Correspondences/Correspondence/ServiceCode", Role::ServiceCode),
    Mark::value("/Correspondences/Correspondence/ServiceEdition", Role::ServiceEdition),
    Mark::value("/Correspondences/Correspondence/SendersReference", Role::SendersReference),
    Mark::value("/Correspondences/Correspondence/Reportee", Role::ItemReportee),
    Mark::value("/Correspondences/Correspondence/VisibleDateTime", Role::Moment),
    Mark::value("/Correspondences/Correspondence/DueDateTime", Role::Moment),
    Mark::value("/Correspondences/Correspondence/Notifications/Notification/ShipmentDateTime", Role::Moment),
    Mark::element(
        "/Correspondences/Correspondence/Content/Attachments/BinaryAttachments/BinaryAttachment",
        Role::Attachment,
    ),
    Mark::value(
        "/Correspondences/Correspondence/Content/Attachments/BinaryAttachments/BinaryAttachment/FileName",
        Role::Text,
    ),
    Mark::value(
        "/Correspondences/Correspondence/Content/Attachments/XmlAttachments/XmlAttachment/DataFormatID",
        Role::DataFormatId,
    ),
    Mark::value(
        "/Correspondences/Correspondence/Content/Attachments/XmlAttachments/XmlAttachment/DataFormatVersion",
        Role::DataFormatVersion,
    ),
    Mark::text(
        "/Correspondences/Correspondence/Content/Attachments/XmlAttachments/XmlAttachment/FormDataXml",
        Role::FormData,
    ),
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| compiled("correspondences-2009-10.xsd", SCHEMA, MARKS, Forms::PassedBy));

/// With what is needed to judge form data.
static PLAN_OF_FORMS: LazyLock<Plan> =
    LazyLock::new(|| compiled("correspondences-2009-10.xsd", SCHEMA, MARKS, Forms::Judged));

/// Takes one element of a message.
pub(crate) fn detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    part: &mut PartDraft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    let Some(path) = path.strip_prefix("Content/Attachments/") else {
        return details.take_reportee(reader, path == "Reportee", content);
    };
    match path {
        "BinaryAttachments/BinaryAttachment/FileName" | "XmlAttachments/XmlAttachment/DataFormatID" => {
            part.name = reader.text(content)?;
        }
        "BinaryAttachments/BinaryAttachment/AttachmentType" | "XmlAttachments/XmlAttachment/DataFormatVersion" => {
            part.kind = reader.text(content)?;
        }
        "BinaryAttachments/BinaryAttachment/Data" => part.content = content,
        "BinaryAttachments/BinaryAttachment" => details.add_attachment(part)?,
        "XmlAttachments/XmlAttachment/FormDataXml" => part.content = content,
        "XmlAttachments/XmlAttachment" => details.add_form(part)?,
        _ => {}
    }
    Ok(())
}
