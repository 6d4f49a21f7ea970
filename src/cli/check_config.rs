//! `sluse check-config`, and the same check for what needs a configuration.

use std::process::ExitCode;

use super::{ConfigArgs, EXIT_CONFIG, overrides, print};
use crate::config::Config;

/// Checks and tells.
pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(config) = load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    let (partners, routes) = (config.partners.len(), config.routes.len());
    print(&format!("{}: right; partners: {partners}, routes: {routes}\n", args.config.display()))
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
