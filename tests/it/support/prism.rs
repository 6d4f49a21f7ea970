//! Prism, a stand-in by other hands: it knows nothing but a description of calls, and refuses those that are not in it.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::needs::{installed, is_there};

/// A running Prism; dropping it ends it.
pub(crate) struct Prism {
    child: Child,
    home: TempDir,
}

impl Prism {
    /// Tells whether it is installed.
    pub(crate) fn is_installed() -> bool {
        let runs = |mut probe: Command| probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        is_there(runs(program()).is_ok_and(|status| status.success()), "Prism")
    }

    /// Starts one on a port of its own choice, and does not wait for it.
    pub(crate) fn start(description: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("description.json");
        fs::write(&file, description).unwrap();
        let log = File::create(home.path().join("log")).unwrap();
        let mut command = program();
        command.args(["mock", "--host", "127.0.0.1", "--port", "0"]).arg(&file).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, home }
    }

    /// Where it listens, once it does.
    pub(crate) fn base_url(&mut self) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let said = log.split_once("Prism is listening on ").and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((address, _)) = said {
                return address.trim().to_owned();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < LONGEST, "Prism does not listen: {ended:?}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it said, for a failing test to show.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        // One that has ended needs no signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// By its own path: whatever Prism is on the machine besides may be another one.
fn program() -> Command {
    Command::new(installed().join("node_modules/.bin/prism"))
}

/// How long it may take to begin, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);
