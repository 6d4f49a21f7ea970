//! The embedded adapter, and what is true of it alone.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use async_trait::async_trait;
use sluse::adapters::ledger::SqliteLedger;
use sluse::ports::{Area, Followed, Ledger, LedgerError, Progress, SmallBlobs, Sources, Timetable, Transfers, Uploads};
use tempfile::TempDir;

use super::{Store, claim, partner};

struct Sqlite {
    dir: TempDir,
    ledger: SqliteLedger,
}

pub(super) async fn empty() -> Box<dyn Store> {
    open(tempfile::tempdir().unwrap()).await
}

async fn open(dir: TempDir) -> Box<dyn Store> {
    let ledger = SqliteLedger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    Box::new(Sqlite { dir, ledger })
}

#[async_trait]
impl Store for Sqlite {
    fn ledger(&self) -> &dyn Ledger {
        &self.ledger
    }

    fn area(&self) -> &dyn Area {
        &self.ledger
    }

    fn small(&self) -> &dyn SmallBlobs {
        &self.ledger
    }

    fn timetable(&self) -> &dyn Timetable {
        &self.ledger
    }

    fn sources(&self) -> &dyn Sources {
        &self.ledger
    }
    fn progress(&self) -> &dyn Progress {
        &self.ledger
    }

    fn followed(&self) -> &dyn Followed {
        &self.ledger
    }

    fn uploads(&self) -> &dyn Uploads {
        &self.ledger
    }

    fn transfers(&self) -> &dyn Transfers {
        &self.ledger
    }

    async fn reopen(self: Box<Self>) -> Box<dyn Store> {
        let Self { dir, ledger } = *self;
        drop(ledger);
        open(dir).await
    }
}

#[tokio::test]
async fn only_its_owner_reads_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.sqlite");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ledger = SqliteLedger::open(&file).await.unwrap();
    ledger.count_up(&partner("etat"), "sequence", 1).await.unwrap();
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn closing_keeps_what_was_asked_for_and_ends_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.sqlite");
    let ledger = SqliteLedger::open(&file).await.unwrap();
    ledger.count_up(&partner("etat"), "sequence", 41).await.unwrap();
    ledger.close().await;
    assert!(!Path::new(&dir.path().join("ledger.sqlite-wal")).exists(), "the log is folded in");
    let refused = ledger.count_up(&partner("etat"), "sequence", 1).await;
    assert!(matches!(refused, Err(LedgerError::Unavailable(_))), "{refused:?}");
    let again = SqliteLedger::open(&file).await.unwrap();
    assert_eq!(again.count_up(&partner("etat"), "sequence", 1).await.unwrap(), 42);
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.sqlite");
    std::fs::write(&file, "this is a text, not a database, and long enough to tell".repeat(100)).unwrap();
    assert!(SqliteLedger::open(&file).await.is_err());
    assert!(SqliteLedger::open(&dir.path().join("no/such/dir/ledger.sqlite")).await.is_err());
}

#[tokio::test]
async fn a_failing_change_does_not_take_its_neighbours_down() {
    let store = empty().await;
    let known = claim(store.as_ref(), "/inbox/a.xml").await;
    let unknown = sluse::model::ShipmentId::new();
    let calls = (0..200_u64).map(|number| {
        let ledger = store.ledger();
        let id = if number % 10 == 3 { unknown } else { known };
        async move { ledger.add_items(id, vec![super::item(number + 1, None)]).await.is_ok() }
    });
    let went_well = futures::future::join_all(calls).await;
    assert_eq!(went_well.iter().filter(|ok| **ok).count(), 180);
    assert_eq!(store.ledger().tally(known).await.unwrap().ready, 180);
}
