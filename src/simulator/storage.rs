//! The platform's list of instances.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::World;
use super::apps::shown;
use super::control::{answer_fault, struck};
use super::effects::owner_hash;
use super::faults::{Call, Fault};
use super::tcp::Line;

#[derive(Deserialize)]
pub(super) struct Filter {
    org: Option<String>,
    #[serde(rename = "appId")]
    app_id: Option<String>,
    created: Option<String>,
    size: Option<usize>,
    #[serde(rename = "continuationToken")]
    continuation_token: Option<usize>,
}

/// `GET /storage/api/v1/instances`, of one owner, oldest first.
pub(super) async fn list(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    world.effects().counts.look_ups += 1;
    let fault = struck(&world, Call::List).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault {
        return answer_fault(if fault == Fault::ErrorAfter { Fault::ErrorBefore } else { fault }, &line);
    }
    let Some(owner) = owner(&headers) else {
        return (StatusCode::BAD_REQUEST, "The owner's identifier cannot be read").into_response();
    };
    let Some(since) = filter.created.as_deref().map_or(Some(Timestamp::MIN), since) else {
        return (StatusCode::BAD_REQUEST, "Only created=gt: is known here").into_response();
    };
    if filter.org.is_none() && filter.app_id.is_none() {
        return (StatusCode::BAD_REQUEST, "Either org or appId must be given").into_response();
    }
    page(&world, &filter, &uri, owner, since)
}

fn page(world: &World, filter: &Filter, uri: &Uri, owner: u64, since: Timestamp) -> Response {
    let skip = filter.continuation_token.unwrap_or(0);
    let size = filter.size.unwrap_or(100).clamp(1, 1_000);
    let effects = world.effects();
    let mut found = effects
        .of_owner(owner)
        .filter(|instance| instance.created > since)
        .filter(|instance| filter.app_id.as_ref().is_none_or(|app| *app == instance.app_id))
        .filter(|instance| {
            let org = instance.app_id.split('/').next();
            filter.org.as_deref().is_none_or(|wanted| org == Some(wanted))
        })
        .skip(skip);
    let instances: Vec<_> = found.by_ref().take(size).map(|instance| shown(&instance)).collect();
    let next = found.next().map(|_| next_page(world, uri, skip + size));
    Json(json!({"count": instances.len(), "next": next, "instances": instances})).into_response()
}

/// The same address with another continuation.
fn next_page(world: &World, uri: &Uri, skip: usize) -> String {
    let query = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("continuationToken="));
    let query: Vec<_> = query.collect();
    format!("{}{}?{}&continuationToken={skip}", world.base_url, uri.path(), query.join("&"))
}

fn owner(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("X-Ai-InstanceOwnerIdentifier")?.to_str().ok()?;
    let (kind, number) = text.split_once(':')?;
    matches!((kind, number.len()), ("Organisation", 9) | ("Person", 11)).then(|| owner_hash(number))
}

fn since(filter: &str) -> Option<Timestamp> {
    filter.strip_prefix("gt:")?.parse().ok()
}
