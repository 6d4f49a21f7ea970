//! Bad input: each kind has its own code and a receipt.

mod dropped;
pub(crate) mod huge;
mod room;

use std::io::{self, Read};
use std::path::Path;

use proptest::prelude::*;
use sluse::codes;
use sluse::generate::{self, Mistake, Options, Profile, Share};
use sluse::model::{
    AppTarget, Code, DataTypeRow, FinishRules, FormatName, ItemKind, PrefillRules, Route, ServiceRow, ServiceTable,
};
use sluse::validate::{JudgeError, Judging, judge};

use crate::altinn::target;
use crate::support::judged::{
    Pieces, fixed, fixtures, judged, judged_by, judged_in, judging, prefill, prefill_route, rendered,
};

/// The golden files: each `.xml` has beside it what is found in it. With SLUSE_BLESS=1 the texts are written anew, to be
/// read before they are committed.
#[test]
fn every_fixture_is_judged_as_its_text_says() {
    for_each_fixture(|folder, path, routes| {
        let judged = judged(&std::fs::read(path).unwrap(), routes);
        let found = rendered(&judged);
        assert_eq!(found, expected(path, &found), "{}", path.display());
        let sound = judged.judgement.refusal.is_none() && judged.judgement.findings_total == 0;
        assert!(sound || folder == "invalid", "{}", path.display());
    });
}

/// Every fixture of every format, with the routes it is judged by.
fn for_each_fixture(look: impl Fn(&str, &Path, &[Route])) {
    let documents = FormatName::ALL.into_iter().filter(|format| *format != FormatName::Broker);
    for format in documents.chain([FormatName::Generic]) {
        let routes = if format == FormatName::Prefill {
            vec![prefill_route()]
        } else if format == FormatName::Generic {
            vec![crate::generic::grants_route()]
        } else {
            Vec::new()
        };
        for folder in ["valid", "invalid"] {
            for (_, path) in fixtures(&format!("{}/{folder}", format.as_str())) {
                look(folder, &path, &routes);
            }
        }
    }
}

