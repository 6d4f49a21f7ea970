mod leads;
mod prefill;
mod receivers;
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
fn a_user_name_belongs_to_one_partner() {
    let text = format!("{MINIMAL}\n[partner.other.login.etat]\npublic_keys_file = \"etat.pub\"");
    assert_eq!(
        parse(&text, &[]).unwrap_err(),
        ["partner.other.login.etat: the user is already a login of partner etat"]
    );
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

/// A setting of one value: its line, the table it stands in, and what gives it from the environment, which nothing does in lists.
struct Scalar {
    line: usize,
    table: String,
    key: String,
    variable: Option<(String, String)>,
}

fn scalars(text: &str) -> Vec<Scalar> {
    let (mut scalars, mut lists, mut table) = (Vec::new(), Vec::new(), String::new());
    for (line, setting) in text.lines().enumerate() {
        if setting.starts_with('[') {
            table = setting.trim_matches(['[', ']']).to_owned();
            lists.extend(setting.starts_with("[[").then(|| table.clone()));
        } else if let Ok(read) = setting.parse::<toml::Table>() {
            for (key, value) in read {
                let value = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Array(_) | toml::Value::Table(_) => continue,
                    toml::Value::Integer(_)
                    | toml::Value::Float(_)
                    | toml::Value::Boolean(_)
                    | toml::Value::Datetime(_) => value.to_string(),
                };
                let path: Vec<_> = table.split('.').filter(|part| !part.is_empty()).chain([key.as_str()]).collect();
                let variable = format!("SLUSE_{}", path.join("__").to_uppercase().replace('-', "_"));
                let is_listed = lists.iter().any(|list| table == *list || table.starts_with(&format!("{list}.")));
                let variable = (!is_listed).then_some((variable, value));
                scalars.push(Scalar { line, table: table.clone(), key, variable });
            }
        }
    }
    scalars
}

/// The text without some of its lines.
fn without(text: &str, lines: &[usize]) -> String {
    let kept = text.lines().enumerate().map(|(number, line)| if lines.contains(&number) { "" } else { line });
    kept.fold(String::new(), |text, line| text + line + "\n")
}

