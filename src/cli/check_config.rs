//! `sluse check-config`, and the same check for what needs a configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use super::{ConfigArgs, EXIT_CONFIG, overrides, print};
use crate::config::{Config, ReceiverConfig, RouteConfig};

/// Checks and tells.
pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(config) = load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    for (name, path) in missing_directories(&config) {
        eprintln!("warning: receiver.{name}.path: {} is not a directory: `sluse serve` will not start", path.display());
    }
    let (partners, routes) = (config.partners.len(), config.routes.len());
    print(&format!("{}: right; partners: {partners}, routes: {routes}\n", args.config.display()))
}

/// Directories that items go to and that are not there. Each was left to the operator to make: one that is made for him
/// may lie on the wrong disk, and fill it.
fn missing_directories(config: &Config) -> BTreeMap<&String, &Path> {
    let leads = config.routes.iter().flat_map(RouteConfig::leads);
    let directories = leads.filter_map(|(name, receiver, _)| match receiver {
        ReceiverConfig::Directory(directory) => Some((name, directory.path.as_path())),
        ReceiverConfig::AltinnApp(_)
        | ReceiverConfig::AltinnMessages(_)
        | ReceiverConfig::AltinnBroker(_)
        | ReceiverConfig::Http(_)
        | ReceiverConfig::Soap(_)
        | ReceiverConfig::Sftp(_) => None,
    });
    directories.filter(|(_, path)| !path.is_dir()).collect()
}

/// Loads the configuration; its faults and warnings go to standard error, one per line.
pub(super) fn load(args: &ConfigArgs) -> Option<Config> {
    match Config::load(&args.config, overrides()) {
        Ok(config) => {
            for warning in &config.warnings {
                eprintln!("warning: {warning}");
            }
            Some(config)
        }
        Err(error) => {
            eprintln!("{error}");
            None
        }
    }
}
