//! SFTP servers of others, started as processes of this user on a loopback port with a folder of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use rustix::process::{Pid, Signal, getuid, kill_process};
use secrecy::SecretString;
use sluse::adapters::sftp_client::{Peer, PeerWaits, Proof};
use tempfile::TempDir;

use super::gateway::{PATIENCE, free_port};
use crate::needs;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// OpenSSH's sshd with internal-sftp.
    OpenSsh,
    /// ProFTPD's mod_sftp.
    ProFtpd,
}

/// A running server; dropping it kills it and whatever it has started.
pub(crate) struct SshPeer {
    kind: Kind,
    home: TempDir,
    port: u16,
    child: Option<Child>,
}

/// The password of ProFTPD's user.
pub(crate) const PASSWORD: &str = "correct horse";

impl SshPeer {
    /// Starts one; `None` where the program is not there, or what makes its password file.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let program = kind.program();
        if !needs::is_there(Path::new(program).exists(), program) || kind == Kind::ProFtpd && !needs::has("openssl") {
            return None;
        }
        let mut peer = Self { kind, home: tempfile::tempdir().unwrap(), port: free_port(), child: None };
        fs::create_dir(peer.root()).unwrap();
        // Whatever temporary folders are like, the server must be able to go there.
        fs::set_permissions(peer.home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        peer.configure();
        peer.run();
        Some(peer)
    }

    /// The folder that is the client's root.
    pub(crate) fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    /// How to get in.
    pub(crate) fn peer(&self) -> Peer {
        Peer {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: self.port,
            host_keys: vec![self.host_key()],
            user: self.user(),
            proof: Proof::by_key(Arc::new(client_key())),
            waits: PeerWaits { connect: PATIENCE, answer: PATIENCE, ..PeerWaits::default() },
        }
    }

    /// The same by password.
    pub(crate) fn by_password(&self, password: &str) -> Peer {
        let proof = Proof { password: Some(SecretString::from(password)), ..Proof::default() };
        Peer { proof, ..self.peer() }
    }

    /// The settings of a receiver there, for a configuration file.
    pub(crate) fn receiver(&self) -> String {
        let key = self.path("client_key");
        write_secret(&key, &client_key().to_openssh(LineEnding::LF).unwrap());
        let (port, user, host_key) = (self.port, self.user(), self.host_key().to_openssh().unwrap());
        let (key, path, patience_ms) = (key.display(), self.path_of_root(), PATIENCE.as_millis());
        format!(
            "host = \"127.0.0.1\"\nport = {port}\nuser = \"{user}\"\nhost_keys = [\"{host_key}\"]\nkey_file = \"{key}\"\n\
             path = \"{path}\"\nconnect_ms = {patience_ms}\ntimeout_ms = {patience_ms}\n"
        )
    }

    /// The client's root as it names it.
    pub(crate) fn path_of_root(&self) -> String {
        match self.kind {
            Kind::OpenSsh => self.root().to_str().unwrap().to_owned(),
            // The login is shut into it.
            Kind::ProFtpd => "/".to_owned(),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The key it shows.
    pub(crate) fn host_key(&self) -> PublicKey {
        server_key().public_key().clone()
    }

    /// Starts it again after it was killed.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new(self.kind.program());
        match self.kind {
            Kind::OpenSsh => command.args(["-D", "-e", "-f"]).arg(self.path("sshd_config")),
            Kind::ProFtpd => command.args(["-n", "-c"]).arg(self.path("proftpd.conf")),
        };
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{:?} does not listen\n{}", self.kind, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the server and every session of it.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        for pid in descendants(child.id()) {
            // One that has ended needs no signal.
            let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    /// What it wrote to its log, for a failing test to show.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn user(&self) -> String {
        match self.kind {
            Kind::OpenSsh => id("-un"),
            Kind::ProFtpd => "etat".to_owned(),
        }
    }

    fn configure(&self) {
        write_secret(&self.path("host_key"), &server_key().to_openssh(LineEnding::LF).unwrap());
        match self.kind {
            Kind::OpenSsh => self.configure_openssh(),
            Kind::ProFtpd => self.configure_proftpd(),
        }
    }

    fn configure_openssh(&self) {
        if getuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        fs::write(self.path("keys"), client_key().public_key().to_openssh().unwrap()).unwrap();
        let (home, port, root) = (self.home.path().display(), self.port, self.root());
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {home}/host_key\nAuthorizedKeysFile {home}/keys\n\
             StrictModes no\nUsePAM no\nPidFile none\nMaxStartups 100\nPasswordAuthentication no\n\
             Subsystem sftp internal-sftp -d {}\n",
            root.display()
        );
        fs::write(self.path("sshd_config"), config).unwrap();
    }

    fn configure_proftpd(&self) {
        let home = self.home.path().display();
        let openssl = Command::new("openssl").args(["passwd", "-6", PASSWORD]).output().unwrap();
        let hash = String::from_utf8(openssl.stdout).unwrap();
        let (user, group) = (getuid().as_raw(), rustix::process::getgid().as_raw());
        let root = self.root().display().to_string();
        write_secret(&self.path("passwd"), &format!("etat:{}:{user}:{group}::{root}:/bin/sh\n", hash.trim()));
        write_secret(&self.path("group"), &format!("etat:x:{group}:\n"));
        let key = client_key().public_key().to_openssh().unwrap();
        let body = key.split(' ').nth(1).unwrap();
        let rfc4716 = format!("---- BEGIN SSH2 PUBLIC KEY ----\n{body}\n---- END SSH2 PUBLIC KEY ----\n");
        fs::write(self.path("keys"), rfc4716).unwrap();
        let port = self.port;
        let config = format!(
            "ModulePath /usr/lib/proftpd\nLoadModule mod_sftp.c\nServerType standalone\nDefaultAddress 127.0.0.1\n\
             UseIPv6 off\nPort {port}\nPidFile {home}/pid\nScoreboardFile {home}/scoreboard\nSystemLog {home}/log\n\
             TransferLog none\nWtmpLog off\nDelayEngine off\nUseReverseDNS off\nUser {}\nGroup {}\n\
             AuthOrder mod_auth_file.c\nAuthUserFile {home}/passwd\nAuthGroupFile {home}/group\nRequireValidShell off\n\
             RootLogin on\nAllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\nSFTPEngine on\n\
             SFTPHostKey {home}/host_key\nSFTPAuthorizedUserKeys file:{home}/keys\nSFTPLog {home}/log\n\
             SFTPAuthMethods publickey password\nDefaultRoot {root}\n",
            id("-un"),
            id("-gn"),
        );
        fs::write(self.path("proftpd.conf"), config).unwrap();
    }
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Self::OpenSsh => "/usr/sbin/sshd",
            Self::ProFtpd => "/usr/sbin/proftpd",
        }
    }
}

impl Drop for SshPeer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `id` tells of the user this runs as.
fn id(option: &str) -> String {
    let name = Command::new("id").arg(option).output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

/// The key the client has.
fn client_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[21; 32]))
}

/// The client's key as a file holds it.
pub(crate) fn client_key_text() -> String {
    client_key().to_openssh(LineEnding::LF).unwrap().to_string()
}

/// The key the servers have.
pub(crate) fn server_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[22; 32]))
}

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The processes a process has started, and those have.
fn descendants(of: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in parentheses may hold blanks.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        parents.push((pid, rest.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap()));
    }
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(parents.iter().filter(|(_, above)| *above == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}
