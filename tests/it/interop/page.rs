//! The page of the matrix.

use std::fs;
use std::path::Path;

use super::clients::Client;
use super::{Cell, STEPS};

/// Holds what came out against the page; a client that was not here keeps its line.
pub(super) fn compare(rows: &[(Client, Vec<Cell>)]) {
    let failures: Vec<_> = rows.iter().flat_map(|(client, cells)| failures(*client, cells)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/interoperability.md");
    let known = fs::read_to_string(&path).unwrap_or_default();
    let mut page = HEAD.to_owned();
    for client in super::clients::ALL {
        let title = client.title();
        let line = match rows.iter().find(|(here, _)| *here == client) {
            Some((_, cells)) => format!("| {title} | {} |", cells.iter().map(shown).collect::<Vec<_>>().join(" | ")),
            None => known.lines().find(|line| line.starts_with(&format!("| {title} |"))).unwrap_or_default().to_owned(),
        };
        page.push_str(&line);
        page.push('\n');
    }
    page.push_str(FOOT);
    if std::env::var_os("SLUSE_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/interoperability.md: SLUSE_BLESS=1 writes it anew"
    );
}

fn failures(client: Client, cells: &[Cell]) -> Vec<String> {
    let failed = STEPS.iter().zip(cells).filter_map(|(step, cell)| match cell {
        Cell::Failed(why) => Some(format!("{}: {step:?}: {why}", client.title())),
        Cell::Done | Cell::Lacking(_) => None,
    });
    failed.collect()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Done => "yes".to_owned(),
        Cell::Lacking(why) => format!("no: {why}"),
        Cell::Failed(_) => "fails".to_owned(),
    }
}

const HEAD: &str = "# Which clients work

This page is written by a test (`cargo test --test it interop`, with `SLUSE_BLESS=1`), which runs every client against the
server with its default settings and looks at what arrived. Resume goes on with an upload that was cut off; rename uploads to
a temporary name and renames it to its own; big is 24 MB; the odd name is `påske (1) & søk.xml`.

| client | upload | resume | rename | list | download | delete | big | odd name |
|---|---|---|---|---|---|---|---|---|
";

const FOOT: &str = "
Where a row has a version, that is the version; the others are those of Debian 12, PyPI and npm at the time of the run.

## What clients are offered

Ed25519 host keys, authenticated encryption, and what a scanner of algorithms finds nothing wrong with, but for one thing that
clients from before 2024 need: the key exchange curve25519-sha256 beside the post-quantum mlkem768x25519-sha256.

Some libraries have nothing of that. They are known by their version lines, and offered what they have:

- libssh2 before 1.11 (curl on Debian 12 and older): HMAC-SHA2 of the plain text beside that of the encrypted text.
- JSch, net-ssh (below net-sftp) and Apache MINA SSHD: the same, the key exchange ecdh-sha2-nistp256, and an ECDSA host key on
  the same curve. JSch 0.1 has nothing better; nor have JSch 0.2 as Debian packs it, net-ssh without the gems x25519 and
  ed25519, and MINA without its library for Ed25519, while others of these choose what they prefer. Their senders pin that
  host key, too: `sluse host-key known-hosts` writes it with the others.

Nobody on the way can change a version line, since host keys sign it.

What is older still is offered to the addresses of a partner with `older_algorithms = true`, see config/sluse.toml. When a client
and the server have nothing in common, the log says so at level warn, with the kind of algorithm and what each side offered.
";
