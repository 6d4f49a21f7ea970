//! The real binary, started with a configuration of its own, beside a simulator in this process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use secrecy::ExposeSecret as _;
use sluse::adapters::sftp_client::{Peer, PeerWaits, Proof, SftpClient};
use sluse::ports::StoreError;
use sluse::simulator::{KeyPair, Simulator, SimulatorOptions};
use tempfile::TempDir;

/// A folder with everything one gateway needs; it outlives the process, so that the process can be started again.
pub(crate) struct Home {
    dir: TempDir,
    address: SocketAddr,
    client_key: Arc<PrivateKey>,
    /// Where its receivers listen, if they are servers in this process.
    receivers: Vec<u16>,
    pub(crate) simulator: Simulator,
}

/// What a gateway is told beyond its addresses and keys.
pub(crate) struct Settings {
    /// Appended to the route's table.
    pub(crate) route: String,
    /// What the route takes.
    pub(crate) format: &'static str,
    /// Appended to the configuration.
    pub(crate) more: String,
    /// Where the items go.
    pub(crate) receiver: Receiver,
    /// Another of the receivers, which gets every item, too; empty for none.
    pub(crate) also: &'static str,
    /// Appended to the tables of the HTTP receiver and the directory.
    pub(crate) take: &'static str,
    /// What the partner may hold.
    pub(crate) quota_bytes: u64,
    /// What is logged.
    pub(crate) log_filter: &'static str,
}

/// Where items go.
pub(crate) enum Receiver {
    /// The simulator's apps.
    Altinn,
    /// The simulator's messages.
    Messages,
    /// The simulator's transfers.
    Broker,
    /// An HTTP receiver at this address, see `support::http_receiver`.
    Http(String),
    /// A SOAP receiver at this address, see `support::soap_receiver`.
    Soap(String),
    /// The folder's directory `out`.
    Directory,
    /// An SFTP server with these settings, see `support::ssh_peers`.
    Sftp(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            route: String::new(),
            format: "prefill",
            more: String::new(),
            receiver: Receiver::Altinn,
            also: "",
            take: "",
            quota_bytes: 50_000_000,
            log_filter: "info",
        }
    }
}

/// A running gateway; dropping it kills the process.
pub(crate) struct Gateway {
    child: Child,
}

impl Home {
    /// Makes the folder, the keys and the configuration; `extra` is appended to the route's table.
    pub(crate) fn new(simulator: Simulator, extra: &str) -> Self {
        Self::with(simulator, &Settings { route: extra.to_owned(), ..Settings::default() })
    }

