//! Generated batches of every format, judged by the formats' schemas.

mod zipped;

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use sluse::generate::{self, Format, Mistake, Options, Profile, Share, Summary, planted};
use sluse::xsd::{Finding, Plan};

use crate::schemas::{Written, judged, plan};
use crate::support::judged::fixed;

/// Formats that are one XML document, with its schema and the path of its items below the root.
const DOCUMENTS: [(Format, &str, &str); 8] = [
    (Format::Prefill, "prefill/service-owner-2009-10", "Prefill/Reportee"),
    (Format::DataBatch, "databatch/generic-batch-2013-06", "DataUnits/DataUnit"),
    (Format::Correspondence, "correspondence/correspondences-2009-10", "Correspondence"),
    (Format::Confirmations, "confirmations/confirmations-20", "Confirmation"),
    (Format::UsageData, "usagedata/correspondence-usage-data-2009-10", "Correspondence"),
    (Format::AltUt, "altut/gov-organ-6-0", "AltUt/Message"),
    (Format::AltUtConfirmations, "altut-confirmations/altut-confirmation-batch", "AltUtConfirmations/Confirmation"),
    (Format::OnlineReceipt, "online-receipt/online-batch-receipt", "Result"),
];

/// Messages under one service of a usage report.
const PER_SERVICE: u64 = 500;

fn batch(options: &Options) -> (Vec<u8>, Summary) {
    let mut out = Vec::new();
    let summary = generate::write(options, &mut out).unwrap();
    assert_eq!(summary.bytes, out.len() as u64);
    (out, summary)
}

/// The schemas of all formats; of confirmations that of the seed.
struct Plans(HashMap<&'static str, Plan>);

impl Plans {
    fn new() -> Self {
        let names = DOCUMENTS.map(|(_, schema, _)| schema).into_iter().filter(|name| !name.ends_with("20"));
        let both = ["confirmations/confirmations-2009-10", "confirmations/confirmations-2010-10"];
        Self(names.chain(both).map(|name| (name, plan(&Written::named(name).path()))).collect())
    }

    fn judged(&self, schema: &str, options: &Options, document: &[u8]) -> Vec<Finding> {
        let schema = match schema {
            "confirmations/confirmations-20" if options.seed.is_multiple_of(2) => "confirmations/confirmations-2010-10",
            "confirmations/confirmations-20" => "confirmations/confirmations-2009-10",
            schema => schema,
        };
        judged(&self.0[schema], document)
    }
}

#[test]
fn batches_without_mistakes_are_valid_in_every_profile() {
    let plans = Plans::new();
    for (format, schema, _) in DOCUMENTS {
        for profile in Profile::ALL {
            for seed in 1..=4 {
                let items = if profile == Profile::Attachment { 3 } else { 50 };
                let options = Options { sequence: Some(7), ..Options::of(format, items, profile, seed) };
                let (document, summary) = batch(&options);
                assert_eq!(plans.judged(schema, &options, &document), [], "{format} {profile:?} {seed}");
                assert_eq!(summary.wrong, 0);
                assert_eq!(batch(&options).0, document);
                assert_ne!(batch(&Options { seed: seed + 4, ..options }).0, document);
            }
        }
    }
}

#[test]
fn empty_batches_are_as_their_schemas_have_them() {
    let plans = Plans::new();
    for (format, schema, _) in DOCUMENTS {
        let options = Options::of(format, 0, Profile::Small, 1);
        // Of prefill and DataBatch there is none without items.
        let without = usize::from(matches!(format, Format::Prefill | Format::DataBatch));
        assert_eq!(plans.judged(schema, &options, &batch(&options).0).len(), without, "{format}");
    }
}

#[test]
fn mistakes_of_the_schema_are_found_where_they_were_planted_and_nowhere_else() {
    let plans = Plans::new();
    for (format, schema, path) in DOCUMENTS {
        for profile in [Profile::Small, Profile::Attachment] {
            let items = if profile == Profile::Attachment { 20 } else { 1_200 };
            let errors = if profile == Profile::Attachment { "50%" } else { "3%" };
            let options = Options { errors: errors.parse().unwrap(), ..Options::of(format, items, profile, 3) };
            let (document, summary) = batch(&options);
            let found: BTreeSet<u64> =
                plans.judged(schema, &options, &document).iter().map(|found| item_of(&found.path, path)).collect();
            let known: BTreeSet<u64> =
                planted(&options).filter(|(_, mistake)| mistake.is_of_schema()).map(|(item, _)| item).collect();
            assert_eq!(found, known, "{format}");
            assert_eq!(planted(&options).count() as u64, summary.wrong, "{format}");
            let kinds: BTreeSet<Mistake> = planted(&options).map(|(_, mistake)| mistake).collect();
            if format != Format::OnlineReceipt {
                assert_eq!(kinds, format.mistakes(profile).iter().copied().collect(), "{format}");
            }
        }
    }
}

/// The number of the item that a path leads into.
fn item_of(path: &str, item: &str) -> u64 {
    let steps: Vec<(&str, u64)> = path
        .split('/')
        .map(|step| match step.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse().unwrap()),
            None => (step, 1),
        })
        .collect();
    let index = |name: &str| steps.iter().find(|(step, _)| *step == name).map_or(1, |(_, index)| *index);
    let name = item.rsplit('/').next().unwrap();
    assert!(steps.iter().any(|(step, _)| *step == name), "{path}");
    // Of the formats here only usage reports have a Service.
    (index("Service") - 1) * PER_SERVICE + index(name)
}

