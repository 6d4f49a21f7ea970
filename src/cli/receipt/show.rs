//! `sluse receipt show`: an XML receipt in words, told while it is read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::{EXIT_UNUSABLE, pipe};
use crate::codes;
use crate::model::{Language, ReceiptKind, ReceiptStatus};
use crate::receipt::{NAMESPACE, catalogue as texts};
use crate::xml::{Limits, Locator, Namespace, Scope, Sink, Tag, Tokenizer};

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The receipt
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// nb, nn or en
    #[arg(long, value_parser = super::language, default_value = "en")]
    pub language: Language,
    /// Also list the items that went well
    #[arg(long)]
    pub all: bool,
}

/// Tells it on standard output.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    match show(args).with_context(|| args.file.display().to_string()) {
        Ok(told) => pipe(told),
        Err(error) => {
            eprintln!("{error:#}");
            Ok(ExitCode::from(EXIT_UNUSABLE))
        }
    }
}

/// Reads and tells; the inner result is of telling.
fn show(args: &ShowArgs) -> anyhow::Result<io::Result<()>> {
    let mut teller = Teller::new(args);
    let mut tokenizer = Tokenizer::new(Limits::default(), &[NAMESPACE]);
    let mut file = open(&args.file)?;
    let (mut buffer, mut out) = (vec![0; READ_BYTES], io::stdout().lock());
    loop {
        let read = file.read(&mut buffer)?;
        tokenizer.feed(buffer.get(..read).unwrap_or_default(), &mut teller)?;
        if teller.is_foreign {
            bail!("is not a receipt of sluse in XML");
        }
        let told = out.write_all(std::mem::take(&mut teller.out).as_bytes());
        if read == 0 || told.is_err() {
            tokenizer.finish(&mut teller)?;
            return Ok(told);
        }
    }
}

fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

/// Hears the receipt and writes lines.
struct Teller {
    language: Language,
    all: bool,
    out: String,
    stack: Vec<String>,
    text: String,
    /// Fields of the receipt itself, by element or `@attribute`.
    head: BTreeMap<String, String>,
    /// Fields of the group or sub-receipt that is open.
    record: BTreeMap<String, String>,
    places: Vec<String>,
    has_told_head: bool,
    is_foreign: bool,
}

impl Teller {
    fn new(args: &ShowArgs) -> Self {
        Self {
            language: args.language,
            all: args.all,
            out: String::new(),
            stack: Vec::new(),
            text: String::new(),
            head: BTreeMap::new(),
            record: BTreeMap::new(),
            places: Vec::new(),
            has_told_head: false,
            is_foreign: false,
        }
    }

    fn say(&self, text: texts::Text) -> &'static str {
        text.of(self.language)
    }

    /// A line; what comes from the file loses what would move the cursor.
    fn line(&mut self, text: &str) {
        self.out.extend(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
        self.out.push('\n');
    }

    fn of(&self, key: &str) -> &str {
        self.head.get(key).map_or("", String::as_str)
    }

    fn in_record(&self, key: &str) -> &str {
        self.record.get(key).map_or("", String::as_str)
    }

    fn tell_head(&mut self) {
        if std::mem::replace(&mut self.has_told_head, true) {
            return;
        }
        let code = self.of("ReceiptCode").to_owned();
        let status = status(self.of("ReceiptStatus"));
        let kind = kind(self.of("@kind"), self.of("@number"));
        let delivered = self.of("Counts@delivered").parse().unwrap_or(0);
        let preflight = self.of("@preflight") == "true";
        let is_refused = !code.is_empty() && status != ReceiptStatus::Ok;
        let heading = texts::heading(texts::Outcome { kind, status, is_refused, preflight, delivered });
        let heading = self.say(heading).to_owned();
        self.line(&heading);
        if let Some(code) = codes::by_name(&code) {
            let (title, action) = (texts::title(code, self.language), texts::action(code, self.language));
            self.line(&format!("{code} {title} {action}"));
        }
        self.out.push('\n');
        let file = format!("/{}/{}", self.of("Directory"), self.of("Name"));
        let (received, id) = (self.of("Received").to_owned(), self.of("ShipmentId").to_owned());
        let size = format!("{} {}", self.of("SizeBytes"), self.say(texts::BYTES));
        for (name, value) in
            [(texts::THE_FILE, file), (texts::SIZE, size), (texts::RECEIVED, received), (texts::SHIPMENT_ID, id)]
        {
            self.field(name, &value);
        }
        for (name, key) in COUNTS {
            let count = self.of(key).to_owned();
            if !count.is_empty() {
                self.field(name, &count);
            }
        }
        self.out.push('\n');
    }

    fn field(&mut self, name: texts::Text, value: &str) {
        let name = self.say(name);
        self.line(&format!("  {name:<24} {value}"));
    }

    fn tell_group(&mut self) {
        let count = self.in_record("@count").to_owned();
        let times =
            if count == "1" { self.say(texts::ONCE).to_owned() } else { format!("{count} {}", self.say(texts::TIMES)) };
        let text = self.in_record("Text").to_owned();
        let own = codes::by_name(self.in_record("@code")).map_or("", |code| texts::title(code, self.language));
        let text = if self.language == Language::En || own.is_empty() { text } else { format!("{own} ({text})") };
        let head = format!("{} {times}: {text}", self.in_record("@code"));
        self.line(&head);
        let path = self.in_record("@path").to_owned();
        let places = self.places.iter().take(PLACES).cloned().collect::<Vec<_>>().join(" ");
        let more = if self.places.len() > PLACES { " …" } else { "" };
        if !path.is_empty() || !places.is_empty() {
            self.line(&format!("  {path} {places}{more}"));
        }
    }

    fn tell_item(&mut self) {
        let status = status(self.in_record("ReceiptStatus"));
        let is_news = !self.in_record("Time").is_empty();
        if status == ReceiptStatus::Ok && !self.all && !is_news {
            return;
        }
        let code = self.in_record("ReceiptCode").to_owned();
        let title = codes::by_name(&code).map_or("", |code| texts::title(code, self.language));
        let mut text =
            format!("{:>8} {} {code} {title}", self.in_record("@number"), self.in_record("SendersReference"));
        // Writing to a String cannot fail.
        let _ = match is_news {
            true => write!(text, " {}", self.in_record("Time")),
            false => write!(text, " ({} {})", self.say(texts::LINE), self.in_record("@line")),
        };
        self.line(&text);
    }

    fn keep(&mut self, key: String, value: String) {
        let in_record = self.stack.iter().any(|name| name == "SubReceipt" || name == "FindingGroup");
        let to = if in_record { &mut self.record } else { &mut self.head };
        // The first is the one that counts: what comes later lies deeper.
        to.entry(key).or_insert(value);
    }
}

