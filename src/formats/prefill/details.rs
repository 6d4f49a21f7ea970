//! Elements of an item by their path within it.

use crate::formats::ReadItemError;
use crate::formats::day::Day;
use crate::formats::details::{Details, PartDraft, Reader};
use crate::model::ByteRange;

/// Takes one element of a prefilled form set.
pub(crate) fn form_task_detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    part: &mut PartDraft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    match path {
        "ValidFrom" => details.valid_from = Day::parse(&reader.text(content)?).and_then(Day::date),
        "ReceiversReference" => details.receivers_reference = reader.text(content)?,
        IDENTIFYING_FIELD => details.identifying_fields.push(reader.text(content)?),
        "Form/DataFormatId" | "Attachments/Attachment/FileName" => part.name = reader.text(content)?,
        "Form/DataFormatVersion" | "Attachments/Attachment/AttachmentType" => part.kind = reader.text(content)?,
        "Attachments/Attachment/AttachmentData" => part.content = content,
        "Form/FormData" => part.content = reader.document(content)?,
        "Form" => details.add_form(part)?,
        "Attachments/Attachment" => details.add_attachment(part)?,
        _ => {}
    }
    Ok(())
}

/// Takes one element of a prefilled field.
pub(crate) fn field_detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    if path == "ValidFrom" {
        details.valid_from = Day::parse(&reader.text(content)?).and_then(Day::date);
    }
    Ok(())
}

/// Takes one element of a subscription.
pub(crate) fn subscription_detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    if path == IDENTIFYING_FIELD {
        details.identifying_fields.push(reader.text(content)?);
    }
    Ok(())
}

const IDENTIFYING_FIELD: &str = "IdentifyingFields/IdentifyingField";