#[test]
fn counts_and_numbers_are_right_unless_they_are_to_be_wrong() {
    let head = |options: &Options| {
        let text = String::from_utf8(batch(options).0).unwrap();
        text.lines().take(7).map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let options = |format| Options::of(format, 9, Profile::Small, 2);
    let unnumbered = head(&options(Format::DataBatch));
    assert!(unnumbered.contains("batchReference=\"0\" previousReference=\"0\""), "{unnumbered}");
    assert!(unnumbered.contains("formTasksInBatch=\"9\" formsInBatch=\"12\""), "{unnumbered}");
    let numbered = |format| Options { sequence: Some(41), ..options(format) };
    assert!(head(&numbered(Format::DataBatch)).contains("batchReference=\"41\" previousReference=\"40\""));
    assert!(head(&numbered(Format::AltUtConfirmations)).contains("batchReference=\"41\" previousReference=\"40\""));
    assert!(head(&options(Format::AltUtConfirmations)).contains("confirmationsInBatch=\"9\""));
    let confirmations = head(&numbered(Format::Confirmations));
    for line in ["<SequenceNo>41<", "<PreviousSequenceNo>40<", "<CountConfirmationsInShipment>9<"] {
        assert!(confirmations.contains(line), "{confirmations}");
    }
    assert!(head(&numbered(Format::Prefill)).contains("<SequenceNo>41<"));
    assert!(head(&numbered(Format::Correspondence)).contains("<SequenceNo>41<"));
    assert!(head(&numbered(Format::AltUt)).contains("sequenceno=\"41\""));
    assert!(!head(&options(Format::Correspondence)).contains("SequenceNo"));
    let wrong = |format| head(&Options { wrong_count: true, wrong_sequence: true, ..numbered(format) });
    assert!(wrong(Format::DataBatch).contains("batchReference=\"42\" previousReference=\"40\""));
    assert!(wrong(Format::DataBatch).contains("formTasksInBatch=\"10\""));
    assert!(wrong(Format::Confirmations).contains("<SequenceNo>42<"));
    assert!(wrong(Format::AltUtConfirmations).contains("confirmationsInBatch=\"10\""));
}

#[test]
fn counts_are_what_is_there() {
    let (document, _) = batch(&Options::of(Format::DataBatch, 100, Profile::Small, 1));
    let text = String::from_utf8(document).unwrap();
    let there = |tag: &str| text.matches(tag).count();
    assert_eq!((there("<DataUnit "), there("<FormTask>"), there("<Form>")), (100, 100, 133));
    assert!(text.contains("formTasksInBatch=\"100\" formsInBatch=\"133\""));
}

#[test]
fn attachments_of_a_data_batch_belong_to_its_units_in_order() {
    let options =
        Options { errors: "50%".parse().unwrap(), ..Options::of(Format::DataBatch, 30, Profile::Attachment, 1) };
    let text = String::from_utf8(batch(&options).0).unwrap();
    let references = |tag: &str| -> Vec<String> {
        let of = |rest: &str| rest.split("archiveReference=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        text.split(tag).skip(1).map(of).collect()
    };
    let units = references("<DataUnit ");
    assert_eq!(units.len(), 30);
    assert_eq!(units, references("<Attachment "));
    let repeated = units.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(repeated, planted(&options).filter(|(_, mistake)| *mistake == Mistake::RepeatedReference).count());
    assert!(repeated > 0);
}

#[test]
fn everybody_named_is_synthetic_and_has_the_right_check_digits() {
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Broker) {
        let (document, _) = batch(&Options::of(format, 300, Profile::Small, 5));
        let ids = identities(&String::from_utf8(document).unwrap());
        assert!(format == Format::OnlineReceipt || ids.len() > 290, "{format}: {}", ids.len());
        for id in ids {
            assert!(is_synthetic(&id), "{format}: {id}");
        }
    }
}

/// Everything that could be the number of a person or an organisation: whole values of eleven or nine digits.
pub(super) fn identities(text: &str) -> BTreeSet<String> {
    let values = text.split(['<', '>', '"']);
    let long = values.filter(|value| matches!(value.len(), 9 | 11) && value.bytes().all(|byte| byte.is_ascii_digit()));
    long.map(str::to_owned).collect()
}

/// Tells whether a number is of the synthetic series, with its check digits worked out here by themselves.
pub(super) fn is_synthetic(id: &str) -> bool {
    let digits: Vec<u32> = id.chars().map(|digit| digit.to_digit(10).unwrap()).collect();
    let sum = |weights: &[u32]| digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11;
    match digits.len() {
        11 => {
            let month = digits[2] * 10 + digits[3];
            let first = sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
            (81..=92).contains(&month) && first == 0 && sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0
        }
        _ => digits.starts_with(&[3, 1]) && sum(&[3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0,
    }
}

proptest! {
    #![proptest_config(fixed(48))]

    #[test]
    fn any_options_plant_what_is_found(
        format in 0..DOCUMENTS.len(), items in 1..60_u64, escaped: bool, millionths in 0..=1_000_000_u32, seed: u64,
    ) {
        let (format, schema, path) = DOCUMENTS[format];
        let profile = if escaped { Profile::Escaped } else { Profile::Small };
        let errors = Share::of_million(millionths).unwrap();
        let options = Options { errors, ..Options::of(format, items, profile, seed) };
        let (document, _) = batch(&options);
        let plans = Plans::new();
        let found: BTreeSet<u64> =
            plans.judged(schema, &options, &document).iter().map(|found| item_of(&found.path, path)).collect();
        let known: BTreeSet<u64> =
            planted(&options).filter(|(_, mistake)| mistake.is_of_schema()).map(|(item, _)| item).collect();
        prop_assert_eq!(found, known);
    }
}
