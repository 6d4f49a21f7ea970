//! From a drop to its final receipt, through the real binary.

mod answers;
mod batches;
mod early;
mod encodings;
mod faults;
mod full_disk;
mod letters;
mod nightly;
mod operating;
mod prefill;
mod privacy;
mod receivers;
mod stops;

use crate::support::gateway::Home;
use crate::support::receipts::{Receipts, assert_valid};

/// Drops a file with our own client and waits for its final receipt.
pub(crate) async fn dropped(home: &Home, name: &str, bytes: &[u8]) -> String {
    let client = home.connect().await.unwrap();
    client.put(&format!("/inbox/{name}"), &mut &*bytes).await.unwrap();
    final_of(home, name).await
}

/// The rest file of the only shipment of a file name.
async fn read_rest(home: &Home, name: &str) -> Vec<u8> {
    let client = home.connect().await.unwrap();
    let entries = client.list("/receipts").await.unwrap();
    let rest = entries.iter().find(|entry| entry.name.starts_with(name) && entry.name.ends_with(".rest.xml")).unwrap();
    let mut bytes = Vec::new();
    client.get(&format!("/receipts/{}", rest.name), &mut bytes).await.unwrap();
    bytes
}

/// Waits for a file's final receipt, and has it judged by its schema.
pub(crate) async fn final_of(home: &Home, name: &str) -> String {
    let receipts = Receipts::wait(home, &[name.to_owned()]).await;
    receipts.assert_one_final_each();
    let receipt = receipts.final_of(&home.connect().await.unwrap(), name).await;
    assert_valid(&receipt);
    receipt
}
