mod leads;
mod prefill;
mod sources;
mod times;

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;
use crate::model::{BatchLimits, CredentialPlace, SoapVersion, Strictness};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxs a@b";

const MINIMAL: &str = r#"
data_dir = "data"
[partner.etat.login.etat]
public_keys_file = "etat.pub"
[receiver.files]
kind = "directory"
path = "out"
[route.prefill]
partner = "etat"
format = "prefill"
receiver = "files"
"#;

/// A directory with every file the examples name.
fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    put("etat.pub", KEY);
    put("etat.hash", HASH);
    put("fagsystem.token", "secret-token\n");
    put("onlinebatch.password", "secret");
    put("mottak.pub", KEY);
    put("mottak_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    put("mottak_key-cert.pub", "ssh-ed25519-cert-v01@openssh.com AAAA");
    put("mottak.password", "secret");
    put("maskinporten.pem", "-----BEGIN PRIVATE KEY-----\n");
    put("chain.pem", "-----BEGIN CERTIFICATE-----\n");
    put("subscription.key", "key");
    put("receipts.pem", RECEIPTS_KEY);
    put("varsel-vedtak.txt", "Hei, {1}");
    put("varsel-vedtak-sms.txt", "Nytt vedtak");
    put("closed.txt", "2026-05-15\n12-23 half\n");
    put("source.key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    put("smtp.password", "secret");
    put("pager.token", "secret-token");
    put("prefill.token", "0123456789abcdef0123456789abcdef\n");
    put("grants.xsd", include_str!("../../fixtures/generic/grants.xsd"));
    put("grants-types.xsd", include_str!("../../fixtures/generic/grants-types.xsd"));
    put(
        "melding.xsd",
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='Melding'/></xs:schema>",
    );
    dir
}

/// Of RFC 8410, section 10.3.
const RECEIPTS_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";

fn parse(text: &str, overrides: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, files().path(), overrides).map_err(|error| error.to_string().lines().map(Into::into).collect())
}

#[test]
fn a_receiver_may_take_batches() {
    let with = |more: &str| MINIMAL.replace("path = \"out\"", &format!("path = \"out\"\n{more}"));
    let limits = |more: &str| parse(&with(more), &[]).unwrap().routes[0].receiver.batches();
    assert_eq!(limits(""), None);
    assert_eq!(limits("take = \"items\""), None);
    assert_eq!(limits("take = \"batches\""), Some(BatchLimits { items: 100, bytes: 30_000_000 }));
    let small = "take = \"batches\"\nbatch_items = 7\nbatch_bytes = 8";
    assert_eq!(limits(small), Some(BatchLimits { items: 7, bytes: 8 }));
    for (more, place) in [
        ("take = \"all\"", "receiver.files.take"),
        ("batch_items = 7", "receiver.files.take"),
        ("take = \"batches\"\nbatch_items = 0", "receiver.files.batch_items"),
        ("take = \"batches\"\nbatch_items = 10_001", "receiver.files.batch_items"),
    ] {
        let faults = parse(&with(more), &[]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(place), "{more}: {faults:?}");
    }
    let archives = with("take = \"batches\"").replace("\"prefill\"", "\"broker\"");
    let faults = parse(&archives, &[]).unwrap_err();
    assert!(faults.len() == 1 && faults[0].contains("take = \"items\""), "{faults:?}");
}

#[test]
fn a_short_configuration_is_enough() {
    let config = parse(MINIMAL, &[]).unwrap();
    let [RouteConfig { route, receiver, .. }] = &config.routes[..] else { panic!("one route") };
    assert!(matches!(receiver, ReceiverConfig::Directory(_)));
    assert!(route.services.any);
    assert_eq!((route.inbox.as_str(), route.receipts.as_str()), ("inbox", "receipts"));
    assert_eq!(config.partners[0].logins[0].public_keys, [KEY]);
    assert_eq!(config.warnings, Vec::<String>::new());
    assert!(config.sftp.host_key_dir.ends_with("data/host-keys"));
}

