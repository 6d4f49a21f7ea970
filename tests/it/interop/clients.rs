//! The clients, and how each is told to do a step.

mod libraries;
mod openssh;
mod programs;
mod releases;

use std::process::{Command, Stdio};

use self::releases::Release;
use super::{Step, Task};
use crate::needs::{is_there, tell_skipped};

/// A client of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    OpenSsh7,
    OpenSsh8,
    OpenSsh,
    OpenSsh10,
    Scp,
    Dropbear,
    Psftp,
    Psftp083,
    FileZilla,
    Lftp,
    Curl,
    Rclone,
    Libssh,
    Libssh2,
    Paramiko,
    Asyncssh,
    Ssh2,
    Phpseclib,
    NetSftp,
    Jsch,
    Jsch02,
    Mina,
}

/// All of them, in the order of the page.
pub(super) const ALL: [Client; 22] = [
    Client::OpenSsh7,
    Client::OpenSsh8,
    Client::OpenSsh,
    Client::OpenSsh10,
    Client::Scp,
    Client::Dropbear,
    Client::Psftp,
    Client::Psftp083,
    Client::FileZilla,
    Client::Lftp,
    Client::Curl,
    Client::Rclone,
    Client::Libssh,
    Client::Libssh2,
    Client::Paramiko,
    Client::Asyncssh,
    Client::Ssh2,
    Client::Phpseclib,
    Client::NetSftp,
    Client::Jsch,
    Client::Jsch02,
    Client::Mina,
];

impl Client {
    /// What the page calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::OpenSsh7 => "OpenSSH 7.5 (its ssh under a later sftp)",
            Self::OpenSsh8 => "OpenSSH 8.4 sftp",
            Self::OpenSsh => "OpenSSH sftp",
            Self::OpenSsh10 => "OpenSSH 10.0 sftp",
            Self::Scp => "OpenSSH scp (over SFTP)",
            Self::Dropbear => "Dropbear dbclient (under OpenSSH's sftp)",
            Self::Psftp => "PuTTY psftp",
            Self::Psftp083 => "PuTTY psftp 0.83",
            Self::FileZilla => "FileZilla (fzsftp)",
            Self::Lftp => "lftp",
            Self::Curl => "curl (libssh2)",
            Self::Rclone => "rclone",
            Self::Libssh => "libssh (ssh-python)",
            Self::Libssh2 => "libssh2 (ssh2-python)",
            Self::Paramiko => "paramiko",
            Self::Asyncssh => "asyncssh",
            Self::Ssh2 => "ssh2 for Node",
            Self::Phpseclib => "phpseclib for PHP",
            Self::NetSftp => "net-sftp for Ruby",
            Self::Jsch => "JSch",
            Self::Jsch02 => "JSch 0.2",
            Self::Mina => "Apache MINA SSHD",
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

    /// Whether it is installed here; if not, says so.
    pub(super) fn is_installed(self) -> bool {
        if let Some(reason) = self.release().and_then(Release::absent) {
            tell_skipped(&format!("{}: {reason}", self.title()));
            return false;
        }
        let answer = self.probe().output();
        let there = answer.is_ok_and(|output| {
            let said = [output.stdout, output.stderr].concat();
            // Asking `scp` for help is a usage error; that it runs is what counts.
            (output.status.success() || self == Self::Scp) && String::from_utf8_lossy(&said).contains(self.version())
        });
        is_there(there, self.title())
    }

    /// The Debian release it is taken from, where that is not the machine's.
    fn release(self) -> Option<Release> {
        RELEASES.iter().find(|(client, _)| *client == self).map(|(_, release)| *release)
    }

