//! An SFTP server on a free loopback port with its own ledger and blobs, and a client made of russh.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use russh::client::{self, AuthResult};
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use secrecy::SecretString;
use sluse::adapters::blobs::{LocalBlobs, TieredBlobs};
use sluse::adapters::ledger::SqliteLedger;
use sluse::adapters::sftp_server::{
    Backing, Defence, Doorkeeper, Login, PartnerAccess, SftpLimits, SftpServer, SftpSettings,
};
use sluse::model::{Node, Shipment};
use sluse::pipeline::Ahead;
use sluse::ports::{Area, Blobs, Clock, Ledger, Quota, SystemClock};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gateway::PATIENCE;

/// A running server and what it works on.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: SqliteLedger,
    pub(crate) blobs: TieredBlobs,
    pub(crate) claimed: Arc<Notify>,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) dir: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// The bytes as the program keeps them: small ones in the ledger.
pub(crate) fn store(dir: &TempDir, ledger: &SqliteLedger) -> TieredBlobs {
    TieredBlobs::new(LocalBlobs::open(&dir.path().join("bytes")).unwrap(), Arc::new(ledger.clone()))
}

/// The password of every user in these tests.
pub(crate) const PASSWORD: &str = "correct horse";

impl Gateway {
    /// Starts a server with two partners, `etat` and `annen`, users of the same names and roomy quotas.
    pub(crate) async fn start() -> Self {
        Self::with(SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() }, ROOMY).await
    }

    /// Starts a server with the given limits and quota.
    pub(crate) async fn with(limits: SftpLimits, quota: Quota) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).await.unwrap();
        let blobs = store(&dir, &ledger);
        Self::over(dir, ledger.clone(), blobs.clone(), (Arc::new(ledger), Arc::new(blobs)), limits, quota).await
    }

    /// Starts a server with settings that are changed before.
    pub(crate) async fn changed(change: impl FnOnce(&mut SftpSettings)) -> Self {
        Self::by_clock(Arc::new(SystemClock), change).await
    }

    /// The same, by a clock of the test's own.
    pub(crate) async fn by_clock(clock: Arc<dyn Clock>, change: impl FnOnce(&mut SftpSettings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).await.unwrap();
        let blobs = store(&dir, &ledger);
        let ports: (Arc<dyn Area>, Arc<dyn Blobs>) = (Arc::new(ledger.clone()), Arc::new(blobs.clone()));
        let limits = SftpLimits { rejection_time: Duration::ZERO, ..SftpLimits::default() };
        let mut settings = settings(&dir, limits, ROOMY);
        change(&mut settings);
        Self::serve(dir, ledger, blobs, ports, (settings, clock)).await
    }

    /// Starts a server whose area and blobs are stand-ins in front of the real ones.
    pub(crate) async fn over(
        dir: TempDir,
        ledger: SqliteLedger,
        blobs: TieredBlobs,
        ports: (Arc<dyn Area>, Arc<dyn Blobs>),
        limits: SftpLimits,
        quota: Quota,
    ) -> Self {
        let settings = settings(&dir, limits, quota);
        Self::serve(dir, ledger, blobs, ports, (settings, Arc::new(SystemClock))).await
    }

    async fn serve(
        dir: TempDir,
        ledger: SqliteLedger,
        blobs: TieredBlobs,
        ports: (Arc<dyn Area>, Arc<dyn Blobs>),
        (settings, clock): (SftpSettings, Arc<dyn Clock>),
    ) -> Self {
        let claimed = Arc::new(Notify::new());
        let (area, store) = ports;
        let bans = Arc::new(ledger.clone());
        let arrivals = Arc::new(Ahead::none());
        let backing = Backing { area, blobs: store, bans, arrivals, clock, claimed: Arc::clone(&claimed) };
        let server = SftpServer::bind(settings, backing).await.unwrap();
        let (address, doorkeeper, stop) = (server.local_addr(), server.doorkeeper(), CancellationToken::new());
        let running = tokio::spawn(server.run(stop.clone()));
        Self { address, ledger, blobs, claimed, doorkeeper, dir, stop, running }
    }

    /// Stops gracefully and waits for it.
    pub(crate) async fn stop(self) -> (TempDir, SqliteLedger, TieredBlobs) {
        self.stop.cancel();
        self.running.await.unwrap();
        (self.dir, self.ledger, self.blobs)
    }

    /// Connects without logging in.
    pub(crate) async fn connect(&self) -> client::Handle<Trusting> {
        self.try_connect().await.unwrap()
    }

    /// The same, where the server may not let it come to that.
    pub(crate) async fn try_connect(&self) -> Result<client::Handle<Trusting>, russh::Error> {
        let config = client::Config { nodelay: true, ..client::Config::default() };
        client::connect(Arc::new(config), self.address, Trusting).await
    }

    /// Logs in with the key everybody has.
    pub(crate) async fn log_in(&self, user: &str) -> client::Handle<Trusting> {
        let mut session = self.connect().await;
        let key = PrivateKeyWithHashAlg::new(Arc::new(user_key(user)), None);
        assert!(matches!(session.authenticate_publickey(user, key).await.unwrap(), AuthResult::Success));
        session
    }

    /// Logs in and opens a session that shows each request.
    pub(crate) async fn raw(&self, user: &str) -> RawClient {
        self.try_raw(user).await.unwrap()
    }

    /// The same, where the server may end the connection before.
    pub(crate) async fn try_raw(&self, user: &str) -> anyhow::Result<RawClient> {
        let mut ssh = self.try_connect().await?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(user_key(user)), None);
        let logged_in = ssh.authenticate_publickey(user, key).await?;
        anyhow::ensure!(matches!(logged_in, AuthResult::Success), "{user} is not let in");
        let channel = ssh.channel_open_session().await?;
        channel.request_subsystem(true, "sftp").await?;
        let sftp = RawSftpSession::new(channel.into_stream());
        // On a busy machine a sync of the disk may take longer than the ten seconds this client waits by itself.
        sftp.set_timeout(PATIENCE.as_secs());
        sftp.init().await?;
        Ok(RawClient { sftp, ssh })
    }

    /// A file of `etat` as the ledger has it.
    pub(crate) async fn node(&self, path: &str) -> Option<Node> {
        self.ledger.stat(&"etat".parse().unwrap(), &path.parse().unwrap()).await.unwrap()
    }

    /// The shipment a file of `etat` has become.
    pub(crate) async fn shipment(&self, path: &str) -> Option<Shipment> {
        let id = self.node(path).await?.shipment?;
        self.ledger.shipment(id).await.unwrap()
    }

    /// The bytes of a shipment.
    pub(crate) async fn bytes(&self, shipment: &Shipment) -> Vec<u8> {
        let blob = self.blobs.open(shipment.blob).await.unwrap();
        let mut bytes = vec![0; blob.size_bytes() as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += blob.read_at(filled as u64, &mut bytes[filled..]).unwrap();
        }
        bytes
    }

    /// Waits until the ledger has recorded so many bytes of a partial.
    pub(crate) async fn paused_at(&self, path: &str, size_bytes: u64) {
        let begun = Instant::now();
        loop {
            let node = self.node(path).await;
            if node.as_ref().is_some_and(|node| node.size_bytes == size_bytes) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} was not paused at {size_bytes}: {node:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A client that shows each request; dropping it cuts the line.
pub(crate) struct RawClient {
    pub(crate) sftp: RawSftpSession,
    pub(crate) ssh: client::Handle<Trusting>,
}

impl RawClient {
    /// Opens a file and gives its handle.
    pub(crate) async fn open(&self, path: &str, flags: OpenFlags) -> Result<String, (StatusCode, String)> {
        self.sftp.open(path, flags, FileAttributes::empty()).await.map(|open| open.handle).map_err(refusal)
    }

    /// Uploads a file in one write.
    pub(crate) async fn put(&self, path: &str, bytes: &[u8]) -> Result<(), (StatusCode, String)> {
        let handle = self.open(path, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE).await?;
        self.sftp.write(&*handle, 0, bytes.to_vec()).await.map_err(refusal)?;
        self.sftp.close(&*handle).await.map(drop).map_err(refusal)
    }

    /// Cuts the line without a word of SFTP.
    pub(crate) async fn cut(self) {
        self.ssh.disconnect(russh::Disconnect::ByApplication, "", "en").await.unwrap();
    }
}

/// The status a request was answered with.
pub(crate) fn refusal(error: russh_sftp::client::error::Error) -> (StatusCode, String) {
    let russh_sftp::client::error::Error::Status(status) = error else { panic!("no status: {error}") };
    (status.status_code, status.error_message)
}

/// Opens the SFTP subsystem.
pub(crate) async fn subsystem(ssh: &client::Handle<Trusting>) -> russh::Channel<client::Msg> {
    let channel = ssh.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    channel
}

/// A user's key: made of the name, so that a test can name it again.
pub(crate) fn user_key(user: &str) -> PrivateKey {
    let mut seed = [7; 32];
    for (place, byte) in seed.iter_mut().zip(user.bytes()) {
        *place = byte;
    }
    PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&seed)), user).unwrap()
}

