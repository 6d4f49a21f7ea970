//! What a head leaves open: the end tags to write.

use std::io;

use crate::formats::Encoding;
use crate::formats::fragment::{Fragment, Tag};
use crate::model::ByteRange;
use crate::ports::Blob;

/// The names of the elements that begin in a head and do not end in it, the outermost first, as written.
pub(super) fn open_names(blob: &dyn Blob, encoding: Encoding, head: ByteRange) -> io::Result<Vec<ByteRange>> {
    let mut open = Vec::new();
    let mut fragment = Fragment::new(blob, encoding, head);
    while let Some(tag) = fragment.next()? {
        match tag {
            Tag::Start { empty: true, .. } => {}
            Tag::Start { name, .. } => open.push(name),
            Tag::End { .. } => drop(open.pop()),
        }
    }
    Ok(open)
}
