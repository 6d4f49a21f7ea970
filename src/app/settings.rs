//! From the configuration to what each adapter is told.

mod doors;
mod receivers;
mod timetable;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;

use crate::adapters::prefill_service::PrefillService;
use crate::config::{Config, JobConfig, RouteConfig};
use crate::forward::{Filler, Server};
use crate::model::{AppTarget, PrefillMode, Route, RouteName};
use crate::pipeline::{House, Prefilling, RouteDeadline, Signers};
use crate::ports::Held;

pub(super) use self::doors::{access, sftp};
pub(super) use self::receivers::{Asked, Memory, allowance, peer, receiver};
pub(crate) use self::timetable::timekeeper;

/// The keys that sign receipts.
pub(crate) fn signers(config: &Config) -> Signers {
    let own = |route: &RouteConfig| Some((route.route.name.clone(), Arc::clone(route.signer.as_ref()?)));
    Signers { by_route: config.routes.iter().filter_map(own).collect(), other: config.signer.clone() }
}

/// By when the shipments of routes must be through.
pub(super) fn deadlines(config: &Config) -> HashMap<RouteName, RouteDeadline> {
    let deadline = |route: &RouteConfig| {
        let (deadline, channels) = route.deadline.clone()?;
        Some((route.route.name.clone(), RouteDeadline { deadline, channels }))
    };
    config.routes.iter().filter_map(deadline).collect()
}

/// Where apps ask for what is kept for them; `None` where they do not.
pub(super) async fn prefill_service(
    config: &Config,
    house: &House,
    held: &Arc<dyn Held>,
) -> anyhow::Result<Option<PrefillService>> {
    let Some(service) = &config.prefill.service else { return Ok(None) };
    let filler = |route: &Route| Filler {
        held: Arc::clone(held),
        blobs: Arc::clone(&house.blobs),
        disk: house.disk.clone(),
        partner: route.partner.clone(),
    };
    let mut apps: Vec<(Filler, AppTarget)> = Vec::new();
    for route in config.routes.iter().map(|route| &route.route) {
        for app in route.services.rows.iter().filter_map(|row| row.app.as_ref()) {
            let is_known = apps.iter().any(|(filler, known)| filler.partner == route.partner && known.id() == app.id());
            if app.prefill.mode == PrefillMode::Serve && !is_known {
                apps.push((filler(route), app.clone()));
            }
        }
    }
    let forms = Arc::new(Server { ledger: Arc::clone(&house.ledger), apps, clock: Arc::clone(&house.clock) });
    let bound = PrefillService::bind(service.listen, service.token.clone(), forms).await;
    let bound = bound.with_context(|| format!("cannot serve prefill at {}", service.listen))?;
    tracing::info!(listen = %service.listen, "apps can ask for what is kept for them");
    Ok(Some(bound))
}

/// Who looks after what is kept.
pub(super) fn prefilling(config: &Config, house: &House, held: Arc<dyn Held>) -> Prefilling {
    Prefilling {
        house: house.clone(),
        held,
        after_midnight: SignedDuration::from_mins(i64::from(config.prefill.at_minute)),
        by_schedule: config.schedules.iter().any(|schedule| schedule.job == JobConfig::Prefill),
        setbacks: Arc::default(),
    }
}
