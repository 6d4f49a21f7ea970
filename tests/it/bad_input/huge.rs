//! Documents of a gigabyte, judged in the memory a small one needs.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::judged::prefill;

const MEGABYTE: usize = 1_000_000;
/// What sluse may need whatever it is given.
pub(crate) const MOST_KIB: u64 = 64 * 1024;
/// What a gateway may need beyond what it has once somebody has logged in, whatever it is given: how much of itself a build
/// without optimisation maps is not what is asked.
pub(crate) const MOST_GROWTH_KIB: u64 = 32 * 1024;

#[test]
fn an_attribute_of_a_gigabyte_needs_no_memory() {
    refused_in_little_memory("<ServiceOwner huge=\"", "x", 1_000, "XM-202");
}

#[test]
fn a_gigabyte_of_open_elements_needs_no_memory() {
    refused_in_little_memory("<ServiceOwner>", "<a>", 1_000, "XM-201");
}

#[test]
fn a_value_of_any_length_needs_no_memory() {
    // Fewer megabytes than above: these are all judged, which a build without optimization does slowly.
    let begin = format!("<ServiceOwner xmlns=\"{}\"><ServiceOwnerName>", prefill().namespace);
    refused_in_little_memory(&begin, "TTD ", 150, "XM-103");
}

/// Streams a document that begins so and goes on with one piece over and over, for so many megabytes.
fn refused_in_little_memory(begin: &str, piece: &str, megabytes: usize, code: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluse"))
        .args(["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(begin.as_bytes()).unwrap();
    let chunk = piece.repeat(MEGABYTE.div_ceil(piece.len()));
    for _ in 0..megabytes {
        input.write_all(chunk.as_bytes()).unwrap();
    }
    // While it waits for more, so that all it ever held is counted.
    let peak_kib = peak_kib(child.id());
    drop(input);
    let output = child.wait_with_output().unwrap();
    let listing = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(listing.contains(code), "{listing}");
    assert!(peak_kib < MOST_KIB, "{peak_kib} KiB");
}

/// The most memory a process has held.
pub(crate) fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
