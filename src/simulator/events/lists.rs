//! The lists of events: those of a resource, and those of an app.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::{Event, RESOURCE, place};
use crate::simulator::World;

/// A query as it came: a name may be there more than once.
type Asked = Query<Vec<(String, String)>>;

/// `GET /events/api/v1/events`
pub(in crate::simulator) async fn of_resource(
    State(world): State<Arc<World>>,
    Query(asked): Asked,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(resource) = first(&asked, "resource").and_then(|resource| resource.strip_prefix(RESOURCE)) else {
        return wrong("A resource must be named, as urn:altinn:resource:…");
    };
    let Some(after) = first(&asked, "after") else { return wrong("The 'after' parameter must be defined") };
    let subject = first(&asked, "subject");
    let is_wanted = |event: &Event| {
        event.resource == resource && subject.is_none_or(|subject| event.subject.as_deref() == Some(subject))
    };
    page(&world, (&uri, &asked), after, is_wanted, "application/cloudevents+json")
}

/// `GET /events/api/v1/app/{org}/{app}`
pub(in crate::simulator) async fn of_app(
    State(world): State<Arc<World>>,
    Path((org, app)): Path<(String, String)>,
    Query(asked): Asked,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let time = |name| first(&asked, name).map(str::parse::<Timestamp>).transpose();
    let (Ok(from), Ok(to)) = (time("from"), time("to")) else { return wrong("A time cannot be read") };
    let after = first(&asked, "after");
    if after.is_none() && from.is_none() {
        return wrong("The 'from' or 'after' parameter must be defined");
    }
    let (resource, party) = (format!("app_{org}_{app}"), first(&asked, "party").map(|party| format!("/party/{party}")));
    let is_wanted = |event: &Event| {
        event.resource == resource
            && party.as_ref().is_none_or(|party| event.subject.as_ref() == Some(party))
            && from.is_none_or(|from| event.at >= from)
            && to.is_none_or(|to| event.at <= to)
    };
    page(&world, (&uri, &asked), after.unwrap_or("0"), is_wanted, "application/json")
}

/// One page, and in a header where the next one is.
fn page(
    world: &World,
    (uri, asked): (&Uri, &[(String, String)]),
    after: &str,
    is_wanted: impl Fn(&Event) -> bool,
    content_type: &'static str,
) -> Response {
    let size = first(asked, "size").map_or(Ok(50), str::parse::<usize>);
    let Some(size) = size.ok().filter(|size| (1..=1_000).contains(size)) else {
        return wrong("The 'size' parameter must be a number between 1 and 1000");
    };
    let Some(place) = place(after) else { return wrong("There is no such event") };
    let kinds: Vec<&String> = asked.iter().filter(|(name, _)| name == "type").map(|(_, kind)| kind).collect();
    let is_wanted = |event: &Event| is_wanted(event) && (kinds.is_empty() || kinds.contains(&&event.kind));
    let found = world.events().after(place, size, is_wanted);
    let shown: Value = found.iter().map(|(id, event)| event.shown(*id, &world.base_url)).collect();
    let mut answer = ([(CONTENT_TYPE, content_type)], shown.to_string()).into_response();
    let next = found.last().map(|(last, _)| next_page(world, uri, &last.to_string()));
    if let Some(next) = next.and_then(|next| next.parse().ok()) {
        answer.headers_mut().insert(NEXT, next);
    }
    answer
}

/// The same address, behind another event; the first page of an app may have begun at a time.
fn next_page(world: &World, uri: &Uri, last: &str) -> String {
    let query = uri.query().unwrap_or_default().split('&');
    let kept: Vec<_> = query.filter(|pair| !pair.starts_with("after=") && !pair.starts_with("from=")).collect();
    format!("{}{}?after={last}&{}", world.base_url, uri.path(), kept.join("&"))
}

fn first<'a>(asked: &'a [(String, String)], name: &str) -> Option<&'a str> {
    asked.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn wrong(detail: &'static str) -> Response {
    let problem = serde_json::json!({"title": "Bad Request", "status": 400, "detail": detail});
    (StatusCode::BAD_REQUEST, Json(problem)).into_response()
}

const NEXT: HeaderName = HeaderName::from_static("next");