#[test]
fn receipts_are_a_directory_or_a_table() {
    use crate::model::{Language, ReceiptFormat, ReceiptRules};
    let with = |text: &str| parse(&format!("{MINIMAL}{text}"), &[]).map(|config| config.routes[0].clone());
    let short = with("receipts = 'svar'").unwrap();
    assert_eq!((short.route.receipts.as_str(), short.route.receipt_rules), ("svar", ReceiptRules::default()));
    let long = with(
        "[route.prefill.receipts]\ndir = 'svar'\nhtml = 'nn'\ncsv = true\nformat = 'summary'\n\
         file_name = '{stem}.{id}.{kind}.{ext}'\nsigning_key_file = 'receipts.pem'",
    )
    .unwrap();
    let rules = long.route.receipt_rules;
    assert_eq!((long.route.receipts.as_str(), rules.page, rules.list), ("svar", Some(Language::Nn), true));
    assert_eq!(rules.format, ReceiptFormat::Summary);
    assert!(long.signer.is_some());
    let fault = |text: &str| with(&format!("[route.prefill.receipts]\n{text}")).unwrap_err().join("\n");
    assert!(fault("html = 'se'").contains("must be one of \"nb\", \"nn\", \"en\""));
    assert!(fault("format = 'pdf'").contains("must be one of \"sluse\""));
    assert!(fault("file_name = '{name}.xml'").contains("route.prefill.receipts.file_name: must hold {id} or {uuid}"));
    assert!(fault("signing_key_file = 'etat.pub'").contains("is no Ed25519 private key"));
    assert!(fault("colour = 'red'").contains("is not a setting"));
    assert!(fault("dir = 'inbox'").contains("is already the name of another directory"));
    assert!(with("receipts = 7").unwrap_err().join("\n").contains("must be a text in quotes"));
    let overridden = parse(MINIMAL, &[("SLUSE_ROUTE__PREFILL__RECEIPTS__HTML", "en")]).unwrap();
    assert_eq!(overridden.routes[0].route.receipt_rules.page, Some(Language::En));
    assert!(parse(&format!("{MINIMAL}[signing]\nkey_file = 'receipts.pem'"), &[]).unwrap().signer.is_some());
}

#[test]
fn every_fault_is_reported_at_once_with_its_place() {
    let text = r#"
data_dir = 7
[sftp]
listen = "nowhere"
max_conections = 10
[worker]
lease_ms = 5
[partner.Etat.login.etat]
password_hash = "hunter2"
[receiver.files]
kind = "tape"
reel = 3
[receiver.altinn]
kind = "altinn-app"
platform_url = "http://example.no"
[route.prefill]
partner = "nobody"
format = "csv"
receiver = "lost"
test = "inbox"
max_refused_percent = 150
[[route.prefill.service]]
code = "TOOLONGCODE"
colour = "red"
"#;
    let faults = parse(text, &[("SLUSE_LOG__FORMAT", "xml"), ("SLUSE_SFTP__LISTN", "x")]).unwrap_err();
    let wanted = [
        "line 2: data_dir: must be a text in quotes, not integer",
        "line 4: sftp.listen: invalid socket address syntax",
        "line 5: sftp.max_conections: is not a setting",
        "line 7: worker.lease_ms: must be a whole number from 1000 to 3600000",
        "line 8: partner.Etat: `Etat` is not a name: use 1 to 32 of a-z, 0-9, '-' and '_', starting with a letter or digit",
        "line 9: partner.Etat.login.etat.password_hash: is not an argon2id hash; make one with `sluse hash-password`",
        "line 11: receiver.files.kind: must be \"altinn-app\", \"altinn-correspondence\", \"altinn-broker\", \"http\", \"soap\", \"sftp\" or \"directory\"",
        "line 13: receiver.altinn.apps_url: is missing: give it, or `environment`",
        "line 13: receiver.altinn.issuer: is missing: give it, or `environment`",
        "line 13: receiver.altinn.token_url: is missing: give it, or `environment`",
        "line 13: receiver.altinn.client_id: is missing",
        "line 13: receiver.altinn.key_file: is missing",
        "line 13: receiver.altinn.kid: is missing: give this or certificate_chain_file",
        "line 15: receiver.altinn.platform_url: must begin with https://; plain http is taken to this machine only",
        "line 17: route.prefill.partner: there is no [partner.nobody]",
        "line 18: route.prefill.format: must be one of \"prefill\", \"databatch\", \"correspondence\", \
         \"confirmations\", \"usagedata\", \"altut\", \"altut-confirmations\", \"online-receipt\", \"broker\", or the name of a [format.<name>]",
        "line 19: route.prefill.receiver: there is no [receiver.lost]",
        "line 20: route.prefill.test: is already the name of another directory of this route",
        "line 21: route.prefill.max_refused_percent: must be a number from 0 to 100",
        "line 23: route.prefill.service[1].code: a service code has at most 7 characters",
        "line 24: route.prefill.service[1].colour: is not a setting",
        "SLUSE_LOG__FORMAT: must be \"text\" or \"json\"",
        "SLUSE_SFTP__LISTN: overrides no setting of this configuration",
    ];
    assert_eq!(faults, wanted);
}

