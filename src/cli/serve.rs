//! `sluse serve`: the gateway itself.

use std::process::ExitCode;

use super::{ConfigArgs, EXIT_CONFIG, block_on, check_config, logging};
use crate::app;

/// Serves until a signal ends it.
pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(config) = check_config::load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    logging::start(&config.log);
    block_on(async {
        app::serve(config).await?;
        Ok(ExitCode::SUCCESS)
    })
}
