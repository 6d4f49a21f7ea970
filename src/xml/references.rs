//! The five predefined entities and character references; there are no others without a DTD.

use super::Mistake;
use super::chars::is_allowed;

// No sound reference needs more: `&#x0010FFFF;` is 12.
const LONGEST: usize = 32;

/// What stands at an ampersand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A character, and the bytes that name it.
    Character(char, usize),
    /// The bytes at hand end inside it.
    Unfinished,
}

/// Reads the reference `bytes` begin with; faults are told at the ampersand.
pub(super) fn read(bytes: &[u8]) -> Result<Reference, Mistake> {
    match bytes {
        [_, b'l', b't', b';', ..] => return Ok(Reference::Character('<', 4)),
        [_, b'g', b't', b';', ..] => return Ok(Reference::Character('>', 4)),
        [_, b'a', b'm', b'p', b';', ..] => return Ok(Reference::Character('&', 5)),
        _ => {}
    }
    for (at, byte) in bytes.iter().enumerate().skip(1).take(LONGEST) {
        match byte {
            b';' => {
                let name = bytes.get(1..at).unwrap_or_default();
                return character(name).map(|c| Reference::Character(c, at + 1));
            }
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'#' | b'_' | b'-' | b'.' | b':' | 0x80.. => {}
            _ => return Err(Mistake::malformed(0, "an ampersand that begins no reference")),
        }
    }
    if bytes.len() > LONGEST {
        return Err(Mistake::malformed(0, "an ampersand that begins no reference"));
    }
    Ok(Reference::Unfinished)
}

fn character(name: &[u8]) -> Result<char, Mistake> {
    let number = match name {
        b"amp" => return Ok('&'),
        b"lt" => return Ok('<'),
        b"gt" => return Ok('>'),
        b"quot" => return Ok('"'),
        b"apos" => return Ok('\''),
        [b'#', b'x', digits @ ..] => (digits, 16),
        [b'#', digits @ ..] => (digits, 10),
        _ => return Err(Mistake::malformed(0, "a reference to an entity that XML does not define")),
    };
    let (digits, radix) = number;
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let code =
        std::str::from_utf8(digits).ok().filter(|_| plain).and_then(|text| u32::from_str_radix(text, radix).ok());
    code.and_then(char::from_u32)
        .filter(|c| is_allowed(*c))
        .ok_or_else(|| Mistake::malformed(0, "a reference to a character that XML does not allow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        assert_eq!(read(b"&lt;x").unwrap(), Reference::Character('<', 4));
        assert_eq!(read(b"&#65;").unwrap(), Reference::Character('A', 5));
        assert_eq!(read(b"&#x0000000041;").unwrap(), Reference::Character('A', 14));
        assert_eq!(read(b"&am").unwrap(), Reference::Unfinished);
    }

    #[test]
    fn others_are_refused() {
        for bad in ["&nbsp;", "&#0;", "&#xD800;", "&#x110000;", "& ", "&#;", "&#+5;", "&#x;", "&;", "&a&b;", "&#xFFFE;"]
        {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(&[b"&#".as_slice(), &[b'0'; 40]].concat()).is_err());
    }
}
