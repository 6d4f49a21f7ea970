//! The five predefined entities and character references; there are no others without a DTD.

use super::chars::is_allowed;
use super::{FaultKind, Mistake};

/// What stands at an ampersand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A character, and the bytes that name it.
    Character(char, usize),
    /// The bytes at hand end inside it.
    Unfinished,
}

/// Reads the reference `bytes` begin with, of which so many have been looked at before; faults are told at the ampersand.
/// Its name may take `most` bytes: a number may have any zeros before it.
pub(super) fn read(bytes: &[u8], scanned: usize, most: usize) -> Result<Reference, Mistake> {
    match bytes {
        [_, b'l', b't', b';', ..] => return Ok(Reference::Character('<', 4)),
        [_, b'g', b't', b';', ..] => return Ok(Reference::Character('>', 4)),
        [_, b'a', b'm', b'p', b';', ..] => return Ok(Reference::Character('&', 5)),
        _ => {}
    }
    for (at, byte) in bytes.iter().enumerate().skip(scanned.max(1)) {
        match byte {
            b';' => {
                let name = bytes.get(1..at).unwrap_or_default();
                return character(name).map(|c| Reference::Character(c, at + 1));
            }
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'#' | b'_' | b'-' | b'.' | b':' | 0x80.. if at <= most => {}
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => {
                return Err(Mistake::new(FaultKind::NameTooLong, 0, "a reference is too long"));
            }
            _ => return Err(Mistake::malformed(0, "an ampersand that begins no reference")),
        }
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
    // A sign is no digit.
    let plain = digits.iter().all(u8::is_ascii_hexdigit);
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
        for (bytes, c) in [(&b"&lt;x"[..], '<'), (b"&#65;", 'A'), (b"&#x0000000041;", 'A'), (b"&apos;", '\'')] {
            let len = bytes.iter().position(|byte| *byte == b';').unwrap() + 1;
            for scanned in 0..len {
                assert_eq!(read(bytes, scanned, 16).unwrap(), Reference::Character(c, len));
            }
            if len == bytes.len() {
                assert_eq!(read(&bytes[..len - 1], 0, 16).unwrap(), Reference::Unfinished);
            }
        }
    }

    #[test]
    fn others_are_refused() {
        for bad in ["&nbsp;", "&#0;", "&#xD800;", "&#x110000;", "& ", "&#;", "&#+5;", "&#x;", "&;", "&a&b;", "&#xFFFE;"]
        {
            assert!(read(bad.as_bytes(), 0, 16).is_err(), "{bad}");
        }
        let zeros = [b"&#".as_slice(), &[b'0'; 14]].concat();
        assert_eq!(read(&[&zeros[..], b";"].concat(), 0, 16).unwrap_err().kind, FaultKind::NotWellFormed);
        assert_eq!(read(&[&zeros[..], b"0"].concat(), 0, 16).unwrap(), Reference::Unfinished);
        assert_eq!(read(&[&zeros[..], b"00"].concat(), 17, 16).unwrap_err().kind, FaultKind::NameTooLong);
    }
}
