//! Who we are to Maskinporten, as the configuration says: keystores of others, and clients that are partners' own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use sluse::adapters::altinn::KeyIdentity;
use sluse::adapters::receiver::{HttpSettings, Trust};
use sluse::config::{AltinnConfig, Config, KeyName, ReceiverConfig};
use sluse::ports::Receiver;
use tempfile::TempDir;

use super::other_receivers;
use super::setup::{key, receiver_with, settings, simulator};
use crate::needs;

/// A gateway with one partner and one route to Altinn, whose receiver has these settings.
fn config(dir: &Path, receiver: &str) -> Result<AltinnConfig, String> {
    let text = format!(
        "data_dir = \"data\"\n[partner.etat.login.etat]\npublic_keys = [\"{KEY}\"]\n[receiver.tt02]\nkind = \"altinn-app\"\n\
         environment = \"tt02\"\nclient_id = \"general\"\n{receiver}\n[route.a]\npartner = \"etat\"\nformat = \"prefill\"\n\
         receiver = \"tt02\"\n[[route.a.service]]\ncode = \"1\"\napp = \"ttd/a\"\n[[route.a.service.data_type]]\n\
         format_id = \"1\"\ndata_type = \"a\"\n"
    );
    let config = Config::parse(&text, dir, []).map_err(|error| error.to_string())?;
    let ReceiverConfig::AltinnApp(altinn) = &config.routes[0].receiver else { panic!("a receiver of apps") };
    Ok(altinn.as_ref().clone())
}

