//! Files this session has handed over. The pipeline may take them out of the tree at once, but WinSCP, rclone, lftp and
//! psftp look at a file after uploading it, and call a good upload failed when it is not there.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::model::AreaPath;

/// The last files handed over.
#[derive(Debug, Default)]
pub(super) struct Recent {
    files: VecDeque<Handed>,
}

/// A file handed over, as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handed {
    /// Where it was put.
    pub(super) path: AreaPath,
    /// Its size.
    pub(super) size_bytes: u64,
    /// The time shown for it.
    pub(super) modified: Timestamp,
}

impl Recent {
    /// Remembers a file; the oldest gives way.
    pub(super) fn remember(&mut self, file: Handed) {
        self.forget(&file.path);
        if self.files.len() == REMEMBERED {
            self.files.pop_front();
        }
        self.files.push_back(file);
    }

    /// Forgets a file whose name is used anew.
    pub(super) fn forget(&mut self, path: &AreaPath) {
        self.files.retain(|known| known.path != *path);
    }

    /// A file handed over.
    pub(super) fn find(&mut self, path: &AreaPath) -> Option<&mut Handed> {
        self.files.iter_mut().find(|known| known.path == *path)
    }
}

const REMEMBERED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut recent = Recent::default();
        let path = |n: usize| AreaPath::new("inbox", &n.to_string()).unwrap();
        for n in 0..REMEMBERED + 5 {
            recent.remember(Handed { path: path(n), size_bytes: n as u64, modified: Timestamp::UNIX_EPOCH });
        }
        assert!(recent.find(&path(4)).is_none());
        assert!(recent.find(&path(5)).is_some());
        recent.forget(&path(5));
        assert!(recent.find(&path(5)).is_none());
    }
}
