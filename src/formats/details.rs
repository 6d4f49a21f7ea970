//! What a receiver needs to know of one item, read again from the staged bytes.

use std::fmt;

use jiff::civil::Date;

use super::fragment::{Fragment, Tag};
use super::text::TextDecoder;
use super::{Coding, Encoding, Excerpt, ReadItemError, check_digits, preamble};
use crate::model::{ByteRange, GenericFormat, ItemKind, NewItem, Prefilled, Reportee};
use crate::ports::{Blob, PartMeta};

/// One item in detail. Its forms and attachments stay where they are: each is a span of the staged file. Never logged:
/// `Debug` shows no value of it.
#[derive(Clone, Default)]
pub struct Details {
    /// Whom it concerns, where the format tells.
    pub reportee: Option<Reportee>,
    /// ValidFrom, where the kind has one.
    pub valid_from: Option<Date>,
    /// ReceiversReference as the sender gave it; empty where absent.
    pub receivers_reference: String,
    /// Identifying fields, in order.
    pub identifying_fields: Vec<String>,
    /// What prefill says besides.
    pub prefilled: Prefilled,
    /// Forms and attachments, in document order.
    pub parts: Vec<Span>,
}

/// A form or an attachment as a range of the staged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub meta: PartMeta,
    /// The element's raw content.
    pub content: ByteRange,
    /// How to decode it.
    pub coding: Coding,
}

/// Reads an item in detail, with its attachments that stand behind all items, and by its
/// description where its format has one. Reads their bytes once, one buffer at a
/// time.
pub fn details(
    blob: &dyn Blob,
    item: &NewItem,
    attachments: &[ByteRange],
    described: Option<&GenericFormat>,
) -> Result<Details, ReadItemError> {
    let encoding = preamble(blob)?.encoding;
    let mut reader = Reader::new(blob, encoding);
    let mut details = Details::default();
    if has_group_reportee(item.kind) {
        details.reportee = Some(reader.reportee(item.group)?);
    }
    let mut part = PartDraft::default();
    let is_reportee = |path: &str| described.is_some_and(|format| format.reportee.as_deref() == Some(path));
    for_each_element((blob, encoding), item.range, &mut |path, content| match item.kind {
        ItemKind::FormTask => super::prefill::form_task_detail(&mut reader, &mut details, &mut part, path, content),
        ItemKind::Field => super::prefill::field_detail(&mut reader, &mut details, path, content),
        ItemKind::Subscription => super::prefill::subscription_detail(&mut reader, &mut details, path, content),
        ItemKind::DataUnit => super::databatch::unit_detail(&mut reader, &mut details, &mut part, path, content),
        ItemKind::Correspondence => super::correspondence::detail(&mut reader, &mut details, &mut part, path, content),
        ItemKind::Confirmation => details.take_reportee(&mut reader, path == "Reportee", content),
        ItemKind::Usage => details.take_reportee(&mut reader, path == "ReporteeID", content),
        ItemKind::AltUtMessage => details.take_reportee(&mut reader, path == "Participant/@id", content),
        ItemKind::AltUtConfirmation => details.take_reportee(&mut reader, path == "@participantId", content),
        ItemKind::Item => details.take_reportee(&mut reader, is_reportee(path), content),
        // Recipients are read out of their archive: `broker::party`.
        ItemKind::OnlineResult | ItemKind::Recipient => Ok(()),
    })?;
    for attachment in attachments {
        for_each_element((blob, encoding), *attachment, &mut |path, content| {
            super::databatch::attachment_detail(&mut reader, &mut part, path, content)
        })?;
        details.add_attachment(&mut part)?;
    }
    Ok(details)
}

/// Whether items of the kind stand under their reportee.
fn has_group_reportee(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::FormTask | ItemKind::Field | ItemKind::Subscription)
}

/// A form or an attachment whose element has not ended yet.
#[derive(Debug, Default)]
pub(crate) struct PartDraft {
    /// DataFormatId or FileName.
    pub(crate) name: String,
    /// DataFormatVersion or AttachmentType.
    pub(crate) kind: String,
    /// Where its content lies.
    pub(crate) content: ByteRange,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

impl Details {
    /// Takes the first reportee that the item names.
    pub(crate) fn take_reportee(
        &mut self,
        reader: &mut Reader<'_>,
        is_it: bool,
        content: ByteRange,
    ) -> Result<(), ReadItemError> {
        if is_it && self.reportee.is_none() {
            // A number that is not one is told by judging, where the route lets it pass.
            self.reportee = check_digits::number(&reader.text(content)?).ok();
        }
        Ok(())
    }

