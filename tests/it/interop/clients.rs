//! The clients, and how each is told to do a step.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Step, Task};
use crate::needs::installed;
use crate::support::sftp::PASSWORD;

/// A client of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    OpenSsh,
    Scp,
    Psftp,
    Lftp,
    Curl,
    Rclone,
    Paramiko,
    Asyncssh,
    Ssh2,
    Jsch,
}

/// All of them, in the order of the page.
pub(super) const ALL: [Client; 10] = [
    Client::OpenSsh,
    Client::Scp,
    Client::Psftp,
    Client::Lftp,
    Client::Curl,
    Client::Rclone,
    Client::Paramiko,
    Client::Asyncssh,
    Client::Ssh2,
    Client::Jsch,
];

impl Client {
    /// What the page calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::OpenSsh => "OpenSSH sftp",
            Self::Scp => "OpenSSH scp (over SFTP)",
            Self::Psftp => "PuTTY psftp",
            Self::Lftp => "lftp",
            Self::Curl => "curl (libssh2)",
            Self::Rclone => "rclone",
            Self::Paramiko => "paramiko",
            Self::Asyncssh => "asyncssh",
            Self::Ssh2 => "ssh2 for Node",
            Self::Jsch => "JSch",
        }
    }

    /// The letters its files begin with.
    pub(super) fn prefix(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Why it cannot do a step at all.
    pub(super) fn lacks(self, step: Step) -> Option<&'static str> {
        match (self, step) {
            (Self::Scp, Step::Resume | Step::Rename | Step::List | Step::Delete) => Some("scp only copies"),
            (Self::Rclone, Step::Resume) => Some("rclone begins anew"),
            _ => None,
        }
    }

    /// How to ask whether it is installed.
    pub(super) fn probe(self) -> Command {
        match self {
            Self::OpenSsh => program("ssh", &["-V"]),
            Self::Scp => program("scp", &["-h"]),
            Self::Psftp => program("psftp", &["--version"]),
            Self::Lftp => program("lftp", &["--version"]),
            Self::Curl => program("curl", &["--version"]),
            Self::Rclone => program("rclone", &["version"]),
            Self::Paramiko => program(python(), &["-c", "import paramiko"]),
            Self::Asyncssh => program(python(), &["-c", "import asyncssh"]),
            Self::Ssh2 => program("node", &["-e", &format!("require({:?})", node_ssh2())]),
            Self::Jsch => program("javap", &["-cp", JSCH, "com.jcraft.jsch.JSch"]),
        }
    }

    /// The command that does a step.
    pub(super) fn command(self, task: &Task) -> Command {
        match self {
            Self::OpenSsh => openssh(task),
            Self::Scp => scp(task),
            Self::Psftp => psftp(task),
            Self::Lftp => lftp(task),
            Self::Curl => curl(task),
            Self::Rclone => rclone(task),
            Self::Paramiko => script(program(python(), &[&source("paramiko_client.py")]), task, &task.key),
            Self::Asyncssh => script(program(python(), &[&source("asyncssh_client.py")]), task, &task.key),
            Self::Ssh2 => script(program("node", &[&source("ssh2_client.js"), &node_ssh2()]), task, &task.key),
            Self::Jsch => {
                let java = program("java", &["-XX:TieredStopAtLevel=1", "-cp", JSCH, &source("JschClient.java")]);
                script(java, task, PASSWORD)
            }
        }
    }
}

/// A command of batch lines, one for each thing to do.
fn lines(task: &Task, put: &str, resume: &str, rename: &str) -> String {
    let Task { local, remote, other, .. } = task;
    match task.step.verb() {
        "put" => format!("{put} \"{local}\" \"{remote}\"\n"),
        "resume" => format!("{resume} \"{local}\" \"{remote}\"\n"),
        "rename" => format!("{put} \"{local}\" \"{other}\"\n{rename} \"{other}\" \"{remote}\"\n"),
        "list" => format!("ls \"{remote}\"\n"),
        "get" => format!("get \"{remote}\" \"{local}\"\n"),
        _ => format!("{put} \"{local}\" \"{remote}\"\nrm \"{remote}\"\n"),
    }
}

