//! base64Binary and hexBinary, judged as they stream by.

use crate::xml::{is_space, widely};

/// A base64 text in progress.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::xsd) struct Base64 {
    /// Characters of the alphabet.
    digits: u64,
    /// Padding characters.
    pads: u8,
    /// The last character of the alphabet.
    last: u8,
    broken: bool,
}

impl Base64 {
    /// Takes the next bytes.
    pub(in crate::xsd) fn push(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            if self.sound(block) {
                continue;
            }
            // Mostly it ends in padding, and the rest of it is sound.
            for part in block.chunks(LANES) {
                if !self.sound(part) {
                    part.iter().for_each(|byte| self.one(*byte));
                }
            }
        }
    }

    /// Takes bytes before any padding, if there is nothing but digits and white space in them.
    fn sound(&mut self, block: &[u8]) -> bool {
        if self.pads > 0 {
            return false;
        }
        let digits = widely(
            #[inline(always)]
            || digits(block),
        );
        let Some(digits) = digits else { return false };
        self.digits += digits;
        self.last = block.iter().copied().rfind(|byte| is_digit(*byte)).unwrap_or(self.last);
        true
    }

    fn one(&mut self, byte: u8) {
        match byte {
            _ if is_digit(byte) => {
                self.broken |= self.pads > 0;
                self.digits += 1;
                self.last = byte;
            }
            b'=' => self.pads = self.pads.saturating_add(1),
            _ => self.broken |= byte > b' ',
        }
    }

    /// The length in octets, if the text is sound.
    pub(in crate::xsd) fn octets(&self) -> Option<u64> {
        // The bits that padding cuts off must be zero.
        let sound = match self.pads {
            0 => true,
            1 => b"AEIMQUYcgkosw048".contains(&self.last),
            2 => b"AQgw".contains(&self.last),
            _ => false,
        };
        let whole = (self.digits + u64::from(self.pads)).is_multiple_of(4);
        (sound && whole && !self.broken).then(|| self.digits * 3 / 4)
    }
}

impl Base64 {
    /// The octets of a text, if it is sound.
    pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
        let mut whole = Self::default();
        whole.push(text.as_bytes());
        let mut octets = Vec::with_capacity(usize::try_from(whole.octets()?).ok()?);
        let (mut bits, mut count) = (0_u32, 0);
        for six in text.bytes().filter_map(six_bits) {
            bits = (bits << 6 | six) & 0xffff;
            count += 6;
            if count >= 8 {
                count -= 8;
                octets.push((bits >> count) as u8);
            }
        }
        Some(octets)
    }
}

/// What a character of the alphabet stands for.
fn six_bits(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

// Two registers, so that counting the turns of the loop costs less.
const LANES: usize = 32;
/// Such that what is counted in each lane fits a byte.
const BLOCK: usize = 255 * LANES;

/// How many digits a block has, if there is nothing but digits and white space in it.
// Without a branch for a byte, so that the compiler can look at many at once.
#[inline(always)]
fn digits(block: &[u8]) -> Option<u64> {
    let (mut odd, mut digits) = ([0_u8; LANES], [0_u8; LANES]);
    let (chunks, rest) = block.as_chunks::<LANES>();
    for chunk in chunks {
        for ((byte, odd), digits) in chunk.iter().zip(&mut odd).zip(&mut digits) {
            *odd = oddness(*byte).max(*odd);
            *digits += u8::from(is_digit(*byte));
        }
    }
    let is_sound = odd == [0; LANES] && rest.iter().all(|byte| oddness(*byte) == 0);
    let in_rest = rest.iter().filter(|byte| is_digit(**byte)).count() as u64;
    is_sound.then(|| digits.iter().map(|count| u64::from(*count)).sum::<u64>() + in_rest)
}

#[inline(always)]
fn is_digit(byte: u8) -> bool {
    distance(byte) == 0
}

/// 0 for digits and white space.
#[inline(always)]
fn oddness(byte: u8) -> u8 {
    // Of the characters up to the blank, XML allows white space only.
    distance(byte).min(byte.saturating_sub(b' '))
}

/// 0 for digits.
// In subtractions, of which each is one instruction; to compare and keep the answer is three. Letters are told without
// their case, and the stroke stands right before the numerals.
#[inline(always)]
fn distance(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a').saturating_sub(b'z' - b'a');
    let numeral = byte.wrapping_sub(b'/').saturating_sub(b'9' - b'/');
    letter.min(numeral).min(byte ^ b'+')
}

/// A text of hexadecimal digits in progress.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::xsd) struct Hex {
    digits: u64,
    begun: bool,
    /// White space behind the digits, where only white space may follow.
    ended: bool,
    broken: bool,
}

