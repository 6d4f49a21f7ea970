//! What is cut out of a batch is a batch: it is judged as valid and says the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use sluse::codes;
use sluse::formats::{Coding, Decoder, Details, Encoding, Excerpt, details, preamble};
use sluse::generate::{self, Options, Profile, Share};
use sluse::model::{Batch, BatchLimits, ByteRange, Envelope, FormatName, ItemKey, NewItem, Route, Totals};
use sluse::ports::Blob;
use sluse::split::{Attached, Chosen, Grouping, Piece, Slot, Smaller, single};
use sluse::xsd::{Finding, Limits, Observer, Plan, Schema, SchemaDocument, Validator};

use crate::support::judged::{InMemory, Judged, fixed, fixtures, judged, prefill_route};

/// The bytes of a list of pieces.
fn written(blob: &InMemory, pieces: &[Piece]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(range) => bytes.extend_from_slice(&blob.0[range.start as usize..range.end as usize]),
            Piece::Text(text) => bytes.extend_from_slice(text),
        }
    }
    bytes
}

/// The bytes as a receiver reads them: UTF-8.
fn read(blob: &InMemory, pieces: &[Piece]) -> Vec<u8> {
    let encoding = preamble(blob).unwrap().encoding;
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(range) => bytes.extend(Excerpt::new(*range, encoding).read_whole(blob).unwrap()),
            Piece::Text(text) => bytes.extend_from_slice(text),
        }
    }
    bytes
}

/// An item with its forms and attachments decoded: what must be the same before and after cutting.
fn said(blob: &InMemory, whole: &Judged, item: &NewItem) -> String {
    let encoding = preamble(blob).unwrap().encoding;
    let attachments = attachments(whole, item);
    let Details { reportee, valid_from, receivers_reference, identifying_fields, prefilled, parts } =
        details(blob, item, &attachments, None).unwrap();
    let contents: Vec<_> = parts
        .iter()
        .map(|span| {
            let mut decoder = Decoder::new(span.coding);
            let mut out = Vec::new();
            let raw = Excerpt::new(span.content, encoding).read_whole(blob).unwrap();
            raw.chunks(5).for_each(|chunk| decoder.push(chunk, &mut out).unwrap());
            decoder.finish().unwrap();
            (span.meta.clone(), String::from_utf8_lossy(&out).into_owned())
        })
        .collect();
    let bytes = &Excerpt::new(item.range, encoding).read_whole(blob).unwrap();
    let of_item = (item.kind, &item.senders_reference, &item.service, item.refused, String::from_utf8_lossy(bytes));
    let who = reportee.map(|reportee| (reportee.kind(), reportee.expose().to_owned()));
    format!(
        "{of_item:?} {who:?} {valid_from:?} {receivers_reference} {identifying_fields:?} {prefilled:?} {contents:?}"
    )
}

/// Where the attachments of an item lie that stand behind all items.
fn attachments(whole: &Judged, item: &NewItem) -> Vec<ByteRange> {
    let of_item = whole.attachments.iter().filter(|attachment| attachment.reference == item.senders_reference);
    of_item.map(|attachment| attachment.range).collect()
}

/// Cuts out every item alone, and all of them as a rest, and judges the cuts.
pub(crate) fn check(bytes: Vec<u8>, routes: &[Route]) {
    let whole = judged(&bytes, routes);
    let blob = InMemory(bytes);
    assert_eq!(whole.judgement.refusal, None);
    for item in whole.items.iter().filter(|item| item.refused.is_none()) {
        check_single(&blob, &whole, item, routes);
    }
    check_rest(&blob, &whole, routes, &|_| true);
    check_rest(&blob, &whole, routes, &|item| item.refused.is_some());
    check_rest(&blob, &whole, routes, &|item| item.number % 2 == 0);
    for limits in
        [BatchLimits::DEFAULT, BatchLimits { items: 3, bytes: u64::MAX }, BatchLimits { items: 9, bytes: 4_000 }]
    {
        check_batches(&blob, &whole, routes, limits);
    }
}

