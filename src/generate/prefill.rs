//! Prefill batches.

use std::io::{self, Write};

use super::content::{self, Base64Block};
use super::mistake::Mistake;
use super::random::Random;
use super::{Options, Profile, SENDER_NAME, SERVICES, Summary, identity};

/// Namespace of the format.
const NAMESPACE: &str = "http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10";

/// A service code no route should know, and one that is too long for the format.
const UNKNOWN_CODE: &str = "9999";
const LONG_CODE: &str = "50010000";

const VALID_FROM: &str = "2026-01-01";
const VALID_TO: &str = "2035-12-31";

/// Fields of one reportee in the field profile.
const FIELDS_PER_REPORTEE: u64 = 20;

/// Written out when so much is there.
const BUFFER_BYTES: usize = 256 * 1024;

/// What chance is drawn for; the same number for ever.
const IDENTITY: u64 = 1;
const CONTENT: u64 = 2;
const REFERENCE: u64 = 3;
const BLOCK: u64 = 4;

pub(super) fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    let random = Random::new(options.seed);
    let reference = options.reference.clone().unwrap_or_else(|| reference(options, &random));
    let base64 = Base64Block::new(random.fork(BLOCK, 0));
    let summary = Summary { reference, items: options.items, ..Summary::default() };
    let buffer = Vec::with_capacity(2 * BUFFER_BYTES);
    Batch { options, random, base64, buffer, form: Vec::new(), summary, out }.write()
}

/// A batch being written.
struct Batch<'a> {
    options: &'a Options,
    random: Random,
    base64: Base64Block,
    buffer: Vec<u8>,
    /// Reused for forms that are escaped.
    form: Vec<u8>,
    summary: Summary,
    out: &'a mut dyn Write,
}

/// The values of one FormTask.
struct Task {
    code: &'static str,
    edition: &'static str,
    format: (&'static str, &'static str),
    reference: String,
    mistake: Option<Mistake>,
}