impl Hex {
    /// Takes the next bytes.
    pub(in crate::xsd) fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if is_space(*byte) {
                self.ended |= self.begun;
            } else {
                self.broken |= self.ended || !byte.is_ascii_hexdigit();
                self.begun = true;
                self.digits += 1;
            }
        }
    }

    /// The length in octets, if the text is sound.
    pub(in crate::xsd) fn octets(&self) -> Option<u64> {
        (!self.broken && self.digits.is_multiple_of(2)).then_some(self.digits / 2)
    }
}

impl Hex {
    /// The octets of a text without white space, if it is sound.
    pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        });
        pairs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(text: &str) -> Option<u64> {
        let mut whole = Base64::default();
        whole.push(text.as_bytes());
        let mut bytewise = Base64::default();
        text.bytes().for_each(|byte| bytewise.push(&[byte]));
        assert_eq!(whole.octets(), bytewise.octets(), "{text}");
        whole.octets()
    }

    #[test]
    fn base64_is_counted_in_octets() {
        for (text, octets) in [("", 0), ("AAAA", 3), ("QQ==", 1), ("QUI=", 2), (" Q Q\r\n= = ", 1), ("ab+/", 3)] {
            assert_eq!(base64(text), Some(octets), "{text}");
        }
        assert_eq!(base64(&"QUJD".repeat(1000)), Some(3000));
    }

    #[test]
    fn lines_of_base64_are_counted_in_octets() {
        let lines = format!("{}\r\n", "QUJD".repeat(19)).repeat(50);
        assert_eq!(base64(&format!("{lines}QQ==\r\n")), Some(50 * 57 + 1));
        assert_eq!(base64(&format!("{lines}Q!==\r\n")), None);
        assert_eq!(base64(&format!("QQ=={lines}")), None);
    }

    #[test]
    fn each_byte_counts_the_same_in_any_block() {
        for byte in (0..=u8::MAX).filter(|byte| *byte >= b' ' || is_space(*byte)) {
            for len in [1, LANES, BLOCK - 1, BLOCK] {
                let mut block = vec![b'A'; len];
                block[len / 2] = byte;
                let others = len as u64 - 1;
                let expected = six_bits(byte).map(|_| others + 1).or(is_space(byte).then_some(others));
                assert_eq!(digits(&block), expected, "{byte} among {len}");
            }
        }
    }

    #[test]
    fn broken_base64_is_found() {
        for text in ["A", "AA", "AAA", "QR==", "QUJ=", "Q===", "====", "QQ==QQ==", "QU!D", "QQ=A", "QUJD=", "QUJDå"] {
            assert_eq!(base64(text), None, "{text}");
        }
        assert_eq!(base64(&format!("{}!{}", "A".repeat(99), "A".repeat(100))), None);
    }

    #[test]
    fn hex_is_counted_in_octets() {
        let hex = |text: &str| {
            let mut hex = Hex::default();
            hex.push(text.as_bytes());
            hex.octets()
        };
        assert_eq!(hex(" 0aFF\n"), Some(2));
        assert_eq!(hex(""), Some(0));
        assert_eq!(hex("0"), None);
        assert_eq!(hex("0a ff"), None);
        assert_eq!(hex("0g"), None);
    }

    #[test]
    fn octets_are_what_the_digits_say() {
        assert_eq!(Base64::decode("AP+/ Qg==").unwrap(), [0, 0xff, 0xbf, 0x42]);
        assert_eq!(Base64::decode("QUI=").unwrap(), b"AB");
        assert_eq!(Base64::decode("QUI"), None);
        assert_eq!(Hex::decode("00fFa1").unwrap(), [0, 0xff, 0xa1]);
        assert_eq!(Hex::decode("00f"), None);
        assert_eq!(Hex::decode("0g"), None);
    }
}
