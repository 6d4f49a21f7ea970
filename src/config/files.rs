//! Settings that lie in files of their own: secrets, keys, certificate chains.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::SecretString;

use super::reader::Section;

/// Bits that let others than the owner (and, for reading, the group) at a file.
const OTHERS: u32 = 0o037;

/// A secret that stands in the file a key names; warns when others can read that file.
pub(super) fn secret(section: &Section<'_>, file_key: &'static str) -> Option<SecretString> {
    let path = section.path(file_key)?;
    let text = content(section, file_key, &path)?;
    warn_of_others(section, file_key, &path);
    Some(SecretString::from(text))
}

/// Warns when others can read a secret's file.
pub(super) fn warn_of_others(section: &Section<'_>, file_key: &'static str, path: &Path) {
    if let Ok(meta) = fs::metadata(path)
        && meta.permissions().mode() & OTHERS != 0
    {
        let (place, path) = (section.place(file_key), path.display());
        section.source().warn(format!("{place}: {path} can be read or changed by others; use chmod 600"));
    }
}

/// A text that stands in the file a key names.
pub(super) fn text(section: &Section<'_>, file_key: &'static str) -> Option<String> {
    let path = section.path(file_key)?;
    content(section, file_key, &path)
}

fn content(section: &Section<'_>, file_key: &'static str, path: &Path) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => {
            section.fault(file_key, format!("{} is empty", path.display()));
            None
        }
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) => {
            section.fault(file_key, format!("{}: {error}", path.display()));
            None
        }
    }
}
