//! Clients that are libraries, each with a script that does the steps.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program;
use super::releases::Release;
use crate::interop::Task;
use crate::needs::installed;
use crate::support::sftp::PASSWORD;

/// A Python script that logs in with the key.
pub(super) fn in_python(name: &str, task: &Task) -> Command {
    with_key(program(python(), &[&source(name)]), task)
}

/// Asks whether Python has a module.
pub(super) fn python_has(module: &str) -> Command {
    program(python(), &["-c", &format!("import {module}")])
}

pub(super) fn in_node(task: &Task) -> Command {
    with_key(program("node", &[&source("ssh2_client.js"), &node_ssh2()]), task)
}

/// Asks whether Node has its library.
pub(super) fn node_has_ssh2() -> Command {
    program("node", &["-e", &format!("require({:?})", node_ssh2())])
}

pub(super) fn in_php(task: &Task) -> Command {
    with_key(program("php", &[&source("phpseclib_client.php")]), task)
}

pub(super) fn in_ruby(task: &Task) -> Command {
    with_key(program("ruby", &[&source("net_sftp_client.rb")]), task)
}

/// A Java program that logs in with the password.
pub(super) fn in_java(archives: &str, name: &str, task: &Task) -> Command {
    with_password(program("java", &["-XX:TieredStopAtLevel=1", "-cp", archives, &source(name)]), task)
}

/// Asks whether Java archives have a class.
pub(super) fn java_has(archives: &str, class: &str) -> Command {
    program("javap", &["-cp", archives, class])
}

/// FileZilla's program, whose events a script answers.
pub(super) fn fzsftp(task: &Task) -> Command {
    let release = Release::Bookworm;
    let mut command = program("python3", &[&source("fzsftp_client.py"), &release.program("fzsftp")]);
    command.env("LD_LIBRARY_PATH", release.libraries()).env("HOME", &task.dir);
    with_password(command, task)
}

/// Asks FileZilla's program to begin and to end.
pub(super) fn has_fzsftp() -> Command {
    let mut command = program(Release::Bookworm.program("fzsftp"), &[]);
    command.env("LD_LIBRARY_PATH", Release::Bookworm.libraries());
    command
}

fn with_key(command: Command, task: &Task) -> Command {
    script(command, task, &task.key)
}

fn with_password(command: Command, task: &Task) -> Command {
    script(command, task, PASSWORD)
}

fn script(mut command: Command, task: &Task, secret: &str) -> Command {
    command.args(["127.0.0.1", &task.port(), &task.user, secret, task.step.verb()]);
    command.args([&task.local, &task.remote, &task.other]);
    command
}

fn source(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop").join(name).to_str().unwrap().to_owned()
}

fn python() -> PathBuf {
    installed().join("venv/bin/python")
}

fn node_ssh2() -> String {
    installed().join("node_modules/ssh2").to_str().unwrap().to_owned()
}
