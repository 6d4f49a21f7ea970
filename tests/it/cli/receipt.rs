//! `sluse receipt`, on files as they are; with a gateway's ledger it is tried in `end_to_end/answers.rs`.

use std::path::PathBuf;

use super::{sluse, text};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/receipt").join(name)
}

fn show(name: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut args = vec!["receipt".into(), "show".into(), fixture(name).into_os_string()];
    args.extend(more.iter().map(Into::into));
    let output = sluse(args, b"", &[]);
    (output.status.code(), text(&[output.stdout, output.stderr].concat()))
}

#[test]
fn a_receipt_is_told_in_words() {
    let (code, told) = show("final.xml", &[]);
    assert_eq!(code, Some(0), "{told}");
    for part in [
        "Some items were not delivered\n",
        "/inbox/nattkjøring \"7\".xml",
        "XS-107 2000000 times: A value is not of its type: the value is not of type date\n",
        "/ServiceOwner/Prefill/Reportee/FormTask/ValidFrom 21:20 41:20",
        "There are also errors of other kinds: 6\n",
        "4 PRE-2026-4 FW-201 The receiver refused the item. (Line 80)",
        "drop it again: nattkjøring.rest.xml",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(!told.contains("PRE-2026-1 "), "{told}");
    assert!(show("final.xml", &["--all"]).1.contains("1 PRE-2026-1 FW-000 The receiver has it. (Line 20)"));
    let (_, nynorsk) = show("final.xml", &["--language", "nn"]);
    assert!(nynorsk.contains("Noko er ikkje levert") && nynorsk.contains("Mottakaren avviste elementet."), "{nynorsk}");
    let (_, news) = show("supplement.xml", &["--language", "nb"]);
    assert!(
        news.contains("Noe gikk galt etter leveringen") && news.contains("LN-001 Det er lest. 2026-12-01T07:30"),
        "{news}"
    );
    assert!(show("refused.xml", &[]).1.starts_with("The shipment was refused\nXM-103 "));
    assert!(show("accepted.xml", &[]).1.starts_with("The file is received\n"));
}

#[test]
fn other_files_are_no_receipts() {
    for name in ["final.csv", "final.summary.xml", "final.nb.html", "gone.xml"] {
        let (code, told) = show(name, &[]);
        assert!(code == Some(2) && told.contains(name), "{told}");
    }
    let args = ["receipt".into(), "verify".into(), fixture("final.xml").into_os_string()];
    let output = sluse(args, b"", &[]);
    assert_eq!((output.status.code(), text(&output.stderr).contains("give --config, --key or both")), (Some(2), true));
}