impl Batch<'_> {
    fn write(mut self) -> io::Result<Summary> {
        self.head();
        match self.options.profile {
            Profile::Field => self.field_reportees()?,
            Profile::Small | Profile::Medium | Profile::Attachment | Profile::Escaped => self.task_reportees()?,
        }
        self.put("  </Prefill>\n</ServiceOwner>\n");
        self.flush()?;
        Ok(self.summary)
    }

    fn head(&mut self) {
        self.put("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        self.put(&format!("<ServiceOwner xmlns=\"{NAMESPACE}\">\n"));
        self.put(&format!("  <ServiceOwnerName>{SENDER_NAME}</ServiceOwnerName>\n  <Prefill>\n"));
        let reference = self.summary.reference.clone();
        self.buffer.extend_from_slice(b"    <ExternalShipmentReference>");
        content::escaped(&mut self.buffer, reference.as_bytes());
        self.put("</ExternalShipmentReference>\n");
    }

    fn task_reportees(&mut self) -> io::Result<()> {
        for number in 1..=self.options.items {
            let mistake = self.mistake(number, &Mistake::ALL);
            // A repeated item is the one before it again, which is right: two wrong ones never follow each other here.
            let of = if mistake == Some(Mistake::RepeatedReference) { number - 1 } else { number };
            let mut id = identity::reportee(&self.random.fork(IDENTITY, 0), of);
            if mistake == Some(Mistake::BadCheckDigit) {
                id = identity::misprint(&id);
            }
            let task = self.task(of, mistake);
            self.open_reportee(&id);
            self.form_task(&task, &mut self.random.fork(CONTENT, number));
            self.put("    </Reportee>\n");
            self.flush_when_full()?;
        }
        Ok(())
    }

    fn field_reportees(&mut self) -> io::Result<()> {
        let mut number = 0;
        while number < self.options.items {
            let id = identity::reportee(&self.random.fork(IDENTITY, 0), number / FIELDS_PER_REPORTEE);
            self.open_reportee(&id);
            for index in 0..FIELDS_PER_REPORTEE.min(self.options.items - number) {
                number += 1;
                let mistake = self.mistake(number, &Mistake::OF_FIELDS);
                self.field(index, mistake, &mut self.random.fork(CONTENT, number));
            }
            self.put("    </Reportee>\n");
            self.flush_when_full()?;
        }
        Ok(())
    }

    /// What is wrong with an item, counted; wrong items take the mistakes in turn.
    fn mistake(&mut self, number: u64, choice: &[Mistake]) -> Option<Mistake> {
        let wrong = |number| self.options.errors.of(number);
        let before = wrong(number - 1);
        if wrong(number) == before {
            return None;
        }
        let turn = usize::try_from(before).unwrap_or_default();
        let mistake = *choice.iter().cycle().nth(turn % choice.len())?;
        // With so many wrong items that the one before is wrong too, there is no right one to repeat.
        let can_repeat = number > 1 && (number == 2 || before == wrong(number - 2));
        let mistake =
            if mistake == Mistake::RepeatedReference && !can_repeat { Mistake::ReversedValidity } else { mistake };
        self.summary.count(mistake);
        Some(mistake)
    }

    fn task(&self, number: u64, mistake: Option<Mistake>) -> Task {
        let pick = usize::try_from(number % SERVICES.len() as u64).unwrap_or_default();
        let (code, edition, format_id, format_version) = SERVICES.into_iter().cycle().nth(pick).unwrap_or_default();
        let code = match mistake {
            Some(Mistake::LongCode) => LONG_CODE,
            Some(Mistake::UnknownService) => UNKNOWN_CODE,
            _ => code,
        };
        let reference = format!("{}-{number:08}", self.summary.reference);
        Task { code, edition, format: (format_id, format_version), reference, mistake }
    }

    fn open_reportee(&mut self, id: &str) {
        self.put("    <Reportee>\n      <Id>");
        self.put(id);
        self.put("</Id>\n");
    }

    fn form_task(&mut self, task: &Task, random: &mut Random) {
        self.put("      <FormTask>\n");
        self.element(8, "ExternalServiceCode", task.code);
        self.element(8, "ExternalServiceEditionCode", task.edition);
        self.validity(8, task.mistake);
        self.element(8, "SendersReference", &task.reference);
        if self.options.profile == Profile::Attachment {
            self.attachment(&task.reference, random);
        }
        self.put("        <Form>\n");
        let (format_id, format_version) = task.format;
        self.element(10, "DataFormatId", format_id);
        self.element(10, "DataFormatVersion", format_version);
        self.element(10, "SendersReference", &format!("{}-F1", task.reference));
        self.form_data(task.format, random);
        self.put("        </Form>\n      </FormTask>\n");
    }

    /// ValidFrom and ValidTo, right or wrong.
    fn validity(&mut self, indent: usize, mistake: Option<Mistake>) {
        let (from, to) = match mistake {
            Some(Mistake::BadDate) => ("2026-02-30", VALID_TO),
            Some(Mistake::ReversedValidity) => (VALID_TO, VALID_FROM),
            _ => (VALID_FROM, VALID_TO),
        };
        if mistake == Some(Mistake::WrongOrder) {
            self.element(indent, "ValidTo", to);
        }
        self.element(indent, "ValidFrom", from);
        if !matches!(mistake, Some(Mistake::WrongOrder | Mistake::MissingElement)) {
            self.element(indent, "ValidTo", to);
        }
    }

    fn attachment(&mut self, reference: &str, random: &mut Random) {
        self.put("        <Attachments>\n          <Attachment>\n");
        self.element(12, "AttachmentName", "Vedlegg");
        self.element(12, "FileName", "vedlegg.pdf");
        self.put("            <AttachmentData>");
        let groups = usize::try_from((100_000 + random.below(900_000)) / 3).unwrap_or_default();
        self.base64.write(&mut self.buffer, random, groups);
        self.put("</AttachmentData>\n");
        self.element(12, "SendersReference", &format!("{reference}-V1"));
        self.element(12, "Encrypted", "false");
        self.element(12, "AttachmentType", "application_pdf");
        self.put("          </Attachment>\n        </Attachments>\n");
    }

    fn form_data(&mut self, format: (&str, &str), random: &mut Random) {
        self.put("          <FormData>");
        let bytes = match self.options.profile {
            Profile::Medium | Profile::Escaped => 8_000,
            Profile::Small | Profile::Attachment | Profile::Field => 400,
        };
        if self.options.profile == Profile::Escaped {
            self.form.clear();
            content::form(&mut self.form, random, format, bytes);
            content::escaped(&mut self.buffer, &self.form);
        } else {
            self.put("<![CDATA[");
            content::form(&mut self.buffer, random, format, bytes);
            self.put("]]>");
        }
        self.put("</FormData>\n");
    }

    fn field(&mut self, index: u64, mistake: Option<Mistake>, random: &mut Random) {
        self.put("      <Field>\n");
        self.element(8, "Id", &format!("/skjema/felt{index}"));
        self.validity(8, mistake);
        self.element(8, "Index", "0");
        self.put("        <Value>");
        content::words(&mut self.buffer, random, 24);
        self.put("</Value>\n      </Field>\n");
    }

    fn element(&mut self, indent: usize, name: &str, text: &str) {
        self.buffer.extend(std::iter::repeat_n(b' ', indent));
        self.put("<");
        self.put(name);
        self.put(">");
        content::escaped(&mut self.buffer, text.as_bytes());
        self.put("</");
        self.put(name);
        self.put(">\n");
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.summary.bytes += self.buffer.len() as u64;
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// A reference that other options do not give: a batch dropped twice is a duplicate, another one is not.
fn reference(options: &Options, random: &Random) -> String {
    let shape = format!("{}{}{}", options.items, options.profile.as_str(), options.errors);
    let mixed = shape.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
    format!("PRE-{:016X}", random.fork(REFERENCE, mixed).next())
}
