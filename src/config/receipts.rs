//! What a route's receipts are like, and the keys that sign them.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::files;
use super::reader::Section;
use crate::model::{Language, ReceiptFormat, ReceiptNames, ReceiptRules};
use crate::receipt::Signer;

/// What `receipts` of a route says: a directory's name alone, or a table.
pub(super) struct Receipts {
    /// The directory.
    pub(super) dir: String,
    /// What is written there.
    pub(super) rules: ReceiptRules,
    /// The route's own key.
    pub(super) signer: Option<Arc<Signer>>,
}

/// Reads `receipts = "dir"` or `[route.<name>.receipts]`.
pub(super) fn read(route: &Section<'_>) -> Receipts {
    let (text, section) = route.text_or_section("receipts");
    let dir = text.or_else(|| section.text("dir")).unwrap_or_else(|| "receipts".to_owned());
    let format = word(&section, "format", &ReceiptFormat::ALL, |format| format.as_str()).unwrap_or_default();
    let page = word(&section, "html", &Language::ALL, |language| language.as_str());
    let list = section.flag("csv", false);
    let next_expected = section.flag("next_expected", false);
    let names: ReceiptNames = section.parsed("file_name").unwrap_or_default();
    let signer = signer(&section, "signing_key_file");
    Receipts { dir, rules: ReceiptRules { format, page, list, next_expected, names }, signer }
}

/// Reads a private key from the file a key names.
pub(super) fn signer(section: &Section<'_>, file_key: &'static str) -> Option<Arc<Signer>> {
    section.text(file_key)?;
    let pem = files::secret(section, file_key)?;
    match Signer::from_pem(pem.expose_secret()) {
        Ok(signer) => Some(Arc::new(signer)),
        Err(error) => {
            section.fault(file_key, error.to_string());
            None
        }
    }
}

fn word<T: Copy>(section: &Section<'_>, key: &'static str, all: &[T], name: fn(&T) -> &'static str) -> Option<T> {
    let text = section.text(key)?;
    let found = all.iter().find(|value| name(value) == text).copied();
    if found.is_none() {
        let known: Vec<_> = all.iter().map(|value| format!("{:?}", name(value))).collect();
        section.fault(key, format!("must be one of {}", known.join(", ")));
    }
    found
}
