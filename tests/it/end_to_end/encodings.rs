//! Batches in other encodings than UTF-8: items go out in UTF-8, the rest goes back as the sender writes.

use std::fs;

use sluse::generate::Profile;
use sluse::model::Code;
use sluse::simulator::PartFacts;
use uuid::Uuid;

use super::{dropped, read_rest};
use crate::support::batch::{contents, generated};
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::judged::judged;
use crate::support::receipts::{code, count};

/// Letters that every one of the encodings writes otherwise.
const LETTERS: &str = "Blåbærsyltetøy ÆØÅ";

/// A generated batch with letters in it, and how many of its items are right.
fn batch(encoding: &str, seed: u64) -> (String, u64) {
    let batch = generated(30, Profile::Medium, "20%", seed);
    let text = batch.text().replace("<SendersReference>", &format!("<SendersReference>{LETTERS} "));
    let judgement = judged(text.as_bytes(), &[]).judgement;
    let text = text.replacen("encoding=\"utf-8\"", &format!("encoding=\"{encoding}\""), 1);
    (text, judgement.items_total - judgement.items_refused)
}

async fn delivered(bytes: &[u8], right: u64) -> Vec<u8> {
    let home = Home::with(simulator().await, &Settings { receiver: Receiver::Directory, ..Settings::default() });
    let _gateway = home.start(None);
    let receipt = dropped(&home, "a.xml", bytes).await;
    assert_eq!((code(&receipt), count(&receipt, "delivered")), ("", right), "{receipt}");
    assert!(contents(&receipt, "RestFile").len() == 1 && receipt.contains(LETTERS), "{receipt}");
    let items: Vec<_> = fs::read_dir(home.path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(items.len() as u64, right);
    for item in items {
        let item = fs::read(item).unwrap();
        let text = std::str::from_utf8(&item).unwrap();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>") && text.contains(LETTERS), "{text}");
        let judgement = judged(&item, &[]).judgement;
        assert_eq!((judgement.findings_total, judgement.items_total), (0, 1), "{text}");
    }
    read_rest(&home, "a.xml").await
}

#[tokio::test(flavor = "multi_thread")]
async fn altinn_gets_the_same_forms_from_every_encoding() {
    let (text, _) = batch("utf-8", 43);
    let text = text.replace("<FormData><![CDATA[", &format!("<FormData><![CDATA[<!-- {LETTERS} -->"));
    let in_utf_8 = forms(text.as_bytes()).await;
    assert!(in_utf_8.len() > 20);
    let latin = text.replacen("utf-8", "windows-1252", 1);
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(forms(&latin).await, in_utf_8);
    let wide = text.replacen("utf-8", "utf-16", 1);
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(forms(&wide).await, in_utf_8);
}

/// What Altinn holds of a batch's forms, in an order of their own.
async fn forms(bytes: &[u8]) -> Vec<String> {
    let home = Home::new(simulator().await, "");
    let _gateway = home.start(None);
    dropped(&home, "a.xml", bytes).await;
    let parts = home.simulator.instances().into_iter().flat_map(|instance| instance.parts);
    // Altinn's ids of them are others each time.
    let parts = parts.map(|part| PartFacts { id: Uuid::nil(), ..part });
    let mut parts: Vec<String> = parts.map(|part| format!("{part:?}")).collect();
    parts.sort();
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_utf_16_is_delivered() {
    let (text, right) = batch("UTF-16", 41);
    let bytes: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rest = delivered(&bytes, right).await;
    let units: Vec<u16> = rest.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(
        text.starts_with("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?>") && text.contains(LETTERS),
        "{text}"
    );
    let judged = judged(&rest, &[]);
    assert_eq!((judged.judgement.refusal, judged.judgement.items_refused), (None::<Code>, 30 - right), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_iso_8859_1_is_delivered() {
    let (text, right) = batch("ISO-8859-1", 42);
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let rest = delivered(&bytes, right).await;
    let text: String = rest.iter().copied().map(char::from).collect();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>") && text.contains(LETTERS), "{text}");
    let judged = judged(&rest, &[]);
    assert_eq!((judged.judgement.refusal, judged.judgement.items_refused), (None::<Code>, 30 - right), "{text}");
}