fn check_single(blob: &InMemory, whole: &Judged, item: &NewItem, routes: &[Route]) {
    let (shared, envelope) = (shared(blob), Arc::new(whole.judgement.envelope.clone().unwrap()));
    let cut = read(blob, &single(&shared, &envelope, item, &attachments(whole, item)).unwrap());
    let alone = judged(&cut, routes);
    let shown = String::from_utf8_lossy(&cut);
    assert_eq!((alone.judgement.refusal, alone.findings.len(), alone.items.len()), (None, 0, 1), "{shown}");
    let reference = &envelope.parts[item.part as usize].reference;
    let is_fixed = routes.iter().any(|route| route.described.is_some());
    let suffix = if reference.is_empty() || is_fixed { String::new() } else { format!("-{:06}", item.number) };
    let reference = format!("{reference}{suffix}");
    let own = alone.judgement.envelope.clone().unwrap();
    assert_eq!(own.sender_name, envelope.sender_name);
    assert_eq!(own.parts.iter().map(|part| part.reference.as_str()).collect::<Vec<_>>(), [reference]);
    assert_eq!(own.parts[0].sequence_no, envelope.parts[item.part as usize].sequence_no);
    assert_eq!(said(&InMemory(cut.clone()), &alone, &alone.items[0]), said(blob, whole, item));
}

fn check_rest(blob: &InMemory, whole: &Judged, routes: &[Route], chosen: &dyn Fn(&NewItem) -> bool) {
    let envelope = whole.judgement.envelope.as_ref().unwrap();
    let chosen: Vec<&NewItem> = whole.items.iter().filter(|item| chosen(item)).collect();
    let mut totals = Totals::default();
    chosen.iter().for_each(|item| totals.add(item));
    let mut rest = Smaller::for_sender(shared(blob), Arc::new(envelope.clone()), "-R1", totals);
    let mut bytes = Vec::new();
    for item in &chosen {
        bytes.extend(written(blob, &rest.item(Slot::of(item)).unwrap()));
    }
    for range in chosen.iter().flat_map(|item| attachments(whole, item)) {
        bytes.extend(written(blob, &rest.attachment(range, None).unwrap()));
    }
    bytes.extend(written(blob, &rest.finish()));
    if chosen.is_empty() {
        return assert!(bytes.is_empty());
    }
    // The sender gets it as he wrote: the same encoding, to the mark before the declaration.
    let encoding_of = |bytes: &[u8]| preamble(&InMemory(bytes.to_vec())).unwrap();
    assert_eq!(encoding_of(&bytes), encoding_of(&blob.0));
    let again = judged(&bytes, routes);
    assert_eq!(again.judgement.refusal, None, "{}", String::from_utf8_lossy(&bytes));
    let key = |item: &NewItem| (item.kind, item.senders_reference.clone(), item.service.clone(), item.refused);
    let kept: Vec<_> = chosen.iter().map(|item| key(item)).collect();
    assert_eq!(again.items.iter().map(key).collect::<Vec<_>>(), kept);
    let references = |judged: &Judged| {
        judged.judgement.references.iter().map(|used| (used.part, used.reference.clone())).collect::<Vec<_>>()
    };
    let mut expected = references(whole);
    let suffix = if routes.iter().any(|route| route.described.is_some()) { "" } else { "-R1" };
    expected.iter_mut().for_each(|(_, reference)| reference.push_str(suffix));
    assert!(references(&again).iter().all(|reference| expected.contains(reference)));
    assert_eq!(again.attachments.len(), chosen.iter().flat_map(|item| attachments(whole, item)).count());
}

