//! What is wrong in a configuration, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no checked configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}{}", path.display(), hint(source))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was read and something in it is wrong; all of it is listed.
    #[error("{0}")]
    Faulty(Faults),
}

/// What to do where the file is not there.
fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::NotFound { "; give --config FILE or SLUSE_CONFIG" } else { "" }
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line of the file, from 1; `None` for what is missing and for overrides.
    pub line: Option<usize>,
    /// The key's path, such as `route.skatt.service[2].code`, or an override's name.
    pub place: String,
    /// What is wrong and what would be right; never a secret.
    pub text: String,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.text)
    }
}
