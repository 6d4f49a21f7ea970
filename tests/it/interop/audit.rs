//! What a scanner of SSH servers says of the default configuration.

use std::process::{Command, Stdio};

use crate::needs::{installed, is_there};
use crate::support::sftp::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_finds_no_failure_and_no_warning() {
    let program = installed().join("venv/bin/ssh-audit");
    let there = Command::new(&program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there(there, "ssh-audit") {
        return;
    }
    let gateway = Gateway::start().await;
    let mut audit = Command::new(&program);
    audit.args(["--skip-rate-test", "-n", "-l", "warn", "-t", "120"]);
    audit.args(["-p", &gateway.address.port().to_string(), "127.0.0.1"]);
    let output = tokio::task::spawn_blocking(move || audit.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    // That it looked at all shows in what it says of every server that still has this one.
    assert!(told.contains("curve25519-sha256"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let faults: Vec<_> = told.lines().filter(|line| is_fault(line)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is said of a key exchange that has no post-quantum part is meant: every client from before 2024 needs one.
fn is_fault(line: &str) -> bool {
    let graded = line.contains("[warn]") || line.contains("[fail]");
    graded && !(line.contains("curve25519-sha256") && line.contains("post-quantum"))
}
