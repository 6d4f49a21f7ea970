//! The list of a receipt's items for a spreadsheet: RFC 4180, in UTF-8, a line per item.

use super::{Account, Rendering, item_code, item_status};
use crate::model::{Finding, FindingGroup, Item, News};
use crate::ports::NextNumber;

/// The list.
#[derive(Debug)]
pub struct List {
    account: Account,
}

impl List {
    /// Nothing is written yet.
    pub fn new(account: Account) -> Self {
        Self { account }
    }
}

impl Rendering for List {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"number,reference,status,code,line,column,receiver_id,batch_reference\r\n");
    }

    fn group(&mut self, _group: &FindingGroup, _out: &mut Vec<u8>) {}

    fn finding(&mut self, _finding: &Finding, _out: &mut Vec<u8>) {}

    fn item(&mut self, item: &Item, _findings: &[Finding], out: &mut Vec<u8>) {
        let found = &item.found;
        let numbers = [found.number, found.line, found.column].map(|number| number.to_string());
        let [number, line, column] = numbers.each_ref().map(String::as_str);
        let code = item_code(item).map_or("", |code| code.0);
        let status = item_status(item).as_str();
        let batch = self.account.batch_reference(item).unwrap_or_default();
        let fields = [number, &found.senders_reference, status, code, line, column, &item.receivers_reference, &batch];
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_field(out, field);
        }
        out.extend_from_slice(b"\r\n");
    }

    fn news(&mut self, _item: &Item, _news: &News, _out: &mut Vec<u8>) {}

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// The list of the numbers that are expected next: a line for each scope.
pub fn next_expected(numbers: &[NextNumber]) -> Vec<u8> {
    let mut out = b"scope,next\r\n".to_vec();
    for NextNumber { scope, number } in numbers {
        push_field(&mut out, scope);
        out.extend_from_slice(format!(",{number}\r\n").as_bytes());
    }
    out
}

/// Appends a field, quoted where it must be. A text that a spreadsheet would take for a formula gets an apostrophe before
/// it: what a sender calls an item must not run on a clerk's machine.
fn push_field(out: &mut Vec<u8>, field: &str) {
    let is_formula = field
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if !is_formula && !field.contains([',', '"', '\r', '\n', ';', '\t', '\'']) {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    for byte in field.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_runs() {
        let written = |field: &str| {
            let mut out = Vec::new();
            push_field(&mut out, field);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written("PRE-2026-1"), "PRE-2026-1");
        assert_eq!(written("a \"b\", c\r\nd"), "\"a \"\"b\"\", c\r\nd\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(written(formula), format!("\"'{formula}\""));
        }
        assert_eq!(written("a=1"), "a=1");
        assert_eq!(written(""), "");
    }
}