/// Groups the good items, cuts the batches out, and judges them: together they say what the whole said.
fn check_batches(blob: &InMemory, whole: &Judged, routes: &[Route], limits: BatchLimits) {
    let envelope = Arc::new(whole.judgement.envelope.clone().unwrap());
    // Repeats are refused by the ledger.
    let mut keys = BTreeSet::new();
    let is_new = |item: &&NewItem| item.refused.is_none() && keys.insert(item.key);
    let good: Vec<&NewItem> = whole.items.iter().filter(is_new).collect();
    let batches = grouped(whole, &good, &envelope, limits);
    assert_eq!(batches.iter().map(|batch| batch.items).sum::<u64>(), good.len() as u64);
    let keys: BTreeSet<ItemKey> = batches.iter().map(|batch| batch.key).collect();
    assert_eq!(keys.len(), batches.len());
    let mut said_again = Vec::new();
    for batch in &batches {
        let members: Vec<&&NewItem> =
            good.iter().filter(|item| (batch.first..=batch.last).contains(&item.number)).collect();
        assert!(members.len() as u64 == batch.items && batch.items <= limits.items);
        let mut chosen = Chosen::default();
        for item in members {
            chosen.add(item);
            chosen.attachments.extend(attachments(whole, item));
        }
        let suffix = Batch::suffix(batch.number);
        let cuts = Arc::new(chosen).cut(&shared(blob), &envelope, &suffix);
        let cut = read(blob, &cuts.collect::<std::io::Result<Vec<_>>>().unwrap().concat());
        // What is not counted are end tags; another encoding has another size.
        if batch.items > 1 && preamble(blob).unwrap().encoding == Encoding::Utf8 {
            assert!(cut.len() as u64 <= limits.bytes.saturating_add(100 * batch.items), "{} bytes", cut.len());
        }
        let again = judged(&cut, routes);
        let found = (again.judgement.refusal, again.findings.len(), again.items.len() as u64);
        assert_eq!(found, (None, 0, batch.items), "{}", String::from_utf8_lossy(&cut));
        let own = again.judgement.envelope.clone().unwrap();
        let known: Vec<&str> = envelope.parts.iter().map(|part| part.reference.as_str()).collect();
        assert!(own.parts.iter().all(|part| part.reference.strip_suffix(&suffix).is_none_or(|of| known.contains(&of))));
        let cut = InMemory(cut);
        said_again.extend(again.items.iter().map(|item| said(&cut, &again, item)));
    }
    assert_eq!(said_again, good.iter().map(|item| said(blob, whole, item)).collect::<Vec<_>>());
}

fn grouped(whole: &Judged, good: &[&NewItem], envelope: &Envelope, limits: BatchLimits) -> Vec<Batch> {
    let mut grouping = Grouping::new(limits, envelope, 0);
    let mut batches = Vec::new();
    for item in good {
        let mut attached = Attached::default();
        attachments(whole, item).into_iter().for_each(|range| attached.add(range));
        batches.extend(grouping.add(item, attached));
    }
    batches.extend(grouping.close());
    batches
}

fn shared(blob: &InMemory) -> Arc<dyn Blob> {
    Arc::new(InMemory(blob.0.clone()))
}

#[test]
fn what_is_cut_out_of_the_fixtures_is_valid_and_says_the_same() {
    for (_, path) in fixtures("prefill/valid") {
        check(std::fs::read(path).unwrap(), &[prefill_route()]);
    }
    for name in ["many-faults", "wrong-order", "wrong-check-digits", "text-between-elements", "unknown-service"] {
        let (_, path) = fixtures("prefill/invalid").into_iter().find(|(fixture, _)| fixture == name).unwrap();
        check(std::fs::read(path).unwrap(), &[prefill_route()]);
    }
}

#[test]
fn batches_of_every_format_are_cut_into_valid_ones() {
    let others = |format: &FormatName| ![FormatName::Prefill, FormatName::Broker].contains(format);
    for format in FormatName::ALL.into_iter().filter(others) {
        for (_, path) in fixtures(&format!("{}/valid", format.as_str())) {
            check(std::fs::read(path).unwrap(), &[]);
        }
    }
    for (_, path) in fixtures("generic/valid") {
        check(std::fs::read(path).unwrap(), &[crate::generic::grants_route()]);
    }
}

#[test]
fn batches_in_other_encodings_are_cut_into_valid_ones() {
    let sound = std::fs::read_to_string("fixtures/prefill/valid/one-form-task.xml").unwrap();
    let sound = sound.replacen("<Prefill>", "<!-- blåbærsyltetøy -->\n<Prefill>", 1);
    let mut options = Options::new(40, Profile::Medium, 3);
    options.errors = Share::of_million(200_000).unwrap();
    let mut generated = Vec::new();
    generate::write(&options, &mut generated).unwrap();
    for text in [sound, String::from_utf8(generated).unwrap()] {
        let plain = judged(text.as_bytes(), &[]);
        for encoding in
            [Encoding::Latin1, Encoding::Latin9, Encoding::Windows1252, Encoding::Utf16Le, Encoding::Utf16Be]
        {
            for mark in [true, false] {
                let bytes = in_encoding(&text, encoding, mark);
                let same = judged(&bytes, &[]);
                assert_eq!(same.judgement.items_total, plain.judgement.items_total, "{encoding:?}");
                let findings = |judged: &Judged| {
                    let mut found = judged.findings.clone();
                    found.iter_mut().flat_map(|finding| &mut finding.place).for_each(|place| place.offset = 0);
                    found
                };
                assert_eq!(findings(&same), findings(&plain), "{encoding:?}");
                check(bytes, &[]);
            }
        }
    }
}