#[test]
fn faults_of_the_toml_itself_are_reported_with_their_line() {
    let faults = parse("data_dir = \"x\"\n[sftp\nlisten = = 1\n", &[]).unwrap_err();
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.starts_with("line ")), "{faults:?}");
}

#[test]
fn the_environment_overrides_single_settings() {
    let overrides = [
        ("SLUSE_DATA_DIR", "/elsewhere"),
        ("SLUSE_SFTP__LISTEN", "127.0.0.1:0"),
        ("SLUSE_LOG__FORMAT", "json"),
        ("SLUSE_PARTNER__ETAT__QUOTA_BYTES", "1_000"),
        ("SLUSE_PARTNER__ETAT__LOGIN__ETAT__PASSWORD_HASH", HASH),
        ("SLUSE_ROUTE__PREFILL__RETRY__FIRST_WAIT_MS", "7"),
        ("SLUSE_REQUIRE_ALL", "1"),
    ];
    let config = parse(MINIMAL, &overrides).unwrap();
    assert_eq!(config.data_dir, Path::new("/elsewhere"));
    assert_eq!(config.sftp.listen.port(), 0);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.partners[0].quota_bytes, 1_000);
    assert!(config.partners[0].logins[0].password_hash.is_some());
    assert_eq!(config.routes[0].route.retry.first_wait_ms, 7);
}

#[test]
fn secrets_never_show_in_debug_and_open_files_are_warned_of() {
    let dir = files();
    let hash = dir.path().join("etat.hash");
    fs::set_permissions(&hash, fs::Permissions::from_mode(0o644)).unwrap();
    let text = MINIMAL.replace("public_keys_file = \"etat.pub\"", "password_hash_file = \"etat.hash\"");
    let config = Config::parse(&text, dir.path(), []).unwrap();
    assert!(!format!("{config:?}").contains("argon2id"));
    let [warning] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
    assert!(warning.contains("etat.hash") && warning.contains("chmod 600"), "{warning}");
}

#[test]
fn a_missing_secret_is_a_fault_that_names_the_file() {
    let text = MINIMAL.replace("etat.pub", "gone.pub");
    let faults = parse(&text, &[]).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("line 4: partner.etat.login.etat.public_keys_file:"), "{faults:?}");
}

#[test]
fn rsa_and_damaged_keys_are_told_apart() {
    let with_key =
        |key: &str| MINIMAL.replace("public_keys_file = \"etat.pub\"", &format!("public_keys = [\"{key}\"]"));
    assert!(parse(&with_key(KEY), &[]).is_ok());
    for (key, word) in
        [(RSA_1024, "3072"), ("ssh-rsa AAAA", "OpenSSH"), ("ssh-ed25519 AAAA", "OpenSSH"), ("hei", "OpenSSH")]
    {
        let faults = parse(&with_key(key), &[]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(word), "{faults:?}");
    }
}

#[test]
fn routes_that_would_both_take_a_file_are_refused() {
    let second = |more: &str| {
        format!("{MINIMAL}\n[route.second]\npartner = \"etat\"\nformat = \"prefill\"\nreceiver = \"files\"\n{more}")
    };
    let text = |more| parse(&second(more), &[]).map(|_| ());
    assert!(text("").unwrap_err()[0].contains("takes the same format in inbox"));
    assert!(text("inbox = \"two\"\ntest = \"two-test\"").is_ok());
    assert!(text("inbox = \"receipts\"\nreceipts = \"r\"\ntest = \"t\"").unwrap_err()[0].contains("answer directory"));
    assert!(text("inbox = \"test\"\ntest = \"t\"").unwrap_err()[0].contains("test directory"));
}