    /// Adds the attachment whose element has ended.
    pub(crate) fn add_attachment(&mut self, part: &mut PartDraft) -> Result<(), ReadItemError> {
        let PartDraft { name: file_name, kind: attachment_type, content } = std::mem::take(part);
        self.add(PartMeta::Attachment { file_name, attachment_type }, content, Coding::Base64)
    }

    /// Adds the form whose element has ended.
    pub(crate) fn add_form(&mut self, part: &mut PartDraft) -> Result<(), ReadItemError> {
        let PartDraft { name: format_id, kind: format_version, content } = std::mem::take(part);
        self.add(PartMeta::Form { format_id, format_version }, content, Coding::Document)
    }

    /// Adds a form or an attachment.
    fn add(&mut self, meta: PartMeta, content: ByteRange, coding: Coding) -> Result<(), ReadItemError> {
        if self.parts.len() as u64 >= MOST_PARTS {
            return Err(ReadItemError::TooMuch("forms and attachments"));
        }
        self.parts.push(Span { meta, content, coding });
        Ok(())
    }
}

/// Reads short texts, and no more of them than fit in memory.
pub(crate) struct Reader<'a> {
    blob: &'a dyn Blob,
    encoding: Encoding,
    text_left: u64,
}

impl<'a> Reader<'a> {
    /// Begins with room for the texts of one item.
    pub(crate) fn new(blob: &'a dyn Blob, encoding: Encoding) -> Self {
        Self { blob, encoding, text_left: MOST_TEXT_BYTES }
    }
}

impl Reader<'_> {
    /// An element's text.
    pub(crate) fn text(&mut self, content: ByteRange) -> Result<String, ReadItemError> {
        self.text_left = self.text_left.checked_sub(content.len()).ok_or(ReadItemError::TooMuch("text"))?;
        let mut text = Vec::new();
        let mut decoder = TextDecoder::default();
        decoder.push(&Excerpt::new(content, self.encoding).read_whole(self.blob)?, &mut text)?;
        decoder.finish()?;
        String::from_utf8(text).map_err(|_| ReadItemError::Changed("text is not UTF-8"))
    }

    fn reportee(&mut self, group: ByteRange) -> Result<Reportee, ReadItemError> {
        let mut id = None;
        for_each_element((self.blob, self.encoding), group, &mut |path, content| {
            if path == "Id" {
                id = Some(content);
            }
            Ok(())
        })?;
        let id = self.text(id.ok_or(NO_REPORTEE)?)?;
        check_digits::number(&id).map_err(|_| NO_REPORTEE)
    }
}

/// Calls `visit` at the end of every element within the outermost one, with its path below that (`Form/FormData`) and
/// the range of its content; and for every attribute, those of the outermost included (`@reportee`, `Participant/@id`).
/// The content of the outermost has an empty path.
pub(crate) fn for_each_element(
    (blob, encoding): (&dyn Blob, Encoding),
    range: ByteRange,
    visit: &mut dyn FnMut(&str, ByteRange) -> Result<(), ReadItemError>,
) -> Result<(), ReadItemError> {
    let mut fragment = Fragment::new(blob, encoding, range);
    let mut path = String::new();
    // For each open element: where its content begins, and the length of the path without it.
    let mut open: Vec<(u64, usize)> = Vec::new();
    while let Some(tag) = fragment.next()? {
        let end = match tag {
            Tag::Start { range, empty, .. } => {
                let outer = path.len();
                if !open.is_empty() {
                    let name = std::str::from_utf8(fragment.local_name());
                    let separator = if outer == 0 { "" } else { "/" };
                    path.push_str(separator);
                    path.push_str(name.map_err(|_| ReadItemError::Changed("a name is not UTF-8"))?);
                }
                open.push((range.end, outer));
                visit_attributes(&fragment, &path, visit)?;
                empty.then_some(range.end)
            }
            Tag::End { range } => Some(range.start),
        };
        let Some(end) = end else { continue };
        let (start, outer) = open.pop().ok_or(ReadItemError::Changed("an end tag has no start tag"))?;
        visit(&path, ByteRange { start, end })?;
        path.truncate(outer);
    }
    Ok(())
}

