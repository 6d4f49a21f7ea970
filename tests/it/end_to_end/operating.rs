//! What an operator sees and does on the command line, beside the running gateway.

use std::process::Command;

use axum::http::StatusCode;
use serde_json::Value;
use sluse::generate::Profile;

use super::{dropped, final_of};
use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE, Receiver, Settings, simulator};
use crate::support::http_receiver::{Inbox, serve};
use crate::support::receipts::count;

async fn home() -> Home {
    Home::with(simulator().await, &Settings { receiver: Receiver::Directory, ..Settings::default() })
}

fn sluse(home: &Home, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluse"));
    let output = command.args(args).args(["--config", "sluse.toml"]).current_dir(home.path(".")).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

/// The objects that a call answers with, one per line.
fn objects(home: &Home, args: &[&str]) -> Vec<Value> {
    let (code, text) = sluse(home, args);
    assert_eq!(code, 0, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn shipments_are_listed_and_shown_beside_the_gateway() {
    let home = home().await;
    let _gateway = home.start(None);
    let batch = generated(40, Profile::Small, "20%", 75);
    let receipt = dropped(&home, "first.xml", &batch.bytes).await;
    dropped(&home, "second.xml", b"<not-xml").await;

    let listed = objects(&home, &["shipment", "list", "--json"]);
    let said: Vec<_> = listed.iter().map(|line| (line["file"].as_str().unwrap(), &line["stage"])).collect();
    assert_eq!(said, [("/inbox/second.xml", &Value::from("refused")), ("/inbox/first.xml", &Value::from("receipted"))]);
    assert_eq!((&listed[1]["partner"], &listed[1]["open"]), (&Value::from("etat"), &Value::from(0)));
    assert_eq!(objects(&home, &["shipment", "list", "--json", "--limit", "1"]).len(), 1);
    assert!(objects(&home, &["shipment", "list", "--json", "--stage", "open"]).is_empty());
    assert!(objects(&home, &["shipment", "list", "--json", "--partner", "nobody"]).is_empty());

    let id = listed[1]["shipment"].as_str().unwrap();
    let shown = &objects(&home, &["shipment", "show", id, "--json", "--items", "refused", "--items", "delivered"])[0];
    let items = shown["items"].as_array().unwrap();
    assert_eq!(items.len() as u64, batch.items);
    let refused = items.iter().filter(|item| item["state"] == "refused").count() as u64;
    assert_eq!(refused, count(&receipt, "refused"));
    let kinds: Vec<_> = shown["receipts"].as_array().unwrap().iter().map(|file| &file["kind"]).collect();
    assert_eq!(kinds, ["accepted", "rest", "final"]);
    assert_eq!(shown["history"][0]["what"], "claimed");

    let short = id.rsplit('-').next().unwrap();
    let (code, told) = sluse(&home, &["shipment", "show", short, "--items", "refused"]);
    assert_eq!(code, 0, "{told}");
    assert!(!told.contains("ends at"), "it has ended: {told}");
    assert!(told.contains(&format!("shipment  {id}\n")) && told.contains(" refused FM-"), "{told}");
    let (code, table) = sluse(&home, &["shipment", "list"]);
    assert!(code == 0 && table.starts_with("SHIPMENT ") && table.contains(" refused XM-"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_to_two_receivers_is_shown_with_both_and_sent_again_to_one() {
    let inbox = Inbox::default();
    *inbox.answer.lock().unwrap() = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = Home::with(simulator().await, &Settings { receiver, also: "directory", ..Settings::default() });
    let _gateway = home.start(None);
    let receipt = dropped(&home, "a.xml", &generated(3, Profile::Small, "0%", 76).bytes).await;
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (0, 3), "{receipt}");
    let listed = objects(&home, &["shipment", "list", "--json"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let id = listed[0]["shipment"].as_str().unwrap();
    let shown = &objects(&home, &["shipment", "show", id, "--json", "--items", "failed", "--items", "delivered"])[0];
    let of = |line: &Value| (line["receiver"].to_string(), line["state"].to_string());
    let items: Vec<_> = shown["items"].as_array().unwrap().iter().map(of).collect();
    let expected = [("\"http\"", "\"failed\""); 3].into_iter().chain([("\"directory\"", "\"delivered\""); 3]);
    assert_eq!(items, expected.map(|(at, state)| (at.to_owned(), state.to_owned())).collect::<Vec<_>>());
    assert_eq!(shown["receivers"][1]["outcomes"][0]["items"], 3, "{shown}");
    let (_, told) = sluse(&home, &["shipment", "show", id, "--items", "failed"]);
    assert!(told.contains("items at directory\n") && told.contains("\n  1 http "), "{told}");

    *inbox.answer.lock().unwrap() = None;
    let (code, told) = sluse(&home, &["replay", id, "--failed", "--reason", "it takes them now", "--by", "kari"]);
    assert!(code == 0 && told.starts_with("3 items of"), "{told}");
    let begun = std::time::Instant::now();
    while inbox.taken.lock().unwrap().len() < 3 {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(inbox.again.lock().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(home.path("out")).unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_that_is_not_there_is_told_so() {
    let home = home().await;
    let (code, told) = sluse(&home, &["shipment", "list"]);
    assert!(code == 2 && told.contains("ledger.sqlite"), "{told}");
    let _gateway = home.start(None);
    home.connect().await.unwrap();
    for id in ["00000000", "no-id", ""] {
        let (code, told) = sluse(&home, &["shipment", "show", id]);
        assert!(code == 2 && told.contains("there is no shipment"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_is_held_released_and_cancelled_by_hand() {
    let inbox = Inbox::default();
    *inbox.answer.lock().unwrap() = Some(StatusCode::SERVICE_UNAVAILABLE);
    let receiver = Receiver::Http(serve(inbox.clone()).await);
    let home = Home::with(simulator().await, &Settings { receiver, ..Settings::default() });
    let _gateway = home.start(None);
    let client = home.connect().await.unwrap();
    client.put("/inbox/a.xml", &mut &*generated(5, Profile::Small, "0%", 76).bytes).await.unwrap();
    let listed = || objects(&home, &["shipment", "list", "--json", "--stage", "judged"]);
    let begun = std::time::Instant::now();
    while listed().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let id = listed()[0]["shipment"].as_str().unwrap().to_owned();
    let order = |verb: &str, reason: &str| sluse(&home, &["shipment", verb, &id, "--by", "kari", "--reason", reason]);
    let (code, told) = order("hold", " ");
    assert!(code == 2 && told.contains("the reason is empty"), "{told}");
    for (verb, answer) in
        [("hold", "is held;"), ("hold", "is held already"), ("release", "goes on"), ("release", "is not held")]
    {
        let (code, told) = order(verb, "service\ndown");
        assert!(code == 0 && told.contains(answer), "{verb}: {told}");
    }
    let (code, told) = order("cancel", "sent by mistake");
    assert!(code == 0 && told.contains("is cancelled; its final receipt follows"), "{told}");
    let receipt = final_of(&home, "a.xml").await;
    assert_eq!((count(&receipt, "failed"), inbox.taken.lock().unwrap().len()), (5, 0), "{receipt}");
    let replay = |what: &str| sluse(&home, &["replay", &id, what, "--reason", "up again"]);
    let (code, told) = sluse(&home, &["replay", &id, "--reason", "nothing said"]);
    assert!(code == 2 && told.contains("--failed"), "{told}");
    *inbox.answer.lock().unwrap() = None;
    let (code, told) = replay("--failed");
    assert!(code == 0 && told.contains("5 items of"), "{told}");
    let begun = std::time::Instant::now();
    while !sluse(&home, &["shipment", "show", &id]).1.contains("supplement") {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(inbox.taken.lock().unwrap().len(), 5);
    let (code, told) = replay("--failed");
    assert!(code == 2 && (told.contains("no item of") || told.contains("no final receipt yet")), "{told}");
    let (code, told) = order("hold", "too late");
    assert!(code == 2 && told.contains("has its final receipt"), "{told}");
    let (_, told) = sluse(&home, &["shipment", "show", &id]);
    assert!(told.contains("held by kari: service down") && told.contains("5 delivered FW-000"), "{told}");
}
