//! Messages to Altinn 3: sent once, told of on receipts, and followed until they are read.

use sluse::generate::{Format, Options, Profile};
use sluse::simulator::{Simulator, SimulatorOptions};

use super::dropped;
use crate::support::batch::written;
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::receipts::{count, news};

fn settings(format: &'static str) -> Settings {
    Settings { format, receiver: Receiver::Messages, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_sent_and_their_fate_is_told() {
    let home = Home::with(simulator().await, &settings("correspondence"));
    let gateway = home.start(None);
    let options =
        Options { errors: "20%".parse().unwrap(), ..Options::of(Format::Correspondence, 20, Profile::Attachment, 1) };
    let batch = written(&options);
    let receipt = dropped(&home, "letters.xml", &batch.bytes).await;
    assert_eq!(count(&receipt, "delivered"), batch.right, "{receipt}\n{}", home.log());
    assert!(receipt.contains("Parts of the message have no place in Altinn 3: AllowSystemDeleteDateTime"), "{receipt}");
    let counts = home.simulator.message_counts();
    assert_eq!((counts.total, counts.repeated), (batch.right, 0), "{counts:?}");
    assert!(counts.uploads > 0 && counts.attached > 0, "{counts:?}");

    let (published, next) = news(&home, 1, batch.right).await;
    assert_eq!(published, [("LN-005".to_owned(), batch.right)].into());
    // What happens while nobody looks is told after a start.
    gateway.kill();
    let messages = home.simulator.messages();
    assert!(home.simulator.set_message_status(messages[0].id, "Read"));
    assert!(home.simulator.set_message_status(messages[1].id, "Failed"));
    let _gateway = home.start(None);
    let (told, _) = news(&home, next, 2).await;
    assert_eq!(told, [("LN-001".to_owned(), 1), ("LN-201".to_owned(), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_older_format_go_the_same_way() {
    let home = Home::with(simulator().await, &settings("altut"));
    let _gateway = home.start(None);
    let batch = written(&Options::of(Format::AltUt, 12, Profile::Small, 2));
    let receipt = dropped(&home, "altut.xml", &batch.bytes).await;
    assert_eq!(count(&receipt, "delivered"), batch.right, "{receipt}\n{}", home.log());
    let counts = home.simulator.message_counts();
    assert!(counts.total >= batch.right && counts.repeated == 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_who_is_reserved_is_told_with_the_platforms_code() {
    let batch = written(&Options::of(Format::Correspondence, 3, Profile::Small, 3));
    let reserved = crate::support::batch::contents(batch.text(), "Reportee")[1].to_owned();
    let options = SimulatorOptions { reserved_recipients: vec![reserved.clone()], ..SimulatorOptions::default() };
    let simulator = Simulator::start("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let home = Home::with(simulator, &settings("correspondence"));
    let _gateway = home.start(None);
    let receipt = dropped(&home, "letters.xml", &batch.bytes).await;
    assert_eq!((count(&receipt, "delivered"), count(&receipt, "failed")), (2, 1), "{receipt}");
    assert!(receipt.contains("<ReceiptCode>FW-207</ReceiptCode>") && receipt.contains("CORR-01030"), "{receipt}");
    assert!(!receipt.contains(&reserved) && !home.log().contains(&reserved), "nobody's number leaks");
}
