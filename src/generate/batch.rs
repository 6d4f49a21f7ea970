//! What writing a batch needs, whatever its format.

use std::io::{self, Write};

use super::content::{self, Base64Block};
use super::mistake::Turns;
use super::random::Random;
use super::sheet::Sheet;
use super::{Mistake, Options, Profile, SERVICES, Summary, identity};

/// A service code no route should know, and one that is too long for formats that limit it.
const UNKNOWN_CODE: &str = "9999";
const LONG_CODE: &str = "50010000";

/// What chance is drawn for; the same number for ever.
const IDENTITY: u64 = 1;
const CONTENT: u64 = 2;
const REFERENCE: u64 = 3;
const BLOCK: u64 = 4;
const PERSON: u64 = 5;

/// A batch being written.
pub(super) struct Batch<'a> {
    /// What was asked for.
    pub(super) options: &'a Options,
    /// The profile, or what stands in for it.
    pub(super) profile: Profile,
    /// Where it goes.
    pub(super) sheet: Sheet<'a>,
    /// Its own reference, or what its items' references begin with.
    pub(super) reference: String,
    random: Random,
    turns: Turns,
    base64: Base64Block,
    /// Reused for what is escaped.
    form: Vec<u8>,
    summary: Summary,
}

/// An item to write.
pub(super) struct Item {
    /// Its place in the batch, from 1.
    pub(super) number: u64,
    /// Whose values it has: its own number, or that of the one it repeats.
    pub(super) of: u64,
    /// What is wrong with it.
    pub(super) mistake: Option<Mistake>,
    /// Whom it is about.
    pub(super) id: String,
    /// Chance for what stands in it.
    pub(super) random: Random,
}

impl Item {
    /// Tells whether it has the mistake.
    pub(super) fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

/// The service of an item: code, edition, and the form's DataFormatId and DataFormatVersion.
pub(super) struct Service {
    pub(super) code: &'static str,
    pub(super) edition: &'static str,
    pub(super) form: (&'static str, &'static str),
}

impl<'a> Batch<'a> {
    /// Begins a batch whose reference begins with a word.
    pub(super) fn new(options: &'a Options, word: &str, out: &'a mut dyn Write) -> Self {
        let random = Random::new(options.seed);
        let reference = options.reference.clone().unwrap_or_else(|| reference(options, word, &random));
        let summary = Summary { reference: reference.clone(), items: options.items, ..Summary::default() };
        let base64 = Base64Block::new(random.fork(BLOCK, 0));
        let (profile, turns) = (options.format.profile(options.profile), Turns::of(options));
        Self { options, profile, sheet: Sheet::new(out), reference, random, turns, base64, form: Vec::new(), summary }
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> io::Result<Summary> {
        self.summary.bytes = self.sheet.finish()?;
        Ok(self.summary)
    }

    /// The item of a number, from 1; its mistake is counted.
    pub(super) fn item(&mut self, number: u64) -> Item {
        let mistake = self.mistake(number);
        let of = self.repeated(number);
        let mut id = self.reportee(of);
        if mistake == Some(Mistake::BadCheckDigit) {
            id = identity::misprint(&id);
        }
        Item { number, of, mistake, id, random: self.chance(number) }
    }

    /// What is wrong with the item of a number, counted.
    pub(super) fn mistake(&mut self, number: u64) -> Option<Mistake> {
        let mistake = self.turns.mistake(number)?;
        self.summary.count(mistake);
        Some(mistake)
    }

    /// Whose values the item of a number has: a repeated one is the one before it again, which is right.
    pub(super) fn repeated(&self, number: u64) -> u64 {
        if self.turns.mistake(number) == Some(Mistake::RepeatedReference) { number - 1 } else { number }
    }

    /// The n-th reportee.
    pub(super) fn reportee(&self, nth: u64) -> String {
        identity::reportee(&self.random.fork(IDENTITY, 0), nth)
    }

    /// The person who acts for the n-th reportee.
    pub(super) fn person(&self, nth: u64) -> String {
        identity::person(&self.random.fork(PERSON, 0), nth)
    }

    /// Chance for what stands in the item of a number.
    pub(super) fn chance(&self, number: u64) -> Random {
        self.random.fork(CONTENT, number)
    }

    /// The reference of an item.
    pub(super) fn reference_of(&self, number: u64) -> String {
        format!("{}-{number:08}", self.reference)
    }

    /// The service of an item, right or wrong.
    pub(super) fn service(number: u64, mistake: Option<Mistake>) -> Service {
        let pick = usize::try_from(number % SERVICES.len() as u64).unwrap_or_default();
        let (code, edition, id, version) = SERVICES.into_iter().cycle().nth(pick).unwrap_or_default();
        let code = match mistake {
            Some(Mistake::LongCode) => LONG_CODE,
            Some(Mistake::UnknownService) => UNKNOWN_CODE,
            _ => code,
        };
        Service { code, edition, form: (id, version) }
    }

    /// This batch's number and that of the one before it.
    pub(super) fn numbers(&self) -> (u64, u64) {
        let number = self.options.sequence.unwrap_or(1);
        (number.saturating_add(u64::from(self.options.wrong_sequence)), number.saturating_sub(1))
    }

    /// The count that a batch of so many gives.
    pub(super) fn count(&self, items: u64) -> String {
        items.saturating_add(u64::from(self.options.wrong_count)).to_string()
    }

    /// Appends a form's XML as text, by the profile.
    pub(super) fn form_data(&mut self, format: (&str, &str), random: &mut Random) {
        let bytes = self.text_bytes();
        self.text(|out| content::form(out, random, format, bytes));
    }

    /// Appends HTML as text, by the profile.
    pub(super) fn html(&mut self, random: &mut Random) {
        let bytes = self.text_bytes();
        self.text(|out| content::html(out, random, bytes));
    }

    /// Appends the base64 of an attachment of 100 kB to 1 MB.
    pub(super) fn attachment(&mut self, random: &mut Random) {
        let groups = usize::try_from((100_000 + random.below(900_000)) / 3).unwrap_or_default();
        self.base64.write(&mut self.sheet.buffer, random, groups);
    }

    fn text_bytes(&self) -> usize {
        match self.profile {
            Profile::Medium | Profile::Escaped => 8_000,
            Profile::Small | Profile::Attachment | Profile::Field => 400,
        }
    }

    /// Appends markup as text: in a CDATA section, or escaped where the profile is.
    fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.profile == Profile::Escaped {
            self.form.clear();
            write(&mut self.form);
            content::escaped(&mut self.sheet.buffer, &self.form);
        } else {
            self.sheet.put("<![CDATA[");
            write(&mut self.sheet.buffer);
            self.sheet.put("]]>");
        }
    }
}

/// A time of the week before batches are written, without a zone, as files have it.
pub(super) fn moment(random: &mut Random) -> String {
    let (day, hour) = (25 + random.below(7), random.below(24));
    format!("2026-01-{day:02}T{hour:02}:{:02}:{:02}", random.below(60), random.below(60))
}

/// A reference that other options do not give: a batch dropped twice is a duplicate, another one is not.
fn reference(options: &Options, word: &str, random: &Random) -> String {
    let shape = format!("{}{}{}", options.items, options.profile.as_str(), options.errors);
    let mixed = shape.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
    format!("{word}-{:016X}", random.fork(REFERENCE, mixed).next())
}