#[test]
fn a_receiver_has_time_to_settle() {
    let directory = "kind = \"directory\"\npath = \"out\"";
    let with = |settle_ms: u64, url: &str| {
        let text = MINIMAL.replace(directory, &format!("kind = \"http\"\nurl = \"{url}\"\ntimeout_ms = 5_000"));
        parse(&format!("{text}[route.prefill.retry]\nsettle_ms = {settle_ms}"), &[])
    };
    assert!(with(0, "https://example.no").unwrap_err()[0].contains("settle_ms: must be a whole number from 1"));
    let [warning] = &with(4_999, "https://example.no").unwrap().warnings[..] else { panic!("one warning") };
    assert!(warning.contains("route.prefill.retry.settle_ms: is shorter than"), "{warning}");
    for (settle_ms, url) in [(5_000, "https://example.no"), (1, "http://127.0.0.1:8080")] {
        assert_eq!(with(settle_ms, url).unwrap().warnings, Vec::<String>::new());
    }
}

#[test]
fn a_user_name_belongs_to_one_partner() {
    let text = format!("{MINIMAL}\n[partner.other.login.etat]\npublic_keys_file = \"etat.pub\"");
    assert_eq!(
        parse(&text, &[]).unwrap_err(),
        ["partner.other.login.etat: the user is already a login of partner etat"]
    );
}

#[test]
fn an_http_service_has_one_credential_and_no_secret_travels_in_the_clear() {
    let with = |settings: &str| {
        let receiver = format!("kind = \"http\"\n{settings}");
        parse(&MINIMAL.replace("kind = \"directory\"\npath = \"out\"", &receiver), &[])
    };
    let header = "credential_header = \"X-Api-Key\"\ncredential_file = \"subscription.key\"\n";
    let config =
        with(&format!("url = \"https://a.example/\"\nstatus_url = \"https://a.example/{{key}}\"\n{header}")).unwrap();
    let ReceiverConfig::Http(http) = &config.routes[0].receiver else { panic!("an HTTP receiver") };
    assert_eq!(http.status_url.as_deref(), Some("https://a.example/{key}"));
    assert!(matches!(&http.credential, Some(HttpCredential::Header { name, .. }) if name == "X-Api-Key"));
    // Without a secret it is the operator's choice, and said.
    assert_eq!(with("url = \"http://a.example/\"").unwrap().warnings.len(), 1);
    let bearer = "bearer_token_file = \"fagsystem.token\"\n";
    for (settings, fault) in [
        (format!("url = \"http://a.example/\"\n{header}"), "line 7: receiver.files.url: must begin with https://"),
        (format!("url = \"http://a.example/\"\n{bearer}"), "line 7: receiver.files.url: must begin with https://"),
        (
            format!("url = \"https://a.example/\"\nstatus_url = \"http://a.example/{{key}}\"\n{bearer}"),
            "line 8: receiver.files.status_url: must begin with https://",
        ),
        (
            "url = \"https://a.example/\"\nstatus_url = \"https://a.example/\"".into(),
            "line 8: receiver.files.status_url: must have {key}",
        ),
        (
            format!("url = \"https://a.example/\"\n{header}{bearer}"),
            "line 8: receiver.files.credential_header: give this or",
        ),
        (
            "url = \"https://a.example/\"\ncredential_header = \"X\"".into(),
            "line 8: receiver.files.credential_header: ",
        ),
        (
            format!("url = \"https://a.example/\"\n{}", header.replace("X-Api", "X Api")),
            "line 8: receiver.files.credential_header: must be",
        ),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.starts_with(fault)), "{settings}: {faults:?}");
    }
}

