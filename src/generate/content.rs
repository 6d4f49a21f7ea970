//! What stands in items: form XML with Norwegian words, and base64.

use super::random::Random;

/// Words of forms; a third of them have letters outside ASCII.
const WORDS: [&str; 36] = [
    "adresse",
    "avgift",
    "beløp",
    "bolig",
    "dato",
    "dekning",
    "endring",
    "fartøy",
    "flytting",
    "fradrag",
    "grunnlag",
    "gård",
    "hjemmel",
    "innsending",
    "kjøretøy",
    "kommune",
    "kroner",
    "lønn",
    "melding",
    "måned",
    "næring",
    "oppgave",
    "periode",
    "plikt",
    "pålegg",
    "ressurs",
    "rådgiver",
    "sats",
    "skjema",
    "sum",
    "tjeneste",
    "utgått",
    "vedlegg",
    "virksomhet",
    "år",
    "ærend",
];

/// Names of a form's fields.
const FIELDS: [&str; 8] = ["navn", "adresse", "belop", "periode", "merknad", "grunnlag", "kommune", "sats"];

/// The alphabet of base64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// How long the block is from which base64 is taken; attachments are pieces of it, one after another.
const BLOCK_BYTES: usize = 256 * 1024;

/// Appends words up to about so many bytes.
pub(super) fn words(out: &mut Vec<u8>, random: &mut Random, bytes: usize) {
    let end = out.len() + bytes;
    loop {
        out.extend_from_slice(random.pick(&WORDS).as_bytes());
        if out.len() >= end {
            return;
        }
        out.push(b' ');
    }
}

/// Appends a form's XML of about so many bytes.
pub(super) fn form(out: &mut Vec<u8>, random: &mut Random, format: (&str, &str), bytes: usize) {
    const END: &str = "</skjema>";
    let end = out.len() + bytes - END.len();
    let (id, version) = format;
    out.extend_from_slice(format!("<skjema skjemanummer=\"{id}\" spesifikasjonsnummer=\"{version}\">").as_bytes());
    while out.len() < end {
        let field = random.pick(&FIELDS).as_bytes();
        out.push(b'<');
        out.extend_from_slice(field);
        out.push(b'>');
        words(out, random, 8);
        out.extend_from_slice(b"</");
        out.extend_from_slice(field);
        out.push(b'>');
    }
    out.extend_from_slice(END.as_bytes());
}

/// Appends paragraphs of HTML of about so many bytes.
pub(super) fn html(out: &mut Vec<u8>, random: &mut Random, bytes: usize) {
    let end = out.len() + bytes;
    while out.len() < end {
        out.extend_from_slice(b"<p>");
        words(out, random, 80);
        out.extend_from_slice(b" <b>");
        words(out, random, 8);
        out.extend_from_slice(b"</b></p>");
    }
}

/// Appends XML as text: markup as references.
pub(super) fn escaped(out: &mut Vec<u8>, xml: &[u8]) {
    for piece in xml.split_inclusive(|byte| matches!(byte, b'<' | b'>' | b'&')) {
        let Some((last, before)) = piece.split_last() else { continue };
        out.extend_from_slice(before);
        match last {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            other => out.push(*other),
        }
    }
}

/// Base64 of random bytes, made once and taken from at random places.
#[derive(Debug)]
pub(super) struct Base64Block(Vec<u8>);

impl Base64Block {
    pub(super) fn new(mut random: Random) -> Self {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        while block.len() < BLOCK_BYTES {
            let mut bits = random.next();
            for _ in 0..8 {
                let index = usize::try_from(bits & 63).unwrap_or_default();
                block.extend(ALPHABET.get(index));
                bits >>= 6;
            }
        }
        Self(block)
    }

    /// Appends so many groups of four characters, starting at a random group.
    pub(super) fn write(&self, out: &mut Vec<u8>, random: &mut Random, groups: usize) {
        let start = usize::try_from(random.below(BLOCK_BYTES as u64 / 4)).unwrap_or_default() * 4;
        let (before, after) = self.0.split_at_checked(start).unwrap_or_default();
        let mut left = groups * 4;
        for piece in [after, before].into_iter().cycle() {
            let taken = piece.get(..left).unwrap_or(piece);
            out.extend_from_slice(taken);
            left -= taken.len();
            if left == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_words_is_not_ascii() {
        assert_eq!(WORDS.iter().filter(|word| !word.is_ascii()).count() * 3, WORDS.len());
    }

    #[test]
    fn base64_is_of_the_length_asked() {
        let block = Base64Block::new(Random::new(1));
        for groups in [1, 1_000, BLOCK_BYTES / 4, BLOCK_BYTES] {
            let mut out = Vec::new();
            block.write(&mut out, &mut Random::new(groups as u64), groups);
            assert_eq!(out.len(), groups * 4);
        }
    }

    #[test]
    fn escaping_leaves_no_markup() {
        let mut out = Vec::new();
        escaped(&mut out, b"a<b>&c");
        assert_eq!(out, b"a&lt;b&gt;&amp;c");
    }
}
