//! Nothing personal leaks sideways: not into the log, whatever is logged, nor into names, receipts and error texts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sluse::generate::Profile;
use sluse::simulator::{Call, Fault, FaultPlan, Rule};

use super::final_of;
use crate::support::batch::{Batch, contents, generated};
use crate::support::gateway::{Home, Settings, simulator};
use crate::support::receipts::{Receipts, count, read};

#[tokio::test(flavor = "multi_thread")]
async fn neither_reportees_nor_form_data_show_anywhere() {
    let settings = Settings { log_filter: "trace", route: "concurrency = 4".into(), ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let gateway = home.start(None);
    // Every mistake an item can have, and a receiver that fails in several ways.
    home.simulator.set_faults(FaultPlan { seed: 3, rules: FAULTS.map(rule).to_vec() });
    let batch = generated(60, Profile::Medium, "20%", 41);
    let client = home.connect().await.unwrap();
    client.put("/inbox/a.xml", &mut &*batch.bytes).await.unwrap();
    let receipt = final_of(&home, "a.xml").await;
    assert!(count(&receipt, "refused") > 8 && count(&receipt, "failed") > 4, "{receipt}");

    let mut shown = vec![home.log(), refusals(&home, &batch).await, names(&home.path(""))];
    let receipts = Receipts::list(&client).await.unwrap();
    for ((name, id), kinds) in &receipts.shipments {
        for kind in kinds.iter().filter(|kind| *kind != "rest") {
            shown.push(read(&client, name, id, kind).await);
        }
        shown.push(format!("{name} {id}"));
    }
    gateway.kill();
    assert!(shown[0].contains("DEBUG") && shown[0].contains("receipted"), "the log is not the one meant");
    let config = fs::read_to_string(home.path("sluse.toml")).unwrap();
    for secret in secrets(&batch, &config, &home) {
        for text in &shown {
            let at = text.find(&secret);
            let line = at.and_then(|at| text.get(at.saturating_sub(300)..(at + 300).min(text.len())));
            assert_eq!(at, None, "{secret}: {line:?}");
        }
    }
}

/// Numbers of reportees, words of forms, and our own key.
fn secrets(batch: &Batch, config: &str, home: &Home) -> BTreeSet<String> {
    let ids = contents(batch.text(), "Id").into_iter().map(ToOwned::to_owned);
    let forms = contents(batch.text(), "FormData").into_iter();
    let words = forms.flat_map(|form| form.split(|c: char| !c.is_alphabetic())).filter(|word| word.len() > 5);
    // Data types and apps are named with such words, too, and so are elements of forms and of receipts.
    let telling = words.filter(|word| !config.contains(word) && !["CDATA", "skjema", "periode"].contains(word));
    let key = fs::read_to_string(home.path("key.pem")).unwrap().lines().nth(2).unwrap().to_owned();
    let secrets: BTreeSet<String> = ids.chain(telling.map(ToOwned::to_owned)).chain([key]).collect();
    assert!(secrets.len() > 70, "{secrets:?}");
    secrets
}

/// What the partner is told when requests cannot be done.
async fn refusals(home: &Home, batch: &Batch) -> String {
    let client = home.connect().await.unwrap();
    let id = contents(batch.text(), "Id")[0];
    let mut texts = String::new();
    for path in ["/inbox/none.xml", "/receipts/none.xml", "/nowhere/a.xml"] {
        texts += &client.get(path, &mut Vec::new()).await.unwrap_err().to_string();
        texts += &client.rename(path, "/receipts/a.xml").await.unwrap_err().to_string();
    }
    texts += &client.put("/receipts/a.xml", &mut id.as_bytes()).await.unwrap_err().to_string();
    texts
}

/// The names of all files in a directory, however deep.
fn names(dir: &Path) -> String {
    let mut names = String::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
        names += &format!("{}\n", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            names += &self::names(&entry.path());
        }
    }
    names
}

const FAULTS: [(u64, Fault, Call); 7] = [
    (7, Fault::BadRequest, Call::Instantiate),
    (11, Fault::UnknownParty, Call::Instantiate),
    (5, Fault::ResetAfter, Call::Instantiate),
    (9, Fault::ErrorBefore, Call::Instantiate),
    (13, Fault::Throttled(0), Call::Instantiate),
    (2, Fault::ErrorBefore, Call::List),
    (1, Fault::Latency(2), Call::Exchange),
];

fn rule((every, fault, call): (u64, Fault, Call)) -> Rule {
    Rule { fault, call, every: Some(every), probability: None, most: None }
}
