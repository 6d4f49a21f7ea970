//! OpenSSH's own `sftp`, in batch mode.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A user's `sftp` with a key file.
pub(crate) struct OpenSsh {
    address: SocketAddr,
    user: String,
    key: PathBuf,
    /// The directory it runs in.
    pub(crate) dir: PathBuf,
}

impl OpenSsh {
    /// A client that runs in `dir` and logs in with the key file.
    pub(crate) fn new(address: SocketAddr, user: &str, key: &Path, dir: &Path) -> Self {
        Self { address, user: user.to_owned(), key: key.to_owned(), dir: dir.to_owned() }
    }

    /// Runs a batch of commands, with more options on the command line; whether all succeeded, and what it printed.
    pub(crate) fn batch(&self, options: &[&str], commands: &str) -> (bool, String) {
        let Output { status, stdout, stderr } = self.command(options, commands).output().unwrap();
        let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        (status.success(), text)
    }

    /// Copies a file with `scp`, which speaks SFTP since OpenSSH 9; whether it succeeded, and what it printed.
    pub(crate) fn copy(&self, from: &str, to: &str) -> (bool, String) {
        let mut command = self.program("scp", &["-s"]);
        let Output { status, stderr, .. } =
            command.arg(from).arg(format!("{}@{}:{to}", self.user, self.address.ip())).output().unwrap();
        (status.success(), String::from_utf8_lossy(&stderr).into_owned())
    }

    /// Starts a batch of commands and does not wait for it.
    pub(crate) fn start(&self, options: &[&str], commands: &str) -> Child {
        let mut command = self.command(options, commands);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, options: &[&str], commands: &str) -> Command {
        let script = self.dir.join("batch.txt");
        std::fs::write(&script, commands).unwrap();
        // The first of several values holds.
        let mut command = self.program("sftp", options);
        command.arg("-b").arg(&script).arg(format!("{}@{}", self.user, self.address.ip()));
        command
    }

    fn program(&self, name: &str, options: &[&str]) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(&self.dir)
            .args(["-F", "none", "-P", &self.address.port().to_string(), "-i"])
            .arg(&self.key)
            .args(options)
            .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"])
            .args(["-o", "PasswordAuthentication=no", "-o", "LogLevel=ERROR"]);
        command
    }
}
