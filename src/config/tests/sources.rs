//! Places that files are taken from.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::model::TakeOrder;
use crate::schedule::Rule;
use crate::sighting::After;

/// The faults of a configuration with these lines after the minimal one, which has eleven.
fn faults(more: &str) -> Vec<String> {
    parse(&format!("{MINIMAL}{more}"), &[]).err().unwrap_or_default()
}

fn source(name: &str, more: &str) -> String {
    format!("[source.{name}]\nkind = \"watched\"\npath = \"drop\"\npartner = \"etat\"\nroute = \"prefill\"\n{more}\n")
}

fn polled(more: &str) -> String {
    let keys = format!("host_keys = [\"{KEY}\"]\nkey_file = \"source.key\"\n");
    source("x", more).replace(
        "kind = \"watched\"",
        &format!("kind = \"polled\"\nhost = \"sftp.example.no\"\nuser = \"sluse\"\n{keys}"),
    )
}

#[test]
fn little_is_enough() {
    let config = parse(&format!("{MINIMAL}{}", source("drop", "after = \"delete\"")), &[]).unwrap();
    let [source] = &config.sources[..] else { panic!("one source") };
    assert_eq!((source.dir.as_str(), source.preflight, source.rules.after.clone()), ("inbox", false, After::Delete));
    assert!(matches!(&source.place, PlaceConfig::Watched(place) if place.events && place.path.ends_with("drop")));
    assert_eq!(source.times.rule, Rule::Every(Duration::from_secs(60)));
    assert_eq!(source.rules.readiness.stable, Some(Duration::from_secs(5)));
    assert_eq!((source.rules.order, source.rules.most, source.rules.receipts.clone()), (TakeOrder::Name, 1_000, None));
    assert_eq!(source.most_bytes, config.routes[0].route.max_file_bytes + 1);
}

#[test]
fn a_server_and_everything_else_can_be_said() {
    let more = "after = \"move\"\nmove_to = \"done/{date}\"\nreceipts = \"answers\"\ncron = \"*/5 6-22 * * *\"\ndepth = 2\n\
                include = [\"*.{xml,zip}\"]\nexclude = [\"old/**\"]\norder = \"age\"\nmax_files = 5\ntest = true\n\
                [source.x.ready]\nstable_ms = 0\ndone_file = \"{name}.done\"\nchecksum_file = \"SHA256SUMS\"\nmin_age_ms = 1\n";
    let config = parse(&format!("{MINIMAL}{}", polled(more)), &[]).unwrap();
    let [source] = &config.sources[..] else { panic!("one source") };
    assert!(
        matches!(&source.place, PlaceConfig::Polled(place) if place.peer.port == 22 && place.peer.host_keys == [KEY])
    );
    assert_eq!((source.dir.as_str(), source.preflight, source.rules.depth), ("test", true, 2));
    assert_eq!(source.rules.receipts.as_deref(), Some("answers"));
    assert!(source.place.told().contains("sluse@sftp.example.no:22"));
}

#[test]
fn each_fault_is_told_with_its_place() {
    let good = |more: &str| source("x", &format!("after = \"leave\"\n{more}"));
    let renamed = |to: &str, more: &str| source("x", &format!("after = \"rename\"\nrename_to = \"{to}\"\n{more}"));
    let ready = |key: &str| format!("ready = {{ {key} = \"{{name}}.done\" }}");
    let inbox = |path: &str| good("") + &format!("[receiver.store]\nkind = \"directory\"\npath = \"{path}\"\n");
    let bare = "after = \"leave\"\n[source.x.ready]\nstable_ms = 0\ncomplete = false";
    let cases = [
        (source("x", ""), "source.x.after: is missing"),
        (source("x", "after = \"keep\""), "source.x.after: must be"),
        (source("x", "after = \"move\""), "source.x.move_to: is missing"),
        (source("x", "after = \"move\"\nmove_to = \"../up\""), "source.x.move_to"),
        (source("x", "after = \"rename\"\nrename_to = \"{name}\""), "source.x.rename_to"),
        (good("move_to = \"done\""), "source.x.move_to: is nothing without"),
        (renamed("taken", ""), "source.x.rename_to: needs {name}"),
        (renamed("{stem}.xml", ""), "source.x.rename_to: also has the form of names"),
        (renamed("{name}.xml", "include = [\"*.{zip,xml}\"]"), "source.x.rename_to: also has the form of names"),
        (renamed("{name}.done", &ready("done_file")), "source.x.rename_to: also has the form of done-files"),
        (renamed("{name}.done", &ready("checksum_file")), "source.x.rename_to: also has the form of done-files"),
        (inbox("drop"), "source.x.path: receiver store writes there"),
        (good("receipts = \"\""), "source.x.receipts"),
        (good("receipts = \"/tmp\""), "source.x.receipts"),
        (good("include = [\"[\"]"), "source.x.include"),
        (good("order = \"luck\""), "source.x.order"),
        (good("every_ms = 10"), "source.x.every_ms"),
        (good("ready = { done_file = \"{name}\" }"), "source.x.ready.done_file"),
        (good("ready = { temporary = [\"\"] }"), "source.x.ready.temporary"),
        (good("colour = \"red\""), "source.x.colour"),
        (good("").replace("\"prefill\"", "\"other\""), "source.x.route"),
        (good("").replace("\"watched\"", "\"mounted\""), "source.x.kind: must be"),
        (source("x", bare), "source.x.ready: says of no file"),
        (polled("after = \"leave\"").replace(KEY, "ssh-ed25519 x"), "source.x.host_keys"),
        (polled("after = \"leave\"").replace("source.key", "smtp.password"), "source.x.key_file"),
    ];
    for (text, fault) in cases {
        let faults = faults(&text);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{text}\n{faults:?}");
    }
}

