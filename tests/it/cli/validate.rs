//! `sluse validate`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sluse::model::FormatName;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{sluse, text};

/// A generated batch of 27 items.
fn batch(errors: &str) -> Vec<u8> {
    sluse(["generate", "--items", "27", "--errors", errors], b"", &[]).stdout
}

#[test]
fn validate_lists_each_finding_with_its_place_and_code() {
    let wrong = sluse(["validate", "--format", "prefill", "-"], &batch("30%"), &[]);
    assert_eq!(wrong.status.code(), Some(1));
    let out = text(&wrong.stdout);
    let places: Vec<_> = out.lines().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    let wanted = [
        "-:23:11 FM-102",
        "-:76:9 XS-103",
        "-:138:9 XS-102",
        "-:186:20 XS-107",
        "-:232:30 XS-108",
        "-:343:7 FM-105",
        "-:395:18 FM-106",
    ];
    assert_eq!(places, wanted, "{out}");
    assert_eq!(text(&wrong.stderr), "-: invalid; findings: 7, items: 27, refused: 7\n");
}

#[test]
fn a_file_is_judged_by_the_format_it_is_in() {
    let dir = tempfile::tempdir().unwrap();
    for format in FormatName::ALL.into_iter().map(FormatName::as_str).filter(|format| *format != "generic") {
        let path = dir.path().join(format).display().to_string();
        fs::write(&path, sluse(["generate", "--format", format, "--items", "5"], b"", &[]).stdout).unwrap();
        let output = sluse(["validate", path.as_str()], b"", &[]);
        let told = text(&[output.stdout, output.stderr].concat());
        let is_valid = told.starts_with(&format!("{path}: valid; items: "));
        assert!(output.status.success() && is_valid, "{told}");
        let other = if format == "prefill" { "databatch" } else { "prefill" };
        let output = sluse(["validate", "--format", other, path.as_str()], b"", &[]);
        assert_ne!(output.status.code(), Some(0), "{format} is no {other}");
    }
}

#[test]
fn validate_tells_valid_invalid_and_cannot_judge_apart() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let (right, wrong, empty) = (put("a.xml", &batch("0")), put("b.xml", b"<html/>"), put("c.xml", b""));
    let gone = dir.path().join("gone.xml").display().to_string();
    let code = |files: &[&str]| {
        let output = sluse(["validate"].iter().chain(files), b"", &[]);
        (output.status.code(), text(&output.stdout))
    };
    assert_eq!(code(&[&right]), (Some(0), String::new()));
    assert!(matches!(code(&[&right, &wrong]), (Some(1), out) if out.starts_with(&format!("{wrong}:1:1: XS-101: "))));
    assert!(matches!(code(&[&empty]), (Some(1), out) if out.starts_with(&format!("{empty}: IN-101: "))));
    assert_eq!(code(&[&gone, &wrong, &right]).0, Some(2));
}

#[test]
fn validate_reads_every_profile_of_generate() {
    for profile in ["small", "medium", "attachment", "field", "escaped"] {
        let batch = sluse(["generate", "--items", "30", "--profile", profile], b"", &[]).stdout;
        let judged = sluse(["validate", "-"], &batch, &[]);
        assert_eq!(
            (judged.status.code(), text(&judged.stderr).as_str()),
            (Some(0), "-: valid; items: 30\n"),
            "{profile}"
        );
    }
}

#[test]
fn validate_finds_in_every_format_what_generate_planted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("mistakes").display().to_string();
    // An archive is no document, and what a generic one holds its schema alone knows.
    let documents =
        FormatName::ALL.map(FormatName::as_str).into_iter().filter(|word| !["broker", "generic"].contains(word));
    for (format, profile) in documents.flat_map(|format| [(format, "small"), (format, "attachment")]) {
        let args = ["--items", "60", "--errors", "50%", "--seed", "3", "--mistakes", &list];
        let args = ["generate", "--format", format, "--profile", profile].into_iter().chain(args);
        let batch = sluse(args, b"", &[]).stdout;
        let judged = sluse(["validate", "--json", "--format", format, "-"], &batch, &[]);
        let lines = text(&judged.stdout);
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found: BTreeSet<u64> = lines.filter_map(|line| line["item"].as_u64()).collect();
        let planted = fs::read_to_string(&list).unwrap();
        // Which services there are, a route alone knows.
        let planted = planted.lines().filter(|line| !line.ends_with(" unknown-service"));
        let planted: BTreeSet<u64> = planted.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(!planted.is_empty() && found == planted, "{format} {profile}: {found:?} of {planted:?}");
    }
}

