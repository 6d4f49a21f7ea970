//! Writes a document of the schema beside it to standard output, the same bytes for the same size:
//! `cargo bench --no-default-features --bench generic -- MEGABYTES`.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Words of titles and notes; a third of them have letters outside ASCII.
const WORDS: [&str; 18] = [
    "vedtak",
    "søknad",
    "klage",
    "beløp",
    "frist",
    "måned",
    "svar",
    "påminnelse",
    "dokument",
    "utbetaling",
    "opplysning",
    "grunnlag",
    "næring",
    "tiltak",
    "kommune",
    "følge",
    "varsel",
    "periode",
];
const STATES: [&str; 5] = ["new", "open", "waiting", "decided", "closed"];
const OUTCOMES: [&str; 4] = ["granted", "granted in part", "refused", "dismissed"];
const CURRENCIES: [&str; 4] = ["NOK", "SEK", "DKK", "EUR"];
const FORMS: [&str; 5] = ["AS", "ASA", "ENK", "KOMM", "ORGL"];
const INITIALS: [&str; 4] = ["AB", "ØKS", "TTD", "ÅSE"];
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Cases xmlns="urn:sluse:bench:cases" xmlns:p="urn:sluse:bench:parties" version="1.0" created="2026-01-31T23:59:59.5Z">
  <Sender id="310000060" form="ORGL">
    <p:Name>Etaten for prøver</p:Name>
    <p:Contact>Postmottak</p:Contact>
  </Sender>
"#;
const TAIL: &str = "</Cases>\n";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` too.
    let Some(megabytes) = std::env::args().skip(1).find_map(|argument| argument.parse::<u64>().ok()) else {
        eprintln!("nothing to do: no number of megabytes was given");
        return Ok(());
    };
    let mut out = io::stdout().lock();
    let mut written = 0;
    let mut piece = HEAD.to_owned();
    let mut chance = Chance(1);
    for number in 1.. {
        out.write_all(piece.as_bytes())?;
        written += piece.len() as u64;
        if written >= megabytes * 1_000_000 {
            break;
        }
        piece.clear();
        case(&mut piece, &mut chance, number)?;
    }
    Ok(out.write_all(TAIL.as_bytes())?)
}

/// One case, of about 1.5 kB.
fn case(out: &mut String, chance: &mut Chance, number: u64) -> std::fmt::Result {
    let year = 2000 + chance.below(26);
    write!(out, "  <Case number=\"{year}/{}\" state=\"{}\"", 1 + number % 9_000_000, chance.pick(&STATES))?;
    if chance.below(2) == 0 {
        write!(out, " priority=\"{}\"", 1 + chance.below(5))?;
    }
    if chance.below(4) == 0 {
        out.push_str(" restricted=\"true\"");
    }
    out.push_str(">\n    <Title>");
    words(out, chance, 4);
    writeln!(out, "</Title>\n    <Opened>{year}-0{}-{}</Opened>", 1 + chance.below(9), 10 + chance.below(18))?;
    if chance.below(3) == 0 {
        writeln!(out, "    <Closed>{}-12-{}</Closed>", year + 1, 10 + chance.below(18))?;
    }
    party(out, chance)?;
    for sequence in 1..=1 + chance.below(5) {
        entry(out, chance, sequence)?;
    }
    if chance.below(2) == 0 {
        out.push_str("    <Keywords>");
        words(out, chance, 3);
        out.push_str("</Keywords>\n");
    }
    out.push_str("    <Remark>");
    words(out, chance, 6);
    out.push_str(" &amp; mer</Remark>\n  </Case>\n");
    Ok(())
}

fn party(out: &mut String, chance: &mut Chance) -> std::fmt::Result {
    let is_person = chance.below(3) > 0;
    match is_person {
        true => writeln!(out, "    <p:Person id=\"{:011}\">", chance.below(100_000_000_000))?,
        false => {
            let form = chance.pick(&FORMS);
            writeln!(out, "    <p:Organisation id=\"3{:08}\" form=\"{form}\">", chance.below(100_000_000))?;
        }
    }
    out.push_str("      <p:Name>");
    words(out, chance, 2);
    out.push_str("</p:Name>\n      <p:Address country=\"NO\">\n        <p:Street>");
    words(out, chance, 2);
    writeln!(out, "</p:Street>\n        <p:PostalCode>{:04}</p:PostalCode>", chance.below(10_000))?;
    out.push_str("        <p:Town>Prøveby</p:Town>\n      </p:Address>\n");
    out.push_str(if is_person { "    </p:Person>\n" } else { "    </p:Organisation>\n" });
    Ok(())
}

fn entry(out: &mut String, chance: &mut Chance, sequence: u64) -> std::fmt::Result {
    let kind = chance.pick(&["Note", "Decision", "Payment"]);
    write!(out, "    <{kind} sequence=\"{sequence}\"")?;
    if kind == "Note" && chance.below(2) == 0 {
        out.push_str(" language=\"nb-NO\"");
    }
    let (day, hour, by) = (10 + chance.below(18), chance.below(24), chance.pick(&INITIALS));
    writeln!(out, ">\n      <At>2025-06-{day}T{hour:02}:30:00+02:00</At>\n      <By>{by}</By>")?;
    match kind {
        "Note" => {
            out.push_str("      <Text>");
            let count = 5 + chance.below(40);
            words(out, chance, count);
            out.push_str("</Text>\n");
        }
        "Decision" => {
            writeln!(out, "      <Outcome>{}</Outcome>", chance.pick(&OUTCOMES))?;
            for paragraph in 1..=chance.below(3) {
                writeln!(out, "      <Paragraph>§ {}-{paragraph} første ledd</Paragraph>", 1 + chance.below(30))?;
            }
        }
        _ => {
            let (amount, currency) = (chance.below(900_000_000), chance.pick(&CURRENCIES));
            writeln!(out, "      <Amount currency=\"{currency}\">{}.{:02}</Amount>", amount / 100, amount % 100)?;
            writeln!(out, "      <Account>8601.11.{:05}</Account>", chance.below(100_000))?;
        }
    }
    writeln!(out, "    </{kind}>")
}

fn words(out: &mut String, chance: &mut Chance, count: u64) {
    for nth in 0..count {
        if nth > 0 {
            out.push(' ');
        }
        out.push_str(chance.pick(&WORDS));
    }
}

/// Numbers that look random, the same every time (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list.get(index).expect("the index is below the length")
    }
}
