//! The command line, as a person calls it.

mod check;
mod host_key;
mod partner;
mod receipt;
mod schedule;
mod schema;
mod validate;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const MINIMAL: &str = r#"
data_dir = "data"
[partner.etat.login.etat]
public_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxs a@b"]
[receiver.files]
kind = "directory"
path = "out"
[route.prefill]
partner = "etat"
format = "prefill"
receiver = "files"
"#;

/// Runs sluse with nothing of our own environment that it would read.
fn sluse<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &[u8], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluse"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SLUSE_")) {
        command.env_remove(name);
    }
    command.args(args).envs(env.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sluse starts");
    // A command that does not read its input closes it; that is its answer, not a failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn check(config: &Path, env: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = sluse(["check-config".as_ref(), "--config".as_ref(), config.as_os_str()], b"", env);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn help_names_every_subcommand() {
    let output = sluse(["--help"], b"", &[]);
    assert_eq!(output.status.code(), Some(0));
    for name in [
        "validate",
        "schema",
        "check",
        "receipt",
        "partner",
        "area",
        "host-key",
        "audit",
        "schedule",
        "check-config",
        "generate",
        "hash-password",
        "receipt-codes",
        "simulate-altinn",
    ] {
        assert!(text(&output.stdout).contains(name), "{name}");
    }
    assert!(text(&output.stdout).ends_with("2 it cannot be told or done, 78 the configuration is faulty.\n"));
}

#[test]
fn every_command_answers_78_to_a_faulty_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("sluse.toml");
    fs::write(&config, "data_dir = 7").unwrap();
    for line in [
        "serve",
        "check-config",
        "check sluse.toml --partner etat",
        "receipt verify sluse.toml",
        "shipment list",
        "shipment hold 0f6c8d1a22b3 --reason why",
        "replay 0f6c8d1a22b3 --receipt-only --reason why",
        "partner list",
        "partner disable etat --reason why",
        "area ls etat",
        "host-key list",
        "audit",
        "schedule list",
        "schedule run nightly",
        "source list",
        "source look drop",
        "subscription list",
    ] {
        let file = |word: &str| match word {
            "sluse.toml" => config.clone().into_os_string(),
            word => word.into(),
        };
        let args = line.split(' ').map(file).chain(["--config".into(), config.clone().into()]);
        let output = sluse(args, b"", &[]);
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(78) && told.contains("line 1: data_dir"), "{line}: {told}");
    }
}

#[test]
fn the_faults_that_help_gives_as_an_example_are_taken() {
    let output = sluse(["simulate-altinn", "--help"], b"", &[]);
    let help = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let example = help.split_once("as TOML: ").unwrap().1.split_once(';').unwrap().0;
    let example = example.replace('`', "");
    let rules = example.replace(" with ", "\n").replace(" and ", "\n");
    let (first, other) = rules.split_once(" or ").unwrap();
    let other = format!("{}{other}", &first[..first.find("fault = ").unwrap() + "fault = ".len()]);
    for rules in [first, &other] {
        assert!(toml::from_str::<sluse::simulator::FaultPlan>(rules).is_ok(), "{rules}");
    }
}

#[test]
fn check_config_answers_0_for_right_and_78_for_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("sluse.toml");
    fs::write(&config, MINIMAL).unwrap();
    let (code, out, err) = check(&config, &[("SLUSE_SFTP_LISTEN", "127.0.0.1:1"), ("SLUSE_REQUIRE_ALL", "1")]);
    assert_eq!(code, Some(0), "{out}");
    let [variable, directory] = err.lines().collect::<Vec<_>>()[..] else { panic!("{err}") };
    assert!(variable.starts_with("warning: SLUSE_SFTP_LISTEN overrides no setting"), "{err}");
    assert!(directory.starts_with("warning: receiver.files.path: ") && directory.contains("out"), "{err}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a check leaves nothing behind");
    fs::create_dir(dir.path().join("out")).unwrap();
    let (code, out, err) = check(&config, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("partners: 1, routes: 1"), "{out}");

    fs::write(&config, MINIMAL.replace("\"etat\"\nformat", "\"other\"\nformat") + "colour = 1\n").unwrap();
    let (code, _, err) = check(&config, &[("SLUSE_SFTP__LISTEN", "here")]);
    assert_eq!(code, Some(78));
    let wanted = [
        "line 9: route.prefill.partner: there is no [partner.other]",
        "line 12: route.prefill.colour: is not a setting",
        "SLUSE_SFTP__LISTEN: invalid socket address syntax",
    ];
    assert_eq!(err.lines().collect::<Vec<_>>(), wanted);

    let (code, _, err) = check(&dir.path().join("gone.toml"), &[]);
    assert!(code == Some(78) && err.contains("gone.toml") && err.contains("--config FILE or SLUSE_CONFIG"), "{err}");
}

