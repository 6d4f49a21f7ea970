//! Batches to drop.

use sluse::generate::{self, Options, Profile, Share};

/// A batch to drop, with what is to be expected of it.
pub(crate) struct Batch {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Its items.
    pub(crate) items: u64,
    /// Those that are right.
    pub(crate) right: u64,
}

/// A generated batch; another seed gives another shipment reference.
pub(crate) fn generated(items: u64, profile: Profile, errors: &str, seed: u64) -> Batch {
    let errors: Share = errors.parse().unwrap();
    written(&Options { errors, ..Options::new(items, profile, seed) })
}

/// What is generated as the options say.
pub(crate) fn written(options: &Options) -> Batch {
    let mut bytes = Vec::new();
    let summary = generate::write(options, &mut bytes).unwrap();
    Batch { bytes, items: summary.items, right: summary.items - summary.wrong }
}

impl Batch {
    /// The file as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

/// What stands between each start tag and end tag of a name.
pub(crate) fn contents<'a>(document: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    document.split(&start).skip(1).map(|rest| rest.split_once(&end).unwrap().0).collect()
}
