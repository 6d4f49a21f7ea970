use proptest::prelude::*;

use super::*;

fn batch(options: &Options) -> (String, Summary) {
    let mut out = Vec::new();
    let summary = write(options, &mut out).unwrap();
    assert_eq!(summary.bytes, out.len() as u64);
    (String::from_utf8(out).unwrap(), summary)
}

fn with_errors(items: u64, profile: Profile, errors: &str) -> Options {
    Options { errors: errors.parse().unwrap(), ..Options::new(items, profile, 42) }
}

#[test]
fn the_same_options_give_the_same_bytes_and_others_do_not() {
    for profile in Profile::ALL {
        let options = with_errors(40, profile, "10%");
        assert_eq!(batch(&options), batch(&options));
        assert_ne!(batch(&options).0, batch(&Options { seed: 43, ..options.clone() }).0);
    }
}

#[test]
fn bytes_do_not_change_between_versions() {
    // The sum of a whole batch of each profile; a change here breaks every saved seed.
    let sums = Profile::ALL.map(|profile| {
        let (text, _) = batch(&with_errors(25, profile, "20%"));
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    });
    let known =
        [1823083099354600079, 7019459483083377000, 4203085362080930171, 2758328644864993073, 9201114038564692580];
    assert_eq!(sums, known);
}

#[test]
fn bytes_of_other_formats_do_not_change_either() {
    // All but the broker's, which are as the library packs them.
    let formats = Format::ALL.into_iter().filter(|format| *format != Format::Broker);
    let sums: Vec<(&str, u64)> = formats
        .map(|format| {
            let errors = "20%".parse().unwrap();
            let options = Options { errors, sequence: Some(7), ..Options::of(format, 25, Profile::Small, 42) };
            let (text, _) = batch(&options);
            let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            (format.as_str(), text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
        })
        .collect();
    let known = [
        ("prefill", 9304481121801993361),
        ("databatch", 4144939141132473592),
        ("correspondence", 3973919728276217226),
        ("confirmations", 13796698111036521306),
        ("usagedata", 3447879254278011974),
        ("altut", 6760945496567069165),
        ("altut-confirmations", 10925470814201971107),
        ("online-receipt", 8560077586855136062),
    ];
    assert_eq!(sums, known);
}

#[test]
fn mistakes_are_as_many_as_asked_and_of_every_kind() {
    let (text, summary) = batch(&with_errors(1_000, Profile::Small, "1.6%"));
    assert_eq!((summary.items, summary.wrong), (1_000, 16));
    assert_eq!(summary.mistakes, Mistake::OF_FORM_TASKS.map(|mistake| (mistake, 2)));
    assert_eq!(text.matches("<FormTask>").count(), 1_000);
    assert_eq!(text.matches("<ValidTo>").count(), 998);
    assert_eq!(text.matches("2026-02-30").count(), 2);
    assert_eq!(text.matches(">9999<").count(), 2);
    assert_eq!(text.matches(">50010000<").count(), 2);
}

#[test]
fn a_repeated_item_repeats_one_that_is_right() {
    for errors in ["1.6%", "50%", "75%", "100%"] {
        let (text, summary) = batch(&with_errors(400, Profile::Small, errors));
        let references = text.matches("-F1</SendersReference>").count();
        let mut seen = std::collections::HashSet::new();
        let repeats =
            text.lines().filter(|line| line.contains("-F1</SendersReference>")).filter(|line| !seen.insert(*line));
        let counted = summary.mistakes.iter().find(|(mistake, _)| *mistake == Mistake::RepeatedReference);
        assert_eq!(references, 400);
        assert_eq!(repeats.count() as u64, counted.map_or(0, |(_, count)| *count), "{errors}");
    }
}

#[test]
fn profiles_have_the_sizes_they_name() {
    let per_item = |profile, items| batch(&Options::new(items, profile, 1)).1.bytes / items;
    assert!((950..1_100).contains(&per_item(Profile::Small, 200)), "{}", per_item(Profile::Small, 200));
    assert!((8_400..8_800).contains(&per_item(Profile::Medium, 50)));
    assert!((400_000..1_100_000).contains(&per_item(Profile::Attachment, 10)));
    assert!((180..260).contains(&per_item(Profile::Field, 200)), "{}", per_item(Profile::Field, 200));
    assert!((10_000..14_000).contains(&per_item(Profile::Escaped, 50)), "{}", per_item(Profile::Escaped, 50));
}

#[test]
fn a_reference_can_be_given_and_is_escaped() {
    let options = Options { reference: Some("A&B".into()), ..Options::new(1, Profile::Small, 1) };
    let (text, summary) = batch(&options);
    assert_eq!(summary.reference, "A&B");
    assert!(text.contains("<ExternalShipmentReference>A&amp;B</ExternalShipmentReference>"));
}

#[test]
fn the_demo_takes_every_generated_service() {
    let demo = include_str!("../../config/demo.toml");
    for (code, edition, format_id, _) in SERVICES {
        assert!(demo.contains(&format!("code = \"{code}\"\nedition = \"{edition}\"")), "{code}");
        assert!(demo.contains(&format!("format_id = \"{format_id}\"")), "{format_id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_options_give_a_whole_batch_with_the_mistakes_it_tells(
        items in 0..60_u64, profile in 0..5_usize, millionths in 0..=1_000_000_u32, seed: u64,
    ) {
        let profile = Profile::ALL[profile];
        prop_assume!(profile != Profile::Attachment || items < 4);
        let options = Options { errors: Share::of_million(millionths).unwrap(), ..Options::new(items, profile, seed) };
        let (text, summary) = batch(&options);
        prop_assert!(text.ends_with("</ServiceOwner>\n"));
        prop_assert_eq!(text.matches("<FormTask>").count() + text.matches("<Field>").count(), items as usize);
        prop_assert_eq!(summary.mistakes.iter().map(|(_, count)| count).sum::<u64>(), summary.wrong);
        prop_assert_eq!(summary.wrong, (items * u64::from(millionths) + 500_000) / 1_000_000);
    }
}