#[test]
fn validate_judges_broker_archives_as_files() {
    let desk = Desk::new();
    let generate = ["generate", "--format", "broker", "--items", "60", "--errors", "20%", "--seed", "3"];
    let archive = sluse(generate, b"", &[]).stdout;
    let path = desk.put("a.zip", &archive);
    let judged = sluse(["validate", "--json", "--format", "broker", &path], b"", &[]);
    let lines: Vec<Value> = text(&judged.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: BTreeSet<u64> = lines.iter().filter_map(|line| line["item"].as_u64()).collect();
    assert_eq!((judged.status.code(), found.len()), (Some(1), 12), "{lines:?}");
    let sound = sluse(["generate", "--format", "broker", "--items", "60"], b"", &[]).stdout;
    let path = desk.put("b.zip", &sound);
    assert_eq!(sluse(["validate", "--format", "broker", &path], b"", &[]).status.code(), Some(0));
    assert_eq!(sluse(["validate", "--format", "broker", "-"], &sound, &[]).status.code(), Some(2));
}

const ORDER: &str = r#"
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:order" xmlns="urn:order"
    elementFormDefault="qualified">
  <xs:include schemaLocation="line.xsd"/>
  <xs:element name="Order">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="Day" type="xs:date"/>
        <xs:element name="Line" type="Line" maxOccurs="unbounded"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
</xs:schema>"#;

const LINE: &str = r#"
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:order">
  <xs:simpleType name="Line"><xs:restriction base="xs:int"/></xs:simpleType>
</xs:schema>"#;

const RIGHT: &str = "<Order xmlns='urn:order'><Day>2026-01-31</Day><Line>1</Line></Order>";
const WRONG: &str = "<Order xmlns='urn:order'>\n<Day>2026-02-31</Day><Line>one</Line><Line>secret</Line>\n</Order>";

/// A folder with two schema documents, `order.xsd` and `line.xsd`.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("order.xsd", ORDER.trim_start());
        desk.put("line.xsd", LINE.trim_start());
        desk
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// `sluse validate` by the first document, which includes the second.
    fn by_schema(&self, args: &[&str], input: &[u8]) -> Output {
        let order = self.path("order.xsd");
        let own = ["validate", "--schema", &order];
        sluse(own.iter().chain(args), input, &[])
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(path: &Path, members: &[(&str, &[u8])]) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn any_schema_judges() {
    let desk = Desk::new();
    let right = desk.by_schema(&["-"], RIGHT.as_bytes());
    assert_eq!((right.status.code(), text(&right.stdout).as_str()), (Some(0), ""));
    assert_eq!(text(&right.stderr), "-: valid\n");
    let wrong = desk.by_schema(&[&desk.put("wrong.xml", WRONG)], b"");
    assert_eq!(wrong.status.code(), Some(1));
    let (out, name) = (text(&wrong.stdout), desk.path("wrong.xml"));
    let places: Vec<&str> = out.lines().map(|line| line.strip_prefix(&name).unwrap()).collect();
    assert_eq!(places.len(), 3, "{out}");
    assert!(
        places[0].starts_with(":2:6: XS-107: A value is not of its type: ") && places[0].contains("(cvc-"),
        "{out}"
    );
    assert!(places[2].starts_with(":2:44: XS-107: "), "{out}");
    assert!(!out.contains("secret"), "{out}");
    assert_eq!(text(&wrong.stderr), format!("{name}: invalid; findings: 3\n"));
}

#[test]
fn a_schema_or_call_that_cannot_be_used_is_2() {
    let desk = Desk::new();
    let right = desk.put("right.xml", RIGHT);
    let code = |args: &[&str]| sluse(["validate"].iter().chain(args), b"", &[]).status.code();
    assert_eq!(code(&["--schema", &desk.path("gone.xsd"), &right]), Some(2));
    assert_eq!(code(&["--schema", &right, &right]), Some(2));
    assert_eq!(code(&["--schema", &desk.path("line.xsd"), "--format", "prefill", &right]), Some(2));
    assert_eq!(code(&["--json", "--quiet", &right]), Some(2));
    assert_eq!(code(&[]), Some(2));
    assert_eq!(code(&[&desk.0.path().display().to_string()]), Some(2), "a directory is no file");
    let fault = desk.put("fault.xsd", ORDER.trim_start().replace("xs:date", "xs:dat"));
    let output = sluse(["validate", "--schema", &fault, &right], b"", &[]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
    assert!(text(&output.stderr).contains(&format!("{fault}:7:")), "{}", text(&output.stderr));
}

#[test]
fn json_lines_tell_everything() {
    let desk = Desk::new();
    let (wrong, gone) = (desk.put("wrong.xml", WRONG), desk.path("gone.xml"));
    let output = desk.by_schema(&["--json", &wrong, &gone], b"");
    assert_eq!(output.status.code(), Some(2));
    let lines = objects(&output);
    assert_eq!(lines.len(), 5);
    let first = &lines[0];
    assert_eq!((&first["type"], &first["file"]), (&"finding".into(), &wrong.as_str().into()));
    assert_eq!((&first["line"], &first["column"], &first["offset"]), (&2.into(), &6.into(), &31.into()));
    assert_eq!((&first["path"], &first["code"]), (&"/Order/Day".into(), &"XS-107".into()));
    assert!(first["rule"].as_str().is_some_and(|rule| rule.starts_with("cvc-")) && first["text"].is_string());
    assert_eq!(
        (&lines[3]["type"], &lines[3]["status"], &lines[3]["findings"]),
        (&"file".into(), &"invalid".into(), &3.into())
    );
    assert_eq!((&lines[4]["status"], &lines[4]["findings"]), (&"not-judged".into(), &Value::Null));
    assert!(lines[4]["error"].is_string());

    let batch = objects(&sluse(["validate", "--json", "-"], &batch("30%"), &[]));
    let (last, findings) = batch.split_last().unwrap();
    assert_eq!((&last["findings"], &last["items"], &last["refused"]), (&7.into(), &27.into(), &7.into()));
    assert_eq!(last["sha256"].as_str().map(str::len), Some(64));
    assert!(findings.iter().all(|finding| finding["item"].is_u64()));
}

#[test]
fn findings_past_the_limit_are_counted_only() {
    let desk = Desk::new();
    let wrong = desk.put("wrong.xml", WRONG);
    let few = desk.by_schema(&["--max-findings", "1", &wrong, &wrong], b"");
    assert_eq!(text(&few.stdout).lines().count(), 2, "one of each file");
    assert!(text(&few.stderr).contains("findings: 3 (1 listed)"), "{}", text(&few.stderr));
    let none = desk.by_schema(&["--max-findings", "0", &wrong], b"");
    assert_eq!((none.status.code(), text(&none.stdout).as_str()), (Some(1), ""));
}

#[test]
fn quiet_answers_by_its_exit_code() {
    let desk = Desk::new();
    let (right, wrong) = (desk.put("right.xml", RIGHT), desk.put("wrong.xml", WRONG));
    for (file, code) in [(&right, 0), (&wrong, 1)] {
        let output = desk.by_schema(&["--quiet", file], b"");
        assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(code), 0, 0));
    }
    let output = desk.by_schema(&["-q", &desk.path("gone.xml")], b"");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(text(&output.stderr).contains("gone.xml: cannot be judged: "));
}

#[test]
fn packed_files_are_judged_as_what_is_in_them() {
    let desk = Desk::new();
    let archive = desk.0.path().join("two.zip");
    zip(&archive, &[("right.xml", RIGHT.as_bytes()), ("in/wrong!.xml.gz", &gzip(WRONG.as_bytes()))]);
    let member = |name: &str| format!("{}!{name}", archive.display());
    let judge = |file: &str, input: &[u8]| desk.by_schema(&[file], input);

    assert_eq!(judge(&member("right.xml"), b"").status.code(), Some(0));
    let wrong = judge(&member("in/wrong!.xml.gz"), b"");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stdout).starts_with(&format!("{}:2:6: XS-107", member("in/wrong!.xml.gz"))));
    assert_eq!(judge(&desk.put("right.xml.gz", gzip(RIGHT.as_bytes())), b"").status.code(), Some(0));
    assert_eq!(judge(&desk.put("wrong", gzip(WRONG.as_bytes())), b"").status.code(), Some(1));
    assert_eq!(judge("-", &gzip(RIGHT.as_bytes())).status.code(), Some(0));
    let parts = [gzip(&RIGHT.as_bytes()[..20]), gzip(&RIGHT.as_bytes()[20..])].concat();
    assert_eq!(judge("-", &parts).status.code(), Some(0), "gzip files may follow each other");
    assert_eq!(
        judge(&desk.put("odd.zip!name.xml", RIGHT), b"").status.code(),
        Some(0),
        "a file's own name comes first"
    );

    for (file, says) in [
        (member("gone.xml"), "no such member"),
        (archive.display().to_string(), "archive.zip!batch.xml"),
        (desk.put("cut.gz", &gzip(RIGHT.as_bytes())[..40]), "cannot be judged"),
        (format!("{}!right.xml", desk.put("cut.zip", &fs::read(&archive).unwrap()[..60])), "no readable zip archive"),
    ] {
        let output = judge(&file, b"");
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
    }
}

