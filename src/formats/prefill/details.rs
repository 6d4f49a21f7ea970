//! Elements of an item by their path within it.

use jiff::civil::Date;

use crate::formats::ReadItemError;
use crate::formats::day::Day;
use crate::formats::details::{Details, PartDraft, Reader};
use crate::model::{ByteRange, Period};

/// Takes one element of a prefilled form set.
pub(crate) fn form_task_detail(
    reader: &mut Reader<'_>,
    details: &mut Details,
    part: &mut PartDraft,
    path: &str,
    content: ByteRange,
) -> Result<(), ReadItemError> {
    match path {
        "ValidFrom" => details.valid_from = day(reader, content)?,
        "ValidTo" => details.prefilled.valid_to = day(reader, content)?,
        "ReceiversReference" => details.receivers_reference = reader.text(content)?,
        "IdentityFieldHashCode" => details.prefilled.identity_code = reader.text(content)?.trim().to_owned(),
        IDENTIFYING_FIELD => details.identifying_fields.push(reader.text(content)?),
        "Form/DataFormatId" | "Attachments/Attachment/FileName" => part.name = reader.text(content)?,
        "Form/DataFormatVersion" | "Attachments/Attachment/AttachmentType" => part.kind = reader.text(content)?,
        "Attachments/Attachment/AttachmentData" => part.content = content,
        "Form/FormData" => part.content = content,
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
    let field = &mut details.prefilled.field;
    match path {
        "Id" => field.id = reader.text(content)?,
        // The schema has it as a number; one that counts no element is none.
        "Index" => field.index = reader.text(content)?.trim_ascii().parse().unwrap_or_default(),
        "Value" => field.value = reader.text(content)?,
        "ValidFrom" => details.valid_from = day(reader, content)?,
        "ValidTo" => details.prefilled.valid_to = day(reader, content)?,
        _ => {}
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
    let terms = &mut details.prefilled.terms;
    match path {
        "StartDate" => terms.starts = day(reader, content)?,
        "ExpirationDate" => terms.ends = day(reader, content)?,
        "NextScheduledDate" => terms.scheduled = day(reader, content)?,
        "NextDueDate" => terms.due = day(reader, content)?,
        "VisibleDate" => terms.visible = day(reader, content)?,
        "PeriodType" => terms.period = Period::of(&reader.text(content)?),
        IDENTIFYING_FIELD => details.identifying_fields.push(reader.text(content)?),
        _ => {}
    }
    Ok(())
}

/// A day; `None` where the element is empty, as one that is nil is.
fn day(reader: &mut Reader<'_>, content: ByteRange) -> Result<Option<Date>, ReadItemError> {
    Ok(Day::parse(&reader.text(content)?).and_then(Day::date))
}

const IDENTIFYING_FIELD: &str = "IdentifyingFields/IdentifyingField";
