//! DataBatch (genericbatch 2010.10, 2011.06 and 2013.06): submitted form sets on their way to an agency.
//!
//! Attachments stand behind all units and are joined to theirs by archiveReference. Batches are numbered per receiving
//! system; 0 after 0 means that they are not.

use std::sync::LazyLock;

use super::details::{Details, PartDraft, Reader, for_each_element};
use super::{Format, Forms, Mark, ReadItemError, Role, Source, compiled, preamble};
use crate::model::{ByteRange, Counted, FormatName, ItemKind};
use crate::ports::Blob;
use crate::xsd::Plan;

/// The format.
pub(crate) static FORMAT: Format = Format {
    name: FormatName::DataBatch,
    root: "DataBatch",
    namespace: "",
    marks: MARKS,
    may_be_empty: false,
    source: Source::Own(|forms| if forms == Forms::Judged { &PLAN_OF_FORMS } else { &PLAN }),
};

/// Its schema's file.
const SCHEMA: &[u8] = include_bytes!("../../schemas/databatch/generic-batch-2013-06.xsd");

const MARKS: &[Mark] = &[
    Mark::element("/DataBatch", Role::Root),
    Mark::value("/DataBatch/@receiverReference", Role::SenderName),
    Mark::value("/DataBatch/@batchReference", Role::SequenceNo),
    Mark::value("/DataBatch/@previousReference", Role::PreviousNo),
    Mark::value("/DataBatch/@formTasksInBatch", Role::Count(Counted::FormTasks)),
    Mark::value("/DataBatch/@formsInBatch", Role::Count(Counted::Forms)),
    Mark::item("/DataBatch/DataUnits/DataUnit", ItemKind::DataUnit),
    Mark::value("/DataBatch/DataUnits/DataUnit/@reportee", Role::ItemReportee),
    Mark::value("/DataBatch/DataUnits/DataUnit/@archiveReference", Role::SendersReference),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/ServiceCode", Role::ServiceCode),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/ServiceEditionCode", Role::ServiceEdition),
    Mark::element("/DataBatch/DataUnits/DataUnit/FormTask/Form", Role::Form),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/Form/DataFormatId", Role::DataFormatId),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/Form/DataFormatVersion", Role::DataFormatVersion),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/Form/Reference", Role::FormReference),
    Mark::value("/DataBatch/DataUnits/DataUnit/FormTask/Form/ParentReference", Role::ParentReference),
    Mark::element("/DataBatch/Attachments", Role::Tail),
    Mark::element("/DataBatch/Attachments/Attachment", Role::TailAttachment),
    Mark::value("/DataBatch/Attachments/Attachment/@archiveReference", Role::TailReference),
    Mark::text("/DataBatch/DataUnits/DataUnit/FormTask/Form/FormData", Role::FormData),
    Mark::element("/DataBatch/DataUnits/DataUnit/FormTask/SOEncryptedSymmetricdKey", Role::FormDataKey),
];

static PLAN: LazyLock<Plan> = LazyLock::new(|| compiled("generic-batch-2013-06.xsd", SCHEMA, MARKS, Forms::PassedBy));

/// With what is needed to judge form data.
static PLAN_OF_FORMS: LazyLock<Plan> =
    LazyLock::new(|| compiled("generic-batch-2013-06.xsd", SCHEMA, MARKS, Forms::Judged));

/// Takes one element or attribute of a unit.
pub(crate) fn unit_detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    part: &mut PartDraft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    match path {
        "FormTask/Form/DataFormatId" => part.name = reader.text(content)?,
        "FormTask/Form/DataFormatVersion" => part.kind = reader.text(content)?,
        "FormTask/Form/FormData" => part.content = content,
        "FormTask/Form" => details.add_form(part)?,
        _ => details.take_reportee(reader, path == "@reportee", content)?,
    }
    Ok(())
}

/// Takes one attribute or the content of an attachment behind all units.
pub(crate) fn attachment_detail(
    reader: &mut Reader<'_>,
    part: &mut PartDraft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    match path {
        "@fileName" => part.name = reader.text(content)?,
        "@attachmentType" => part.kind = reader.text(content)?,
        "" => part.content = content,
        _ => {}
    }
    Ok(())
}

/// What an attachment behind all units is called in an archive beside the batch, and where its content lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentPlace {
    /// internalFileName.
    pub internal_name: String,
    /// The raw content of its element.
    pub content: ByteRange,
}

/// Reads where an attachment behind all units lies. Reads its bytes once, one buffer at a time.
pub fn attachment_place(blob: &dyn Blob, range: ByteRange) -> Result<AttachmentPlace, ReadItemError> {
    let encoding = preamble(blob)?.encoding;
    let mut reader = Reader::new(blob, encoding);
    let mut place = AttachmentPlace { internal_name: String::new(), content: ByteRange::default() };
    for_each_element((blob, encoding), range, &mut |path, content| {
        match path {
            "@internalFileName" => place.internal_name = reader.text(content)?,
            "" => place.content = content,
            _ => {}
        }
        Ok(())
    })?;
    Ok(place)
}
