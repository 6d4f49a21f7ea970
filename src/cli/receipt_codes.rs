//! `sluse receipt-codes`: `docs/receipt-codes.md`, made from the code table.

use std::fmt::Write as _;

use crate::codes::{CodeRow, Effect, TABLE};

const HEAD: &str = "\
# Receipt codes

Every finding and every item of a receipt carries one of these codes. A code never changes its meaning and is never used
again for something else. This page is made by `sluse receipt-codes`; a test compares the two.

Status is what the receipt or sub-receipt that carries the code says: `OK`, `ValidationFailed` (the content is not valid),
`Rejected` (valid, but refused by a rule or by the receiver), `UnExpectedError` (the reason does not lie in the batch).
";

/// What is said of codes of items that their receivers may have.
const DOUBTFUL: &str = "\
An item that failed with one of these is in no rest file, since its receiver may have it, or some of it:";

/// The groups of codes: first letters, heading.
const GROUPS: [(&str, &str); 8] = [
    ("IN", "The file as received"),
    ("XM", "XML"),
    ("XS", "The schema"),
    ("FM", "The format's rules"),
    ("ZP", "A ZIP archive"),
    ("RT", "The route"),
    ("FW", "Forwarding"),
    ("LN", "Late news, in supplements"),
];

/// The page.
pub(super) fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let doubtful = TABLE.iter().filter(|row| row.code.0.starts_with("FW") && row.effect == Effect::Perhaps);
    let doubtful: Vec<_> = doubtful.map(|row| format!("`{}`", row.code)).collect();
    let _ = write!(page, "\n{DOUBTFUL}\n{}.\n", doubtful.join(" "));
    for (letters, heading) in GROUPS {
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n## {letters}: {heading}\n\n| code | status | what happened | what to do |\n|---|---|---|---|\n"
        );
        for row in TABLE.iter().filter(|row| row.code.0.starts_with(letters)) {
            push_row(&mut page, row);
        }
    }
    page
}

fn push_row(page: &mut String, row: &CodeRow) {
    let cell = |text: &str| text.replace('|', "\\|");
    let _ = writeln!(page, "| `{}` | {} | {} | {} |", row.code, row.status.as_str(), cell(row.title), cell(row.action));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_on_the_page() {
        let page = markdown();
        for row in TABLE {
            assert!(page.contains(&format!("| `{}` |", row.code)), "{} belongs to no group", row.code);
        }
    }
}
