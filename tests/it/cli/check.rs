//! `sluse check`: the rehearsal of the test directory, without a gateway.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use sluse::generate::{self, Format, Options, Profile};
use tempfile::TempDir;

use super::{MINIMAL, sluse, text};
use crate::support::batch::generated;
use crate::support::receipts::{assert_valid, count};

/// A folder with a configuration and batches.
fn folder(route: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sluse.toml"), format!("{MINIMAL}{route}")).unwrap();
    fs::write(dir.path().join("good.xml"), generated(20, Profile::Small, "0%", 5).bytes).unwrap();
    fs::write(dir.path().join("mixed.xml"), generated(20, Profile::Small, "20%", 6).bytes).unwrap();
    dir
}

fn check(dir: &Path, file: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let mut args: Vec<OsString> = vec!["check".into(), dir.join(file).into()];
    args.extend(["--config".into(), dir.join("sluse.toml").into(), "--partner".into(), "etat".into()]);
    args.extend(more.iter().map(|arg| (*arg).into()));
    let output = sluse(args, b"", &[("TMPDIR", dir.join("tmp").to_str().unwrap())]);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_full_receipt_is_printed_and_nothing_is_left() {
    let dir = folder("");
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let (code, receipt, errors) = check(dir.path(), "good.xml", &[]);
    assert_eq!(code, Some(0), "{errors}");
    assert_valid(&receipt);
    assert!(receipt.contains("kind=\"final\" preflight=\"true\""), "{receipt}");
    assert_eq!((count(&receipt, "items"), count(&receipt, "delivered")), (20, 20));
    let (code, receipt, _) = check(dir.path(), "mixed.xml", &[]);
    assert_eq!(code, Some(1));
    assert_valid(&receipt);
    assert!(count(&receipt, "refused") > 0 && receipt.contains("<FindingGroup "), "{receipt}");
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    assert!(!dir.path().join("data").exists() && !dir.path().join("out").exists());
}

#[test]
fn a_configured_partner_needs_no_ledger_that_can_be_read() {
    let dir = folder("");
    for made in ["tmp", "data"] {
        fs::create_dir(dir.path().join(made)).unwrap();
    }
    fs::write(dir.path().join("data/ledger.sqlite"), "of another version, or nobody's to read").unwrap();
    let (code, receipt, errors) = check(dir.path(), "good.xml", &[]);
    assert_eq!(code, Some(0), "{errors}");
    assert_valid(&receipt);
    let (code, ..) = check(dir.path(), "good.xml", &["--partner", "added"]);
    assert_eq!(code, Some(2), "who else there is stands in the ledger");
}

#[test]
fn whoever_reads_only_the_beginning_gets_the_verdict_all_the_same() {
    let dir = folder("");
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let mut checking = std::process::Command::new(env!("CARGO_BIN_EXE_sluse"))
        .arg("check")
        .arg(dir.path().join("mixed.xml"))
        .args(["--partner", "etat", "--config"])
        .arg(dir.path().join("sluse.toml"))
        .env("TMPDIR", dir.path().join("tmp"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(checking.stdout.take());
    let output = checking.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), String::new()));
}

#[test]
fn broker_archives_are_rehearsed_by_the_register_of_rights() {
    let dir = folder("");
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let options = Options { errors: "20%".parse().unwrap(), ..Options::of(Format::Broker, 10, Profile::Small, 7) };
    let mut archive = Vec::new();
    generate::write(&options, &mut archive).unwrap();
    fs::write(dir.path().join("a.zip"), archive).unwrap();
    let by = |more: &str| {
        let config = MINIMAL.replace("\"prefill\"", "\"broker\"");
        fs::write(dir.path().join("sluse.toml"), format!("{config}{more}")).unwrap();
        check(dir.path(), "a.zip", &[])
    };
    let (code, receipt, errors) = by("");
    assert_eq!((code, count(&receipt, "items"), count(&receipt, "refused")), (Some(1), 10, 2), "{errors}");
    assert_valid(&receipt);
    let (code, receipt, errors) = by("\n[broker]\nrights = \"register\"\n");
    assert_eq!(code, Some(1), "{errors}");
    assert!(receipt.contains("RT-201"), "{receipt}");
}

#[test]
fn what_the_route_asks_for_is_written_to_a_folder() {
    let dir = folder("receipts = { html = 'nb', csv = true, file_name = '{stem}.{kind}.{id}.{ext}' }");
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let answers = dir.path().join("answers");
    let (code, names, errors) = check(dir.path(), "mixed.xml", &["--out", answers.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{errors}");
    let mut kinds: Vec<String> = fs::read_dir(&answers)
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(names.contains(&name), "{names}");
            let parts: Vec<_> = name.split('.').collect();
            format!("{}.{}.{}", parts[0], parts[1], parts[3])
        })
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["mixed.final.csv", "mixed.final.html", "mixed.final.xml", "mixed.rest.xml"]);
}

#[test]
fn what_cannot_be_rehearsed_is_said() {
    let second =
        "[route.other]\npartner = 'etat'\nformat = 'prefill'\nreceiver = 'files'\ninbox = 'b'\ntest = 'b-test'\n";
    let dir = folder(second);
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let (code, _, errors) = check(dir.path(), "good.xml", &[]);
    assert!(code == Some(2) && errors.contains("give --dir or --route: b-test, test"), "{errors}");
    for more in [["--dir", "b-test"], ["--dir", "/b/"], ["--route", "other"]] {
        assert_eq!(check(dir.path(), "good.xml", &more).0, Some(0), "{more:?}");
    }
    let (code, _, errors) = check(dir.path(), "good.xml", &["--route", "third"]);
    assert!(code == Some(2) && errors.contains("has no route third"), "{errors}");
    let (code, _, errors) = check(dir.path(), "missing.xml", &["--dir", "test"]);
    assert!(code == Some(2) && errors.contains("missing.xml"), "{errors}");
    let (code, receipt, _) = check(dir.path(), "good.xml", &["--dir", "elsewhere"]);
    assert!(code == Some(1) && receipt.contains("<ReceiptCode>RT-101</ReceiptCode>"), "{receipt}");
    fs::write(dir.path().join("sluse.toml"), "data_dir = 7").unwrap();
    assert_eq!(check(dir.path(), "good.xml", &[]).0, Some(78));
}