#[test]
fn what_is_endless_unpacked_is_given_up() {
    let desk = Desk::new();
    let mut bomb = RIGHT.replace("</Order>", "").into_bytes();
    bomb.resize(20 << 20, b' ');
    let packed = gzip(&bomb);
    let judge = |args: &[&str]| {
        let output = desk.by_schema(args, &packed);
        (output.status.code(), text(&output.stderr))
    };
    let (code, err) = judge(&["--max-ratio", "100", "-"]);
    assert!(code == Some(2) && err.contains("100 times as large as packed"), "{err}");
    let (code, err) = judge(&["--max-ratio", "2000", "--max-unpacked", "18000000", "-"]);
    assert!(code == Some(2) && err.contains("more than 18000000 bytes"), "{err}");
    let (code, err) = judge(&["--max-ratio", "2000", "-"]);
    assert!(code == Some(1), "only its end is missing: {err}");
}

#[test]
fn hints_of_the_document_are_followed_only_when_allowed() {
    let desk = Desk::new();
    let hint = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='urn:order order.xsd'";
    let right = desk.put("right.xml", RIGHT.replace("<Order", &format!("<Order {hint}")));
    let wrong = desk.put("wrong.xml", WRONG.replace("<Order", &format!("<Order {hint}")));
    let none = desk.put("none.xml", RIGHT);
    let code = |args: &[&str]| sluse(["validate"].iter().chain(args), b"", &[]).status.code();
    assert_eq!(code(&["--schema-locations", &right, &right]), Some(0));
    assert_eq!(code(&["--schema-locations", &right, &wrong]), Some(1));
    assert_eq!(code(&["--schema-locations", &none]), Some(2));
    assert_eq!(code(&[&right]), Some(1), "it is no batch");
    let other =
        desk.put("other.xsd", "<schema xmlns='http://www.w3.org/2001/XMLSchema'><element name='Other'/></schema>");
    assert_eq!(code(&["--schema", &other, &right]), Some(1), "the hint does not count");
    assert_eq!(code(&["--schema", &other, "--schema-locations", &right]), Some(0));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluse"))
        .args(["validate", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let _ = child.stdin.take().unwrap().write_all(&batch("30%"));
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(1), ""));
}

#[test]
fn what_is_found_is_told_at_once_and_who_leaves_then_is_not_worked_for() {
    let desk = Desk::new();
    let schema = desk.put("days.xsd", DAYS);
    for args in [&["--schema", &schema][..], &["--schema", &schema, "--json"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluse"))
            .args(["validate"].iter().chain(args).chain(&["-"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"<Days><Day>2026-02-30</Day>").unwrap();
        // It is told of one finding at the latest when what it is in has been read.
        let sound = "<Day>2026-02-28</Day>".repeat(50_000);
        input.write_all(sound.as_bytes()).unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert!(line.contains("2.1"), "{line}");
        drop(out);
        let written = (0..1_000).take_while(|_| input.write_all(sound.as_bytes()).is_ok()).count();
        assert!(written < 1_000, "it reads on");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}

const DAYS: &str = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='Days'><xs:complexType>
    <xs:sequence><xs:element name='Day' type='xs:date' maxOccurs='unbounded'/></xs:sequence></xs:complexType></xs:element></xs:schema>";