/// The batch as another encoding writes it, and says so.
fn in_encoding(text: &str, encoding: Encoding, mark: bool) -> Vec<u8> {
    let text = text.trim_start_matches('\u{feff}');
    let (_, rest) = text.split_once("?>").unwrap();
    let text = format!("<?xml version=\"1.0\" encoding=\"{}\"?>{rest}", encoding.name());
    let wide = text.encode_utf16();
    let begin = if mark { "\u{feff}" } else { "" }.encode_utf16();
    match encoding {
        Encoding::Utf16Le => begin.chain(wide).flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => begin.chain(wide).flat_map(u16::to_be_bytes).collect(),
        Encoding::Utf8 | Encoding::Ascii => text.into_bytes(),
        // The letters used are the same in all three.
        Encoding::Latin1 | Encoding::Latin9 | Encoding::Windows1252 => {
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
        }
    }
}

#[test]
fn generated_batches_are_cut_into_valid_ones() {
    for profile in Profile::ALL {
        let mut options = Options::new(if profile == Profile::Attachment { 8 } else { 60 }, profile, 5);
        options.errors = Share::of_million(200_000).unwrap();
        let mut bytes = Vec::new();
        generate::write(&options, &mut bytes).unwrap();
        check(bytes, &[]);
    }
}

proptest! {
    #![proptest_config(fixed(500))]

    /// Otherwise a batch would pass, and its item could never be read again.
    #[test]
    fn what_the_schema_takes_for_base64_is_decoded(text in base64_like()) {
        let schema = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' type='xs:base64Binary'/></xs:schema>";
        let schema = Schema::compile(&[SchemaDocument { name: "a.xsd", bytes: schema.as_bytes() }]).unwrap();
        let plan = Plan::new(Arc::new(schema), &[]).unwrap();
        let mut validator = Validator::new(&plan, Limits::default());
        validator.feed(format!("<a>{text}</a>").as_bytes(), &mut Deaf);
        let end = validator.finish(&mut Deaf);
        if end.findings == 0 {
            let (mut decoder, mut out) = (Decoder::new(Coding::Base64), Vec::new());
            let pushed = text.as_bytes().chunks(3).try_for_each(|chunk| decoder.push(chunk, &mut out));
            prop_assert!(pushed.is_ok() && decoder.finish().is_ok(), "{text:?}");
        }
    }
}

/// Takes no notice.
struct Deaf;

impl Observer for Deaf {
    fn finding(&mut self, _: Finding) {}
}

/// Base64 and what looks like it, written in every way XML has.
fn base64_like() -> impl Strategy<Value = String> {
    let group = prop::sample::select(&["QUJD", "ab+/", "QQ==", "QUI=", "AAA", "Q", "=", "QR==", "Q U\r\nJ\tD"][..]);
    let written =
        prop::sample::select(&["", " ", "\n", "<!-- x -->", "<?p x?>", "&#10;", "&#x51;UJD", "<![CDATA[QUJD]]>"][..]);
    let pieces = prop::collection::vec((group, written), 0..5);
    pieces.prop_map(|pieces| pieces.into_iter().map(|(group, written)| format!("{group}{written}")).collect())
}

proptest! {
    #![proptest_config(fixed(100))]

    #[test]
    fn any_batch_is_cut_into_valid_ones(bytes in batches()) {
        check(bytes.into_bytes(), &[]);
    }
}

