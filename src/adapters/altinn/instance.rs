//! An item as an app instance: the template, and each form and attachment as a part.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::adapters::http::FormPart;
use crate::codes;
use crate::model::{AppTarget, Code, Reportee, ReporteeKind, day_after, start_of_day};
use crate::ports::{Consignment, Content, ContentPart, PartMeta};

/// The name our key has among an instance's data values.
pub(super) const KEY_VALUE: &str = "SluseItemKey";
/// The name of ExternalShipmentReference among an instance's data values.
pub(super) const SHIPMENT_VALUE: &str = "ExternalShipmentReference";
/// The name of SendersReference among an instance's data values.
pub(super) const SENDERS_VALUE: &str = "SendersReference";

/// The parts of the request, the template first; or why the route cannot take the item.
pub(super) fn parts(item: &Consignment, app: &AppTarget, now: Timestamp) -> Result<Vec<FormPart>, Code> {
    let mut parts = vec![FormPart {
        name: "instance".into(),
        file_name: None,
        content_type: "application/json",
        content: Content::from_bytes(template(item, app, now)),
    }];
    for part in &item.parts {
        let form_part = content_part(part, app)?;
        if !is_large(part, app) {
            parts.push(form_part);
        }
    }
    Ok(parts)
}

/// Whether an attachment may be too large to go with the instance: it is added afterwards.
pub(super) fn is_large(part: &ContentPart, app: &AppTarget) -> bool {
    matches!(part.meta, PartMeta::Attachment { .. }) && part.most_bytes > app.finish.large_attachment_bytes
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Template<'a> {
    instance_owner: Option<Owner<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_after: Option<Timestamp>,
    data_values: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Owner<'a> {
    OrganisationNumber(&'a str),
    PersonNumber(&'a str),
}

impl<'a> Owner<'a> {
    fn of(reportee: &'a Reportee) -> Self {
        match reportee.kind() {
            ReporteeKind::Organisation => Self::OrganisationNumber(reportee.expose()),
            ReporteeKind::Person => Self::PersonNumber(reportee.expose()),
        }
    }
}

fn template(item: &Consignment, app: &AppTarget, now: Timestamp) -> Vec<u8> {
    let mut data_values = BTreeMap::from([(KEY_VALUE, item.key.to_string())]);
    let values = [
        (SHIPMENT_VALUE, item.shipment_reference.clone()),
        (SENDERS_VALUE, item.senders_reference.clone()),
        ("ReceiversReference", item.receivers_reference.clone()),
        ("IdentifyingFields", item.identifying_fields.join(", ")),
    ];
    data_values.extend(values.into_iter().filter(|(_, value)| !value.is_empty()));
    let due = item.prefilled.occasion.and_then(|occasion| occasion.due);
    let due = due.or(item.prefilled.valid_to.filter(|_| app.prefill.due_by_valid_to));
    let visible = item.prefilled.occasion.map_or(item.valid_from, |occasion| occasion.visible);
    let template = Template {
        instance_owner: item.reportee.as_ref().map(Owner::of),
        due_before: due.and_then(end_of_day),
        visible_after: visible.and_then(start_of_day).filter(|start| *start > now),
        data_values,
    };
    serde_json::to_vec(&template).expect("a template has only text keys and values")
}

/// The last second of a day in Norway: an app shows the day it is.
fn end_of_day(day: Date) -> Option<Timestamp> {
    start_of_day(day_after(day))?.checked_sub(SignedDuration::from_secs(1)).ok()
}

pub(super) fn content_part(part: &ContentPart, app: &AppTarget) -> Result<FormPart, Code> {
    let content = part.content.clone();
    match &part.meta {
        PartMeta::Form { format_id, format_version } => Ok(FormPart {
            name: app.data_type(format_id, format_version).ok_or(codes::UNKNOWN_DATA_FORMAT)?.to_owned(),
            file_name: None,
            content_type: "application/xml",
            content,
        }),
        PartMeta::Attachment { file_name, attachment_type } => Ok(FormPart {
            name: app.attachment_type.clone().ok_or(codes::NO_ATTACHMENTS_TAKEN)?,
            file_name: Some(base_name(file_name).to_owned()),
            content_type: content_type(attachment_type, file_name),
            content,
        }),
    }
}

/// The last segment: some senders write the whole path of their own disk.
pub(super) fn base_name(file_name: &str) -> &str {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() { "attachment" } else { name }
}

/// What the old platform's word says, else what the extension says.
pub(super) fn content_type(attachment_type: &str, file_name: &str) -> &'static str {
    let by_word = ATTACHMENT_TYPES.iter().find(|(word, _)| word.eq_ignore_ascii_case(attachment_type));
    let extension = base_name(file_name).rsplit_once('.').map_or("", |(_, extension)| extension);
    let by_extension = || EXTENSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    by_word.or_else(by_extension).map_or("application/octet-stream", |(_, content_type)| content_type)
}

/// The words that name one content type; the others (`not_Applicable`, `BASE64`, `binary_octet_stream`,
/// `application_None`, `MTOM`) say nothing about the content.
const ATTACHMENT_TYPES: &[(&str, &str)] = &[
    ("application_msword", "application/msword"),
    ("application_pdf", "application/pdf"),
    ("application_postscript", "application/postscript"),
    ("application_rtf", "application/rtf"),
    ("application_vnd_ms_excel", "application/vnd.ms-excel"),
    ("application_vnd_ms_powerpoint", "application/vnd.ms-powerpoint"),
    ("application_vnd_oasis_opendocument_presentation", "application/vnd.oasis.opendocument.presentation"),
    ("application_vnd_oasis_opendocument_spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
    ("application_vnd_oasis_opendocument_text", "application/vnd.oasis.opendocument.text"),
    ("application_zip", "application/zip"),
    ("formtask_pdf", "application/pdf"),
    ("image_bmp", "image/bmp"),
    ("image_gif", "image/gif"),
    ("image_jpeg", "image/jpeg"),
    ("text_html", "text/html"),
    ("text_plain", "text/plain"),
    ("text_richtext", "text/richtext"),
    ("text_rtf", "text/rtf"),
    ("text_xml", "text/xml"),
];

/// Extensions agencies attach.
const EXTENSIONS: &[(&str, &str)] = &[
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("rtf", "application/rtf"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_in_norway() {
        assert_eq!(end_of_day(jiff::civil::date(2027, 1, 31)).unwrap().to_string(), "2027-01-31T22:59:59Z");
    }

    #[test]
    fn content_types_come_from_the_word_then_the_extension() {
        assert_eq!(content_type("application_pdf", "x.bin"), "application/pdf");
        assert_eq!(content_type("binary_octet_stream", "C:\\brev\\x.PDF"), "application/pdf");
        assert_eq!(content_type("", "noextension"), "application/octet-stream");
    }

    #[test]
    fn a_file_name_is_the_last_segment() {
        assert_eq!(base_name("C:\\brev\\vedlegg.pdf"), "vedlegg.pdf");
        assert_eq!(base_name("../../etc/passwd"), "passwd");
        assert_eq!(base_name("dir/"), "attachment");
    }
}
