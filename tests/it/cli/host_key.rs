//! `sluse host-key`.

use std::fs;

use super::{MINIMAL, sluse, text};

#[test]
fn a_host_key_is_made_told_of_and_retired() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("sluse.toml");
    fs::write(&config, MINIMAL).unwrap();
    let call = |line: &str| {
        let args = line.split_whitespace().chain(["--config", config.to_str().unwrap()]);
        let output = sluse(args, b"", &[]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, error) = call("host-key known-hosts sftp.etat.example");
    assert!(code == Some(2) && error.contains("no host keys"), "{error}");
    let (code, _, error) = call("host-key retire");
    assert!(code == Some(2) && error.contains("make one"), "{error}");

    let keys = dir.path().join("data/host-keys");
    let first = keys.join("ssh_host_ed25519_key");
    assert_eq!(call("host-key make"), (Some(0), format!("{}\n", first.display()), String::new()));
    assert_eq!(call("host-key make").0, Some(0));
    let (code, _, error) = call("host-key make");
    assert!(code == Some(2) && error.contains("waits already"), "{error}");

    let (_, listed, _) = call("host-key list");
    let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["algorithm", "fingerprint", "shown", "certificate", "file"]);
    assert_eq!((lines[1][2], lines[2][2]), ("everybody", "waits"));
    let (_, json, _) = call("host-key list --json");
    let next: serde_json::Value = serde_json::from_str(json.lines().nth(1).unwrap()).unwrap();
    assert_eq!((next["shown"].as_str(), next["fingerprint"].as_str()), (Some("waits"), Some(lines[2][1])));

    let (_, known, _) = call("host-key known-hosts sftp.etat.example 192.0.2.7");
    let starts = "[sftp.etat.example]:2222,[192.0.2.7]:2222 ssh-ed25519 AAAA";
    assert!(known.lines().count() == 2 && known.lines().all(|line| line.starts_with(starts)), "{known}");
    let (_, plain, _) = call("host-key known-hosts sftp.etat.example --port 22");
    assert!(plain.starts_with("sftp.etat.example ssh-ed25519 "), "{plain}");

    let aside = format!("{}.retired\n", first.display());
    assert_eq!(call("host-key retire"), (Some(0), aside, String::new()));
    let (_, after, _) = call("host-key known-hosts sftp.etat.example --port 22");
    assert_eq!(after.lines().collect::<Vec<_>>(), [plain.lines().nth(1).unwrap()]);
}