/// Batches of every shape the schema allows, written with and without prefixes.
fn batches() -> impl Strategy<Value = String> {
    let shape = (prop::collection::vec(reportee(false), 1..4), prop::collection::vec(reportee(true), 1..3));
    let written =
        (prop::sample::select(&["", "p:"][..]), any::<bool>(), prop::sample::select(&["", "\u{feff}"][..]), 0..3_u8);
    (shape, written).prop_map(|((prefill, subscription), (prefix, crlf, mark, parts))| {
        let xmlns = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", prefix.trim_end_matches(':')) };
        let of = |name: &str, body: &[String]| {
            let reference = format!("<~ExternalShipmentReference><![CDATA[S-]]>{name}</~ExternalShipmentReference>");
            format!("<~{name}>\n {reference}{}</~{name}>\n", body.join("\n"))
        };
        let mut body = String::new();
        if parts != 0 {
            body.push_str(&of("Subscription", &subscription));
        }
        if parts != 1 {
            body.push_str(&of("Prefill", &prefill));
        }
        let namespace = crate::support::judged::prefill().namespace;
        let text = format!(
            "{mark}<!-- c --><~ServiceOwner {xmlns}='{namespace}'\n>\n<~ServiceOwnerName >TTD</~ServiceOwnerName\t>{body}</~ServiceOwner>"
        );
        let text = text.replace("</~", &format!("</{prefix}")).replace("<~", &format!("<{prefix}"));
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

fn reportee(subscription: bool) -> impl Strategy<Value = String> {
    let id = prop::sample::select(&["910000004", " 910000012 ", "14878510187", "71927010180", "910000005"][..]);
    let reference = prop::sample::select(&["A-1", "b &amp; c", "<![CDATA[<x>]]>y", "æøå", " "][..]);
    let content = prop::sample::select(CONTENTS);
    let item =
        (reference, content, any::<bool>()).prop_map(move |(reference, content, bare)| match (subscription, bare) {
            (true, _) => format!(
                "<~FormTask><~ExternalServiceCode>S1</~ExternalServiceCode><~StartDate>2026-01-01</~StartDate>\
             <~NextScheduledDate>2026-01-01</~NextScheduledDate><~NextDueDate>2026-01-01</~NextDueDate>\
             <~PeriodType>Once</~PeriodType><~IdentifyingFields><~IdentifyingField>{reference}</~IdentifyingField>\
             </~IdentifyingFields></~FormTask>"
            ),
            (false, false) => format!(
                "<~FormTask >\n<~ExternalServiceCode>S1</~ExternalServiceCode><~ExternalServiceEditionCode/>\
             <~ValidFrom>2026-01-01</~ValidFrom><~ValidTo>2026-01-01</~ValidTo>\
             <~SendersReference>{reference}</~SendersReference><~Form><~DataFormatId>1</~DataFormatId>\
             <~DataFormatVersion>2</~DataFormatVersion><~SendersReference/><~FormData>{content}</~FormData></~Form>\
             </~FormTask\n>"
            ),
            (false, true) => format!(
                "<~Field><~Id>{reference}</~Id><~ValidFrom>2026-01-01</~ValidFrom><~ValidTo>2026-01-01</~ValidTo>\
             <~Value>{content}</~Value></~Field>"
            ),
        });
    (id, prop::collection::vec(item, 1..4)).prop_map(|(id, mut items)| {
        // Form sets come before fields.
        items.sort_by_key(|item| item.starts_with("<~Field>"));
        format!("<~Reportee><~Id>{id}</~Id>{}</~Reportee>", items.join("<!-- </FormTask> -->"))
    })
}

/// What a form's data may be.
const CONTENTS: &[&str] = &[
    "",
    "<![CDATA[<?xml version=\"1.0\"?><FormTask></FormTask>]]>",
    "\n  <![CDATA[<a/>]]>\n",
    "&lt;a b='&amp;amp;'&gt;&#xE6;&lt;/a&gt;",
    "<!-- </FormData> --><?x </FormTask>?>text]]&gt;",
];

#[test]
fn heads_that_every_item_would_repeat_have_their_limit() {
    let sound = std::fs::read_to_string("fixtures/prefill/valid/one-form-task.xml").unwrap();
    let long = format!("<!--{}-->", "x".repeat(70_000));
    let with =
        |before: &str| judged(sound.replacen(before, &format!("{long}{before}"), 1).as_bytes(), &[prefill_route()]);
    for before in ["  <ServiceOwnerName", "<Prefill>", "<ExternalShipmentReference"] {
        let judged = with(before);
        assert_eq!(judged.judgement.refusal, Some(codes::HEAD_TOO_LARGE), "{before}");
        assert_eq!(judged.findings.len(), 1, "{before}");
    }
    // Of one reportee it is these items that are not sent.
    for before in ["<Id>", "<FormTask>"] {
        let judged = with(before);
        assert_eq!((judged.judgement.refusal, judged.items[0].refused), (None, Some(codes::ITEM_TOO_LARGE)));
        let path = &judged.findings[0].place.as_ref().unwrap().path;
        assert_eq!(path, "/ServiceOwner/Prefill/Reportee[1]");
    }
    // Comments elsewhere are sent at most once.
    for before in ["<Form>", "</Reportee>"] {
        assert_eq!(with(before).judgement.findings_total, 0, "{before}");
    }
}
