//! The clients that agencies use, against our server with its default settings.
//!
//! docs/interoperability.md holds what came out; with SLUSE_BLESS=1 it is written anew, to be read before it is committed.
//! A client that is not installed is skipped with its name, and is a failure with SLUSE_REQUIRE_ALL=1.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod audit;
mod clients;
mod page;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use futures::StreamExt as _;
use russh::keys::{HashAlg, PrivateKey};
use russh_sftp::protocol::OpenFlags;
use sluse::ports::Area as _;

use self::clients::Client;
use crate::support::sftp::{Gateway, write_key};

/// What a client is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Upload,
    Resume,
    Rename,
    List,
    Download,
    Delete,
    Big,
    OddName,
}

const STEPS: [Step; 8] =
    [Step::Upload, Step::Resume, Step::Rename, Step::List, Step::Download, Step::Delete, Step::Big, Step::OddName];

impl Step {
    /// What the clients' scripts call it.
    fn verb(self) -> &'static str {
        match self {
            Self::Upload | Self::Big | Self::OddName => "put",
            Self::Resume => "resume",
            Self::Rename => "rename",
            Self::List => "list",
            Self::Download => "get",
            Self::Delete => "delete",
        }
    }

    /// The file the client has.
    fn bytes(self) -> Vec<u8> {
        let size: u32 = match self {
            Self::Big => 24_000_000,
            Self::Resume => 1_000_000,
            Self::Upload | Self::Rename | Self::List | Self::Download | Self::Delete | Self::OddName => 50_000,
        };
        (0..size).map(|n| (n % 251) as u8).collect()
    }
}

/// One step of one client.
struct Task {
    step: Step,
    dir: PathBuf,
    port: u16,
    user: String,
    /// A key file of the user.
    key: String,
    /// The fingerprint of the server's key.
    host_key: String,
    local: String,
    remote: String,
    /// The name it has before it is renamed.
    other: String,
}