fn secret(dir: &Path, name: &str, bytes: &[u8]) {
    fs::write(dir.join(name), bytes).unwrap();
    fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn openssl(dir: &TempDir, args: &[&str]) {
    let made = Command::new("openssl").args(args).current_dir(dir.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// An authority, and a certificate of it for twenty days.
fn certificates() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN=sluse test {name}"));
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "20", "-keyout", &key, "-out", &pem];
        openssl(&dir, &[&request, &["-subj", &subject][..], more].concat());
    };
    make("ca", &[]);
    make("leaf", &["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]);
    dir
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_ahead() {
    if !needs::has("openssl") {
        return;
    }
    let dir = certificates();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let simulator = simulator().await;
    let mut altinn = settings(simulator.base_url());
    altinn.maskinporten.private_key = read("leaf.key").into();
    altinn.maskinporten.identity = KeyIdentity::Certificates(read("leaf.pem") + &read("ca.pem"));
    let trust = Trust { identity: Some((read("leaf.pem") + &read("leaf.key")).into()), authorities: None };
    let http = HttpSettings { trust, ..other_receivers::settings(simulator.base_url()) };
    let receivers: [(&str, Box<dyn Receiver>); 2] =
        [("key", Box::new(receiver_with(altinn))), ("certificate", Box::new(other_receivers::receiver(http)))];
    for (about, receiver) in receivers {
        let concerns = receiver.concerns(Timestamp::now()).await;
        let told: Vec<_> = concerns.iter().map(|concern| (concern.about, concern.alarm.level.as_str())).collect();
        assert_eq!(told, [(about, "30-days")]);
        let later = Timestamp::now() + SignedDuration::from_hours(24 * 15);
        let told: Vec<_> = receiver.concerns(later).await.into_iter().map(|concern| concern.alarm.level).collect();
        assert_eq!(told, ["7-days"]);
    }
}

#[test]
fn a_keystore_gives_the_key_and_its_chain_however_it_was_encrypted() {
    if !needs::has("openssl") {
        return;
    }
    let dir = certificates();
    secret(dir.path(), "password", b"p@ss7c1d\n");
    secret(dir.path(), "wrong", b"other");
    let older = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    for encrypted in [&[][..], &older] {
        let export =
            ["pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.pem", "-certfile", "ca.pem", "-out", "a.p12"];
        openssl(&dir, &[&export, &["-passout", "pass:p@ss7c1d"][..], encrypted].concat());
        secret(dir.path(), "a.p12", &fs::read(dir.path().join("a.p12")).unwrap());
        let settings = "keystore_file = \"a.p12\"\nkeystore_password_file = \"password\"";
        let client = config(dir.path(), settings).unwrap().maskinporten;
        assert!(!format!("{client:?}").contains("7c1d"));
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let KeyName::Chain(chain) = client.key_name else { panic!("a chain") };
        assert_eq!(chain, read("leaf.pem") + &read("ca.pem"), "the leaf first");
        let key = secrecy::ExposeSecret::expose_secret(&client.key).to_owned();
        assert_eq!(key, read("leaf.key"));
        let named = config(dir.path(), &format!("{settings}\nkid = \"k\"")).unwrap().maskinporten;
        assert_eq!(named.key_name, KeyName::Kid("k".into()));
        let refused = |settings: &str| config(dir.path(), settings).unwrap_err();
        let wrong = refused("keystore_file = \"a.p12\"\nkeystore_password_file = \"wrong\"");
        assert!(wrong.contains("cannot be read as PKCS#12 with that password"), "{wrong}");
        let both = refused(&format!("{settings}\nkey_file = \"leaf.key\""));
        assert!(both.contains("key_file: give this or keystore_file, not both"), "{both}");
        assert!(refused("keystore_file = \"a.p12\"").contains("keystore_password_file: is missing"));
        assert!(refused(&settings.replace("a.p12", "leaf.pem")).contains("cannot be read as PKCS#12"));
    }
}

#[test]
fn a_partner_may_have_a_client_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    secret(dir.path(), "key.pem", secrecy::ExposeSecret::expose_secret(&key().private_key).as_bytes());
    let general = "key_file = \"key.pem\"\nkid = \"k1\"\nscope = \"altinn:a\"\nkey_expires = \"2027-08-01\"";
    let own = "[receiver.tt02.client.etat]\nclient_id = \"own\"\nkey_file = \"key.pem\"\nkid = \"k2\"\n\
               consumer_org = \"310000000\"\nsystem_user_org = \"310000000\"\nsystem_user_reference = \"r\"";
    let altinn = config(dir.path(), &format!("{general}\n{own}")).unwrap();
    let etat = "etat".parse().unwrap();
    let client = altinn.client_of(&etat).unwrap();
    assert_eq!((client.client_id.as_str(), &client.key_name), ("own", &KeyName::Kid("k2".into())));
    assert_eq!((client.scope.as_str(), client.consumer_org.as_deref()), ("altinn:a", Some("310000000")));
    assert_eq!(client.system_user, Some(("310000000".to_owned(), Some("r".to_owned()))));
    assert_eq!(client.issuer, altinn.maskinporten.issuer);
    assert_eq!((altinn.maskinporten.client_id.as_str(), client.key_expires), ("general", None));
    assert!(altinn.maskinporten.key_expires.is_some());
    let well_known = altinn.maskinporten.well_known_url.as_deref();
    assert_eq!(well_known, Some("https://test.maskinporten.no/.well-known/oauth-authorization-server"));
    let given = config(dir.path(), &format!("{general}\ntoken_url = \"https://a.example/token\"")).unwrap();
    assert_eq!(given.maskinporten.well_known_url, None, "what was given holds");
    for (settings, fault) in [
        (own.replace("client.etat", "client.other"), "receiver.tt02.client.other: there is no [partner.other]"),
        (own.replace("client_id = \"own\"\n", ""), "receiver.tt02.client.etat.client_id: is missing"),
        (own.replace("system_user_org = \"310000000\"\n", ""), "system_user_reference: needs system_user_org"),
        (
            own.replace("system_user_org = \"310000000\"", "system_user_org = \"31\""),
            "system_user_org: must be an organisation",
        ),
    ] {
        let error = config(dir.path(), &format!("{general}\n{settings}")).unwrap_err();
        assert!(error.contains(fault), "{error}");
    }
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxs a@b";
