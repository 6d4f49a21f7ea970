//! Attributes and the long names of listings, as OpenSSH writes them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use russh_sftp::protocol::{File, FileAttributes};

/// Attributes of a directory; only the root cannot be written.
pub(super) fn directory(is_root: bool) -> FileAttributes {
    let permissions = if is_root { 0o040_500 } else { 0o040_700 };
    FileAttributes { permissions: Some(permissions), ..attributes(0, Timestamp::UNIX_EPOCH) }
}

/// Attributes of a file.
pub(super) fn file(size_bytes: u64, modified: Timestamp) -> FileAttributes {
    FileAttributes { permissions: Some(0o100_600), ..attributes(size_bytes, modified) }
}

/// A listing's entry. `owner` is the partner's name, the only user there is.
pub(super) fn entry(name: &str, attrs: FileAttributes, owner: &str, now: Timestamp) -> File {
    let kind = if attrs.is_dir() { 'd' } else { '-' };
    let modified = attrs.mtime.and_then(|seconds| Timestamp::from_second(i64::from(seconds)).ok()).unwrap_or(now);
    let longname = format!(
        "{kind}{}    1 {owner:<8} {owner:<8} {:>8} {} {name}",
        attrs.permissions(),
        attrs.size.unwrap_or(0),
        date(modified, now),
    );
    File { filename: name.to_owned(), longname, attrs }
}

/// The modification time a client asks for.
pub(super) fn modified(attrs: &FileAttributes) -> Option<Timestamp> {
    Timestamp::from_second(i64::from(attrs.mtime?)).ok()
}

fn attributes(size_bytes: u64, modified: Timestamp) -> FileAttributes {
    // Version 3 of the protocol counts seconds in 32 bits, until 2106.
    let seconds = u32::try_from(modified.as_second()).unwrap_or(0);
    FileAttributes {
        size: Some(size_bytes),
        uid: Some(OWNER),
        gid: Some(OWNER),
        atime: Some(seconds),
        mtime: Some(seconds),
        ..FileAttributes::empty()
    }
}

/// Time of day for what is recent, the year for what is not, as `ls -l` has it.
fn date(modified: Timestamp, now: Timestamp) -> String {
    let half_a_year = (24 * 182).hours();
    let recent = now.checked_sub(half_a_year).is_ok_and(|since| modified > since) && modified <= now;
    let format = if recent { "%b %e %H:%M" } else { "%b %e  %Y" };
    modified.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// Ids say nothing here; any other than root's.
const OWNER: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_read_like_ls() {
        let now: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
        let recent = entry("a.xml", file(42, "2026-11-02T03:04:05Z".parse().unwrap()), "etat", now);
        assert_eq!(recent.longname, "-rw-------    1 etat     etat           42 Nov  2 03:04 a.xml");
        let old = entry("inbox", directory(false), "etat", now);
        assert_eq!(old.longname, "drwx------    1 etat     etat            0 Jan  1  1970 inbox");
        assert_eq!(modified(&recent.attrs), Some("2026-11-02T03:04:05Z".parse().unwrap()));
    }
}
