//! OpenSSH's clients of several ages, and others that go under its sftp.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::releases::Release;
use super::{batch_file, lines, program};
use crate::interop::{Step, Task};
use crate::support::sftp::PASSWORD;

/// The machine's own sftp.
pub(super) fn sftp(task: &Task) -> Command {
    with_key(program("sftp", &[]), task)
}

/// The machine's sftp over another ssh of OpenSSH's.
pub(super) fn sftp_over(ssh: &str, task: &Task) -> Command {
    with_key(program("sftp", &["-S", ssh]), task)
}

/// A release's sftp over its ssh.
pub(super) fn sftp_of(release: Release, task: &Task) -> Command {
    with_key(of(release, "sftp", &["-S", &release.program("ssh")]), task)
}

/// The version of a release's ssh.
pub(super) fn version_of(release: Release) -> Command {
    of(release, "ssh", &["-V"])
}

/// The machine's sftp over Dropbear's client, which has none.
pub(super) fn sftp_over_dropbear(task: &Task) -> Command {
    let trusting = task.dir.join("dbclient.sh");
    fs::write(&trusting, "#!/bin/sh\nexec dbclient -y -y \"$@\"\n").unwrap();
    fs::set_permissions(&trusting, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = program("sftp", &["-S", trusting.to_str().unwrap()]);
    command.env("DROPBEAR_PASSWORD", PASSWORD);
    batch(command, task)
}

/// The machine's own scp, in its mode that speaks SFTP.
pub(super) fn scp(task: &Task) -> Command {
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

/// Options of ssh that trust any host key and use nothing of the machine's.
pub(super) const TRUSTING: [&str; 10] = [
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

fn with_key(mut command: Command, task: &Task) -> Command {
    command.args(TRUSTING).args(["-i", &task.key]);
    batch(command, task)
}

fn batch(mut command: Command, task: &Task) -> Command {
    let batch = batch_file(task, &lines(task, "put", "reput", "rename"));
    command.args(["-P", &task.port(), "-b", &batch]).arg(format!("{}@127.0.0.1", task.user));
    command
}

fn of(release: Release, name: &str, arguments: &[&str]) -> Command {
    let mut command = program(release.program(name), arguments);
    command.env("LD_LIBRARY_PATH", release.libraries());
    command
}