#[test]
fn a_soap_service_takes_batches_and_no_password_travels_in_the_clear() {
    let with = |settings: &str| {
        let receiver = format!("kind = \"soap\"\n{settings}");
        parse(&MINIMAL.replace("kind = \"directory\"\npath = \"out\"", &receiver), &[])
    };
    let url = "url = \"https://a.example/\"\n";
    let config = with(url).unwrap();
    let ReceiverConfig::Soap(soap) = &config.routes[0].receiver else { panic!("a SOAP receiver") };
    assert_eq!((soap.version, soap.mtom, soap.user.is_none()), (SoapVersion::V11, true, true));
    assert_eq!(config.routes[0].receiver.batches(), Some(BatchLimits::DEFAULT));
    let user = "username = \"u\"\npassword_file = \"fagsystem.token\"\n";
    let config = with(&format!("{url}{user}username_in = \"header\"\nversion = \"1.2\"\nmtom = false")).unwrap();
    let ReceiverConfig::Soap(soap) = &config.routes[0].receiver else { panic!("a SOAP receiver") };
    assert_eq!((soap.version, soap.credential_place, soap.mtom), (SoapVersion::V12, CredentialPlace::Header, false));
    assert_eq!(soap.user.as_ref().map(|(name, _)| name.as_str()), Some("u"));
    for (settings, fault) in [
        (format!("url = \"http://a.example/\"\n{user}"), "url: must begin with https://"),
        (format!("{url}take = \"items\""), "take: must be"),
        (format!("{url}version = \"2\""), "version: must be"),
        (format!("{url}{user}username_in = \"cookie\""), "username_in: must be"),
        (format!("{url}username_in = \"header\""), "username_in: needs username"),
        (format!("{url}username = \"u\""), "username: username and password_file go together"),
        (format!("{url}password_file = \"fagsystem.token\""), "username: username and password_file go together"),
        (format!("{url}headers = [\"A: b\"]"), "headers: "),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{settings}: {faults:?}");
    }
}

#[test]
fn a_receiver_on_an_sftp_server_is_known_by_its_key_and_has_one_temporary_name() {
    let with = |settings: &str| {
        let directory = "kind = \"directory\"\npath = \"out\"\n";
        let text = MINIMAL.replace(directory, &format!("kind = \"sftp\"\nhost = \"h\"\nuser = \"u\"\n{settings}"));
        parse(&text, &[])
    };
    let pinned = format!("host_keys = [\"{KEY}\", \"[h]:2222 {KEY}\"]\n");
    let config = with(&format!("{pinned}key_file = \"mottak_key\"\n")).unwrap();
    let ReceiverConfig::Sftp(sftp) = &config.routes[0].receiver else { panic!("an SFTP receiver") };
    assert_eq!((sftp.peer.port, sftp.peer.host_keys.as_slice()), (22, &[KEY.to_owned(), KEY.to_owned()][..]));
    assert_eq!((sftp.path.as_str(), sftp.temporary.as_str(), sftp.replace), ("", ".{name}.part", false));
    let secret = "password_file = \"mottak.password\"\n";
    for (settings, fault) in [
        (secret.to_owned(), "needs host_keys or host_keys_file"),
        (pinned.clone(), "needs key_file or password_file"),
        (format!("host_keys = [\"ssh-ed25519 AAAA\"]\n{secret}"), "host_keys: is not a public key"),
        (format!("{pinned}{secret}certificate_file = \"mottak_key-cert.pub\"\n"), "certificate_file: needs key_file"),
        (format!("{pinned}{secret}temporary = \"{{name}}\"\n"), "temporary: must be"),
        (format!("{pinned}{secret}temporary = \"../{{name}}.part\"\n"), "temporary: must be"),
        (format!("{pinned}{secret}temporary = \"part\"\n"), "temporary: must be"),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{settings}: {faults:?}");
    }
}

/// The example with those of its commented settings taken into use that pass.
fn example(mut takes: impl FnMut(&str) -> bool) -> String {
    let mut used = |line: &'static str| {
        let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']));
        setting.filter(|setting| takes(setting)).unwrap_or(line)
    };
    include_str!("../../config/sluse.toml").lines().fold(String::new(), |text, line| text + used(line) + "\n")
}

