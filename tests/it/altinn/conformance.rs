//! What every receiver promises, run on each of them.

use bytes::Bytes;
use futures::stream;
use sluse::adapters::directory::DirectoryReceiver;
use sluse::ports::{Content, DeliveryError, Receiver};

use super::letters::{letter, message, post_office, postman, target};
use super::other_receivers::settings;
use super::setup::{attachment, item, receiver, simulator};
use crate::support::http_receiver::{Inbox, serve};

/// Looking finds nothing before, what cannot be read has no effect, and what was delivered is found under its own id.
pub(super) async fn conforms(receiver: &dyn Receiver) {
    let (first, second) = (item(1), item(2));
    assert_eq!(receiver.look_up(&first).await.unwrap(), None);

    let unreadable = || {
        let chunks = [Ok(Bytes::from_static(b"<")), Err(std::io::Error::other("gone"))];
        Content::new(move || Box::pin(stream::iter(chunks.iter().map(again).collect::<Vec<_>>())))
    };
    let mut broken = first.clone();
    broken.batch = unreadable();
    broken.parts.push(attachment("a.pdf", unreadable()));
    assert!(matches!(receiver.deliver(&broken).await, Err(DeliveryError::Unreadable(_))));
    assert_eq!(receiver.look_up(&first).await.unwrap(), None);

    let delivered = receiver.deliver(&first).await.unwrap();
    assert!(!delivered.receivers_reference.is_empty());
    assert_eq!(receiver.look_up(&first).await.unwrap(), Some(delivered.clone()));
    assert_eq!(receiver.look_up(&second).await.unwrap(), None);
    assert_ne!(receiver.deliver(&second).await.unwrap(), delivered);
}

fn again(chunk: &std::io::Result<Bytes>) -> std::io::Result<Bytes> {
    match chunk {
        Ok(bytes) => Ok(bytes.clone()),
        Err(error) => Err(error.kind().into()),
    }
}

#[tokio::test]
async fn an_app_keeps_the_promises_of_a_receiver() {
    let simulator = simulator().await;
    conforms(&receiver(&simulator)).await;
}

#[tokio::test]
async fn a_postman_keeps_the_promises_of_a_receiver() {
    let simulator = post_office(|_| {}).await;
    let here = postman(&simulator, target());
    let (first, second) = (letter(1, message("a")), letter(2, message("a")));
    assert_eq!(here.look_up(&first).await.unwrap(), None);
    let chunks = || stream::iter([Ok(Bytes::from_static(b"<")), Err(std::io::Error::other("gone"))]);
    let mut broken = first.clone();
    broken.messages[0].body = Some(Content::new(move || Box::pin(chunks())));
    assert!(matches!(here.deliver(&broken).await, Err(DeliveryError::Unreadable(_))));
    assert_eq!(here.look_up(&first).await.unwrap(), None);
    let delivered = here.deliver(&first).await.unwrap();
    assert_eq!(here.look_up(&first).await.unwrap(), Some(delivered.clone()));
    assert_eq!(here.look_up(&second).await.unwrap(), None);
    assert_ne!(here.deliver(&second).await.unwrap(), delivered);
}

#[tokio::test]
async fn plain_http_keeps_the_promises_of_a_receiver() {
    let base_url = serve(Inbox::default()).await;
    conforms(&super::other_receivers::receiver(settings(&base_url))).await;
}

#[tokio::test]
async fn a_directory_keeps_the_promises_of_a_receiver() {
    let dir = tempfile::tempdir().unwrap();
    conforms(&DirectoryReceiver::open(dir.path()).unwrap()).await;
}
