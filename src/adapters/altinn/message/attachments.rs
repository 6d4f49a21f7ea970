//! Attachments: names the platform takes, types it takes, and archives of those it does not.

use std::collections::HashSet;

use crate::adapters::altinn::instance::base_name;
use crate::adapters::archive::packed;
use crate::codes;
use crate::model::{MessageTarget, Note};
use crate::ports::{Content, DeliveryError, MessageAttachment, NamedContent};

/// An attachment as the platform takes it.
#[derive(Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) is_encrypted: bool,
    pub(super) reference: String,
    pub(super) content: Content,
    pub(super) most_bytes: u64,
}

/// The files of a message; or why it is refused.
pub(super) fn files(
    attachments: &[MessageAttachment],
    target: &MessageTarget,
    reference: &str,
    notes: &mut Vec<Note>,
) -> Result<Vec<File>, DeliveryError> {
    if attachments.len() > MOST_ATTACHMENTS {
        return Err(DeliveryError::Refused { code: codes::ITEM_TOO_LARGE });
    }
    let mut taken = HashSet::new();
    let mut files = Vec::with_capacity(attachments.len());
    for (number, attachment) in attachments.iter().enumerate() {
        let mut name = clean(&attachment.file_name);
        let mut content = attachment.content.clone();
        if !is_taken(&name) {
            let shown = shown_extension(&name);
            if !target.packs_attachments {
                let notes = vec![Note::new(codes::ATTACHMENT_TYPE, shown)];
                return Err(DeliveryError::RefusedFor { code: codes::ATTACHMENT_TYPE, notes });
            }
            notes.push(Note::new(codes::ATTACHMENT_PACKED, shown));
            content = packed(vec![NamedContent { name: name.clone(), content }]);
            name.push_str(".zip");
        }
        let name = unique(name, &mut taken);
        let own = Some(attachment.senders_reference.clone()).filter(|own| !own.is_empty());
        files.push(File {
            title: attachment.name.chars().take(MOST_NAME_CHARS).collect(),
            is_encrypted: attachment.is_encrypted,
            reference: own.unwrap_or_else(|| format!("{reference}/{}", number + 1)),
            most_bytes: attachment.most_bytes,
            name,
            content,
        });
    }
    Ok(files)
}

/// A name by the rules of Windows, which the platform keeps to.
pub(in crate::adapters::altinn) fn clean(name: &str) -> String {
    let bad = |c: char| c.is_control() || matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*');
    let plain: String = base_name(name).chars().map(|c| if bad(c) { '_' } else { c }).collect();
    let plain = plain.trim_end_matches(['.', ' ']).trim_start();
    let (stem, extension) = plain.rsplit_once('.').map_or((plain, ""), |(stem, extension)| (stem, extension));
    let device = stem.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let is_port = |prefix: &str| device.strip_prefix(prefix).is_some_and(|n| n.len() == 1 && n != "0");
    let is_reserved = matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "") || is_port("COM") || is_port("LPT");
    let room = MOST_NAME_CHARS - extension.chars().count().min(MOST_NAME_CHARS / 2) - ROOM_FOR_MORE;
    let stem: String = stem.chars().take(room).collect();
    let stem = if is_reserved { format!("_{stem}") } else { stem };
    let extension: String = extension.chars().take(MOST_NAME_CHARS / 2).collect();
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

/// Files are told apart by name alone.
fn unique(name: String, taken: &mut HashSet<String>) -> String {
    let (stem, extension) =
        name.rsplit_once('.').map_or((name.as_str(), String::new()), |(stem, end)| (stem, format!(".{end}")));
    let numbered = (2_u32..).map(|number| format!("{stem} ({number}){extension}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
    free.unwrap_or(name)
}

fn is_taken(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

/// The extension, for a receipt; what does not look like one is not shown.
fn shown_extension(name: &str) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_plain = (1..=8).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_plain { format!(".{}", extension.to_ascii_lowercase()) } else { String::new() }
}

/// What the platform takes.
const EXTENSIONS: [&str; 20] = [
    "doc", "xls", "docx", "xlsx", "ppt", "pps", "zip", "pdf", "html", "txt", "xml", "jpg", "jpeg", "gif", "bmp", "png",
    "json", "csv", "dcm", "dicom",
];
/// A message has no more.
const MOST_ATTACHMENTS: usize = 100;
const MOST_NAME_CHARS: usize = 255;
/// For what tells equal names apart, and for `.zip`.
const ROOM_FOR_MORE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_such_as_the_platform_takes() {
        let long = format!("{}.pdf", "å".repeat(400));
        let table = [
            ("C:\\brev\\a.pdf", "a.pdf"),
            ("a?b*.pdf", "a_b_.pdf"),
            ("con.txt", "_con.txt"),
            ("LPT1.pdf", "_LPT1.pdf"),
            ("a.pdf. .", "a.pdf"),
            (".pdf", "_.pdf"),
            ("", "attachment"),
        ];
        for (name, expected) in table {
            assert_eq!(clean(name), expected, "{name}");
        }
        assert!(clean(&long).chars().count() <= MOST_NAME_CHARS && clean(&long).ends_with(".pdf"));
    }

    #[test]
    fn equal_names_are_told_apart() {
        let mut taken = HashSet::new();
        let names = ["a.pdf", "A.pdf", "a.pdf", "b"].map(|name| unique(name.into(), &mut taken));
        assert_eq!(names, ["a.pdf", "A (2).pdf", "a (3).pdf", "b"]);
    }

    #[test]
    fn only_plain_extensions_are_shown() {
        assert_eq!(shown_extension("brev.TIFF"), ".tiff");
        assert_eq!(shown_extension("Kari Nordmann.01017012345"), "");
        assert_eq!(shown_extension("x"), "");
    }
}