#[test]
fn the_example_is_right_with_and_without_its_commented_settings() {
    parse(&example(|_| false), &[]).unwrap();
    let config = parse(&example(|_| true), &[]).unwrap();
    assert_eq!(config.routes.len(), 5);
    let altinn = config.routes.iter().find(|route| route.receiver_name == "tt02").unwrap();
    let row = &altinn.route.services.rows[0];
    assert_eq!(row.app.as_ref().unwrap().data_type("1243", "10656"), Some("melding"));
    let messages = config.routes.iter().find(|route| route.receiver_name == "messages").unwrap();
    let target = messages.route.services.rows[0].message.as_ref().unwrap();
    assert_eq!(target.template("VarselVedtak", "nb").unwrap().email_body, "Hei, {1}");
    assert_eq!(target.template("VarselVedtak", "en"), None);
    assert_eq!(target.reply_link("5001", "1"), Some("https://eta.apps.altinn.no/eta/meld-endring"));
    assert_eq!(target.reply_link("5001", "2"), None);
}

/// A route of archives to Altinn, whose row has more in it.
fn transfers(receiver: &str, format: &str, row: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{MINIMAL}\n[receiver.files3]\nkind = \"altinn-broker\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
         key_file = \"maskinporten.pem\"\nkid = \"k\"\n{receiver}\n[route.files3]\npartner = \"etat\"\n\
         format = \"{format}\"\nreceiver = \"files3\"\ninbox = \"a\"\ntest = \"b\"\n{row}\n"
    );
    parse(&text, &[])
}

#[test]
fn archives_go_to_resources_by_rows() {
    let row = |more: &str| format!("[[route.files3.service]]\ncode = \"4752\"\n{more}");
    let whole = row("resource = \"r\"");
    let config =
        transfers("part_bytes = 1_000_000\nnews = []", "broker", &row("resource = \"r\"\nsend = \"payload\"")).unwrap();
    let route = config.routes.iter().find(|route| route.receiver_name == "files3").unwrap();
    let ReceiverConfig::AltinnBroker(receiver) = &route.receiver else { panic!("a receiver of transfers") };
    assert_eq!((receiver.resumable_above_bytes, receiver.part_bytes), (50_000_000, 1_000_000));
    assert_eq!((receiver.news.events.len(), receiver.news.days), (0, 60));
    assert!(receiver.altinn.maskinporten.scope.contains("altinn:broker.write"));
    let target = route.route.services.rows[0].transfer.as_ref().unwrap();
    assert_eq!((target.content, target.is_scanned), (crate::model::TransferContent::Payload, true));
    for (receiver, format, row, fault) in [
        ("", "broker", row(""), "resource: is missing"),
        ("", "broker", row("resource = \"a/b\""), "resource: must be a resource's id"),
        ("", "broker", row("resource = \"r\"\nsend = \"all\""), "send: must be \"archive\" or \"payload\""),
        ("", "broker", row("resource = \"r\"\napp = \"a/b\""), "app: is not a setting"),
        ("", "broker", String::new(), "service: is missing"),
        ("", "prefill", whole.clone(), "takes the format broker only"),
        ("news = [\"read\"]", "broker", whole.clone(), "news: must be some of"),
        ("part_bytes = 1", "broker", whole, "part_bytes: must be"),
        ("take = \"batches\"", "broker", row("resource = \"r\""), "take: is not a setting"),
    ] {
        let faults = transfers(receiver, format, &row).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{receiver} {row}: {faults:?}");
    }
}

/// A route of messages, whose row has more in it.
fn messages(receiver: &str, row: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{MINIMAL}\n[receiver.messages]\nkind = \"altinn-correspondence\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
         key_file = \"maskinporten.pem\"\nkid = \"k\"\n{receiver}\n[route.messages]\npartner = \"etat\"\n\
         format = \"altut\"\nreceiver = \"messages\"\ninbox = \"a\"\ntest = \"b\"\n[[route.messages.service]]\n\
         code = \"5001\"\n{row}\n"
    );
    parse(&text, &[])
}

