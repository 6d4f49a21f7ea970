//! Clients that are programs, but for OpenSSH's.

use std::process::Command;

use super::openssh::TRUSTING;
use super::{batch_file, lines, program};
use crate::interop::Task;
use crate::support::sftp::PASSWORD;

pub(super) fn psftp(name: &str, task: &Task) -> Command {
    let batch = batch_file(task, &lines(task, "put", "reput", "mv"));
    let options = ["-batch", "-hostkey", &task.host_key, "-pw", PASSWORD, "-P", &task.port(), "-b", &batch];
    let mut command = program(name, &options);
    command.arg(format!("{}@127.0.0.1", task.user)).env("HOME", &task.dir);
    command
}

pub(super) fn lftp(task: &Task) -> Command {
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

pub(super) fn curl(task: &Task) -> Command {
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

pub(super) fn rclone(task: &Task) -> Command {
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

/// Percent signs for what a URL cannot hold.
fn url_path(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