    /// What it says of itself, where the page names a version.
    fn version(self) -> &'static str {
        VERSIONS.iter().find(|(client, _)| *client == self).map_or("", |(_, version)| version)
    }

    /// How to ask whether it is installed.
    fn probe(self) -> Command {
        match self {
            Self::OpenSsh7 => program("ssh1", &["-V"]),
            Self::OpenSsh8 => openssh::version_of(Release::Bullseye),
            Self::OpenSsh => program("ssh", &["-V"]),
            Self::OpenSsh10 => openssh::version_of(Release::Backports),
            Self::Scp => program("scp", &["-h"]),
            Self::Dropbear => program("dbclient", &["-V"]),
            Self::Psftp => program("psftp", &["--version"]),
            Self::Psftp083 => program(Release::Trixie.program("psftp"), &["--version"]),
            Self::FileZilla => libraries::has_fzsftp(),
            Self::Lftp => program("lftp", &["--version"]),
            Self::Curl => program("curl", &["--version"]),
            Self::Rclone => program("rclone", &["version"]),
            Self::Libssh => libraries::python_has("ssh.session"),
            Self::Libssh2 => libraries::python_has("ssh2.session"),
            Self::Paramiko => libraries::python_has("paramiko"),
            Self::Asyncssh => libraries::python_has("asyncssh"),
            Self::Ssh2 => libraries::node_has_ssh2(),
            Self::Phpseclib => program("php", &["-r", "require 'phpseclib3/autoload.php';"]),
            Self::NetSftp => program("ruby", &["-e", "require 'net/sftp'"]),
            Self::Jsch => libraries::java_has(JSCH, "com.jcraft.jsch.JSch"),
            Self::Jsch02 => libraries::java_has(&Release::Trixie.jar("jsch.jar"), "com.jcraft.jsch.JSch"),
            Self::Mina => libraries::java_has(&mina(), "org.apache.sshd.sftp.client.SftpClient"),
        }
    }

    /// The command that does a step.
    pub(super) fn command(self, task: &Task) -> Command {
        match self {
            Self::OpenSsh7 => openssh::sftp_over("/usr/bin/ssh1", task),
            Self::OpenSsh8 => openssh::sftp_of(Release::Bullseye, task),
            Self::OpenSsh => openssh::sftp(task),
            Self::OpenSsh10 => openssh::sftp_of(Release::Backports, task),
            Self::Scp => openssh::scp(task),
            Self::Dropbear => openssh::sftp_over_dropbear(task),
            Self::Psftp => programs::psftp("psftp", task),
            Self::Psftp083 => programs::psftp(&Release::Trixie.program("psftp"), task),
            Self::FileZilla => libraries::fzsftp(task),
            Self::Lftp => programs::lftp(task),
            Self::Curl => programs::curl(task),
            Self::Rclone => programs::rclone(task),
            Self::Libssh => libraries::in_python("libssh_client.py", task),
            Self::Libssh2 => libraries::in_python("libssh2_client.py", task),
            Self::Paramiko => libraries::in_python("paramiko_client.py", task),
            Self::Asyncssh => libraries::in_python("asyncssh_client.py", task),
            Self::Ssh2 => libraries::in_node(task),
            Self::Phpseclib => libraries::in_php(task),
            Self::NetSftp => libraries::in_ruby(task),
            Self::Jsch => libraries::in_java(JSCH, "JschClient.java", task),
            Self::Jsch02 => libraries::in_java(&Release::Trixie.jar("jsch.jar"), "JschClient.java", task),
            Self::Mina => libraries::in_java(&mina(), "MinaClient.java", task),
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

fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    // Names are UTF-8 whatever the machine's own language is.
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// The archives of Apache MINA SSHD.
fn mina() -> String {
    let names = ["sshd-common.jar", "sshd-core.jar", "sshd-sftp.jar", "slf4j-api.jar", "slf4j-nop.jar"];
    names.map(|name| Release::Trixie.jar(name)).join(":")
}

const RELEASES: [(Client, Release); 6] = [
    (Client::OpenSsh8, Release::Bullseye),
    (Client::OpenSsh10, Release::Backports),
    (Client::Psftp083, Release::Trixie),
    (Client::FileZilla, Release::Bookworm),
    (Client::Jsch02, Release::Trixie),
    (Client::Mina, Release::Trixie),
];
const VERSIONS: [(Client, &str); 4] = [
    (Client::OpenSsh7, "OpenSSH_7.5"),
    (Client::OpenSsh8, "OpenSSH_8.4"),
    (Client::OpenSsh10, "OpenSSH_10.0"),
    (Client::Psftp083, "Release 0.83"),
];
const JSCH: &str = "/usr/share/java/jsch.jar";
