//! What tests need of the machine, and how one that lacks it is skipped: with a reason that is seen also when all passes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// `true` when it is there. Absent, the test is skipped, or fails with `SLUSE_REQUIRE_ALL=1`.
pub(crate) fn is_there(there: bool, what: &str) -> bool {
    assert!(there || std::env::var("SLUSE_REQUIRE_ALL").as_deref() != Ok("1"), "{what} is not installed");
    if !there {
        tell_skipped(&format!("{what} is not installed"));
    }
    there
}

/// The same of a program that can be called by its name.
pub(crate) fn has(program: &str) -> bool {
    let called = Command::new(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    is_there(called.and_then(|mut child| child.wait()).is_ok(), program)
}

/// Where `.ci/run` puts what PyPI and npm give.
#[cfg(feature = "gateway")]
pub(crate) fn installed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/interop")
}

/// The folder of reference files, if there is one here.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("SLUSE_REFERENCE").map(PathBuf::from);
    match &folder {
        None => tell_skipped("SLUSE_REFERENCE names no folder of reference files"),
        Some(folder) => assert!(folder.is_dir(), "SLUSE_REFERENCE is no folder"),
    }
    folder
}

/// Says why a test, or a part of it, is not run. The runner keeps to itself what tests that pass print, but for this.
pub(crate) fn tell_skipped(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nobody to tell is no failure.
    let _ = std::io::stderr().write_all(format!("skipped: {reason} ({test})\n").as_bytes());
}
