//! What a route asks for beside the receipt: names, a page, a list, a signature, another format.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use sluse::generate::Profile;
use sluse::receipt::{PublicKey, SUMMARY_SCHEMA};

use crate::support::batch::generated;
use crate::support::gateway::{Gateway, Home, PATIENCE, Receiver, Settings, VERIFYING_KEY, simulator};
use crate::support::receipts::{assert_valid, assert_valid_by, count};

/// A home whose route leads to a directory and answers as told.
async fn home(receipts: &str) -> Home {
    home_of(format!("receipts = {{ {receipts} }}")).await
}

/// The same, with what else the route's table says.
async fn home_of(route: String) -> Home {
    Home::with(simulator().await, &Settings { route, receiver: Receiver::Directory, ..Settings::default() })
}

/// Drops a file in a directory and waits for so many files in `/receipts`; they are also written to the folder.
async fn answers(home: &Home, dir: &str, bytes: &[u8], files: usize) -> BTreeMap<String, String> {
    let client = home.connect().await.unwrap();
    client.put(&format!("/{dir}/nightly.xml"), &mut &*bytes).await.unwrap();
    let begun = std::time::Instant::now();
    loop {
        let entries = client.list("/receipts").await.unwrap();
        if entries.len() >= files {
            assert_eq!(entries.len(), files, "{entries:?}");
            let mut all = BTreeMap::new();
            for entry in entries {
                let mut bytes = Vec::new();
                client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.unwrap();
                fs::write(home.path(&entry.name), &bytes).unwrap();
                all.insert(entry.name, String::from_utf8(bytes).unwrap());
            }
            return all;
        }
        assert!(begun.elapsed() < PATIENCE, "{entries:?}\n{}", home.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn ending<'a>(answers: &'a BTreeMap<String, String>, end: &str) -> (&'a str, &'a str) {
    let (name, text) =
        answers.iter().find(|(name, _)| name.ends_with(end)).unwrap_or_else(|| panic!("{end}: {:?}", answers.keys()));
    (name, text)
}

fn sluse(home: &Home, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluse"));
    let output = command.args(args).current_dir(home.path(".")).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn page_list_and_signatures_come_with_the_final_receipt() {
    let home = home(
        "html = 'nn', csv = true, file_name = '{date}_{stem}_{id}_{kind}.{ext}', signing_key_file = 'receipts.pem'",
    )
    .await;
    let gateway = home.start(None);
    let batch = generated(30, Profile::Small, "20%", 71);
    // accepted, rest, final, two signatures, page, list
    let answers = answers(&home, "inbox", &batch.bytes, 7).await;
    let (name, receipt) = ending(&answers, "_final.xml");
    assert_valid(receipt);
    assert!(name.contains("_nightly_") && name.starts_with("20"), "{name}");
    let (_, page) = ending(&answers, "_final.html");
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"nn\">") && page.contains("Noko er ikkje levert"), "{page}");
    let (_, list) = ending(&answers, "_final.csv");
    assert_eq!(list.lines().count() as u64, 1 + batch.items);
    let delivered = list.lines().filter(|line| line.contains(",OK,FW-000,")).count() as u64;
    // Without rows for services the route takes every service: one of the mistakes is none here.
    assert_eq!((delivered, count(receipt, "delivered")), (batch.right + 1, batch.right + 1));
    let (rest_name, _) = ending(&answers, "_rest.xml");
    assert!(receipt.contains(&format!("<RestFile>{rest_name}</RestFile>")), "{receipt}");
    assert!(receipt.contains("<FindingGroup code="), "{receipt}");
    for kind in ["accepted", "final"] {
        let (_, receipt) = ending(&answers, &format!("_{kind}.xml"));
        let (_, signature) = ending(&answers, &format!("_{kind}.xml.sig"));
        let sha256 =
            <[u8; 32]>::try_from(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, receipt.as_bytes()).as_ref())
                .unwrap();
        assert_eq!(PublicKey::from_pem(VERIFYING_KEY).unwrap().check(&sha256, signature.as_bytes()), Ok(()));
    }
    verified(&home, gateway, name);
}