/// Writes a user's key where OpenSSH takes it from.
pub(crate) fn write_key(user: &str, path: &Path) {
    user_key(user).write_openssh_file(path, russh::keys::ssh_key::LineEnding::LF).unwrap();
}

/// Takes any host key: it is the server's own, made a moment ago.
pub(crate) struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// More than any test needs.
pub(crate) const ROOMY: Quota = Quota { bytes: 10_000_000_000, files: 10_000 };

fn settings(dir: &TempDir, limits: SftpLimits, quota: Quota) -> SftpSettings {
    SftpSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        host_key_dir: dir.path().join("keys"),
        partners: vec![access("etat", quota), access("annen", quota)],
        limits,
        defence: Defence { ban_score: 0, ..Defence::default() },
        proxies: vec![],
        revoked: String::new(),
    }
}

fn access(name: &str, quota: Quota) -> PartnerAccess {
    // Cheap parameters: these tests are about logins, not about hashing.
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash = cheap.hash_password_with_salt(PASSWORD.as_bytes(), b"a salt of a test").unwrap().to_string();
    PartnerAccess {
        partner: name.parse().unwrap(),
        logins: [name.to_owned(), format!("{name}-two")]
            .map(|user| Login {
                public_keys: vec![user_key(&user).public_key().to_openssh().unwrap().into()],
                authorities: vec![],
                principals: vec![],
                needs_both: false,
                password_hash: Some(SecretString::from(hash.clone())),
                user,
            })
            .into(),
        inboxes: vec!["inbox".to_owned()],
        tests: vec!["test".to_owned()],
        receipts: vec!["receipts".to_owned()],
        outboxes: vec!["outbox".to_owned()],
        removable: vec!["outbox".to_owned()],
        hours: vec![],
        time_zone: jiff::tz::TimeZone::UTC,
        bytes_per_second: None,
        addresses: vec![],
        older_algorithms: false,
        quota,
        max_file_bytes: 1_000_000_000,
    }
}