fn expected(path: &Path, found: &str) -> String {
    let path = path.with_extension("expected");
    if std::env::var_os("SLUSE_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_default()
}

#[test]
fn pieces_of_any_size_give_one_judgement() {
    for_each_fixture(|_, path, routes| {
        let bytes = std::fs::read(path).unwrap();
        let whole = judged(&bytes, routes);
        // Byte by byte takes long; one format shows it.
        let is_shown = routes.iter().any(|route| route.format == FormatName::Prefill);
        let sizes: &[usize] = if is_shown { &[1, 2, 3, 5, 8, 64, 300] } else { &[7, 64] };
        for &size in sizes {
            let pieces = judged_by(&bytes, &judging(&bytes, routes), size);
            assert_eq!(pieces, whole, "{} in pieces of {size}", path.display());
        }
    });
}

proptest! {
    #![proptest_config(fixed(400))]

    #[test]
    fn damaged_files_are_judged_alike_in_any_pieces(
        which in 0_usize..1_000,
        edits in prop::collection::vec((0_usize..10_000, 0_usize..12, prop::sample::select(SCRAPS)), 0..4),
        sizes in prop::collection::vec(1_usize..97, 1..9),
    ) {
        let all = fixtures("prefill/valid");
        let mut bytes = std::fs::read(&all[which % all.len()].1).unwrap();
        for (at, removed, scrap) in edits {
            let at = at % (bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, scrap.bytes());
        }
        let routes = [prefill_route()];
        let judging = judging(&bytes, &routes);
        let whole = judged_in(&mut bytes.as_slice(), &judging);
        let pieces = judged_in(&mut Pieces { rest: &bytes, sizes, next: 0 }, &judging);
        prop_assert_eq!(&whole, &pieces);
        prop_assert_eq!(whole.items.len() as u64, whole.judgement.items_total);
    }
}

/// What damage puts into a file.
const SCRAPS: &[&str] = &[
    "",
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&amp;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?",
    "\"",
    "'",
    "=",
    " ",
    "\r",
    "\u{0}",
    "æ",
    "<Prefill>",
    "</Prefill>",
    "<Reportee>",
    "</Reportee>",
    "<FormTask>",
    "</FormTask>",
    "<Id>",
    "</Id>",
    "xmlns=''",
    "2026-01-01",
    "9",
    " xsi:nil='true'",
];

/// The code a document is refused by as a whole.
fn refusal(document: &[u8]) -> Option<Code> {
    judged(document, &[prefill_route()]).judgement.refusal
}

#[test]
fn documents_that_ask_too_much_are_refused() {
    let root = format!("<{} xmlns=\"{}\">", prefill().root, prefill().namespace);
    let nested = "<a>".repeat(100_000);
    // Such elements are also unknown, which is the lesser news.
    for deep in [format!("{root}{nested}"), nested] {
        assert_eq!(refusal(deep.as_bytes()), Some(codes::TOO_DEEP));
    }
    assert_eq!(refusal(b"<html><br></html>"), Some(codes::UNKNOWN_ROOT));
    assert_eq!(refusal(format!("{root}<Other/>").as_bytes()), Some(codes::TRUNCATED));

    let wide = format!("<ServiceOwner xmlns=\"{}\" a=\"{}\">", prefill().namespace, "x".repeat(2 << 20));
    assert_eq!(refusal(wide.as_bytes()), Some(codes::TAG_TOO_LONG));
    let many: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    let many = refusal(format!("<ServiceOwner xmlns=\"{}\"{many}>", prefill().namespace).as_bytes());
    assert_eq!(many, Some(codes::TAG_TOO_LONG));
    assert_eq!(refusal(format!("<{}>", "a".repeat(1 << 20)).as_bytes()), Some(codes::TAG_TOO_LONG));
}

#[test]
fn the_whole_file_is_hashed_however_early_it_is_refused() {
    use aws_lc_rs::digest::{SHA256, digest};
    for (_, path) in fixtures("prefill/invalid") {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(std::iter::repeat_n(b' ', 600_000));
        let hash = judged(&bytes, &[prefill_route()]).judgement.sha256.unwrap();
        assert_eq!(hash.as_slice(), digest(&SHA256, &bytes).as_ref());
    }
}

#[test]
fn planted_mistakes_are_found_and_nothing_else() {
    for profile in Profile::ALL {
        let mut options = Options::new(if profile == Profile::Attachment { 24 } else { 400 }, profile, 7);
        options.errors = Share::of_million(250_000).unwrap();
        let mut bytes = Vec::new();
        let summary = generate::write(&options, &mut bytes).unwrap();
        let judged = judged(&bytes, &[generated_route()]);
        let planted = |mistake| summary.mistakes.iter().find(|(known, _)| *known == mistake).map_or(0, |(_, n)| *n);
        // Whether a reference is repeated is for the ledger to find, by the items' keys.
        let repeats = planted(Mistake::RepeatedReference);
        assert_eq!(judged.judgement.refusal, None);
        assert_eq!(judged.judgement.items_total, summary.items);
        assert_eq!(judged.judgement.items_refused, summary.wrong - repeats, "{profile:?}");
        let keys: std::collections::HashSet<_> = judged.items.iter().map(|item| item.key).collect();
        assert_eq!(keys.len() as u64, summary.items - repeats);
        for (mistake, codes) in CODES_OF_MISTAKES {
            let found = judged.items.iter().filter(|item| item.refused.is_some_and(|code| codes.contains(&code)));
            let of_them: u64 =
                CODES_OF_MISTAKES.iter().filter(|(_, other)| other == codes).map(|(m, _)| planted(*m)).sum();
            assert_eq!(found.count() as u64, of_them, "{mistake:?}");
        }
    }
}

const CODES_OF_MISTAKES: &[(Mistake, &[Code])] = &[
    (Mistake::BadCheckDigit, &[codes::BAD_PERSON_NUMBER, codes::BAD_ORGANISATION_NUMBER]),
    (Mistake::MissingElement, &[codes::UNEXPECTED_ELEMENT, codes::MISSING_ELEMENT]),
    (Mistake::WrongOrder, &[codes::UNEXPECTED_ELEMENT, codes::MISSING_ELEMENT]),
    (Mistake::BadDate, &[codes::BAD_VALUE]),
    (Mistake::LongCode, &[codes::BAD_LENGTH]),
    (Mistake::UnknownService, &[codes::UNKNOWN_SERVICE]),
    (Mistake::ReversedValidity, &[codes::VALIDITY_REVERSED]),
];

/// A route for what the generator writes.
fn generated_route() -> Route {
    let mut route = prefill_route();
    route.services.rows = generate::SERVICES
        .iter()
        .map(|(code, edition, ..)| ServiceRow {
            code: (*code).into(),
            edition: Some((*edition).into()),
            app: None,
            message: None,
            transfer: None,
            schemas: Vec::new(),
        })
        .collect();
    route
}

#[test]
fn findings_are_counted_beyond_the_limit_of_those_kept() {
    let mut options = Options::new(3_000, Profile::Field, 3);
    options.errors = Share::of_million(1_000_000).unwrap();
    let mut bytes = Vec::new();
    generate::write(&options, &mut bytes).unwrap();
    bytes.truncate(bytes.len() - 20);
    let routes = [generated_route()];
    let mut judging = judging(&bytes, &routes);
    judging.limits.max_findings = 10;
    let judged = judged_in(&mut bytes.as_slice(), &judging);
    assert_eq!(judged.judgement.refusal, Some(codes::TRUNCATED));
    assert_eq!(judged.judgement.findings_total, judged.judgement.items_refused + 1);
    // The ten, and what refused the shipment.
    assert_eq!(judged.findings.len(), 11);
    assert_eq!(judged.findings.last().unwrap().code, codes::TRUNCATED);
}

#[test]
fn the_route_of_the_sender_is_taken() {
    let bytes = std::fs::read(&fixtures("prefill/valid")[0].1).unwrap();
    let named = |name: &str, sender: Option<&str>| {
        let mut route = prefill_route();
        route.name = name.parse().unwrap();
        route.sender_name = sender.map(Into::into);
        route
    };
    let route = |routes: &[Route]| {
        let judgement = judged(&bytes, routes).judgement;
        (judgement.route.map(|name| name.to_string()), judgement.refusal)
    };
    let any = named("any", None);
    assert_eq!(route(&[any.clone(), named("own", Some("TTD"))]), (Some("own".into()), None));
    assert_eq!(route(&[named("other", Some("NAV")), any]), (Some("any".into()), None));
    assert_eq!(route(&[named("other", Some("NAV"))]), (Some("other".into()), Some(codes::WRONG_SENDER)));
    assert_eq!(route(&[]), (None, None));
    let mut small = prefill_route();
    small.max_file_bytes = 100;
    assert_eq!(route(std::slice::from_ref(&small)), (None, Some(codes::FILE_TOO_LARGE)));
    small.sender_name = Some("TTD".into());
    assert_eq!(route(&[small, named("big", Some("NAV"))]), (Some("prefill".into()), Some(codes::FILE_TOO_LARGE)));
}

#[test]
fn a_route_to_apps_takes_what_the_app_takes() {
    let (_, path) = fixtures("prefill/valid").into_iter().find(|(name, _)| name == "both-parts").unwrap();
    let bytes = std::fs::read(path).unwrap();
    let codes_of = |format_id: &str, attachment_type: Option<&str>| {
        let mut route = prefill_route();
        let data_type = |id: &str| DataTypeRow {
            format_id: id.into(),
            format_version: None,
            data_type: "model".into(),
            moves: Vec::new(),
        };
        let app = AppTarget {
            org: "ttd".into(),
            app: "skjema".into(),
            data_types: vec![data_type(format_id), data_type("1244")],
            attachment_type: attachment_type.map(Into::into),
            prefill: PrefillRules::default(),
            finish: FinishRules::default(),
        };
        for row in &mut route.services.rows {
            row.app = Some(app.clone());
        }
        let items = judged(&bytes, &[route]).items;
        let of = |kind| move |item: &&sluse::model::NewItem| item.kind == kind;
        assert!(items.iter().filter(of(ItemKind::Field)).all(|item| item.refused.is_none()));
        assert!(items.iter().filter(of(ItemKind::Subscription)).all(|item| item.refused.is_none()));
        items.iter().filter(of(ItemKind::FormTask)).map(|item| item.refused).collect::<Vec<_>>()
    };
    assert_eq!(codes_of("1243", Some("vedlegg")), [None; 3]);
    assert_eq!(codes_of("1243", None), [Some(codes::NO_ATTACHMENTS_TAKEN), None, None]);
    assert_eq!(codes_of("9", Some("vedlegg")), [Some(codes::UNKNOWN_DATA_FORMAT); 3]);
}

#[test]
fn a_time_that_no_message_can_have_is_told_before_anything_is_sent() {
    let row = |message| ServiceRow { edition: None, message, ..prefill_route().services.rows.remove(0) };
    let codes_of = |format, document: &str, message| {
        let services = ServiceTable { rows: vec![row(message)], ..ServiceTable::default() };
        let route = Route { format, services, sender_name: None, ..prefill_route() };
        judged(document.as_bytes(), &[route]).items.into_iter().map(|item| item.refused).collect::<Vec<_>>()
    };
    let correspondence = |element: &str| {
        format!(
            "<Correspondences xmlns='http://schemas.altinn.no/services/intermediary/correspondence/2009/10'>\
             <SystemUserCode>TTD-001</SystemUserCode><ShipmentReference>M-1</ShipmentReference><Correspondence>\
             <ServiceCode>MT0001</ServiceCode><ServiceEdition>1</ServiceEdition><SendersReference>M-1-1</SendersReference>\
             <Reportee>910000004</Reportee><Content><LanguageCode>1044</LanguageCode><MessageTitle>a</MessageTitle>\
             <MessageBody>b</MessageBody></Content>{element}</Correspondence></Correspondences>"
        )
    };
    let altut = |element: &str| {
        format!(
            "<GovOrgan name='ETA'><AltUt><Message shortName='MT0001_1'><Participant id='910000004'>{element}\
             <Content languageCode='1044'><MessageHeader>a</MessageHeader></Content></Participant></Message></AltUt>\
             </GovOrgan>"
        )
    };
    let message = || Some(Box::new(target()));
    let notified = "<Notifications><Notification><ShipmentDateTime>TIME</ShipmentDateTime>\
        <LanguageCode>1044</LanguageCode><NotificationType>N</NotificationType></Notification></Notifications>";
    let elements = ["<VisibleDateTime>TIME</VisibleDateTime>", "<DueDateTime>TIME</DueDateTime>", notified];
    let of_correspondences = elements.map(|element| (FormatName::Correspondence, correspondence(element)));
    let elements = ["<VisibleDate>TIME</VisibleDate>", "<DueDate>TIME</DueDate>"];
    let of_altut = elements.map(|element| (FormatName::AltUt, altut(element)));
    for (format, document) in of_correspondences.into_iter().chain(of_altut) {
        let late = document.replace("TIME", "12026-07-01T08:00:00");
        assert_eq!(codes_of(format, &late, message()), [Some(codes::MESSAGE_TIME)], "{late}");
        assert_eq!(codes_of(format, &late, None), [None], "where it goes to somebody else it is his: {late}");
        let good = document.replace("TIME", "2026-07-01T08:00:00");
        assert_eq!(codes_of(format, &good, message()), [None], "{good}");
    }
}

#[test]
fn a_service_that_no_row_names_is_kept_only_if_it_looks_like_one() {
    let services_of = |name: &str, services: ServiceTable| {
        let document = format!(
            "<GovOrgan name='ETA'><AltUt><Message shortName='{name}'><Participant id='910000004'>\
             <Content languageCode='1044'><MessageHeader>a</MessageHeader></Content></Participant></Message></AltUt>\
             </GovOrgan>"
        );
        let route = Route { format: FormatName::AltUt, services, sender_name: None, ..prefill_route() };
        let items = judged(document.as_bytes(), &[route]).items;
        assert_eq!(items[0].refused, None);
        items.into_iter().next().unwrap().service.map(|service| format!("{}_{}", service.code, service.edition))
    };
    let any = || ServiceTable { any: true, ..ServiceTable::default() };
    assert_eq!(services_of("MT0001_1", any()).as_deref(), Some("MT0001_1"));
    // A number of a person has no business in the ledger.
    assert_eq!(services_of("01017012345_1", any()), None);
    let row = ServiceRow { code: "RF-1030-LANG".into(), edition: None, ..prefill_route().services.rows.remove(0) };
    let named = ServiceTable { rows: vec![row], ..any() };
    assert_eq!(services_of("RF-1030-LANG_1", named).as_deref(), Some("RF-1030-LANG_1"));
}

#[test]
fn an_item_beyond_what_forwarding_can_hold_is_refused() {
    let (_, path) = fixtures("prefill/valid").into_iter().find(|(name, _)| name == "one-form-task").unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let form = &text[text.find("<Form>").unwrap()..text.find("</FormTask>").unwrap()];
    let comment = format!("<!--{}-->", "x".repeat(1 << 20));
    for (more, code) in [
        (form.repeat(9_999), None),
        (form.repeat(10_000), Some(codes::ITEM_TOO_LARGE)),
        (form.replace("<DataFormatId>", &format!("<DataFormatId>{comment}")), Some(codes::ITEM_TOO_LARGE)),
    ] {
        let large = judged(text.replace("</FormTask>", &format!("{more}</FormTask>")).as_bytes(), &[prefill_route()]);
        assert_eq!((large.judgement.refusal, large.items[0].refused), (None, code));
    }
    let id = judged(text.replace("<Id>", &format!("<Id>{comment}")).as_bytes(), &[prefill_route()]);
    assert_eq!(id.items[0].refused, Some(codes::ITEM_TOO_LARGE));
}

#[test]
fn a_repeated_reference_gives_one_key_and_another_partner_another() {
    let (_, path) = fixtures("prefill/invalid").into_iter().find(|(name, _)| name == "repeated-references").unwrap();
    let bytes = std::fs::read(path).unwrap();
    let routes = [prefill_route()];
    let items = judged(&bytes, &routes).items;
    assert_eq!(items[0].key, items[1].key);
    let other = Judging { partner: "nav", ..judging(&bytes, &routes) };
    assert_ne!(judged_by(&bytes, &other, 100).items[0].key, items[0].key);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_no_judgement() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    let bytes = std::fs::read(&fixtures("prefill/valid")[0].1).unwrap();
    let judging = judging(&bytes, &[]);
    let mut broken = bytes.split_at(bytes.len() / 2).0.chain(Broken);
    assert!(matches!(judge(&mut broken, &judging, &mut |_| Ok(())), Err(JudgeError::Unreadable(_))));
    let full = &mut |_| Err(io::Error::other("full"));
    assert!(matches!(judge(&mut bytes.as_slice(), &judging, full), Err(JudgeError::NotKept(_))));
}
