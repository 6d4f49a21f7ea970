//! Every rule of a route beside a receipt that tells of it. A folder of `fixtures/rules` is a partner's day: files as they are
//! dropped, in order of their names, the route they meet (`route.toml`), and the final receipt of each. With SLUSE_BLESS=1
//! the receipts are written anew, to be read before they are committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sluse::codes;
use sluse::config::Config;
use sluse::model::{ReceiptKind, Route, ShipmentId};

use sluse::ports::Clock as _;

use super::{Rig, until};
use crate::support::receipts::assert_valid;

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_has_its_receipt() {
    let told = futures::future::join_all(folders().iter().map(|folder| told(folder))).await;
    let told: BTreeSet<_> = told.into_iter().flatten().collect();
    let of_rules = codes::TABLE.iter().map(|row| row.code.0).filter(|code| code.starts_with("FM-"));
    let untold: Vec<_> = of_rules.filter(|code| !told.contains(code)).collect();
    assert!(untold.is_empty(), "rules without a receipt: {untold:?}");
}

/// Goes through a day, and tells every code on its receipts.
async fn told(folder: &Path) -> BTreeSet<&'static str> {
    let rig = Rig::with(route(folder)).await;
    let running = rig.run();
    let mut told = BTreeSet::new();
    for (file, id) in drop_all(&rig, folder).await {
        rig.final_receipt(id).await;
        let receipt = rig.receipt(&format!("{}.final.xml", id.short())).await;
        assert_valid(&receipt);
        told.extend(codes::TABLE.iter().map(|row| row.code.0).filter(|code| receipt.contains(code)));
        let settled = settled(&receipt, id);
        let golden = file.with_extension("receipt.xml");
        if std::env::var_os("SLUSE_BLESS").is_some() {
            fs::write(&golden, &settled).unwrap();
        }
        assert_eq!(settled, fs::read_to_string(&golden).unwrap_or_default(), "{}", file.display());
    }
    running.stop().await;
    let lists = rig.names("receipts").await.into_iter().filter(|name| name.starts_with("next-expected"));
    let golden = folder.join("next-expected.csv");
    assert_eq!(lists.count(), usize::from(golden.exists()), "{}", folder.display());
    if golden.exists() {
        assert_eq!(
            rig.receipt("next-expected.csv").await,
            fs::read_to_string(&golden).unwrap(),
            "{}",
            folder.display()
        );
    }
    told
}

/// What is dropped of a file: so many blanks stand for `<?fill N?>`, where it would be too long to keep.
fn filled(file: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(file) else { return file.to_vec() };
    let mut parts = text.split("<?fill ");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (blanks, rest) = part.split_once("?>").unwrap();
        whole.extend(std::iter::repeat_n(' ', blanks.parse().unwrap()));
        whole.push_str(rest);
    }
    whole.into_bytes()
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.join("route.toml").exists());
    folders.sort();
    folders
}

/// The route, as an operator would write it; settings of sections of its own are written as those of the route's.
fn route(folder: &Path) -> Route {
    let own = fs::read_to_string(folder.join("route.toml")).unwrap();
    let own: String = own.lines().fold(String::new(), |text, line| {
        let nested = line.replacen("[[", "[[route.golden.", 1);
        let nested = if nested == line {
            line.replacen('[', "[route.golden.", usize::from(line.starts_with('[')))
        } else {
            nested
        };
        text + &nested + "\n"
    });
    let text = format!(
        "data_dir = \"data\"\n[partner.ttd.login.ttd]\npublic_keys = [\"{KEY}\"]\n\
         [receiver.files]\nkind = \"directory\"\npath = \"out\"\n\
         [route.golden]\npartner = \"ttd\"\nreceiver = \"files\"\n{own}"
    );
    let config = Config::parse(&text, folder, []).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    config.routes.into_iter().next().unwrap().route
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxs a@b";

/// Drops the files one after the other; one that is held is passed by the next.
async fn drop_all(rig: &Rig, folder: &Path) -> Vec<(PathBuf, ShipmentId)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_dropped = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".xml") && !name.ends_with(".receipt.xml")
    };
    let mut files: Vec<_> = paths.filter(is_dropped).collect();
    files.sort();
    let mut dropped = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy();
        let id = rig.drop_file(&format!("/inbox/{name}"), &filled(&fs::read(&file).unwrap())).await;
        until(async || {
            rig.has(id, ReceiptKind::Final).await
                || rig.house.ledger.held_until(id, rig.clock.now()).await.unwrap().is_some()
        })
        .await;
        dropped.push((file, id));
    }
    dropped
}

/// The receipt without what is another's on every day: the shipment's id, times, and keys that are made of the id.
fn settled(receipt: &str, id: ShipmentId) -> String {
    let mut text = receipt.replace(&id.to_string(), "ID").replace(&id.short(), "ID");
    for element in ["LastChanged", "Received", "ReceiversReference"] {
        text = text.lines().fold(String::new(), |text, line| {
            let start = line.find(&format!("<{element}>")).map(|at| at + element.len() + 2);
            let end = line.find(&format!("</{element}>"));
            match start.zip(end) {
                Some((start, end)) => text + &line[..start] + "…" + &line[end..] + "\n",
                None => text + line + "\n",
            }
        });
    }
    text
}
