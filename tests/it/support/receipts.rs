//! The receipts a partner finds, read as a partner reads them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluse::adapters::sftp_client::SftpClient;
use sluse::ports::StoreError;
use sluse::receipt::SCHEMA;
use sluse::xsd::{Limits, Plan, Schema, SchemaDocument, Validator};

use super::batch::contents;
use super::gateway::{Home, PATIENCE};

/// What lies in `/receipts`: by the sender's file name and the shipment, the kinds of receipts there.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Receipts {
    pub(crate) shipments: BTreeMap<(String, String), Vec<String>>,
}

impl Receipts {
    /// Lists them.
    pub(crate) async fn list(client: &SftpClient) -> Result<Self, StoreError> {
        let mut receipts = Self::default();
        // What a route asks for beside the documents has tests of its own.
        let beside = |name: &str| [".html", ".csv", ".sig"].iter().any(|end| name.ends_with(end));
        for entry in client.list("/receipts").await?.into_iter().filter(|entry| !beside(&entry.name)) {
            let stem = entry.name.strip_suffix(".xml").unwrap_or_else(|| panic!("odd receipt {}", entry.name));
            let mut parts = stem.rsplitn(3, '.');
            let (Some(kind), Some(id), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                panic!("odd receipt {}", entry.name)
            };
            receipts.shipments.entry((name.to_owned(), id.to_owned())).or_default().push(kind.to_owned());
        }
        Ok(receipts)
    }

    /// Waits until every shipment seen has its final receipt, and each of the names at least one.
    pub(crate) async fn wait(home: &Home, names: &[String]) -> Self {
        Self::arrive(home, names).await.unwrap_or_else(|error| panic!("{error}\n{}", home.log()))
    }

    /// The same for so many shipments at least: one that was claimed a moment ago is not seen yet.
    pub(crate) async fn wait_for(home: &Home, names: &[String], shipments: usize) -> Self {
        let arrived = Self::arrive_in(home, names, shipments).await;
        arrived.unwrap_or_else(|error| panic!("{error}\n{}", home.log()))
    }

    /// The same, with an error when the gateway goes away meanwhile.
    pub(crate) async fn arrive(home: &Home, names: &[String]) -> Result<Self, StoreError> {
        Self::arrive_in(home, names, 0).await
    }

    async fn arrive_in(home: &Home, names: &[String], shipments: usize) -> Result<Self, StoreError> {
        let client = home.connect().await?;
        let (mut last, mut changed) = (Self::default(), Instant::now());
        loop {
            let receipts = Self::list(&client).await?;
            let waiting = client.list("/inbox").await?.iter().filter(|entry| names.contains(&entry.name)).count();
            if waiting == 0 && receipts.shipments.len() >= shipments && receipts.complete(names) {
                return Ok(receipts);
            }
            if receipts != last {
                (last, changed) = (receipts, Instant::now());
            }
            assert!(changed.elapsed() < PATIENCE, "no final receipts: {last:?}\n{}", home.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The final receipt of the only shipment of that file name.
    pub(crate) async fn final_of(&self, client: &SftpClient, name: &str) -> String {
        let ids: Vec<&String> = self.shipments.keys().filter(|(file, _)| file == name).map(|(_, id)| id).collect();
        assert_eq!(ids.len(), 1, "{name}: {self:?}");
        read(client, name, ids[0], "final").await
    }

    /// Every final receipt's text.
    pub(crate) async fn finals(&self, client: &SftpClient) -> Vec<String> {
        let mut texts = Vec::new();
        for (name, id) in self.shipments.keys() {
            texts.push(read(client, name, id, "final").await);
        }
        texts
    }

    /// Panics unless every shipment has exactly one final receipt.
    pub(crate) fn assert_one_final_each(&self) {
        for (shipment, kinds) in &self.shipments {
            assert_eq!(kinds.iter().filter(|kind| *kind == "final").count(), 1, "{shipment:?}: {kinds:?}");
        }
    }

    fn complete(&self, names: &[String]) -> bool {
        let done = |kinds: &Vec<String>| kinds.iter().any(|kind| kind == "final");
        self.shipments.values().all(done)
            && names.iter().all(|name| self.shipments.keys().any(|(file, _)| file == name))
    }
}

/// Reads one receipt.
pub(crate) async fn read(client: &SftpClient, name: &str, id: &str, kind: &str) -> String {
    let mut bytes = Vec::new();
    client.get(&format!("/receipts/{name}.{id}.{kind}.xml"), &mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The text of a supplement of the only shipment, when it is there.
async fn supplement(home: &Home, number: u32) -> String {
    let (begun, client) = (Instant::now(), home.connect().await.unwrap());
    let end = format!(".supplement-{number}.xml");
    loop {
        let entries = client.list("/receipts").await.unwrap();
        if let Some(entry) = entries.iter().find(|entry| entry.name.ends_with(&end)) {
            let mut bytes = Vec::new();
            client.get(&format!("/receipts/{}", entry.name), &mut bytes).await.unwrap();
            let text = String::from_utf8(bytes).unwrap();
            assert_valid(&text);
            return text;
        }
        assert!(begun.elapsed() < PATIENCE, "no supplement {number}\n{}", home.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What supplements from the given number on tell, by code, until they have told so many things; and the next number.
pub(crate) async fn news(home: &Home, first: u32, things: u64) -> (BTreeMap<String, u64>, u32) {
    let (mut told, mut number) = (BTreeMap::new(), first);
    while told.values().sum::<u64>() < things {
        let text = supplement(home, number).await;
        item_codes(&text).into_iter().for_each(|(code, items)| *told.entry(code.to_owned()).or_insert(0) += items);
        number += 1;
    }
    (told, number)
}

/// The receipt's own code, which says why the whole shipment was refused; empty where it was not.
pub(crate) fn code(receipt: &str) -> &str {
    let head = receipt.split_once("<File>").unwrap().0;
    contents(head, "ReceiptCode").first().copied().unwrap_or_default()
}

/// How many sub-receipts carry each code.
pub(crate) fn item_codes(receipt: &str) -> BTreeMap<&str, u64> {
    let mut codes = BTreeMap::new();
    for code in contents(receipt.split_once("</File>").unwrap().1, "ReceiptCode") {
        *codes.entry(code).or_default() += 1;
    }
    codes
}

/// Judges a receipt by its schema.
pub(crate) fn assert_valid(receipt: &str) {
    assert_valid_by(SCHEMA, receipt);
}

/// Judges a document by a schema.
pub(crate) fn assert_valid_by(schema: &str, receipt: &str) {
    let document = SchemaDocument { name: "receipt", bytes: schema.as_bytes() };
    let plan = Plan::new(Arc::new(Schema::compile(&[document]).unwrap()), &[]).unwrap();
    let (mut validator, mut findings) = (Validator::new(&plan, Limits::default()), Vec::new());
    validator.feed(receipt.as_bytes(), &mut findings);
    let end = validator.finish(&mut findings);
    assert!(end.sound && end.complete, "{findings:?}\n{receipt}");
}

/// The number in an attribute of the receipt's counts.
pub(crate) fn count(receipt: &str, attribute: &str) -> u64 {
    let counts = receipt.split_once("<Counts").unwrap().1;
    let value = counts.split_once(&format!("{attribute}=\"")).unwrap().1;
    value.split_once('"').unwrap().0.parse().unwrap()
}
