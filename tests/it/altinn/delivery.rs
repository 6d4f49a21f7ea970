//! What an item looks like when it arrives.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::civil::date;
use sluse::adapters::altinn::AppReceiver;
use sluse::codes;
use sluse::model::{Code, ItemKind, Service};
use sluse::ports::{Consignment, Content, DeliveryError, Receiver, SystemClock};

use super::setup::{attachment, form, item, receiver, services, settings, simulator};

#[tokio::test]
async fn an_item_arrives_as_an_instance_with_all_it_had() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    let mut item = item(1);
    item.receivers_reference = "given".into();
    item.identifying_fields = vec!["2026".into(), "Q4".into()];
    item.valid_from = Some(date(2199, 7, 1));
    item.parts.push(attachment("C:\\brev\\vedlegg.pdf", Content::from_bytes("%PDF")));

    let delivered = receiver.deliver(&item).await.unwrap();

    let instances = simulator.instances();
    let instance = &instances[0];
    assert_eq!(delivered.receivers_reference, instance.id);
    assert_eq!(instance.app_id, "ttd/skjema");
    assert_eq!(instance.visible_after.unwrap().to_string(), "2199-06-30T22:00:00Z");
    let values: Vec<_> = instance.data_values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let key = item.key.to_string();
    assert_eq!(
        values,
        [
            ("ExternalShipmentReference", "SHIP-1"),
            ("IdentifyingFields", "2026, Q4"),
            ("ReceiversReference", "given"),
            ("SendersReference", "ft-1"),
            ("SluseItemKey", key.as_str()),
        ]
    );
    let parts: Vec<_> = instance
        .parts
        .iter()
        .map(|part| (part.name.as_str(), part.content_type.as_str(), part.file_name.as_deref(), part.size_bytes))
        .collect();
    assert_eq!(parts, [("model", "application/xml", None, 9), ("vedlegg", "application/pdf", Some("vedlegg.pdf"), 4)]);
    assert_eq!(simulator.effects().distinct, 1);
}

#[tokio::test]
async fn what_is_valid_already_is_shown_at_once() {
    let simulator = simulator().await;
    let mut item = item(1);
    item.valid_from = Some(date(2020, 1, 1));
    receiver(&simulator).deliver(&item).await.unwrap();
    let instance = simulator.instances().remove(0);
    assert_eq!(instance.visible_after, None);
    assert!(!instance.data_values.contains_key("ReceiversReference"));
    assert!(!instance.data_values.contains_key("IdentifyingFields"));
}

#[tokio::test]
async fn what_the_route_cannot_take_is_refused_unsent() {
    let simulator = simulator().await;
    let refused = async |receiver: &AppReceiver, item: &Consignment| -> Code {
        match receiver.deliver(item).await {
            Err(DeliveryError::Refused { code }) => code,
            other => panic!("{other:?}"),
        }
    };
    let here = receiver(&simulator);
    for kind in [ItemKind::Field, ItemKind::Subscription] {
        assert_eq!(refused(&here, &Consignment { kind, ..item(1) }).await, codes::NO_RECEIVER_FOR_KIND);
    }
    let service = Some(Service { code: "XYZ".into(), edition: "1".into() });
    assert_eq!(refused(&here, &Consignment { service, ..item(1) }).await, codes::UNKNOWN_SERVICE);
    let parts = vec![form("6", "<Skjema/>")];
    assert_eq!(refused(&here, &Consignment { parts, ..item(1) }).await, codes::UNKNOWN_DATA_FORMAT);

    let mut services = services();
    services.rows[0].app.as_mut().unwrap().attachment_type = None;
    let without = AppReceiver::new(settings(simulator.base_url()), services, Arc::new(SystemClock)).unwrap();
    let parts = vec![attachment("a.pdf", Content::from_bytes("x"))];
    assert_eq!(refused(&without, &Consignment { parts, ..item(1) }).await, codes::NO_ATTACHMENTS_TAKEN);
    assert_eq!(simulator.effects().instantiations, 0);
}

/// A chunk that counts itself among the living.
struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_large_attachment_is_never_in_memory_as_a_whole() {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 800;
    let simulator = simulator().await;
    let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counting, peak) = (alive.clone(), most.clone());
    let content = Content::new(move || {
        let (counting, peak) = (counting.clone(), peak.clone());
        stream::iter(0..CHUNKS)
            .map(move |_| {
                peak.fetch_max(counting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                Ok(Bytes::from_owner(Counted { bytes: vec![7; CHUNK], alive: counting.clone() }))
            })
            .boxed()
    });
    let mut item = item(1);
    item.parts.push(attachment("stor.pdf", content));
    receiver(&simulator).deliver(&item).await.unwrap();

    assert_eq!(simulator.instances()[0].parts[1].size_bytes, (CHUNK * CHUNKS) as u64);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 32, "{most} chunks of {CHUNKS} at once");
}

#[tokio::test]
async fn content_that_cannot_be_read_is_told_and_has_no_effect() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    // At once, and after so much that the request is under way.
    for chunks in [0, 100] {
        let content = Content::new(move || {
            let chunks = stream::iter(0..chunks).map(|_| Ok(Bytes::from(vec![0; 64 * 1024])));
            chunks.chain(stream::iter([Err(io::Error::other("gone"))])).boxed()
        });
        let mut item = item(1);
        item.parts.push(attachment("a.pdf", content));
        assert!(matches!(receiver.deliver(&item).await, Err(DeliveryError::Unreadable(_))), "{chunks}");
    }
    assert_eq!(simulator.effects().total, 0);
}