#[test]
fn generate_writes_the_same_bytes_for_the_same_seed_and_tells_what_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let summary = dir.path().join("summary");
    let run = |seed: &str| {
        let mut args: Vec<&OsStr> = vec!["generate".as_ref(), "--format".as_ref(), "prefill".as_ref()];
        args.extend(["--items", "200", "--profile", "small", "--errors", "4%", "--seed", seed].map(OsStr::new));
        args.extend([OsStr::new("--summary"), summary.as_os_str()]);
        sluse(args, b"", &[])
    };
    let (one, two, other) = (run("7"), run("7"), run("8"));
    assert_eq!(one.status.code(), Some(0), "{}", text(&one.stderr));
    assert!(one.stdout == two.stdout && one.stdout != other.stdout);
    let told = fs::read_to_string(&summary).unwrap();
    assert!(told.contains("items 200\nwrong 8\nbad-check-digit 1\n"), "{told}");
    assert_eq!(text(&one.stdout).matches("<FormTask>").count(), 200);
}

#[test]
fn generate_tells_which_items_are_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let mistakes = dir.path().join("mistakes");
    let mut args: Vec<&OsStr> =
        ["generate", "--format", "confirmations", "--items", "12", "--errors", "50%"].map(OsStr::new).into();
    args.extend([OsStr::new("--sequence"), OsStr::new("8"), OsStr::new("--mistakes"), mistakes.as_os_str()]);
    let output = sluse(args, b"", &[]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        report.contains("<SequenceNo>8</SequenceNo>") && report.matches("<Confirmation>").count() == 12,
        "{report}"
    );
    let told = "1 bad-check-digit\n3 missing-element\n5 wrong-order\n7 bad-date\n9 repeated-reference\n11 bad-value\n";
    assert_eq!(fs::read_to_string(&mistakes).unwrap(), told);
}

#[test]
fn generate_refuses_what_it_does_not_know() {
    for args in [["--profile", "tiny"], ["--errors", "0.1"], ["--format", "generic"], ["--items", "-1"]] {
        let output = sluse(["generate"].iter().chain(&args), b"", &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
    }
    for args in [["prefill", "--wrong-count"], ["correspondence", "--wrong-sequence"], ["usagedata", "--sequence=1"]] {
        let output = sluse(["generate", "--format"].iter().chain(&args), b"", &[]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{args:?}");
    }
}

#[test]
fn hash_password_prints_a_hash_the_configuration_takes() {
    let output = sluse(["hash-password"], "hemmelig æ\n".as_bytes(), &[]);
    let hash = text(&output.stdout);
    assert!(hash.starts_with("$argon2id$") && !hash.contains("hemmelig"), "{hash}");
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("sluse.toml");
    fs::write(&config, MINIMAL).unwrap();
    let (code, _, err) = check(&config, &[("SLUSE_PARTNER__ETAT__LOGIN__ETAT__PASSWORD_HASH", hash.trim())]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(sluse(["hash-password"], b"\n", &[]).status.code(), Some(1));
}

#[test]
fn the_page_of_receipt_codes_is_the_one_in_docs() {
    let printed = text(&sluse(["receipt-codes"], b"", &[]).stdout);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/receipt-codes.md")).unwrap();
    assert!(printed == page, "docs/receipt-codes.md is old: run `sluse receipt-codes > docs/receipt-codes.md`");
}

#[test]
fn simulate_altinn_answers_until_a_signal_and_tells_what_took_effect() {
    let dir = tempfile::tempdir().unwrap();
    let faults = dir.path().join("faults.toml");
    fs::write(&faults, "[[rules]]\nfault = \"bad-request\"\ncall = \"grant\"\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluse"))
        .args(["simulate-altinn", "--listen", "127.0.0.1:0", "--app", "ttd/my-app:melding,vedlegg", "--faults"])
        .arg(&faults)
        .args(["--limits", "published", "--refuse-known-batches"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let setting = out.find(|line| line.starts_with("token_url")).unwrap();
    let host = setting.split('/').nth(2).unwrap().to_owned();
    let url = out.find(|line| line.starts_with("url = ")).unwrap();
    assert_eq!(url, format!("url = \"http://{host}/soap\""));
    let answer = |request: &str| {
        let mut stream = TcpStream::connect(&host).unwrap();
        let rest = "host: simulator\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(format!("{request} HTTP/1.1\r\n{rest}").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(answer("GET /simulator/effects").starts_with("HTTP/1.1 200"));
    assert!(answer("GET /ttd/my-app/api/v1/applicationmetadata").contains("melding"));
    assert!(answer("GET /ttd/other-app/api/v1/applicationmetadata").starts_with("HTTP/1.1 404"));
    assert!(answer("GET /simulator/limits").ends_with("\r\n\r\n{}"), "nothing that is limited was asked for");
    assert!(answer("GET /soap/00000000-0000-0000-0000-000000000000").starts_with("HTTP/1.1 404"));
    assert!(answer("POST /soap").starts_with("HTTP/1.1 415"));

    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(out.any(|line| line == "instances: 0, of different keys: 0"));
    assert!(child.wait().unwrap().success());
}
