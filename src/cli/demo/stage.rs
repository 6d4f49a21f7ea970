//! What the demo plays on: its folder, the simulator and the gateway.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::{DemoArgs, keys, private_folder};
use crate::adapters::key_file::PrivateKey;
use crate::adapters::sftp_client::{Peer, PeerWaits, Proof};
use crate::app::Gateway;
use crate::cli::logging;
use crate::config::Config;
use crate::simulator::{Simulator, SimulatorOptions};

/// A running gateway with the simulator behind it.
pub(super) struct Stage {
    folder: PathBuf,
    sender: Arc<PrivateKey>,
    simulator: Simulator,
    gateway: Gateway,
}

impl Stage {
    /// Makes the folder and the keys and starts everything.
    pub(super) async fn build(args: &DemoArgs) -> anyhow::Result<Self> {
        private_folder(&args.data_dir)?;
        let folder = fs::canonicalize(&args.data_dir)?;
        let sender = keys::sender(&folder.join("sender_key"))?;
        let public_key = Some(keys::maskinporten(&folder.join("maskinporten.pem"))?);
        let options = SimulatorOptions { public_key, ..SimulatorOptions::default() };
        let simulator = Simulator::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options).await?;
        let config = configuration(args, &folder, &sender, simulator.base_url())?;
        logging::start(&config.log);
        let gateway = Gateway::start(config).await?;
        Ok(Self { folder, sender, simulator, gateway })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the gateway listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.gateway.sftp_address()
    }

    /// The gateway as the sender sees it.
    pub(super) fn peer(&self) -> Peer {
        Peer {
            host: self.address().ip().to_string(),
            port: self.address().port(),
            host_keys: self.gateway.host_keys().to_vec(),
            user: USER.to_owned(),
            proof: Proof::by_key(Arc::clone(&self.sender)),
            waits: PeerWaits::default(),
        }
    }

    /// Instances the simulator has made.
    pub(super) fn simulator_effects(&self) -> u64 {
        self.simulator.effects().total
    }

    /// Stops everything, gracefully.
    pub(super) async fn strike(self) {
        self.gateway.stop().await;
        self.simulator.stop().await;
    }
}

/// `config/demo.toml` with the places and keys of this demo.
fn configuration(args: &DemoArgs, folder: &Path, sender: &PrivateKey, simulator: &str) -> anyhow::Result<Config> {
    let public_key = folder.join("sender_key.pub");
    fs::write(&public_key, format!("{}\n", sender.public_key().to_openssh()?))?;
    let in_folder = |name: &str| folder.join(name).display().to_string();
    let overrides = [
        ("SLUSE_DATA_DIR", in_folder("data")),
        ("SLUSE_SFTP__LISTEN", args.listen.to_string()),
        ("SLUSE_PARTNER__DEMO__LOGIN__DEMO__PUBLIC_KEYS_FILE", public_key.display().to_string()),
        ("SLUSE_RECEIVER__SIMULATOR__PLATFORM_URL", simulator.to_owned()),
        ("SLUSE_RECEIVER__SIMULATOR__APPS_URL", simulator.to_owned()),
        ("SLUSE_RECEIVER__SIMULATOR__ISSUER", format!("{simulator}/")),
        ("SLUSE_RECEIVER__SIMULATOR__TOKEN_URL", format!("{simulator}/token")),
        ("SLUSE_RECEIVER__SIMULATOR__KEY_FILE", in_folder("maskinporten.pem")),
    ];
    let overrides = overrides.map(|(name, value)| (name.to_owned(), value));
    Config::parse(CONFIGURATION, folder, overrides).context("the demo's configuration")
}

/// The demo's partner logs in as.
pub(super) const USER: &str = "demo";

const CONFIGURATION: &str = include_str!("../../../config/demo.toml");