impl Task {
    fn port(&self) -> String {
        self.port.to_string()
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Done,
    /// The client has no such thing.
    Lacking(&'static str),
    Failed(String),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_client_does_what_agencies_do_with_it() {
    let here: Vec<Client> = clients::ALL.into_iter().filter(|client| client.is_installed()).collect();
    let gateway = Gateway::start().await;
    crate::sftp::place(&gateway, "/receipts/receipt.xml", &Step::Download.bytes()).await;
    crate::sftp::place(&gateway, "/receipts/kvittering æøå.xml", b"x").await;
    // Side by side, since each waits most of its time; but not so many that one starves beside other tests.
    let rows = here.iter().map(|client| row(&gateway, *client));
    let rows: Vec<_> = futures::stream::iter(rows).buffered(AT_ONCE).collect().await;
    let rows: Vec<_> = here.iter().copied().zip(rows).collect();
    page::compare(&rows);
}

async fn row(gateway: &Gateway, client: Client) -> Vec<Cell> {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    write_key("etat", &key);
    let mut cells = Vec::new();
    for step in STEPS {
        cells.push(match client.lacks(step) {
            Some(why) => Cell::Lacking(why),
            None => cell(gateway, client, task(gateway, client, step, dir.path())).await,
        });
    }
    cells
}

fn task(gateway: &Gateway, client: Client, step: Step, dir: &Path) -> Task {
    let (prefix, verb) = (client.prefix(), format!("{step:?}").to_lowercase());
    let remote = match step {
        Step::List => "/receipts".to_owned(),
        Step::Download => "/receipts/receipt.xml".to_owned(),
        Step::Delete => format!("/inbox/{prefix}-{verb}.part"),
        Step::OddName => format!("/inbox/{prefix} påske (1) & søk.xml"),
        Step::Upload | Step::Resume | Step::Rename | Step::Big => format!("/inbox/{prefix}-{verb}.xml"),
    };
    let local = dir.join(format!("{verb}.xml"));
    if step != Step::Download {
        std::fs::write(&local, step.bytes()).unwrap();
    }
    let host_key = PrivateKey::read_openssh_file(gateway.dir.path().join("keys/ssh_host_ed25519_key")).unwrap();
    Task {
        step,
        dir: dir.to_owned(),
        port: gateway.address.port(),
        user: "etat".to_owned(),
        key: dir.join("key").to_str().unwrap().to_owned(),
        host_key: host_key.fingerprint(HashAlg::Sha256).to_string(),
        local: local.to_str().unwrap().to_owned(),
        other: format!("{remote}.part"),
        remote,
    }
}

async fn cell(gateway: &Gateway, client: Client, task: Task) -> Cell {
    prepare(gateway, client, &task).await;
    let mut command = client.command(&task);
    let ran = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    match ran {
        Ok(output) => match wrong(gateway, &task, &output).await {
            None => Cell::Done,
            Some(wrong) => Cell::Failed(format!("{wrong}: {}", said(&output))),
        },
        Err(wrong) => Cell::Failed(wrong),
    }
}

/// What must be there before: the first part of an upload that was cut off, and for a client that does one thing at a time
/// the file it renames or deletes.
async fn prepare(gateway: &Gateway, client: Client, task: &Task) {
    let raw = gateway.raw("etat").await;
    match (task.step, client) {
        (Step::Resume, _) => {
            let handle = raw.open(&task.remote, OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
            for (number, part) in task.step.bytes()[..400_000].chunks(100_000).enumerate() {
                raw.sftp.write(&*handle, number as u64 * 100_000, part.to_vec()).await.unwrap();
            }
            raw.cut().await;
            gateway.paused_at(&task.remote, 400_000).await;
        }
        (Step::Rename, Client::Rclone) => raw.put(&task.other, &task.step.bytes()).await.unwrap(),
        (Step::Delete, Client::Rclone) => raw.put(&task.remote, &task.step.bytes()).await.unwrap(),
        _ => {}
    }
}

/// Runs a client, but not for ever.
fn run(command: &mut Command) -> Result<Output, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| error.to_string())?;
    let pid = rustix::process::Pid::from_child(&child);
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if waiting.recv_timeout(LONGEST) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    let output = child.wait_with_output().map_err(|error| error.to_string());
    drop(done);
    guard.join().unwrap();
    output
}

/// What is not as it should be after a step.
async fn wrong(gateway: &Gateway, task: &Task, output: &Output) -> Option<String> {
    if !output.status.success() {
        return Some(format!("ended with {}", output.status));
    }
    match task.step {
        Step::List => {
            let listed = String::from_utf8_lossy(&output.stdout);
            let there = listed.contains("receipt.xml") && listed.contains("kvittering æøå.xml");
            (!there).then(|| "the names are not listed".to_owned())
        }
        Step::Download => {
            let same = std::fs::read(&task.local).is_ok_and(|bytes| bytes == task.step.bytes());
            let fetched =
                gateway.ledger.fetches(&"etat".parse().unwrap(), &task.remote.parse().unwrap()).await.unwrap();
            (!same || fetched.is_empty()).then(|| "the file did not come whole".to_owned())
        }
        Step::Delete => gateway.node(&task.remote).await.map(|_| "the file is still there".to_owned()),
        Step::Upload | Step::Resume | Step::Rename | Step::Big | Step::OddName => {
            let Some(shipment) = gateway.shipment(&task.remote).await else {
                return Some("nothing was claimed".to_owned());
            };
            (gateway.bytes(&shipment).await != task.step.bytes()).then(|| "the bytes differ".to_owned())
        }
    }
}

/// The last words of a client.
fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    let tail = text.lines().rev().take(6).collect::<Vec<_>>();
    tail.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

/// Clients at once.
const AT_ONCE: usize = 4;
/// How long a client may take for one step, on a busy machine.
const LONGEST: Duration = Duration::from_secs(240);