#[test]
fn messages_go_to_resources_by_rows() {
    let config = messages("news = [\"read\"]\nnews_days = 7", "resource = \"eta-brev\"").unwrap();
    let route = config.routes.iter().find(|route| route.receiver_name == "messages").unwrap();
    let ReceiverConfig::AltinnMessages(receiver) = &route.receiver else { panic!("a receiver of messages") };
    let news = &receiver.news;
    assert_eq!((news.events.len(), news.days, news.first_wait_ms), (1, 7, 60_000));
    assert!(receiver.altinn.maskinporten.scope.contains("altinn:correspondence.write"));
    assert_eq!(route.route.services.rows[0].message.as_ref().unwrap().resource, "eta-brev");
    for (receiver, row, fault) in [
        ("", "", "resource: is missing"),
        ("", "resource = \"eta/brev\"", "resource: must be a resource's id"),
        ("", "resource = \"r\"\nother_attachments = \"drop\"", "other_attachments: must be \"zip\" or \"refuse\""),
        ("", "resource = \"r\"\napp = \"a/b\"", "app: is not a setting"),
        ("", "resource = \"r\"\n[[route.messages.service.notification]]\ntype = \"N\"", "needs an email_file"),
        (
            "",
            "resource = \"r\"\n[[route.messages.service.notification]]\ntype = \"N\"\nemail_file = \"closed.txt\"",
            "email_subject and email_file go together",
        ),
        (
            "",
            "resource = \"r\"\n[[route.messages.service.reply]]\ncode = \"1\"\nurl = \"http://a.example\"",
            "url: must begin with https://",
        ),
        ("", "resource = \"r\"\nnotification_orders = true", "needs altinn:serviceowner/notifications.create"),
        ("news = [\"lost\"]", "resource = \"r\"", "news: must be some of"),
        ("news_max_wait_ms = 100", "resource = \"r\"", "news_max_wait_ms: is shorter"),
    ] {
        let faults = messages(receiver, row).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{receiver} {row}: {faults:?}");
    }
}

#[test]
fn defaults_written_in_the_example_are_the_defaults() {
    const DEFAULTS: [&str; 43] = [
        "host_key_dir",
        "max_strangers",
        "max_handles",
        "max_channels",
        "max_login",
        "rejection_ms",
        "scp",
        "may_remove",
        "ban_score",
        "window_ms",
        "ban_ms",
        "wait_ms",
        "longest_wait_ms",
        "max_connections",
        "idle_ms",
        "login_ms",
        "shipments",
        "lease_ms",
        "poll_ms",
        "overdue_ms",
        "stop_ms",
        "format = \"text\"",
        "filter",
        "quota_",
        "inbox = \"inbox\"",
        "test = \"test\"",
        "dir = \"receipts\"",
        "format = \"sluse\"",
        "file_name",
        "outbox",
        "max_file_bytes",
        "max_findings",
        "concurrency",
        "first_wait_ms",
        "max_entries",
        "max_unpacked_bytes",
        "max_entry_ratio",
        "max_ratio",
        "max_nesting",
        "max_name_bytes",
        "max_control_bytes",
        "max_listed",
        "form_data",
    ];
    let with_defaults = example(|setting| DEFAULTS.iter().any(|name| setting.starts_with(name)));
    let shown = |text: &str| format!("{:?}", parse(text, &[]).map(|config| Config { partners: Vec::new(), ..config }));
    assert_eq!(shown(&with_defaults), shown(&example(|_| false)));
    assert!(with_defaults.matches("\n#").count() < example(|_| false).matches("\n#").count() - 15);
}

#[test]
fn the_demo_is_right_once_it_has_set_what_it_sets() {
    let demo = include_str!("../../config/demo.toml");
    let overrides = [
        ("SLUSE_PARTNER__DEMO__LOGIN__DEMO__PASSWORD_HASH", HASH),
        ("SLUSE_RECEIVER__SIMULATOR__PLATFORM_URL", "http://127.0.0.1:1"),
        ("SLUSE_RECEIVER__SIMULATOR__APPS_URL", "http://127.0.0.1:1"),
        ("SLUSE_RECEIVER__SIMULATOR__ISSUER", "http://127.0.0.1:1/"),
        ("SLUSE_RECEIVER__SIMULATOR__TOKEN_URL", "http://127.0.0.1:1/token"),
        ("SLUSE_RECEIVER__SIMULATOR__KEY_FILE", "maskinporten.pem"),
    ];
    let config = parse(demo, &overrides).unwrap();
    assert_eq!(config.routes.len(), 1);
    assert!(parse(demo, &[]).is_err());
}

