//! Checksums as manifests give them. The format says nothing of the algorithm, so it is told by the form.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A checksum whose algorithm its length tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    algorithm: Algorithm,
    value: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Checksum {
    /// Reads hexadecimal digits, also in pairs with something between them, or base64; an algorithm's name may stand
    /// before it. `None` where it is neither, or of no known length.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (named, text) = prefix(text).map_or((None, text), |(named, rest)| (Some(named), rest));
        let value = hexadecimal(text).or_else(|| ENGINE.decode(text).ok())?;
        let algorithm = match value.len() {
            16 => Algorithm::Md5,
            20 => Algorithm::Sha1,
            32 => Algorithm::Sha256,
            48 => Algorithm::Sha384,
            64 => Algorithm::Sha512,
            _ => return None,
        };
        let fits = named.is_none_or(|named| named == algorithm);
        fits.then(|| Self { algorithm, value: value.into() })
    }

    /// Begins to compute it.
    pub(super) fn hash(&self) -> Hash {
        match self.algorithm {
            Algorithm::Md5 => Hash::Md5(Box::new(md5::Context::new())),
            Algorithm::Sha1 => Hash::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => Hash::Sha(digest::Context::new(&digest::SHA256)),
            Algorithm::Sha384 => Hash::Sha(digest::Context::new(&digest::SHA384)),
            Algorithm::Sha512 => Hash::Sha(digest::Context::new(&digest::SHA512)),
        }
    }

    /// Tells whether what was hashed has this checksum.
    pub(super) fn is_of(&self, hash: Hash) -> bool {
        match hash {
            Hash::Md5(context) => *self.value == context.finalize().0,
            Hash::Sha(context) => *self.value == *context.finish().as_ref(),
        }
    }
}

/// A checksum being computed.
pub(super) enum Hash {
    Md5(Box<md5::Context>),
    Sha(digest::Context),
}

impl Hash {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(context) => context.consume(bytes),
            Self::Sha(context) => context.update(bytes),
        }
    }
}

/// The algorithm named before a checksum, as in `sha-256:…` or `{MD5}…`.
fn prefix(text: &str) -> Option<(Algorithm, &str)> {
    let (name, rest) = text.strip_prefix('{').and_then(|text| text.split_once('}')).or_else(|| {
        let (name, rest) = text.split_once([':', '='])?;
        // `AB:CD:…` is all digits.
        name.contains(|c: char| !c.is_ascii_hexdigit()).then_some((name, rest))
    })?;
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let algorithm = match plain.as_str() {
        "md5" => Algorithm::Md5,
        "sha1" | "sha" => Algorithm::Sha1,
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => return None,
    };
    Some((algorithm, rest.trim_start()))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let mut digits = text.bytes().filter(|byte| !matches!(byte, b'-' | b':' | b' '));
    let mut value = Vec::new();
    while let Some(high) = digits.next() {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        value.push(digit(high)? * 16 + digit(digits.next()?)?);
    }
    Some(value)
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(text: &str, bytes: &[u8]) -> Option<bool> {
        let checksum = Checksum::read(text)?;
        let mut hash = checksum.hash();
        hash.update(bytes);
        Some(checksum.is_of(hash))
    }

    #[test]
    fn every_form_in_use_is_known() {
        for text in [
            "900150983cd24fb0d6963f7d28e17f72",
            "900150983CD24FB0D6963F7D28E17F72",
            " 90-01-50-98-3C-D2-4F-B0-D6-96-3F-7D-28-E1-7F-72\n",
            "90:01:50:98:3c:d2:4f:b0:d6:96:3f:7d:28:e1:7f:72",
            "kAFQmDzST7DWlj99KOF/cg==",
            "md5:900150983cd24fb0d6963f7d28e17f72",
            "{MD5}kAFQmDzST7DWlj99KOF/cg",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "SHA-1=a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "SHA-256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ] {
            assert_eq!(fits(text, b"abc"), Some(true), "{text}");
            assert_eq!(fits(text, b"abd"), Some(false), "{text}");
        }
    }

    #[test]
    fn what_is_no_known_form_is_not_guessed() {
        for text in
            ["", "352441c2", "crc32:352441c2", "sha256:900150983cd24fb0d6963f7d28e17f72", "not a sum", "9001509"]
        {
            assert_eq!(Checksum::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Checksum::read(&text);
        }
    }
}