fn batch_file(task: &Task, text: &str) -> String {
    let path = task.dir.join(format!("{}.batch", task.step.verb()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const TRUSTING: [&str; 10] = [
    "-F",
    "none",
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "LogLevel=ERROR",
];

fn openssh(task: &Task) -> Command {
    let batch = batch_file(task, &lines(task, "put", "reput", "rename"));
    let mut command = program("sftp", &TRUSTING);
    command.args(["-i", &task.key, "-P", &task.port(), "-b", &batch]).arg(format!("{}@127.0.0.1", task.user));
    command
}

fn scp(task: &Task) -> Command {
    let remote = format!("{}@127.0.0.1:{}", task.user, task.remote);
    let mut command = program("scp", &TRUSTING);
    command.args(["-s", "-i", &task.key, "-P", &task.port()]);
    if task.step == Step::Download {
        command.args([&remote, &task.local]);
    } else {
        command.args([&task.local, &remote]);
    }
    command
}

fn psftp(task: &Task) -> Command {
    let batch = batch_file(task, &lines(task, "put", "reput", "mv"));
    let options = ["-batch", "-hostkey", &task.host_key, "-pw", PASSWORD, "-P", &task.port(), "-b", &batch];
    let mut command = program("psftp", &options);
    command.arg(format!("{}@127.0.0.1", task.user)).env("HOME", &task.dir);
    command
}

fn lftp(task: &Task) -> Command {
    let Task { local, remote, other, .. } = task;
    let work = match task.step.verb() {
        "put" => format!("put \"{local}\" -o \"{remote}\""),
        "resume" => format!("put -c \"{local}\" -o \"{remote}\""),
        "rename" => format!("put \"{local}\" -o \"{other}\"; mv \"{other}\" \"{remote}\""),
        "list" => format!("cls -1 \"{remote}/\""),
        "get" => format!("get \"{remote}\" -o \"{local}\""),
        _ => format!("put \"{local}\" -o \"{remote}\"; rm \"{remote}\""),
    };
    let ssh = format!("ssh -a -x {} -i {}", TRUSTING.join(" "), task.key);
    let session = format!(
        "set cmd:fail-exit yes; set net:max-retries 1; set sftp:connect-program \"{ssh}\"; \
         open -u {}, sftp://127.0.0.1:{}; {work}; bye",
        task.user,
        task.port()
    );
    let mut command = program("lftp", &["--norc", "-c", &session]);
    command.env("HOME", &task.dir);
    command
}

fn curl(task: &Task) -> Command {
    let url = |path: &str| format!("sftp://127.0.0.1:{}{}", task.port(), url_path(path));
    let mut command = program("curl", &["-sS", "-k", "-u", &format!("{}:{PASSWORD}", task.user)]);
    match task.step.verb() {
        "put" => command.args(["-T", &task.local, &url(&task.remote)]),
        "resume" => command.args(["-C", "-", "-T", &task.local, &url(&task.remote)]),
        "rename" => {
            let rename = format!("-rename \"{}\" \"{}\"", task.other, task.remote);
            command.args(["-T", &task.local, &url(&task.other), "-Q", &rename])
        }
        "list" => command.args(["-l", &url(&format!("{}/", task.remote))]),
        "get" => command.args(["-o", &task.local, &url(&task.remote)]),
        _ => command.args(["-T", &task.local, &url(&task.remote), "-Q", &format!("-rm \"{}\"", task.remote)]),
    };
    command
}

fn rclone(task: &Task) -> Command {
    let remote = |path: &str| format!(":sftp:{path}");
    let options = ["--config", "/dev/null", "--sftp-host", "127.0.0.1", "--sftp-port", &task.port()];
    let mut command = program("rclone", &options);
    command.args(["--sftp-user", &task.user, "--sftp-key-file", &task.key, "--retries", "1"]);
    match task.step.verb() {
        "list" => command.args(["lsf", &remote(&task.remote)]),
        "get" => command.args(["copyto", &remote(&task.remote), &task.local]),
        "delete" => command.args(["deletefile", &remote(&task.remote)]),
        "rename" => command.args(["moveto", &remote(&task.other), &remote(&task.remote)]),
        _ => command.args(["copyto", &task.local, &remote(&task.remote)]),
    };
    command
}

fn script(mut command: Command, task: &Task, secret: &str) -> Command {
    command.args(["127.0.0.1", &task.port(), &task.user, secret, task.step.verb()]);
    command.args([&task.local, &task.remote, &task.other]);
    command
}

fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    // Names are UTF-8 whatever the machine's own language is.
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Percent signs for what a URL cannot hold.
fn url_path(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn source(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop").join(name).to_str().unwrap().to_owned()
}

pub(super) fn python() -> PathBuf {
    installed().join("venv/bin/python")
}

fn node_ssh2() -> String {
    installed().join("node_modules/ssh2").to_str().unwrap().to_owned()
}

const JSCH: &str = "/usr/share/java/jsch.jar";
