//! The beginning of a form, made true: forms are sent in UTF-8, whatever their declaration said while they were text
//! inside a batch, and nothing may stand before a declaration.

/// Drops white space and byte order marks before a document, and writes UTF-8 in place of any other encoding that its
/// declaration names; the rest passes as it is.
#[derive(Debug, Default)]
pub(crate) struct Redeclare {
    state: State,
    /// The last name in the declaration.
    name: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of the document; of a byte order mark so many bytes have come.
    Before(usize),
    /// So much of `<?xml` has passed.
    Opening(usize),
    /// In the declaration, outside of quotes; `true` when a name may begin.
    Between(bool),
    /// In a value, up to this quote.
    Value(u8),
    /// In the name of an encoding up to this quote, of which so much is UTF-8's.
    Encoding(u8, usize),
    /// In another one's name, whose place has been taken.
    Other(u8),
    /// Past the declaration, or there is none.
    Past,
}

impl Default for State {
    fn default() -> Self {
        Self::Before(0)
    }
}

impl Redeclare {
    /// Passes the next bytes on, adding to `out`.
    pub(crate) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while self.state != State::Past
            && let Some((byte, after)) = rest.split_first()
        {
            self.state = self.step(*byte, out);
            rest = after;
        }
        out.extend_from_slice(rest);
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        let (state, passes) = match self.state {
            State::Before(0) if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => (self.state, false),
            State::Before(come) if MARK.get(come) == Some(&byte) => (State::Before((come + 1) % MARK.len()), false),
            State::Before(0) if OPENING.first() == Some(&byte) => (State::Opening(1), true),
            State::Before(come) => {
                // It was another character that begins as the mark does.
                out.extend_from_slice(MARK.get(..come).unwrap_or_default());
                (State::Past, true)
            }
            State::Opening(passed) if passed == OPENING.len() => {
                (if byte.is_ascii_whitespace() { State::Between(true) } else { State::Past }, true)
            }
            State::Opening(passed) if OPENING.get(passed) == Some(&byte) => (State::Opening(passed + 1), true),
            State::Opening(_) | State::Past => (State::Past, true),
            State::Between(begins) => (self.between(byte, begins), true),
            State::Value(quote) => (if byte == quote { State::Between(true) } else { self.state }, true),
            State::Encoding(quote, passed) => Self::encoding(byte, quote, passed, out),
            State::Other(quote) if byte == quote => (State::Between(true), true),
            State::Other(_) => (self.state, false),
        };
        if passes {
            out.push(byte);
        }
        state
    }

    fn between(&mut self, byte: u8, begins: bool) -> State {
        match byte {
            b'>' => State::Past,
            b'"' | b'\'' if self.name == b"encoding" => State::Encoding(byte, 0),
            b'"' | b'\'' => State::Value(byte),
            b'a'..=b'z' if self.name.len() < LONGEST_NAME || begins => {
                if begins {
                    self.name.clear();
                }
                self.name.push(byte);
                State::Between(false)
            }
            _ => State::Between(true),
        }
    }

    fn encoding(byte: u8, quote: u8, passed: usize, out: &mut Vec<u8>) -> (State, bool) {
        let left = UTF_8.get(passed..).unwrap_or_default();
        if left.first().is_some_and(|expected| expected.eq_ignore_ascii_case(&byte)) {
            return (State::Encoding(quote, passed + 1), true);
        }
        out.extend_from_slice(left);
        if byte == quote { (State::Between(true), true) } else { (State::Other(quote), false) }
    }
}

const MARK: &[u8] = "\u{FEFF}".as_bytes();
const OPENING: &[u8] = b"<?xml";
const UTF_8: &[u8] = b"UTF-8";
/// Longer than any name a declaration has.
const LONGEST_NAME: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redeclared(text: &str, piece: usize) -> String {
        let (mut redeclare, mut out) = (Redeclare::default(), Vec::new());
        text.as_bytes().chunks(piece).for_each(|piece| redeclare.push(piece, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn another_encoding_becomes_utf_8() {
        for (text, expected) in [
            ("<?xml version='1.0' encoding='utf-16'?><å/>", "<?xml version='1.0' encoding='utf-8'?><å/>"),
            (
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone='no'?>",
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?>",
            ),
            ("<?xml version='1.0' encoding = 'UTF'?>", "<?xml version='1.0' encoding = 'UTF-8'?>"),
            ("<?xml version='1.0'\n\tencoding\n=\n\"x\" ?>", "<?xml version='1.0'\n\tencoding\n=\n\"UTF-8\" ?>"),
            ("<?xml version='1.0' encoding='UTF-8-odd'?>", "<?xml version='1.0' encoding='UTF-8'?>"),
        ] {
            for piece in [1, 3, 1_000] {
                assert_eq!(redeclared(text, piece), expected);
            }
        }
    }

    #[test]
    fn nothing_stands_before_a_document() {
        let document = "<?xml version='1.0' encoding='utf-16'?><å/>";
        for before in ["\n", " \t\r\n", "\u{feff}", "\n\u{feff} ", "\u{feff}\u{feff}", &" ".repeat(10_000)] {
            for piece in [1, 2, 1_000] {
                assert_eq!(
                    redeclared(&format!("{before}{document}"), piece),
                    document.replace("16", "8"),
                    "{before:?}"
                );
                assert_eq!(redeclared(&format!("{before}<a/> "), piece), "<a/> ");
            }
        }
        assert_eq!(redeclared(" \n\u{feff}", 1), "");
    }

    #[test]
    fn everything_else_passes() {
        for text in [
            "",
            "<",
            "<?xml",
            "<a encoding='x'/>",
            "<?xml version='1.0'?><?b encoding='x'?>",
            "<?xml version='encoding' encoding='UTF-8'?><a encoding='x'/>",
            "<?xml version='1.0' encoding='utf-8'?>\n<a encoding='utf-16'/>",
            "<?xml-stylesheet encoding='x'?>",
            "text, and no document: encoding='x'",
            "，<?xml encoding='x'?>",
            "\u{a0}<?xml encoding='x'?>",
        ] {
            for piece in [1, 1_000] {
                assert_eq!(redeclared(text, piece), text);
            }
        }
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same(text in "[ \n\u{feff}，]{0,4}(<[?]xml )?[ a-z='\"?>éU8-]{0,40}(encoding='[a-zA-Z0-9-]{0,8}'[?]>)?", piece in 1_usize..9) {
            prop_assert_eq!(redeclared(&text, piece), redeclared(&text, 1_000));
        }
    }
}
