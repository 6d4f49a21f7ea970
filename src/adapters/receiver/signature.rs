//! A signature by which a receiver knows that a request is ours and whole: HMAC-SHA256 (RFC 2104) over time, key and body.

use std::io;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use futures::StreamExt as _;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::ItemKey;
use crate::ports::Content;

/// Signs requests with a secret that both sides have.
pub(super) struct BodySigner(Key);

impl BodySigner {
    pub(super) fn new(secret: &SecretString) -> Self {
        Self(Key::new(HMAC_SHA256, secret.expose_secret().as_bytes()))
    }

    /// `t=<Unix seconds>,v1=<hex>`: the MAC of `<seconds>.<key>.` and the body. Reads the body once.
    pub(super) async fn sign(&self, key: ItemKey, content: &Content, now: Timestamp) -> io::Result<String> {
        let seconds = now.as_second();
        let mut mac = Context::with_key(&self.0);
        mac.update(format!("{seconds}.{key}.").as_bytes());
        let mut chunks = content.stream();
        while let Some(chunk) = chunks.next().await {
            mac.update(&chunk?);
        }
        let hex: String = mac.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("t={seconds},v1={hex}"))
    }
}
