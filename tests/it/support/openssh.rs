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

    /// Starts a batch of commands and does not wait for it.
    pub(crate) fn start(&self, options: &[&str], commands: &str) -> Child {
        let mut command = self.command(options, commands);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, options: &[&str], commands: &str) -> Command {
        let script = self.dir.join("batch.txt");
        std::fs::write(&script, commands).unwrap();
        let mut command = Command::new("sftp");
        command
            .current_dir(&self.dir)
            .args(["-F", "none", "-P", &self.address.port().to_string(), "-i"])
            .arg(&self.key)
            // The first of several values holds.
            .args(options)
            .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"])
            .args(["-o", "PasswordAuthentication=no", "-o", "LogLevel=ERROR"])
            .arg("-b")
            .arg(&script)
            .arg(format!("{}@{}", self.user, self.address.ip()));
        command
    }
}