impl Sink for Teller {
    fn start(&mut self, tag: &Tag<'_>, _locator: &mut Locator<'_>) {
        let name = String::from_utf8_lossy(tag.local).into_owned();
        if tag.namespace != Namespace::known(0) || (self.stack.is_empty() && name != "Receipt") {
            self.is_foreign = true;
        }
        if matches!(name.as_str(), "FindingGroups" | "Findings" | "SubReceipts") {
            self.tell_head();
        }
        if matches!(name.as_str(), "FindingGroup" | "SubReceipt") {
            self.record.clear();
            self.places.clear();
        }
        self.stack.push(name.clone());
        self.text.clear();
        let mut place = Vec::new();
        for attribute in tag.attributes() {
            let key = String::from_utf8_lossy(attribute.local).into_owned();
            let value = String::from_utf8_lossy(attribute.value).into_owned();
            match name.as_str() {
                "Place" if key == "line" || key == "column" => place.push(value),
                "Place" | "Finding" | "Service" => {}
                "Counts" => self.keep(format!("Counts@{key}"), value),
                "Reference" if key == "type" => {
                    self.stack.pop();
                    self.stack.push(value);
                }
                "OtherFindings" => {
                    let text = format!("{} {value}", self.say(texts::OTHER_ERRORS));
                    self.line(&text);
                }
                _ => self.keep(format!("@{key}"), value),
            }
        }
        if !place.is_empty() && self.places.len() <= PLACES {
            self.places.push(place.join(":"));
        }
    }

    fn end(&mut self, _from: u64, _to: u64, _scope: &Scope, _locator: &mut Locator<'_>) {
        let text = std::mem::take(&mut self.text);
        let name = self.stack.last().cloned().unwrap_or_default();
        if !text.trim().is_empty() {
            self.keep(name.clone(), text);
        }
        self.stack.pop();
        match name.as_str() {
            "FindingGroup" => self.tell_group(),
            "FindingGroups" => self.out.push('\n'),
            "SubReceipt" => self.tell_item(),
            "Receipt" => {
                self.tell_head();
                let rest = self.of("RestFile").to_owned();
                if !rest.is_empty() {
                    let text = format!("\n{} {rest}", self.say(texts::MEND_REST));
                    self.out.push('\n');
                    self.line(text.trim_start());
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], _offset: u64, _locator: &mut Locator<'_>) {
        self.text.push_str(&String::from_utf8_lossy(raw));
    }

    fn character(&mut self, c: char, _offset: u64, _locator: &mut Locator<'_>) {
        self.text.push(c);
    }
}

fn status(word: &str) -> ReceiptStatus {
    let all = [ReceiptStatus::Ok, ReceiptStatus::ValidationFailed, ReceiptStatus::Rejected];
    all.into_iter().find(|status| status.as_str() == word).unwrap_or(ReceiptStatus::UnExpectedError)
}

fn kind(word: &str, number: &str) -> ReceiptKind {
    match word {
        "accepted" => ReceiptKind::Accepted,
        "supplement" => ReceiptKind::Supplement(number.parse().unwrap_or(1)),
        _ => ReceiptKind::Final,
    }
}

const COUNTS: [(texts::Text, &str); 6] = [
    (texts::ITEMS, "Counts@items"),
    (texts::DELIVERED, "Counts@delivered"),
    (texts::REFUSED_ITEMS, "Counts@refused"),
    (texts::FAILED, "Counts@failed"),
    (texts::IGNORED, "Counts@ignored"),
    (texts::FINDINGS, "Counts@findings"),
];
/// Places told of a group.
const PLACES: usize = 10;
const READ_BYTES: usize = 64 << 10;
