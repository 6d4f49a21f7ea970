//! Archives to Altinn 3 Broker: what is refused when they are judged, and what becomes of those that go.

use sluse::codes;
use sluse::generate::{Format, Options, Profile};
use sluse::model::{FormatName, Route, ServiceRow, TransferContent, TransferTarget};

use super::dropped::dropped;
use super::*;
use crate::support::batch::written;
use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::judged::prefill_route;
use crate::support::receipts::{code, count, item_codes, news};

fn route(content: TransferContent) -> Route {
    let target = TransferTarget { resource: "r".into(), content, is_scanned: true };
    let mut route = prefill_route();
    let row = ServiceRow {
        code: "4752".into(),
        edition: None,
        app: None,
        message: None,
        transfer: Some(target),
        schemas: Vec::new(),
    };
    (route.format, route.sender_name, route.services.rows) = (FormatName::Broker, None, vec![row]);
    route
}

fn judged_for(content: TransferContent, archive: &Archive) -> Judged {
    let routes = [route(content)];
    judged_by(&InMemory(archive.bytes()), &Judging { routes: &routes, ..judging() })
}

fn with_manifest(manifest: &str) -> Archive {
    let mut archive = shipment([Entry::stored("a.txt", b"a")]);
    archive.entries[0] = Entry::deflated("manifest.xml", manifest.as_bytes());
    archive
}

fn properties(list: &[(&str, &str)]) -> String {
    let property = |(key, value): &(&str, &str)| {
        format!("<Property><PropertyKey>{key}</PropertyKey><PropertyValue>{value}</PropertyValue></Property>")
    };
    manifest(&format!("<PropertyList>{}</PropertyList>", list.iter().map(property).collect::<String>()))
}

#[test]
fn a_person_among_the_recipients_is_refused_with_his_place() {
    let judged = judged_for(TransferContent::Archive, &shipment([]));
    assert_eq!((judged.refusal(), judged.codes()), (None, vec![codes::ORGANISATIONS_ONLY.0]));
    let place = judged.findings[0].place.as_ref().unwrap();
    assert_eq!(place.path, "recipients.xml:/BrokerServiceRecipientList/Recipient[3]/PartyNumber");
    let refused: Vec<_> = judged.items.iter().map(|item| item.refused).collect();
    assert_eq!(refused, [None, None, Some(codes::ORGANISATIONS_ONLY)]);
    // Elsewhere persons are recipients as others.
    assert_eq!(super::judged(&shipment([]).bytes()).codes(), Vec::<&str>::new());
}

#[test]
fn what_does_not_fit_a_transfer_refuses_the_shipment() {
    let person = manifest("").replace(SENDER, RECIPIENTS[2]);
    let long = "x".repeat(3_000);
    let many: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "v")).collect();
    for (manifest, expected) in [
        (manifest(""), None),
        (properties(&many[..10]), None),
        (properties(&[("k", &"æ".repeat(3_000))]), None),
        (person, Some(codes::ORGANISATIONS_ONLY)),
        (properties(&many), Some(codes::PROPERTIES_DO_NOT_FIT)),
        (properties(&[("k", &format!("{long}x"))]), Some(codes::PROPERTIES_DO_NOT_FIT)),
        (properties(&[("k", &long.repeat(20))]), Some(codes::PROPERTIES_DO_NOT_FIT)),
        (properties(&[(&long, "v")]), Some(codes::PROPERTIES_DO_NOT_FIT)),
        (properties(&[("k", "v"), ("k", "w")]), Some(codes::PROPERTIES_DO_NOT_FIT)),
    ] {
        let judged = judged_for(TransferContent::Archive, &with_manifest(&manifest));
        assert_eq!(judged.judgement.refusal, expected, "{:?}", judged.findings);
        assert!(judged.findings.iter().all(|finding| !finding.text.contains("xxx")), "no value of the document");
    }
}

