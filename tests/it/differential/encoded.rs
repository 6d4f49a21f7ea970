//! Documents in other encodings, with declarations that fit and some that do not.

use super::chance::Chance;

/// How characters become bytes.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Utf8,
    Utf16 { big: bool },
    Latin1,
}

/// What declarations say.
const NAMES: &[&str] = &[
    "UTF-8",
    "utf-8",
    "UTF-16",
    "UTF-16LE",
    "UTF-16BE",
    "utf-16",
    "ISO-8859-1",
    "iso-8859-1",
    "ISO-8859-15",
    "windows-1252",
    "US-ASCII",
    "x-none",
    "ISO-10646-UCS-2",
];

/// The document in some encoding, with a declaration of some encoding, mostly the same.
pub(super) fn document(text: &str, chance: &mut Chance) -> Vec<u8> {
    const CODINGS: [(Coding, &str); 4] = [
        (Coding::Utf8, "UTF-8"),
        (Coding::Utf16 { big: false }, "UTF-16"),
        (Coding::Utf16 { big: true }, "UTF-16"),
        (Coding::Latin1, "ISO-8859-1"),
    ];
    let (coding, own) = CODINGS[chance.below(CODINGS.len())];
    let declared = if chance.once_in(3) { chance.pick(NAMES) } else { own };
    let head = match chance.below(8) {
        0 => String::new(),
        1 => "<?xml version='1.0'?>".to_owned(),
        _ => format!("<?xml version='1.0' encoding='{declared}'?>"),
    };
    let mark = if chance.once_in(3) { "" } else { "\u{feff}" };
    coding.bytes(&format!("{mark}{head}{text}"))
}

impl Coding {
    fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16 { big: true } => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf16 { big: false } => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            // A byte order mark has no place there, and other characters that it has not become references.
            Self::Latin1 => text.trim_start_matches('\u{feff}').chars().flat_map(latin1).collect(),
        }
    }
}

fn latin1(character: char) -> Vec<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => vec![byte],
        Err(_) => format!("&#{};", u32::from(character)).into_bytes(),
    }
}
