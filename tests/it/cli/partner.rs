//! `sluse partner`, `sluse area` and `sluse audit`, beside a gateway that runs.

use std::fs;
use std::time::{Duration, Instant};

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use sluse::adapters::sftp_client::SftpClient;
use sluse::generate::Profile;
use sluse::ports::StoreError;

use super::{sluse, text};
use crate::support::batch::generated;
use crate::support::gateway::{Home, PATIENCE, Receiver, Settings, simulator};
use crate::support::receipts::{Receipts, code};

/// A gateway at work and the commands of its operator.
struct Office {
    home: Home,
}

impl Office {
    async fn open() -> Self {
        let settings = Settings { receiver: Receiver::Directory, ..Settings::default() };
        let office = Self { home: Home::with(simulator().await, &settings) };
        for (name, seed) in [("first", 21), ("second", 22)] {
            let line = key(seed).public_key().to_openssh().unwrap();
            fs::write(office.home.path(&format!("{name}.pub")), format!("{line} {name}@example\n")).unwrap();
        }
        office
    }

    /// Calls sluse; `{name}` in an argument stands for a file of the folder.
    fn call(&self, line: &str) -> (Option<i32>, String, String) {
        let config = self.home.path("sluse.toml");
        let file = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.home.path(name).to_str().unwrap().to_owned(),
            None => word.to_owned(),
        };
        let args = line.split_whitespace().map(file);
        let output =
            sluse(args.chain(["--config".to_owned(), config.to_str().unwrap().to_owned()]), b"next word\n", &[]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// The same for a call that succeeds.
    fn done(&self, line: &str) -> String {
        let (code, told, errors) = self.call(line);
        assert_eq!(code, Some(0), "{line}: {told}{errors}");
        told
    }

    /// The same for one that cannot be followed.
    fn refused(&self, line: &str) -> String {
        let (code, told, errors) = self.call(line);
        assert_eq!((code, told.as_str()), (Some(2), ""), "{line}: {errors}");
        errors
    }

    async fn log_in(&self, user: &str, seed: u8) -> Result<SftpClient, StoreError> {
        self.home.connect_as(user, &key(seed)).await
    }

    /// Waits until a login is taken, or until it is refused.
    async fn until_login(&self, user: &str, seed: u8, taken: bool) {
        let begun = Instant::now();
        while self.log_in(user, seed).await.is_ok() != taken {
            assert!(begun.elapsed() < PATIENCE, "{user} {seed} {taken}: {}", self.home.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn fingerprint(seed: u8) -> String {
    key(seed).public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string()
}

const WHY: &str = "--reason ticket-17 --by kari";

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_added_sends_files_as_the_one_it_is_like() {
    let office = Office::open().await;
    let gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    let told = office.done(&format!("partner add lovisa --like etat --user lovisa-nightly --key @first.pub {WHY}"));
    assert_eq!(told, "lovisa is added; lovisa-nightly may log in within seconds\n");
    office.until_login("lovisa-nightly", 21, true).await;
    let client = office.log_in("lovisa-nightly", 21).await.unwrap();
    let batch = generated(3, Profile::Small, "0", 5);
    client.put("/inbox/night.xml", &mut batch.text().as_bytes()).await.unwrap();
    let begun = Instant::now();
    let receipts = loop {
        let receipts = Receipts::list(&client).await.unwrap();
        if receipts.shipments.values().any(|kinds| kinds.contains(&"final".to_owned())) {
            break receipts;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", office.home.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(code(&receipts.final_of(&client, "night.xml").await), "FW-000");
    let out = fs::read_dir(office.home.path("out")).unwrap().count();
    assert_eq!(out, 3, "its items went where those of its pattern go");
    let own = office.home.connect().await.unwrap();
    assert!(Receipts::list(&own).await.unwrap().shipments.is_empty(), "its area is its own");

    // Its files are rehearsed by the routes of its pattern.
    fs::write(office.home.path("batch.xml"), batch.text()).unwrap();
    assert!(office.done("check @batch.xml --partner lovisa").contains("kind=\"final\" preflight=\"true\""));

    // The files as an operator sees them, while they are there and after.
    let directories = office.done("area ls lovisa");
    assert!(directories.lines().any(|line| line.starts_with("receipts  2 ")), "{directories}");
    let listed = office.done("area ls lovisa /receipts");
    let name = listed.lines().find(|line| line.contains(".final.xml")).unwrap().split_whitespace().last().unwrap();
    let receipt = office.done(&format!("area cat lovisa /receipts/{name} {WHY}"));
    assert_eq!(receipt, receipts.final_of(&client, "night.xml").await);
    office.done(&format!("area rm lovisa /receipts/{name} {WHY}"));
    assert!(office.refused(&format!("area cat lovisa /receipts/{name} {WHY}")).contains("no such file"));
    assert!(office.refused(&format!("area rm lovisa /receipts/{name} {WHY}")).contains("no such file"));
    assert!(!office.done("area ls lovisa receipts").contains(".final.xml"));
    let audit = office.done("audit --partner lovisa");
    let deeds = ["file removed", "file read", "key added", "login added", "partner added"];
    let lines: Vec<&str> = audit.lines().skip(1).collect();
    assert_eq!(lines.len(), deeds.len(), "{audit}");
    assert!(lines.iter().zip(deeds).all(|(line, deed)| line.contains(deed) && line.contains("kari")), "{audit}");

    // Everything is as it was after the process died.
    gateway.kill();
    let _gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    office.log_in("lovisa-nightly", 21).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_partner_is_shown_out_and_stays_out_until_it_is_enabled() {
    let office = Office::open().await;
    let _gateway = office.home.start(None);
    let here = office.home.connect().await.unwrap();
    here.list("/inbox").await.unwrap();
    office.done(&format!("partner disable etat {WHY}"));
    let begun = Instant::now();
    while here.list("/inbox").await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "its connection is ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    office.until_login("etat", 7, false).await;
    let (code, told, _) = office.call("partner test etat");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("wrong  partner etat: it is disabled\n"), "{told}");
    assert!(office.refused(&format!("partner disable etat {WHY}")).contains("stands so already"));
    office.done(&format!("partner enable etat {WHY}"));
    office.until_login("etat", 7, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_and_go_while_the_gateway_runs() {
    let office = Office::open().await;
    let _gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    office.done(&format!("partner key add etat @first.pub {WHY}"));
    office.until_login("etat", 21, true).await;
    // The key of the configuration and the one just added go on for a while.
    let told = office.done(&format!("partner rotate etat --key @second.pub --overlap 3 {WHY}"));
    assert!(
        told.starts_with("etat of etat logs in with the new keys within seconds; those before end at 20"),
        "{told}"
    );
    office.until_login("etat", 22, true).await;
    office.log_in("etat", 7).await.unwrap();
    let listed = office.done("partner list");
    for seed in [7, 21] {
        let line = listed.lines().find(|line| line.contains(&fingerprint(seed))).unwrap();
        assert!(line.contains(" until 20"), "{listed}");
    }
    assert!(listed.lines().any(|line| line.ends_with(&format!("{} second@example", fingerprint(22)))), "{listed}");
    office.done(&format!("partner key end etat {} {WHY}", fingerprint(7)));
    office.until_login("etat", 7, false).await;
    office.log_in("etat", 21).await.unwrap();
    assert!(office.refused(&format!("partner key end etat SHA256:none {WHY}")).contains("no such key"));
    // A file with the key that it has and a further one adds that; with the same keys there is nothing to do.
    let lines = ["first", "second"].map(|name| fs::read_to_string(office.home.path(&format!("{name}.pub"))).unwrap());
    fs::write(office.home.path("both.pub"), lines.concat()).unwrap();
    office.done(&format!("partner rotate etat --key @both.pub {WHY}"));
    assert!(office.refused(&format!("partner rotate etat --key @both.pub {WHY}")).contains("has these keys already"));
    // A second login of the partner, and one whose password is read from standard input.
    assert!(office.refused(&format!("partner key add weekly @first.pub {WHY}")).contains("--partner"));
    office.done(&format!("partner key add weekly @first.pub --partner etat {WHY}"));
    office.until_login("weekly", 21, true).await;
    assert!(office.done(&format!("partner rotate weekly --password {WHY}")).contains("new password"));
    let json = office.done("partner list --json");
    let etat: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&etat["logins"][1]["user"], &etat["logins"][1]["password"]), (&"weekly".into(), &true.into()));
    assert!(!office.done("audit --json").contains("argon2"), "a hash stands nowhere else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_the_configuration_moves_gets_a_password_of_its_new_partner() {
    let office = Office::open().await;
    let gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    office.done(&format!("partner add lovisa --like etat --user moved --key @first.pub {WHY}"));
    gateway.kill();
    let path = office.home.path("sluse.toml");
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{before}\n[partner.etat.login.moved]\npublic_keys_file = \"second.pub\"\n")).unwrap();
    let _gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    office.log_in("moved", 22).await.unwrap();
    office.done(&format!("partner rotate moved --password {WHY}"));
    let logins = || -> Vec<(String, String, bool)> {
        let json = office.done("partner list --json");
        let partners = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let of = |partner: serde_json::Value| {
            let logins = partner["logins"].as_array().unwrap().clone().into_iter();
            let partner = partner["partner"].as_str().unwrap().to_owned();
            logins.map(move |login| {
                (partner.clone(), login["user"].as_str().unwrap().to_owned(), login["password"] == true)
            })
        };
        partners.flat_map(of).filter(|(_, user, _)| user == "moved").collect()
    };
    assert_eq!(logins(), [("etat".to_owned(), "moved".to_owned(), true)]);
    // Taken away again, the user is whose a command made it; etat is left with nothing, also not with the password.
    fs::write(&path, before).unwrap();
    assert_eq!(logins(), [("lovisa".to_owned(), "moved".to_owned(), false)]);
    let taken = office.refused(&format!("partner key add moved @first.pub --partner etat {WHY}"));
    assert!(taken.contains("moved is a login of lovisa"), "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_tells_whether_a_login_would_be_taken() {
    let office = Office::open().await;
    let gateway = office.home.start(None);
    office.home.connect().await.unwrap();
    let told = office.done("partner test etat");
    assert!(told.contains(&format!("ok     etat with {}\n", fingerprint(7))), "{told}");
    assert!(told.contains(&format!("ok     the gateway answers at {}\n", office.home.address())), "{told}");
    let (code, told, _) = office.call("partner test etat --user etat --key @first.pub");
    assert_eq!(code, Some(1));
    assert!(told.contains("the key is not one of the user's"), "{told}");
    let add = format!("partner add far --like etat --user far --key @first.pub --address 192.0.2.0/24 {WHY}");
    office.done(&add);
    office.done(&format!("partner key end far {} {WHY}", fingerprint(21)));
    let (code, told, _) = office.call("partner test far --from 192.0.2.7");
    assert_eq!((code, told.contains("wrong  far: nothing opens it")), (Some(1), true), "{told}");
    office.done(&format!("partner key add far @first.pub {WHY}"));
    let (code, told, _) = office.call("partner test far --from 198.51.100.7");
    assert_eq!((code, told.contains("the address is not one of the partner's")), (Some(1), true), "{told}");
    office.done("partner test far --from 192.0.2.7");
    assert!(office.refused(&add).contains("there is a partner far already"));
    assert!(office.refused("partner test nobody").contains("there is no partner nobody"));
    // Its key is set aside, and nobody has started it anew.
    let list = office.done("host-key list --json");
    let shown = list.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let shown: Vec<_> = shown.filter(|key| key["shown"] == "everybody").collect();
    office.done("host-key make");
    office.done("partner test etat");
    office.done("host-key retire");
    let (code, told, _) = office.call("partner test etat");
    let shows = format!("it shows {}, which is no key in ", shown[0]["fingerprint"].as_str().unwrap());
    assert_eq!((code, shown.len(), told.contains(&shows)), (Some(1), 1, true), "{told}");
    gateway.kill();
    let (code, told, _) = office.call("partner test etat");
    assert_eq!((code, told.contains("wrong  the gateway answers")), (Some(1), true), "{told}");
    // Whoever may not read the keys is told so, and what can be told.
    fs::write(office.home.path("data/host-keys/odd_key"), "no key").unwrap();
    let (code, told, _) = office.call("partner test etat");
    assert_eq!((code, told.contains("its key is not compared")), (Some(1), true), "{told}");
}

#[test]
fn without_a_ledger_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sluse.toml"), super::MINIMAL).unwrap();
    let config = dir.path().join("sluse.toml");
    for line in ["partner list", "area ls etat", "audit", "partner disable etat --reason x"] {
        let args = line.split(' ').chain(["--config", config.to_str().unwrap()]);
        assert_eq!(sluse(args, b"", &[]).status.code(), Some(2), "{line}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
