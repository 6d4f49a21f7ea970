//! Character content of an element whose well-formedness has been judged, with its markup undone.

use super::ReadItemError;

/// Undoes CDATA sections, references, comments, processing instructions and line ends.
#[derive(Debug, Default)]
pub(crate) struct TextDecoder {
    state: State,
    /// A carriage return was the last byte: it has been written as a line feed, and one that follows it is dropped.
    after_return: bool,
    /// Bytes of a piece of markup whose kind or value is not clear yet.
    held: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `&`; the name is held.
    Reference,
    /// After `<`; what followed is held until it is clear what opens.
    Opening,
    /// In a CDATA section.
    CData,
    /// In a CDATA section after one `]`.
    CDataBracket,
    /// In a CDATA section after `]]`, of which both are still to be written if no `>` follows.
    CDataBrackets,
    /// In a comment, after so many of its closing `--`.
    Comment(u8),
    /// In a processing instruction; `true` after a `?`.
    Instruction(bool),
}

impl TextDecoder {
    /// Decodes the next bytes, adding to `out`.
    pub(crate) fn push(&mut self, mut raw: &[u8], out: &mut Vec<u8>) -> Result<(), ReadItemError> {
        while let Some((first, rest)) = raw.split_first() {
            let plain = match self.state {
                State::Text => memchr::memchr3(b'<', b'&', b'\r', raw).unwrap_or(raw.len()),
                State::CData => memchr::memchr2(b']', b'\r', raw).unwrap_or(raw.len()),
                State::Reference
                | State::Opening
                | State::CDataBracket
                | State::CDataBrackets
                | State::Comment(_)
                | State::Instruction(_) => 0,
            };
            if plain > 0 {
                let (run, rest) = raw.split_at(plain);
                self.write_run(run, out);
                raw = rest;
                continue;
            }
            self.state = self.step(*first, out)?;
            raw = rest;
        }
        Ok(())
    }

    /// Ends the content.
    pub(crate) fn finish(&self) -> Result<(), ReadItemError> {
        if self.state == State::Text { Ok(()) } else { Err(ReadItemError::Changed("markup is cut off")) }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<State, ReadItemError> {
        match self.state {
            State::Text => Ok(self.step_text(byte, out)),
            State::Reference => self.step_reference(byte, out),
            State::Opening => self.step_opening(byte),
            State::CData | State::CDataBracket | State::CDataBrackets => Ok(self.step_cdata(byte, out)),
            State::Comment(dashes) => Ok(match (byte, dashes) {
                (b'-', _) => State::Comment((dashes + 1).min(2)),
                (b'>', 2) => State::Text,
                _ => State::Comment(0),
            }),
            State::Instruction(asked) => {
                Ok(if asked && byte == b'>' { State::Text } else { State::Instruction(byte == b'?') })
            }
        }
    }

    fn step_text(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        let state = match byte {
            b'<' => State::Opening,
            b'&' => State::Reference,
            _ => {
                self.write(byte, out);
                return State::Text;
            }
        };
        self.held.clear();
        // Markup parts a carriage return from a line feed after it: they are two line ends.
        self.after_return = false;
        state
    }

    fn step_reference(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<State, ReadItemError> {
        if byte == b'0' && matches!(self.held.as_slice(), b"#0" | b"#x0") {
            // Leading zeros, of which there may be any number.
            return Ok(State::Reference);
        }
        if byte != b';' {
            self.held.push(byte);
            return if self.held.len() > LONGEST_REFERENCE { Err(BAD_REFERENCE) } else { Ok(State::Reference) };
        }
        let character = referenced(&self.held).ok_or(BAD_REFERENCE)?;
        // A referenced carriage return is meant, so it does not take part in line-end normalisation.
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(State::Text)
    }

    fn step_opening(&mut self, byte: u8) -> Result<State, ReadItemError> {
        self.held.push(byte);
        match self.held.as_slice() {
            b"?" => Ok(State::Instruction(false)),
            b"!--" => Ok(State::Comment(0)),
            b"![CDATA[" => Ok(State::CData),
            held if b"!--".starts_with(held) || b"![CDATA[".starts_with(held) => Ok(State::Opening),
            _ => Err(ReadItemError::Changed("an element stands where only text was")),
        }
    }

    fn step_cdata(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match (self.state, byte) {
            (State::CDataBrackets, b'>') => {
                self.after_return = false;
                State::Text
            }
            // Of three or more brackets only the last two can belong to the end.
            (State::CDataBrackets, b']') => {
                self.write(b']', out);
                State::CDataBrackets
            }
            (State::CDataBracket, b']') => State::CDataBrackets,
            (State::CData, b']') => State::CDataBracket,
            (State::CDataBrackets, _) => self.resume_cdata(b"]]", byte, out),
            (State::CDataBracket, _) => self.resume_cdata(b"]", byte, out),
            (_, _) => self.resume_cdata(b"", byte, out),
        }
    }

    fn resume_cdata(&mut self, brackets: &[u8], byte: u8, out: &mut Vec<u8>) -> State {
        self.write_run(brackets, out);
        self.write(byte, out);
        State::CData
    }

    fn write_run(&mut self, run: &[u8], out: &mut Vec<u8>) {
        let mut run = run;
        if let Some((first, rest)) = run.split_first() {
            self.write(*first, out);
            run = rest;
        }
        out.extend_from_slice(run);
    }

    fn write(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\r' => out.push(b'\n'),
            b'\n' if self.after_return => {}
            _ => out.push(byte),
        }
        self.after_return = byte == b'\r';
    }
}

fn referenced(name: &[u8]) -> Option<char> {
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => {
            let number = std::str::from_utf8(name).ok()?.strip_prefix('#')?;
            let value = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(value.ok()?)
        }
    }
}

const LONGEST_REFERENCE: usize = 16;
const BAD_REFERENCE: ReadItemError = ReadItemError::Changed("a reference is not one of XML's own");