fn visit_attributes(
    fragment: &Fragment<'_>,
    path: &str,
    visit: &mut dyn FnMut(&str, ByteRange) -> Result<(), ReadItemError>,
) -> Result<(), ReadItemError> {
    let separator = if path.is_empty() { "" } else { "/" };
    fragment.attributes().iter().try_for_each(|(name, value)| visit(&format!("{path}{separator}@{name}"), *value))
}

/// Most forms and attachments of one item; judging refuses more.
pub const MOST_PARTS: u64 = 10_000;
/// Most bytes of text of one item as written, forms and attachments not counted; judging refuses more.
pub const MOST_TEXT_BYTES: u64 = 1024 * 1024;
const NO_REPORTEE: ReadItemError = ReadItemError::Changed("the reportee's id is not the one judged");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;
    use crate::formats::fragment::tests::InMemory;
    use crate::formats::{Decoder, FormData};
    use crate::model::{ItemKey, Period, Terms};
    use jiff::civil::date;

    const GROUP: &str = "<p:Reportee xmlns:p='urn:x'><p:Id> 910000004</p:Id>";

    /// Reads an item that stands right behind its group's head.
    fn read_item(kind: ItemKind, group: &str, item: &str) -> (InMemory, Result<Details, ReadItemError>) {
        let blob = InMemory(format!("{group}{item}").into_bytes());
        let group_end = group.len() as u64;
        let item = NewItem {
            number: 1,
            part: 0,
            kind,
            key: ItemKey::derive(&[]),
            range: ByteRange { start: group_end, end: blob.size_bytes() },
            group: ByteRange { start: 0, end: group_end },
            line: 1,
            column: 1,
            senders_reference: String::new(),
            service: None,
            forms: 0,
            refused: None,
        };
        let details = details(&blob, &item, &[], None);
        (blob, details)
    }

    fn decoded(blob: &InMemory, span: &Span) -> String {
        let mut decoder = Decoder::new(span.coding);
        let mut out = Vec::new();
        decoder.push(blob.slice(span.content).as_bytes(), &mut out).unwrap();
        decoder.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_form_task_is_read_whole() {
        let (blob, details) = read_item(
            ItemKind::FormTask,
            GROUP,
            "<p:FormTask><p:ValidFrom>2026-01-31Z</p:ValidFrom><p:SendersReference>S</p:SendersReference>\
             <p:ReceiversReference>a &amp; <![CDATA[<b>]]></p:ReceiversReference>\
             <p:IdentifyingFields><p:IdentifyingField>x</p:IdentifyingField><p:IdentifyingField/></p:IdentifyingFields>\
             <p:Attachments><p:Attachment><p:FileName>a.txt</p:FileName><p:AttachmentData>\n SGVs bG8=</p:AttachmentData>\
             <p:AttachmentType>text_plain</p:AttachmentType></p:Attachment></p:Attachments>\
             <p:Form><p:DataFormatId>1</p:DataFormatId><p:DataFormatVersion>2</p:DataFormatVersion>\
             <p:FormData>\r\n <![CDATA[<?xml version='1.0'?><FormTask>]]>&lt;/FormTask></p:FormData></p:Form>\
             <p:Form><p:DataFormatId>3</p:DataFormatId><p:DataFormatVersion>4</p:DataFormatVersion><p:FormData/></p:Form>\
             </p:FormTask>",
        );
        let details = details.unwrap();
        assert_eq!(details.reportee.as_ref().unwrap().expose(), "910000004");
        assert_eq!(details.valid_from, Some(date(2026, 1, 31)));
        assert_eq!(details.receivers_reference, "a & <b>");
        assert_eq!(details.identifying_fields, ["x", ""]);
        assert_eq!(format!("{details:?}"), "Details { parts: 3, .. }", "no value of the item");
        let parts: Vec<_> = details.parts.iter().map(|span| (span.meta.clone(), decoded(&blob, span))).collect();
        let form = |id: &str, version: &str| PartMeta::Form { format_id: id.into(), format_version: version.into() };
        let attachment = PartMeta::Attachment { file_name: "a.txt".into(), attachment_type: "text_plain".into() };
        let first = "<?xml version='1.0'?><FormTask></FormTask>";
        let expected = [(attachment, "Hello"), (form("1", "2"), first), (form("3", "4"), "")];
        assert_eq!(parts, expected.map(|(meta, text)| (meta, text.to_owned())));
    }

    #[test]
    fn nothing_stands_before_a_form_that_is_sent() {
        let declaration = "<?xml version=\"1.0\" encoding=\"utf-16\"?>";
        let blanks = " ".repeat(5_000);
        for written in [
            format!("<![CDATA[\n{declaration}<Melding/>]]>"),
            format!("\r\n<!-- -->\n<![CDATA[ {declaration}<Melding/>]]>"),
            format!("{blanks}<![CDATA[{declaration}<Melding/>]]>"),
            format!("<![CDATA[\u{feff}{declaration}<Melding/>]]>"),
            format!("&#13;&#10;&#xFEFF;{}&lt;Melding/>", declaration.replace('<', "&lt;")),
        ] {
            let item = format!("<FormTask><Form><FormData>{written}</FormData></Form></FormTask>");
            let (blob, details) = read_item(ItemKind::FormTask, GROUP, &item);
            let sent = decoded(&blob, &details.unwrap().parts[0]);
            assert_eq!(sent, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Melding/>", "{written}");
            let mut judged = FormData::new(None);
            judged.push(sent.as_bytes());
            assert_eq!(judged.finish(), None, "{written}");
        }
    }

    #[test]
    fn fields_and_subscriptions_have_no_parts() {
        let field = "<Field><Id>x</Id><ValidFrom>2026-02-01</ValidFrom><Value>v</Value></Field>";
        let (_, details) = read_item(ItemKind::Field, "<Reportee><Id>910000004</Id>", field);
        let details = details.unwrap();
        assert_eq!((details.valid_from, details.parts.len()), (Some(date(2026, 2, 1)), 0));
        let field = details.prefilled.field;
        assert_eq!((field.id.as_str(), field.index, field.value.as_str()), ("x", 0, "v"));
        let subscription = "<FormTask><StartDate>2026-02-01</StartDate><ExpirationDate/><PeriodType>Monthly</PeriodType>\
                            <IdentifyingFields><IdentifyingField>y</IdentifyingField></IdentifyingFields></FormTask>";
        let (_, details) = read_item(ItemKind::Subscription, GROUP, subscription);
        let details = details.unwrap();
        assert_eq!((details.valid_from, details.identifying_fields), (None, vec!["y".to_owned()]));
        let terms = Terms { period: Some(Period::Monthly), starts: Some(date(2026, 2, 1)), ..Terms::default() };
        assert_eq!(details.prefilled.terms, terms);
    }

    #[test]
    fn an_item_that_is_not_as_it_was_judged_is_an_error() {
        for (group, item) in [
            ("<Reportee><Id>91000000</Id>", "<FormTask/>"),
            ("<Reportee>", "<FormTask/>"),
            (GROUP, "<FormTask><ReceiversReference><a/></ReceiversReference></FormTask>"),
            (GROUP, "<FormTask></FormTask></FormTask>"),
            (GROUP, "<FormTask><Form"),
        ] {
            let error = read_item(ItemKind::FormTask, group, item).1.unwrap_err();
            assert_eq!(error.code(), codes::STAGED_UNREADABLE, "{group}{item}");
        }
    }

    #[test]
    fn an_item_beyond_memory_is_an_error() {
        let forms = "<Form/>".repeat(MOST_PARTS as usize + 1);
        let error = read_item(ItemKind::FormTask, GROUP, &format!("<FormTask>{forms}</FormTask>")).1.unwrap_err();
        assert_eq!(error.code(), codes::ITEM_TOO_LARGE);
        let text = "x".repeat(MOST_TEXT_BYTES as usize + 1);
        let item = format!("<FormTask><ReceiversReference>{text}</ReceiversReference></FormTask>");
        assert!(matches!(read_item(ItemKind::FormTask, GROUP, &item).1, Err(ReadItemError::TooMuch(_))));
    }
}
