//! The SFTP server, and what partners have there.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::adapters::sftp_server::{Defence, Login, PartnerAccess, SftpLimits, SftpSettings};
use crate::config::{Config, DefenderConfig, Partner};
use crate::model::Route;
use crate::ports::Quota;

/// What the SFTP server is told.
pub(in crate::app) fn sftp(config: &Config, partners: Vec<PartnerAccess>) -> SftpSettings {
    SftpSettings {
        listen: config.sftp.listen,
        host_key_dir: config.sftp.host_key_dir.clone(),
        partners,
        defence: defence(&config.sftp.defence),
        proxies: config.sftp.proxies.clone(),
        revoked: config.sftp.revoked.clone(),
        limits: SftpLimits {
            max_connections: config.sftp.max_connections,
            max_strangers_per_address: config.sftp.max_strangers_per_address,
            max_connections_per_partner: config.sftp.max_connections_per_partner,
            max_login_attempts: config.sftp.max_login_attempts,
            max_handles: config.sftp.max_handles,
            max_handles_per_partner: config.sftp.max_handles_per_partner,
            max_channels_per_partner: config.sftp.max_channels_per_partner,
            scp: config.sftp.scp,
            login_time: Duration::from_millis(config.sftp.login_ms),
            idle_time: Duration::from_millis(config.sftp.idle_ms),
            rejection_time: Duration::from_millis(config.sftp.rejection_ms),
            drain_time: Duration::from_millis(config.worker.stop_ms),
        },
    }
}

/// What a configured partner has.
pub(in crate::app) fn access(partner: &Partner, config: &Config) -> PartnerAccess {
    let routes = || config.routes.iter().map(|route| &route.route).filter(|route| route.partner == partner.id);
    let dirs = |pick: fn(&Route) -> &String| -> Vec<String> {
        routes().map(pick).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    };
    let login = |login: &crate::config::Login| Login {
        user: login.user.clone(),
        public_keys: login.public_keys.iter().cloned().map(Into::into).collect(),
        authorities: login.authorities.clone(),
        principals: login.principals.clone(),
        needs_both: login.needs_both,
        password_hash: login.password_hash.clone(),
    };
    PartnerAccess {
        partner: partner.id.clone(),
        logins: partner.logins.iter().map(login).collect(),
        inboxes: dirs(|route| &route.inbox),
        tests: dirs(|route| &route.test),
        receipts: dirs(|route| &route.receipts),
        outboxes: dirs(|route| &route.outbox),
        removable: removable(partner, config),
        hours: partner.hours.clone(),
        time_zone: partner.time_zone.clone(),
        bytes_per_second: partner.bytes_per_second,
        addresses: partner.addresses.clone(),
        older_algorithms: partner.older_algorithms,
        quota: Quota { bytes: partner.quota_bytes, files: partner.quota_files },
        max_file_bytes: routes().map(|route| route.max_file_bytes).max().unwrap_or(0),
    }
}

/// Directories of receipts and files for the partner from which every route that uses them lets the partner remove.
fn removable(partner: &Partner, config: &Config) -> Vec<String> {
    let routes = config.routes.iter().filter(|route| route.route.partner == partner.id);
    let (mut open, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for route in routes {
        let into = if route.may_remove { &mut open } else { &mut kept };
        into.extend([route.route.receipts.clone(), route.route.outbox.clone()]);
    }
    open.difference(&kept).cloned().collect()
}

fn defence(config: &DefenderConfig) -> Defence {
    Defence {
        ban_score: config.ban_score,
        window: Duration::from_millis(config.window_ms),
        ban_time: Duration::from_millis(config.ban_ms),
        wait: Duration::from_millis(config.wait_ms),
        longest_wait: Duration::from_millis(config.longest_wait_ms),
        allow: config.allow.clone(),
    }
}