#[test]
fn two_sources_never_take_the_same_file() {
    let one = source("a", "after = \"leave\"");
    let other = |path: &str| source("b", "after = \"leave\"").replace("\"drop\"", &format!("\"{path}\""));
    assert!(faults(&format!("{one}{}", other("drop/./"))).iter().any(|fault| fault.contains("source.b.path")));
    assert_eq!(faults(&format!("{one}{}", other("drop/below"))), [""; 0]);
    let deep = source("a", "after = \"leave\"\ndepth = 1");
    assert!(faults(&format!("{deep}{}", other("drop/below"))).iter().any(|fault| fault.contains("source.b.path")));
}

#[test]
fn what_one_source_puts_away_is_not_for_another() {
    let one = source("m", "after = \"move\"\nmove_to = \"done/{date}\"\nreceipts = \"answers\"");
    let other = |name: &str, path: &str| source(name, "after = \"leave\"").replace("\"drop\"", &format!("\"{path}\""));
    let refused = |text: String, fault: &str| {
        let faults = faults(&text);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{faults:?}");
    };
    for path in ["drop/done", "drop/done/2026-03-02", "drop/answers"] {
        refused(format!("{one}{}", other("z", path)), "source.z.path: source m puts what it took");
    }
    // Sources are read in the order of their names.
    refused(format!("{one}{}", other("b", "drop/done")), "source.m.move_to: source b takes from there");
    refused(format!("{one}{}", other("b", "drop/answers")), "source.m.receipts: source b takes from there");
    assert_eq!(faults(&format!("{one}{}", other("z", "drop/answers/old"))), [""; 0]);
}

#[test]
fn a_server_whose_key_is_weak_is_its_owners_to_mend() {
    let keyed = |bytes: usize| {
        let field = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let modulus = [&[0][..], &vec![0x80; bytes]].concat();
        let key = BASE64_STANDARD.encode([field(b"ssh-rsa"), field(&[1, 0, 1]), field(&modulus)].concat());
        format!("{MINIMAL}{}", polled("after = \"leave\"").replace(KEY, &format!("ssh-rsa {key}")))
    };
    let faults = parse(&keyed(128), &[]).err().unwrap();
    assert!(faults.len() == 1 && faults[0].contains("ask the server's owner"), "{faults:?}");
    let warnings = parse(&keyed(256), &[]).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].starts_with("source.x.host_keys: is an RSA key"), "{warnings:?}");
    assert_eq!(parse(&keyed(384), &[]).unwrap().warnings, [""; 0]);
}

#[test]
fn two_sources_of_one_server_never_take_the_same_file() {
    let at = |name: &str, path: &str, more: &str| {
        let text = polled(&format!("after = \"leave\"\n{more}")).replace("source.x", &format!("source.{name}"));
        text.replace("\"drop\"", &format!("\"{path}\""))
    };
    let refused = |one: &str, other: &str| {
        let faults = faults(&format!("{one}{other}"));
        assert!(faults.is_empty() || faults.len() == 1 && faults[0].contains("source.b.path"), "{faults:?}");
        !faults.is_empty()
    };
    let (flat, deep) = (at("a", "/out", ""), at("a", "/out", "depth = 1"));
    assert!(refused(&flat, &at("b", "//out/./", "")));
    assert!(!refused(&flat, &at("b", "/out/sub", "")));
    assert!(refused(&deep, &at("b", "/out/sub", "")));
    assert!(refused(&at("a", "/out/sub", ""), &at("b", "/out", "depth = 1")));
    assert!(!refused(&deep, &at("b", "/outside", "")) && !refused(&deep, &at("b", "out/sub", "")));
    assert!(refused(&at("a", "", "depth = 1"), &at("b", "./sub", "")));
    assert!(!refused(&deep, &at("b", "/out", "").replace("sftp.example.no", "other.example.no")));

    let warned = |one: &str, other: &str| {
        let other = other.replace("user = \"sluse\"", "user = \"etat\"");
        parse(&format!("{MINIMAL}{one}{other}"), &[]).unwrap().warnings
    };
    let [warning] = &warned(&deep, &at("b", "/out/sub", ""))[..] else { panic!("one warning") };
    assert!(warning.contains("source.b and source.a"), "{warning}");
    assert_eq!(warned(&at("a", "out", ""), &at("b", "out", "")), [""; 0], "each in its own directory");
}