#[test]
fn a_payload_that_goes_alone_is_one_file_that_can_be_unpacked() {
    let file = || Entry::deflated("data/report.txt", b"report");
    let folder = Entry::stored("data/", b"");
    let encrypted = Entry { flags: 1, ..Entry::stored("a.txt", b"a") };
    let packed = Entry { method: 93, ..Entry::stored("a.txt", b"a") };
    for (others, is_right) in [
        (vec![file()], true),
        (vec![folder, file()], true),
        (vec![], false),
        (vec![file(), Entry::stored("b.txt", b"b")], false),
        (vec![encrypted], false),
        (vec![packed], false),
    ] {
        let expected = (!is_right).then_some(codes::NO_SINGLE_PAYLOAD);
        let archive = shipment(others);
        assert_eq!(judged_for(TransferContent::Payload, &archive).judgement.refusal, expected);
        assert_eq!(judged_for(TransferContent::Archive, &archive).judgement.refusal, None);
    }
}

async fn home() -> Home {
    let settings = Settings { format: "broker", receiver: Receiver::Broker, ..Settings::default() };
    Home::with(simulator().await, &settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_are_transferred_and_their_fate_is_told() {
    for (profile, seed) in [(Profile::Small, 81), (Profile::Attachment, 82)] {
        let home = home().await;
        let gateway = home.start(None);
        let batch = written(&Options::of(Format::Broker, 13, profile, seed));
        let rehearsed = dropped(&home, "/test/rehearsal.zip", &batch.bytes).await;
        assert_eq!((count(&rehearsed, "refused"), home.simulator.transfer_counts().calls), (10, 0), "{rehearsed}");
        let receipt = dropped(&home, "/inbox/nightly.zip", &batch.bytes).await;
        assert_eq!(item_codes(&receipt), [("FW-000", 3), ("FW-221", 10)].into(), "{receipt}\n{}", home.log());
        let counts = home.simulator.transfer_counts();
        assert_eq!((counts.begun, counts.uploaded, counts.uploaded_items), (3, 3, 3), "{counts:?}");
        assert_eq!(counts.parts > 0, profile == Profile::Attachment, "large ones go in pieces: {counts:?}");
        let transfers = home.simulator.transfers();
        assert!(transfers.iter().all(|transfer| transfer.file_name == "nightly.zip"), "{transfers:?}");
        assert_eq!(transfers[0].properties, [("Tittel".to_owned(), "Årsoppgave".to_owned())]);
        assert!(transfers.iter().all(|transfer| receipt.contains(&transfer.id.to_string())), "{receipt}");

        let (published, next) = news(&home, 1, 3).await;
        assert_eq!(published, [("LN-005".to_owned(), 3)].into());
        // What happens while nobody looks is told after a start.
        gateway.kill();
        for (transfer, status) in transfers.iter().zip(["DownloadConfirmed", "Purged", "Failed"]) {
            assert!(home.simulator.set_transfer_status(transfer.id, status));
        }
        let _gateway = home.start(None);
        let (told, _) = news(&home, next, 3).await;
        assert_eq!(told, ["LN-003", "LN-201", "LN-204"].map(|code| (code.to_owned(), 1)).into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_transferred_by_itself() {
    let home = home().await;
    let _gateway = home.start(None);
    let report = "what they agreed on, ".repeat(3_000);
    let archive = shipment([Entry::deflated("data/rapport å.txt", report.as_bytes())]);
    let receipt = dropped(&home, "/inbox/a.zip", &archive.bytes()).await;
    assert_eq!(item_codes(&receipt), [("FW-000", 2), ("FW-221", 1)].into(), "{receipt}\n{}", home.log());
    let transfers = home.simulator.transfers();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, report.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for transfer in &transfers {
        assert_eq!((transfer.file_name.as_str(), transfer.resource_id.as_str()), ("rapport å.txt", "ttd-nyttelast"));
        assert_eq!(transfer.sha256.as_deref(), Some(hash.as_str()));
    }
    assert_eq!(transfers.len(), 2);
    let refused = dropped(&home, "/inbox/b.zip", &shipment([]).bytes()).await;
    assert_eq!(code(&refused), "FW-223", "{refused}");
    assert!(RECIPIENTS.iter().all(|party| !home.log().contains(party)), "{}", home.log());
}
