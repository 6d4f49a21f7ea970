//! Batches of formats that the configuration describes.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use sluse::codes;
use sluse::formats;
use sluse::model::{FormatName, GenericFormat, Route, ServiceTable};

use crate::support::gateway::{Home, Receiver, Settings, simulator};
use crate::support::judged::{judged, judging, prefill_route};
use crate::support::receipts::{Receipts, assert_valid};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/generic").join(name)
}

fn grants() -> GenericFormat {
    let text = |text: &str| Some(text.to_owned());
    GenericFormat {
        name: "grants".into(),
        schemas: vec![fixture("grants.xsd")],
        item: "/Grants/Month/Lines/Line".into(),
        reference: text("@ref"),
        sender: text("/Grants/Office"),
        shipment_reference: text("/Grants/Delivery"),
        count: text("/Grants/@lines"),
        ..GenericFormat::default()
    }
}

/// The route that the fixtures are written for.
pub(crate) fn grants_route() -> Route {
    route(grants())
}

/// A route of a description that was taken.
fn route(format: GenericFormat) -> Route {
    formats::describe(&format).unwrap();
    Route {
        format: FormatName::Generic,
        described: Some(Arc::new(format)),
        sender_name: None,
        services: ServiceTable { any: true, ..ServiceTable::default() },
        ..prefill_route()
    }
}

#[test]
fn a_described_batch_is_judged_and_cut() {
    let bytes = fs::read(fixture("invalid/faulty-lines.xml")).unwrap();
    let routes = [route(grants())];
    let whole = judged(&bytes, &routes);
    assert_eq!(whole.judgement.format, Some(FormatName::Generic));
    let refused: Vec<_> = whole.items.iter().map(|item| item.refused).collect();
    assert_eq!(refused, [None, None, Some(codes::BAD_VALUE), Some(codes::NO_REFERENCE), None]);
    let envelope = whole.judgement.envelope.as_ref().unwrap();
    assert_eq!((envelope.sender_name.as_str(), envelope.parts[0].reference.as_str()), ("Grants office", "D0001"));
    crate::split::check(bytes.clone(), &routes);
    let wrong = String::from_utf8(bytes).unwrap().replace("lines=\"5\"", "lines=\"6\"");
    assert_eq!(judged(wrong.as_bytes(), &routes).judgement.refusal, Some(codes::COUNT_MISMATCH));
}

#[test]
fn items_without_any_reference_have_keys_of_their_shipment() {
    let bytes = fs::read(fixture("invalid/faulty-lines.xml")).unwrap();
    let plain = GenericFormat { reference: None, shipment_reference: None, ..grants() };
    let routes = [route(GenericFormat { name: "plain".into(), ..plain })];
    let of = |shipment| {
        let judging = sluse::validate::Judging { shipment, ..judging(&bytes, &routes) };
        let judged = crate::support::judged::judged_by(&bytes, &judging, usize::MAX);
        judged.items.iter().map(|item| item.key).collect::<Vec<_>>()
    };
    assert_eq!(of("1"), of("1"));
    assert!(of("1").iter().all(|key| !of("2").contains(key)));
}

#[test]
fn descriptions_that_cannot_be_kept_are_refused() {
    let text = |text: &str| Some(text.to_owned());
    let faults = |format: GenericFormat| {
        let faults = formats::describe(&format).unwrap_err();
        faults.into_iter().map(|fault| (fault.key, fault.text)).collect::<Vec<_>>()
    };
    for (format, key, part) in [
        (GenericFormat { item: "Line".into(), ..grants() }, "item", "must be a path"),
        (GenericFormat { item: "/Grants/No".into(), ..grants() }, "item", "no element at"),
        (GenericFormat { item: "/Other/Line".into(), ..grants() }, "item", "no document root"),
        (GenericFormat { item: "/Grants/Month/Name".into(), ..grants() }, "item", "may ask for more"),
        (GenericFormat { reference: text("@no"), ..grants() }, "reference", "@no"),
        (GenericFormat { reference: text("/Line"), ..grants() }, "reference", "below the item"),
        (GenericFormat { sender: text("/Grants/Month/Name"), ..grants() }, "sender", "may repeat"),
        (GenericFormat { sender: text("/Grants"), ..grants() }, "sender", "no simple value"),
        (GenericFormat { count: text("/Grants/Delivery"), ..grants() }, "count", "every number"),
        (GenericFormat { service_edition: text("Receiver"), ..grants() }, "service_edition", "service_code"),
        (GenericFormat { schemas: vec![fixture("absent.xsd")], ..grants() }, "schema", "absent.xsd"),
    ] {
        let found = faults(format);
        assert!(found.iter().any(|(own, text)| *own == key && text.contains(part)), "{key} {part}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_described_batch_goes_through_the_gateway() {
    let described = format!(
        "[format.grants]\nschema = [\"{}\"]\nitem = \"/Grants/Month/Lines/Line\"\nreference = \"@ref\"\n\
         sender = \"/Grants/Office\"\nshipment_reference = \"/Grants/Delivery\"\ncount = \"/Grants/@lines\"\n\
         [route.grants]\npartner = \"etat\"\nformat = \"grants\"\nreceiver = \"directory\"\n",
        fixture("grants.xsd").display()
    );
    let settings = Settings { route: described, receiver: Receiver::Directory, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let _gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let bytes = fs::read(fixture("invalid/faulty-lines.xml")).unwrap();
    client.put("/inbox/grants.xml", &mut &*bytes).await.unwrap();
    let receipts = Receipts::wait(&home, &["grants.xml".to_owned()]).await;
    let receipt = receipts.final_of(&client, "grants.xml").await;
    assert_valid(&receipt);
    assert_eq!(receipt.matches("kind=\"Item\"").count(), 5, "{receipt}");
    let out: Vec<_> = fs::read_dir(home.path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(out.len(), 3, "{}", home.log());
    for path in out {
        let one = judged(&fs::read(path).unwrap(), &[route(grants())]);
        assert_eq!((one.judgement.refusal, one.items.len(), one.findings.len()), (None, 1, 0));
    }
}