fn shown(dir: &Path, text: &str, overrides: &[(String, String)]) -> String {
    let overrides = overrides.iter().cloned();
    match Config::parse(text, dir, overrides) {
        Ok(config) => format!("{config:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_single_setting_can_be_given_by_the_environment_alone() {
    let (dir, text) = (files(), example(|_| true));
    let as_written = shown(dir.path(), &text, &[]);
    let scalars: Vec<_> = scalars(&text).into_iter().filter_map(|found| Some((found.line, found.variable?))).collect();
    assert!(as_written.starts_with("Config {") && scalars.len() > 200, "{}: {as_written}", scalars.len());
    let (lines, variables): (Vec<_>, Vec<_>) = scalars.into_iter().unzip();
    assert_eq!(shown(dir.path(), &without(&text, &lines), &variables), as_written);
    for some in lines.into_iter().zip(variables).collect::<Vec<_>>().chunks(8) {
        let (lines, variables): (Vec<_>, Vec<_>) = some.iter().cloned().unzip();
        let overridden = shown(dir.path(), &without(&text, &lines), &variables);
        assert!(overridden == as_written, "{variables:?}: {overridden}");
    }
}

#[test]
fn what_the_environment_cannot_give_is_a_fault() {
    for (name, text) in [
        ("SLUSE_PARTNER__ETAT__ADDRESSES", "overrides a list, which only the file can say"),
        ("SLUSE_PARTNER__ETAT__LOGIN__ETAT__PUBLIC_KEYS", "overrides a list, which only the file can say"),
        ("SLUSE_ROUTE__PREFILL__SERVICE", "overrides a list, which only the file can say"),
        ("SLUSE_PARTNER__ETAT__LOGIN", "overrides no setting of this configuration"),
        ("SLUSE_PARTNER__OTHER__QUOTA_BYTES", "overrides no setting of this configuration"),
    ] {
        assert_eq!(parse(MINIMAL, &[(name, "x")]).unwrap_err(), [format!("{name}: {text}")]);
    }
}

#[test]
fn an_issuer_from_the_environment_asks_no_metadata() {
    let text = example(|_| true);
    let url = |overrides: &[(&str, &str)]| {
        let config = parse(&text, overrides).unwrap();
        let route = config.routes.into_iter().find(|route| route.receiver_name == "messages").unwrap();
        let ReceiverConfig::AltinnMessages(messages) = route.receiver else { panic!("{:?}", route.receiver) };
        messages.altinn.maskinporten.well_known_url
    };
    assert!(url(&[]).is_some());
    assert_eq!(url(&[("SLUSE_RECEIVER__MESSAGES__TOKEN_URL", "https://test.maskinporten.no/token")]), None);
}

#[test]
fn what_the_example_shows_is_the_default_but_for_these() {
    const EXAMPLES: &[&str] = &[
        ": data_dir",
        "signing: key_file",
        "partner.etat: bytes_per_second",
        "partner.etat.login.etat: public_keys_file password_hash_file",
        "receiver.archive: kind path",
        "receiver.fagsystem: kind url",
        "receiver.onlinebatch: kind url username password_file",
        "receiver.mottak: kind host user host_keys_file key_file",
        "receiver.tt02: kind environment client_id key_file kid key_expires well_known_url consumer_org system_user_org system_user_reference subscription_key_file",
        "receiver.tt02.client.etat: client_id key_file kid",
        "receiver.messages: kind environment client_id key_file kid",
        "receiver.formidling: kind environment client_id key_file kid",
        "format.grants: item",
        "route.etat-prefill: partner format receiver sender_name max_refused max_refused_percent finish_by",
        "route.etat-prefill.service: code",
        "route.etat-prefill.rules: reference_days",
        "route.etat-prefill.receipts: html csv next_expected signing_key_file",
        "route.etat-altinn: partner format receiver inbox test",
        "route.etat-altinn.service: code edition app attachment_type",
        "route.etat-altinn.service.field: id path",
        "route.etat-altinn.service.data_type: format_id format_version data_type schema",
        "route.etat-altinn.service.data_type.move: from to",
        "route.etat-messages: partner format receiver inbox test",
        "route.etat-messages.service: code resource message_sender",
        "route.etat-messages.service.notification: type language email_subject email_file sms_file",
        "route.etat-messages.service.reply: code edition url",
        "route.etat-broker: partner format receiver inbox test",
        "route.etat-formidling: partner format receiver inbox test",
        "route.etat-formidling.service: code resource",
        "right: service party right service party right",
        "source.drop: kind path partner route after move_to receipts",
        "source.theirs: kind host user key_file path partner route cron after",
        "schedule.cleaning: job cron calendar",
        "calendar.bank: days_file cut_off",
        "expected.etat-nightly: partner route by calendar min_percent_of_usual",
        "alarm.watch: kind server user password_file from",
        "alarm.pager: kind url bearer_token_file",
    ];
    let (dir, text) = (files(), example(|_| true));
    let as_written = shown(dir.path(), &text, &[]);
    let is_example = |scalar: &Scalar| {
        let mut of_table =
            EXAMPLES.iter().filter_map(|line| line.split_once(": ")).filter(|(table, _)| scalar.table == *table);
        of_table.any(|(_, keys)| keys.split(' ').any(|key| scalar.key == key))
    };
    let defaults: Vec<_> = scalars(&text).into_iter().filter(|scalar| !is_example(scalar)).collect();
    let lines: Vec<_> = defaults.iter().map(|scalar| scalar.line).collect();
    if shown(dir.path(), &without(&text, &lines), &[]) != as_written {
        let without_it = |line: usize| shown(dir.path(), &without(&text, &[line]), &[]);
        let mut others = defaults.iter().filter(|scalar| without_it(scalar.line) != as_written);
        let other = others.next().map(|scalar| format!("{}.{}", scalar.table, scalar.key));
        panic!("not the default, and not among the examples: {other:?}");
    }
    assert!(defaults.len() > 100, "{}", defaults.len());
}

#[test]
fn the_demo_is_right_once_it_has_set_what_it_sets() {
    let demo = include_str!("../../config/demo.toml");
    let overrides = [
        ("SLUSE_DATA_DIR", "data"),
        ("SLUSE_SFTP__LISTEN", "127.0.0.1:0"),
        ("SLUSE_PARTNER__DEMO__LOGIN__DEMO__PUBLIC_KEYS_FILE", "etat.pub"),
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