    /// The same, with settings.
    pub(crate) fn with(simulator: Simulator, settings: &Settings) -> Self {
        let client_key = Arc::new(PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32])));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let receivers = receivers(&simulator, &settings.receiver);
        let home = Self { dir: tempfile::tempdir().unwrap(), address, client_key, receivers, simulator };
        fs::create_dir(home.path("data")).unwrap();
        fs::create_dir(home.path("out")).unwrap();
        fs::write(home.path("key.pem"), key().private_key.expose_secret()).unwrap();
        fs::write(home.path("client"), home.client_key.to_openssh(LineEnding::LF).unwrap()).unwrap();
        fs::write(home.path("token"), HTTP_TOKEN).unwrap();
        fs::write(home.path("notice.txt"), "Se vedtaket").unwrap();
        fs::write(home.path("receipts.pem"), SIGNING_KEY).unwrap();
        fs::write(home.path("receipts.pub"), VERIFYING_KEY).unwrap();
        ["client", "key.pem", "token", "receipts.pem"].iter().for_each(|secret| restrict(&home.path(secret)));
        fs::write(home.path("sluse.toml"), home.config(settings)).unwrap();
        home
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the gateway listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the binary. With `kill_at` it ends itself with SIGKILL at the n-th kill point it passes.
    pub(crate) fn start(&self, kill_at: Option<u64>) -> Gateway {
        let point = kill_at.map(|point| point.to_string());
        self.start_armed(&point.iter().map(|point| ("SLUSE_KILL_AT", point.as_str())).collect::<Vec<_>>())
    }

    /// Starts the binary with what `kill_point` reads.
    pub(crate) fn start_armed(&self, variables: &[(&str, &str)]) -> Gateway {
        let_go_of_the_dead(&self.receivers);
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluse"));
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        command.args(["serve", "--config"]).arg(self.path("sluse.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.env_remove("SLUSE_KILL_AT").env_remove("SLUSE_KILL_LOG").envs(variables.iter().copied());
        Gateway { child: command.spawn().unwrap() }
    }

    /// Connects as the partner, waiting for the gateway to listen.
    pub(crate) async fn connect(&self) -> Result<SftpClient, StoreError> {
        let begun = Instant::now();
        loop {
            let connected = match self.peer() {
                Some(peer) => SftpClient::connect(&peer).await,
                None => Err(StoreError::Login),
            };
            if connected.is_ok() || begun.elapsed() > PATIENCE {
                return connected;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Connects as another user, once; the gateway must be listening.
    pub(crate) async fn connect_as(&self, user: &str, key: &PrivateKey) -> Result<SftpClient, StoreError> {
        let peer = self.peer().ok_or(StoreError::Login)?;
        let proof = Proof::by_key(Arc::new(key.clone()));
        SftpClient::connect(&Peer { user: user.to_owned(), proof, ..peer }).await
    }

    /// What the gateway wrote to its log, for a failing test to show.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The partner's view of the server; `None` until it has made its host key.
    fn peer(&self) -> Option<Peer> {
        let host_keys = fs::read_dir(self.path("data/host-keys")).ok()?.filter_map(|entry| {
            let path = entry.ok()?.path();
            let key = PrivateKey::from_openssh(fs::read_to_string(path).ok()?).ok()?;
            Some(key.public_key().clone())
        });
        let host_keys: Vec<PublicKey> = host_keys.collect();
        let proof = Proof::by_key(Arc::clone(&self.client_key));
        // A client that is held while a test waits for something else is in use.
        let waits = PeerWaits { connect: PATIENCE, answer: 2 * PATIENCE, idle: 60 * PATIENCE };
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        (!host_keys.is_empty()).then(|| Peer { host, port, host_keys, user: "etat".into(), proof, waits })
    }

    fn config(&self, settings: &Settings) -> String {
        let public_key = self.client_key.public_key().to_openssh().unwrap();
        let (listen, base) = (self.address, self.simulator.base_url());
        let Settings { route, format, more, receiver, also, take, quota_bytes, log_filter } = settings;
        let (receiver, services) = match receiver {
            Receiver::Altinn => ("altinn", SERVICES),
            Receiver::Messages => ("messages", MESSAGES),
            Receiver::Broker => ("broker", TRANSFERS),
            Receiver::Http(_) => ("http", ""),
            Receiver::Soap(_) => ("soap", ""),
            Receiver::Directory => ("directory", ""),
            Receiver::Sftp(_) => ("sftp", ""),
        };
        let leads = match *also {
            "" => format!("receiver = \"{receiver}\""),
            also => format!("receivers = [\"{receiver}\", \"{also}\"]"),
        };
        let soap = match &settings.receiver {
            Receiver::Soap(url) => format!("[receiver.soap]\nkind = \"soap\"\nurl = \"{url}/soap\"\n{take}"),
            Receiver::Altinn
            | Receiver::Messages
            | Receiver::Broker
            | Receiver::Http(_)
            | Receiver::Directory
            | Receiver::Sftp(_) => String::new(),
        };
        let sftp = match &settings.receiver {
            Receiver::Sftp(settings) => format!("[receiver.sftp]\nkind = \"sftp\"\n{settings}{take}"),
            Receiver::Messages
            | Receiver::Broker
            | Receiver::Altinn
            | Receiver::Http(_)
            | Receiver::Soap(_)
            | Receiver::Directory => String::new(),
        };
        let take = if soap.is_empty() { *take } else { "" };
        let http = if let Receiver::Http(url) = &settings.receiver { url.as_str() } else { base };
        let patience_ms = PATIENCE.as_millis();
        format!(
            r#"
data_dir = "data"
[sftp]
listen = "{listen}"
[worker]
poll_ms = 20
[log]
filter = "{log_filter}"
[partner.etat]
quota_bytes = {quota_bytes}
[partner.etat.login.etat]
public_keys = ["{public_key}"]
[receiver.altinn]
kind = "altinn-app"
platform_url = "{base}"
apps_url = "{base}"
issuer = "{base}/"
token_url = "{base}/token"
client_id = "test"
kid = "test"
key_file = "key.pem"
consumer_org = "{CONSUMER_ORG}"
connect_ms = {patience_ms}
timeout_ms = {patience_ms}
[receiver.messages]
kind = "altinn-correspondence"
scope = "altinn:serviceowner altinn:correspondence.write altinn:serviceowner/notifications.create"
platform_url = "{base}"
issuer = "{base}/"
token_url = "{base}/token"
client_id = "test"
kid = "test"
key_file = "key.pem"
news_first_wait_ms = 100
news_max_wait_ms = 400
connect_ms = {patience_ms}
timeout_ms = {patience_ms}
[receiver.broker]
kind = "altinn-broker"
platform_url = "{base}"
issuer = "{base}/"
token_url = "{base}/token"
client_id = "test"
kid = "test"
key_file = "key.pem"
resumable_above_bytes = 20_000
part_bytes = 200_000
calls_per_minute = 0
costly_calls_per_minute = 0
news_first_wait_ms = 100
news_max_wait_ms = 400
connect_ms = {patience_ms}
timeout_ms = {patience_ms}
[receiver.http]
kind = "http"
url = "{http}/items"
status_url = "{http}/items/{{key}}"
bearer_token_file = "token"
{take}
[receiver.directory]
kind = "directory"
path = "out"
{take}
{sftp}
{soap}
[route.etat]
partner = "etat"
format = "{format}"
{leads}
{route}
[route.etat.retry]
first_wait_ms = 20
max_wait_ms = 200
settle_ms = 300
{services}{more}"#
        )
    }
}

/// The services of generated batches and their apps.
const SERVICES: &str = r#"
[[route.etat.service]]
code = "5001"
edition = "1"
app = "ttd/meld-endring"
attachment_type = "vedlegg"
[[route.etat.service.data_type]]
format_id = "1243"
data_type = "melding"
[[route.etat.service]]
code = "5002"
edition = "2"
app = "ttd/arsoppgave"
attachment_type = "vedlegg"
[[route.etat.service.data_type]]
format_id = "2087"
data_type = "oppgave"
"#;

/// The services of generated messages and their resources: one sends attachments along, the other before.
const MESSAGES: &str = r#"
[[route.etat.service]]
code = "5002"
edition = "2"
resource = "ttd-melding"
share_attachments = true
[[route.etat.service]]
code = "5001"
edition = "1"
resource = "ttd-vedtak"
"#;

/// The services of archives and their resources: one sends the archive, the other the file in it.
const TRANSFERS: &str = r#"
[[route.etat.service]]
code = "5001"
resource = "ttd-formidling"
[[route.etat.service]]
code = "4752"
resource = "ttd-nyttelast"
send = "payload"
"#;

impl Gateway {
    /// Tells how the process ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills the process with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks it to stop gracefully, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}

/// The ports of the servers in this process that items are sent to.
fn receivers(simulator: &Simulator, receiver: &Receiver) -> Vec<u16> {
    let other = match receiver {
        Receiver::Http(url) | Receiver::Soap(url) => Some(url.as_str()),
        Receiver::Altinn | Receiver::Messages | Receiver::Broker | Receiver::Directory | Receiver::Sftp(_) => None,
    };
    let port = |url: &str| url.rsplit_once(':').unwrap().1.trim_end_matches('/').parse().unwrap();
    [simulator.base_url()].into_iter().chain(other).map(port).collect()
}

/// The gateway's key at Maskinporten, one for the whole run: making one takes its time.
pub(crate) fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate().unwrap())
}

/// A simulator on a port of its own.
pub(crate) async fn simulator() -> Simulator {
    Simulator::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SimulatorOptions::default()).await.unwrap()
}

/// Signs receipts: the key of RFC 8410, section 10.3, which everybody knows.
const SIGNING_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

/// Its public half.
pub(crate) const VERIFYING_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

/// What an HTTP receiver asks for as a bearer token.
pub(crate) const HTTP_TOKEN: &str = "secret-7c1d";

/// The organisation the gateway acts for.
pub(crate) const CONSUMER_ORG: &str = "310000000";

/// A port nobody listens on just now, and that no outgoing connection is given while nobody does: the gateway is down
/// between a kill and its next start. Each is handed out once in a process.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(PORTS_APART);
    let ports = std::iter::repeat_with(|| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT);
    let mut ports = ports.map(|nth| FIRST_PORT + u16::try_from(nth).unwrap()).take(usize::from(u16::MAX));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("no port is free")
}

/// Where ports for listeners begin; they end where Linux begins to hand out those of outgoing connections.
const FIRST_PORT: u16 = 12_000;

/// How many there are.
const PORT_COUNT: u32 = 20_000;

/// How far apart those of one test process and the next begin.
const PORTS_APART: u32 = 1_499;

/// Waits until the servers at these ports have done with what a process that is gone had sent them: nothing of it takes effect
/// after this. Until then their end of such a connection is half closed.
fn let_go_of_the_dead(ports: &[u16]) {
    let begun = Instant::now();
    while half_closed().iter().any(|port| ports.contains(port)) {
        assert!(begun.elapsed() < PATIENCE, "a server keeps what a process that is gone had sent it");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The ports here of connections over loopback that the other end has closed, and this one has not.
fn half_closed() -> Vec<u16> {
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let ports = sockets.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        (state == CLOSE_WAIT).then(|| u16::from_str_radix(local.split_once(':')?.1, 16).ok()).flatten()
    });
    ports.collect()
}

/// A state of connections in `/proc/net/tcp`.
const CLOSE_WAIT: &str = "08";

fn restrict(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