/// Verifies a receipt on the command line, beside the running gateway and after it.
fn verified(home: &Home, gateway: Gateway, name: &str) {
    for _ in 0..2 {
        let (code, text) = sluse(home, &["receipt", "verify", name, "--config", "sluse.toml"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("the ledger: placed") && text.contains("the signature: holds"), "{text}");
    }
    gateway.terminate();
    let (code, text) = sluse(home, &["receipt", "verify", name, "--config", "sluse.toml", "--key", "receipts.pub"]);
    assert_eq!(code, 0, "{text}");
    let changed = fs::read_to_string(home.path(name)).unwrap().replace("FW-000", "FW-201");
    fs::write(home.path("changed.xml"), changed).unwrap();
    fs::copy(home.path(&format!("{name}.sig")), home.path("changed.xml.sig")).unwrap();
    let (code, text) = sluse(home, &["receipt", "verify", "changed.xml", "--config", "sluse.toml"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("was not placed") && text.contains("was changed"), "{text}");
    let (code, text) = sluse(home, &["receipt", "show", name, "--language", "nb", "--all"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Noe er ikke levert") && text.contains("FW-000"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_answers_in_the_routes_format() {
    let home = home("format = 'summary', html = 'en'").await;
    let _gateway = home.start(None);
    let batch = generated(10, Profile::Medium, "20%", 72);
    let answers = answers(&home, "test", &batch.bytes, 4).await;
    let (_, summary) = ending(&answers, ".final.xml");
    assert_valid_by(SUMMARY_SCHEMA, summary);
    assert!(summary.contains("outcome=\"partly-approved\" rehearsal=\"true\""), "{summary}");
    let approved = format!("<Count items=\"{}\" approved=\"{}\"", batch.items, batch.right);
    assert!(summary.contains(&approved), "{summary}");
    let (_, page) = ending(&answers, ".final.html");
    assert!(page.contains("The rehearsal found errors; nothing was sent"), "{page}");
    assert_valid_by(SUMMARY_SCHEMA, ending(&answers, ".accepted.xml").1);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_errors_are_one_line_however_few_are_kept_one_by_one() {
    let home = home_of("max_findings = 5".to_owned()).await;
    let _gateway = home.start(None);
    let batch = generated(300, Profile::Small, "0%", 74);
    let wrong = batch.text().replace("<ValidFrom>2026-01-01<", "<ValidFrom>i dag<");
    // accepted, rest, final
    let answers = answers(&home, "inbox", wrong.as_bytes(), 3).await;
    let (_, receipt) = ending(&answers, ".final.xml");
    assert_valid(receipt);
    assert_eq!((count(receipt, "refused"), count(receipt, "findings")), (300, 300));
    assert_eq!((receipt.matches("<Finding ").count(), receipt.matches("<FindingGroup ").count()), (5, 1));
    assert!(receipt.contains("path=\"/ServiceOwner/Prefill/Reportee/FormTask/ValidFrom\" count=\"300\">"), "{receipt}");
    assert_eq!(receipt.matches("<Place ").count(), 100);
    assert!(receipt.contains(" item=\"100\"/>") && !receipt.contains("<OtherFindings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn online_results_answer_a_good_file() {
    let home = home("format = 'online-batch-receipt'").await;
    let _gateway = home.start(None);
    let batch = generated(3, Profile::Small, "0%", 73);
    let answers = answers(&home, "inbox", &batch.bytes, 2).await;
    for kind in [".accepted.xml", ".final.xml"] {
        let (_, result) = ending(&answers, kind);
        assert!(result.contains("<OnlineBatchReceipt><Result resultCode=\"OK\">"), "{result}");
    }
}
