//! `sluse serve`: the gateway itself.

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{ConfigArgs, EXIT_CONFIG, block_on, check_config, logging, metrics};
use crate::app;

/// Serves until a signal ends it.
pub(super) fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(config) = check_config::load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    logging::start(&config.log);
    raise_file_limit();
    block_on(async {
        if let Some(listen) = config.metrics {
            metrics::serve(listen).await?;
        }
        app::serve(config).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Takes as many open files as the system allows: the usual soft limit of 1,024 is fewer than a busy night's uploads,
/// connections and ledger files. It is low for programs that use `select`, which this one does not.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, soft_limit = limit.current, "the limit of open files stays as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_becomes_the_highest_allowed() {
        raise_file_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
