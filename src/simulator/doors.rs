//! In front of every call: limits, and what goes wrong in calls whose handlers have no part in that.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;

use super::World;
use super::control::{answer_fault, struck};
use super::faults::Call;
use super::tcp::Line;

/// Lets a request through, unless it is one too many or something goes wrong.
pub(super) async fn pass(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let Some(call) = call(request.method(), path.as_str()) else { return next.run(request).await };
    if let Err(seconds) = turn(&world, call, &request) {
        read(request.into_body()).await;
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())]).into_response();
    }
    if !HERE.contains(&call) {
        return next.run(request).await;
    }
    let fault = struck(&world, call).await;
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        read(request.into_body()).await;
        return answer_fault(fault, &line);
    }
    let answer = next.run(request).await;
    match fault.filter(|_| answer.status().is_success()) {
        Some(fault) => answer_fault(fault, &line),
        None => answer,
    }
}

fn turn(world: &World, call: Call, request: &Request) -> Result<(), u64> {
    if !world.limits().is_limited(call) {
        return Ok(());
    }
    let client = world.issued().client(request.headers());
    // Whoever has no token where one is needed is told that, and uses up nobody's calls.
    let Some(client) = client.or_else(|| OPEN.contains(&call).then(String::new)) else { return Ok(()) };
    world.limits().turn(call, &client, Instant::now())
}

/// Reads a body to its end: an answer in the middle of it might not reach the sender.
async fn read(body: Body) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(_)) = stream.next().await {}
}

/// What a request is, by its method and the path it matched.
fn call(method: &Method, path: &str) -> Option<Call> {
    let known = CALLS.iter().find(|(known, there, _)| *known == method.as_str() && *there == path);
    known.map(|(_, _, call)| *call)
}

const INSTANCE: &str = "/{org}/{app}/instances/{party}/{guid}";
const TRANSFER: &str = "/broker/api/v1/filetransfer/{id}";
const PIECES: &str = "/broker/api/v1/filetransfer/upload/tus/{id}";

/// Every call that can have a limit.
const CALLS: &[(&str, &str, Call)] = &[
    ("GET", "/.well-known/oauth-authorization-server", Call::Metadata),
    ("POST", "/token", Call::Grant),
    ("GET", "/authentication/api/v1/exchange/maskinporten", Call::Exchange),
    ("GET", "/storage/api/v1/instances", Call::List),
    ("POST", "/{org}/{app}/instances", Call::Instantiate),
    ("GET", INSTANCE, Call::Instance),
    ("DELETE", INSTANCE, Call::Delete),
    ("POST", "/{org}/{app}/instances/{party}/{guid}/data/type/{data_type}", Call::Data),
    ("PUT", "/{org}/{app}/instances/{party}/{guid}/data/{id}", Call::ChangeData),
    ("DELETE", "/{org}/{app}/instances/{party}/{guid}/data/{id}", Call::ChangeData),
    ("PUT", "/{org}/{app}/instances/{party}/{guid}/process/next", Call::Next),
    ("GET", "/{org}/{app}/instances/{party}/{guid}/validate", Call::Validate),
    ("GET", "/{org}/{app}/api/v1/applicationmetadata", Call::AppMetadata),
    ("POST", "/correspondence/api/v1/correspondence", Call::Message),
    ("GET", "/correspondence/api/v1/correspondence", Call::FindMessage),
    ("POST", "/correspondence/api/v1/correspondence/upload", Call::Message),
    ("GET", "/correspondence/api/v1/correspondence/{id}", Call::MessageOverview),
    ("GET", "/correspondence/api/v1/correspondence/{id}/details", Call::MessageDetails),
    ("POST", "/correspondence/api/v1/attachment", Call::Announce),
    ("GET", "/correspondence/api/v1/attachment/{id}", Call::AttachmentOverview),
    ("POST", "/correspondence/api/v1/attachment/{id}/upload", Call::Upload),
    ("POST", "/notifications/api/v1/future/orders", Call::Notification),
    ("POST", "/broker/api/v1/filetransfer", Call::Transfer),
    ("GET", "/broker/api/v1/filetransfer", Call::FindTransfer),
    ("GET", TRANSFER, Call::TransferOverview),
    ("GET", "/broker/api/v1/filetransfer/{id}/details", Call::TransferDetails),
    ("POST", "/broker/api/v1/filetransfer/{id}/upload", Call::TransferUpload),
    ("POST", "/broker/api/v1/filetransfer/{id}/confirmdownload", Call::TransferConfirm),
    ("POST", PIECES, Call::TransferUpload),
    ("HEAD", PIECES, Call::TransferOffset),
    ("PATCH", PIECES, Call::TransferPart),
    ("DELETE", PIECES, Call::TransferTerminate),
    ("GET", "/events/api/v1/events", Call::Events),
    ("GET", "/events/api/v1/app/{org}/{app}", Call::Events),
    ("POST", "/soap", Call::Batch),
    ("GET", "/soap/{key}", Call::BatchStatus),
];

/// Calls that need no token; all who have none are one client.
const OPEN: &[Call] = &[Call::Metadata, Call::Grant, Call::AppMetadata, Call::Batch, Call::BatchStatus];

/// Calls whose handlers leave it to this what goes wrong.
const HERE: &[Call] = &[
    Call::Metadata,
    Call::Grant,
    Call::Exchange,
    Call::AppMetadata,
    Call::Instance,
    Call::Validate,
    Call::TransferConfirm,
    Call::TransferTerminate,
    Call::Events,
    Call::BatchStatus,
];
