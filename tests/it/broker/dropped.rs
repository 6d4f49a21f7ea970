//! Archives dropped on the real gateway: each recipient gets the archive without the list, once, or the receipt says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sluse::generate::{Format, Options, Profile, planted, write};

use super::*;
use crate::support::batch::contents;
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::http_receiver::{Inbox, serve};
use crate::support::receipts::{Receipts, assert_valid, code, count, item_codes};

async fn home(receiver: Receiver, more: &str) -> Home {
    Home::with(
        simulator().await,
        &Settings { format: "broker", more: more.to_owned(), receiver, ..Settings::default() },
    )
}

/// Drops a file and waits for its only final receipt.
pub(super) async fn dropped(home: &Home, path: &str, bytes: &[u8]) -> String {
    let client = home.connect().await.unwrap();
    client.put(path, &mut &*bytes).await.unwrap();
    let name = path.rsplit('/').next().unwrap();
    let receipts = Receipts::wait(home, &[name.to_owned()]).await;
    receipts.assert_one_final_each();
    assert!(receipts.shipments.values().flatten().all(|kind| kind != "rest"), "{receipts:?}");
    let receipt = receipts.final_of(&client, name).await;
    assert_valid(&receipt);
    receipt
}

/// What lies in the receiving directory, by name.
fn received(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(home.path("out")).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// What every recipient gets of it beside his own list, sent when the received one says.
fn without_list(received: &[u8]) -> Archive {
    let text = String::from_utf8_lossy(received);
    let (date, _) = text.split_once("<SentDate>").unwrap().1.split_once("</SentDate>").unwrap();
    assert!(date.parse::<jiff::Timestamp>().is_ok(), "{date}");
    let dated = manifest("").replace("</Reportee>", &format!("</Reportee><SentDate>{date}</SentDate>"));
    let mut entries = with_wrong_recipients().entries;
    entries.splice(..2, [Entry::stored("manifest.xml", dated.as_bytes())]);
    Archive::of(entries)
}

/// Three recipients and two wrong ones.
fn with_wrong_recipients() -> Archive {
    let mut parties = RECIPIENTS.to_vec();
    parties.insert(1, "910000013");
    parties.push(RECIPIENTS[0]);
    Archive::of([
        Entry::deflated("manifest.xml", manifest("").as_bytes()),
        Entry::deflated("recipients.xml", recipients(parties).as_bytes()),
        Entry::deflated("data/report.txt", b"what they agreed on"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_good_recipient_gets_the_archive_with_a_list_of_his_own() {
    let home = home(Receiver::Directory, "").await;
    let _gateway = home.start(None);
    let archive = with_wrong_recipients().bytes();
    let rehearsed = dropped(&home, "/test/rehearsal.zip", &archive).await;
    assert_eq!((count(&rehearsed, "items"), count(&rehearsed, "refused")), (5, 2), "{rehearsed}");
    assert_eq!(received(&home).len(), 0);

    let receipt = dropped(&home, "/inbox/a.zip", &archive).await;
    let counts = ["items", "delivered", "refused", "failed"].map(|name| count(&receipt, name));
    assert_eq!(counts, [5, 3, 2, 0], "{receipt}");
    assert_eq!(item_codes(&receipt), [("FM-103", 1), ("FM-105", 1), ("FW-000", 3)].into(), "{receipt}");
    assert!(receipt.contains("recipients.xml:/BrokerServiceRecipientList/Recipient[2]/PartyNumber"), "{receipt}");
    assert!(receipt.contains(">S-1<"), "{receipt}");
    assert!(receipt.contains("kind=\"Recipient\""), "{receipt}");

    let received_files = received(&home);
    let mut parties = BTreeSet::new();
    for (name, bytes) in received_files.iter().filter(|(name, _)| name.ends_with(".zip")) {
        let party = addressee(bytes);
        assert_delivery(bytes, &without_list(bytes), &party);
        // A person's number stands in the archive and nowhere else.
        let beside = received_files.get(&name.replace(".zip", ".recipient")).map(Vec::as_slice);
        assert_eq!(beside, Some(party.as_bytes()).filter(|party| party.len() == 9));
        parties.insert(party);
    }
    assert_eq!(parties, RECIPIENTS.map(str::to_owned).into());
    assert_eq!(received_files.len(), 5);

    let again = dropped(&home, "/inbox/again.zip", &archive).await;
    assert_eq!(code(&again), "FM-201", "{again}");
    assert_eq!(received(&home), received_files);
    assert!(RECIPIENTS.iter().all(|party| !home.log().contains(party)), "{}", home.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_receiver_is_told_the_recipient() {
    let inbox = Inbox::default();
    let home = home(Receiver::Http(serve(inbox.clone()).await), "").await;
    let _gateway = home.start(None);
    let receipt = dropped(&home, "/inbox/a.zip", &with_wrong_recipients().bytes()).await;
    assert_eq!(count(&receipt, "delivered"), 3, "{receipt}");
    let taken = inbox.taken.lock().unwrap();
    for (headers, body) in taken.values() {
        assert_eq!(headers["content-type"], "application/zip");
        let party = addressee(body);
        assert_delivery(body, &without_list(body), &party);
        // Servers log headers.
        let told = headers.get("x-sluse-recipient").map(|told| told.to_str().unwrap());
        assert_eq!(told, Some(party.as_str()).filter(|party| party.len() == 9));
    }
    let parties: BTreeSet<String> = taken.values().map(|(_, body)| addressee(body)).collect();
    assert_eq!(parties, RECIPIENTS.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_generated_archive_the_receipt_names_the_planted_recipients_and_no_others() {
    for (profile, seed) in [(Profile::Small, 71), (Profile::Attachment, 72)] {
        let home = home(Receiver::Directory, "").await;
        let _gateway = home.start(None);
        let options = Options { errors: "10%".parse().unwrap(), ..Options::of(Format::Broker, 120, profile, seed) };
        let mut archive = Vec::new();
        write(&options, &mut archive).unwrap();
        let receipt = dropped(&home, "/inbox/a.zip", &archive).await;
        let mistakes: BTreeSet<u64> = planted(&options).map(|(item, _)| item).collect();
        assert_eq!((mistakes.len(), count(&receipt, "delivered")), (12, 108), "{receipt}");
        let told = receipt.split("<SubReceipt ").skip(1).filter(|told| !told.contains("<ReceiptStatus>OK<"));
        let number = |told: &str| told.split_once("number=\"")?.1.split_once('"')?.0.parse().ok();
        assert_eq!(told.map(|told| number(told).unwrap()).collect::<BTreeSet<u64>>(), mistakes, "{receipt}");
        let got: Vec<String> = received(&home)
            .into_iter()
            .filter(|(name, _)| name.ends_with(".zip"))
            .map(|(_, bytes)| addressee(&bytes))
            .collect();
        assert_eq!((got.len(), got.iter().collect::<BTreeSet<_>>().len()), (108, 108));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_of_rights_is_asked() {
    let right =
        |party: &str, right: &str| format!("[[right]]\nservice = \"4752\"\nparty = \"{party}\"\nright = \"{right}\"\n");
    let reads = right(RECIPIENTS[0], "read");
    let home_with = home(Receiver::Directory, &(right(SENDER, "write") + &reads)).await;
    let _gateway = home_with.start(None);
    let receipt = dropped(&home_with, "/inbox/a.zip", &shipment([]).bytes()).await;
    assert_eq!(item_codes(&receipt), [("FW-000", 1), ("RT-202", 2)].into(), "{receipt}");

    let home_without = home(Receiver::Directory, &reads).await;
    let _gateway = home_without.start(None);
    let receipt = dropped(&home_without, "/inbox/a.zip", &shipment([]).bytes()).await;
    assert_eq!((code(&receipt), received(&home_without).len()), ("RT-201", 0), "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_what_is_no_archive_get_one_final_receipt_each() {
    let home = home(Receiver::Directory, "").await;
    let _gateway = home.start(None);
    let bomb = shipment([Entry::deflated("zeros", &vec![0; 20 << 20])]).bytes();
    for (path, bytes, expected) in [
        ("/inbox/bomb.zip", bomb.as_slice(), "ZP-203"),
        ("/inbox/cut.zip", &bomb[..bomb.len() / 2], "ZP-102"),
        ("/inbox/batch.xml", b"<ServiceOwner/>", "ZP-101"),
    ] {
        let receipt = dropped(&home, path, bytes).await;
        assert_eq!(code(&receipt), expected, "{receipt}");
    }
    assert_eq!(received(&home).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_two_formats_takes_archives_by_how_they_begin() {
    let also = "[route.archives]\npartner = \"etat\"\nformat = \"broker\"\nreceiver = \"directory\"\n";
    let settings = Settings { more: also.to_owned(), receiver: Receiver::Directory, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let _gateway = home.start(None);
    let batch = crate::support::batch::generated(4, Profile::Small, "0", 51);
    let receipt = dropped(&home, "/inbox/a.xml", &batch.bytes).await;
    assert_eq!(count(&receipt, "delivered"), 4, "{receipt}");
    let mut archive = Vec::new();
    write(&Options::of(Format::Broker, 4, Profile::Small, 51), &mut archive).unwrap();
    let receipt = dropped(&home, "/inbox/a.zip", &archive).await;
    assert_eq!((count(&receipt, "delivered"), contents(&receipt, "RestFile").len()), (4, 0), "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_route_for_archives_one_is_no_batch() {
    let settings = Settings { receiver: Receiver::Directory, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let _gateway = home.start(None);
    let receipt = dropped(&home, "/inbox/a.zip", &shipment([]).bytes()).await;
    assert!(code(&receipt).starts_with("XM-"), "{receipt}");
}