proptest! {
    #[test]
    fn whatever_the_text_and_the_environment_there_is_an_answer(
        text in "([a-z\\[\\].=\"0-9{}\\n#-]|partner|route|sftp|service|kind){0,60}",
        name in "SLUSE_[A-Z_]{0,30}",
        value in any::<String>(),
    ) {
        let _ = parse(&text, &[(&name, &value)]);
        let _ = parse(&format!("{MINIMAL}{text}"), &[(&name, &value)]);
    }
}

#[test]
fn schemas_of_form_data_are_read_at_the_start() {
    let dir = files();
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("wrong.xsd", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n<xs:element nam='a'/></xs:schema>");
    let with = |rows: &str| {
        let text = format!("{MINIMAL}[[route.prefill.service]]\ncode = \"A\"\n{rows}");
        Config::parse(&text, dir.path(), []).map_err(|error| error.to_string())
    };
    let row = |keys: &str| format!("[[route.prefill.service.data_type]]\nformat_id = \"5\"\n{keys}\n");
    let config = with(&row("schema = \"melding.xsd\"")).unwrap();
    let route = &config.routes[0].route;
    let schema = route.services.rows[0].form_schema("5", "9").unwrap();
    assert!(schema.ends_with("melding.xsd") && crate::formats::form_schema(schema).is_some());
    assert_eq!(route.rules.form_data, Strictness::Refuse, "whoever names a schema means it");
    assert_eq!(parse(MINIMAL, &[]).unwrap().routes[0].route.rules.form_data, Strictness::Off);
    let rule = format!("{}[route.prefill.rules]\nform_data = \"warn\"\n", row("schema = \"melding.xsd\""));
    assert_eq!(with(&rule).unwrap().routes[0].route.rules.form_data, Strictness::Warn);
    for (keys, fault) in [
        ("schema = \"wrong.xsd\"", "wrong.xsd:2:1"),
        ("schema = \"absent.xsd\"", "absent.xsd"),
        ("", "schema: is missing"),
    ] {
        let error = with(&row(keys)).unwrap_err();
        assert!(error.contains(fault) && error.contains("data_type"), "{error}");
    }
}

/// A key nobody should use.
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC50pXURX3pGC+PaRaBLmJzHpVQ0C/oC6PFBTTlYv1f6FuN4G/Ri9RSWjh82BHC88w4sx90YWqEwdHlBr8RDG6QBdX5CR1gXimFD1ZVDGnBhhs4q+tdjWQbdHtnfdJQaXMjQPGW58Myx5xPXMotZT+1D9yEfZN5hcE1CL7irjhJuw== small";

#[test]
fn an_http_receiver_has_one_way_to_be_known_and_headers_that_can_be_sent() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["etat.pub", "secret", "client.pem"] {
        std::fs::write(dir.path().join(name), if name == "etat.pub" { KEY } else { "word" }).unwrap();
    }
    let http = "kind = \"http\"\nurl = \"https://a.example/x\"\n";
    let read = |more: &str| {
        let text = format!("{MINIMAL}\n[receiver.service]\n{http}{more}");
        super::Config::parse(&text, dir.path(), []).map_err(|error| error.to_string())
    };
    let oauth = "[receiver.service.oauth]\ntoken_url = \"https://id.example/t\"\nclient_id = \"a\"\n\
                 client_secret_file = \"secret\"";
    read(&format!("headers = [\"X-A: {{key}}\"]\nsigning_secret_file = \"secret\"\n{oauth}")).unwrap();
    let table = [
        ("headers = [\"X-A: {keys}\"]", "receiver.service.headers: `X-A: {keys}` is no header"),
        ("client_certificate_file = \"client.pem\"", "must hold a certificate and its private key"),
        ("ca_file = \"client.pem\"", "receiver.service.ca_file: does not hold certificates"),
        (
            "[receiver.service.oauth]\ntoken_url = \"https://id.example/t\"",
            "receiver.service.oauth.client_id: is missing",
        ),
        (
            &format!("bearer_token_file = \"secret\"\n{oauth}"),
            "receiver.service.oauth: give this or a fixed credential",
        ),
        (&oauth.replace("https", "http"), "receiver.service.oauth.token_url: must begin with https://"),
    ];
    for (more, fault) in table {
        let told = read(more).unwrap_err();
        assert!(told.contains(fault), "{more}: {told}");
    }
}
