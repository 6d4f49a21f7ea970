//! Apps: making instances, and what an app says about itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use axum::Json;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::control::{answer_fault, struck};
use super::effects::{InstanceFacts, PartFacts, owner_hash};
use super::faults::{Call, Fault};
use super::instance::process;
use super::tcp::Line;
use super::{SimulatedApp, World};

/// What a request to make an instance came to.
struct Received {
    template: Template,
    parts: Vec<PartFacts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Template {
    instance_owner: Owner,
    visible_after: Option<Timestamp>,
    due_before: Option<Timestamp>,
    #[serde(default)]
    data_values: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Owner {
    OrganisationNumber(String),
    PersonNumber(String),
}

/// `POST /{org}/{app}/instances`
pub(super) async fn instantiate(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((org, app)): Path<(String, String)>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    world.effects().counts.instantiations += 1;
    // The whole request is read first: an answer in the middle of it might not reach the sender.
    let received = receive(&world, form).await;
    let fault = struck(&world, Call::Instantiate).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, &line);
    }
    let made = received.and_then(|received| make(&world, &org, &app, received));
    match (made, fault) {
        (Err((StatusCode::FORBIDDEN, text)), _) => (StatusCode::FORBIDDEN, Json(text)).into_response(),
        (Err(refusal), _) => refusal.into_response(),
        (Ok(instance), fault @ (None | Some(Fault::NoBody))) => {
            let location = [(LOCATION, format!("{}/{org}/{app}/instances/{}", world.base_url, instance.id))];
            match fault {
                None => (StatusCode::CREATED, location, Json(shown(&instance))).into_response(),
                Some(_) => (StatusCode::CREATED, location).into_response(),
            }
        }
        (Ok(_), Some(fault)) => answer_fault(fault, &line),
    }
}

/// `GET /{org}/{app}/api/v1/applicationmetadata`
pub(super) async fn metadata(State(world): State<Arc<World>>, Path((org, app)): Path<(String, String)>) -> Response {
    let Some(known) = app_of(&world, &org, &app) else { return StatusCode::NOT_FOUND.into_response() };
    let data_types = known.data_types.iter().map(|id| json!({"id": id, "maxCount": 0, "minCount": 0}));
    let party_types =
        PARTY_TYPES.map(|name| (name.to_owned(), Value::Bool(known.party_types.iter().any(|one| one == name))));
    Json(json!({
        "id": format!("{org}/{app}"), "org": org, "dataTypes": data_types.collect::<Vec<_>>(),
        "partyTypesAllowed": Value::Object(party_types.into_iter().collect())
    }))
    .into_response()
}

/// An instance as the platform shows it, without its owner's number.
pub(super) fn shown(instance: &InstanceFacts) -> Value {
    let (party, _) = instance.id.split_once('/').unwrap_or_default();
    let (org, _) = instance.app_id.split_once('/').unwrap_or_default();
    // A user's number, as the platform has it.
    let changed_by = if instance.is_edited { party } else { org };
    json!({
        "id": instance.id,
        "instanceOwner": {"partyId": party},
        "appId": instance.app_id,
        "org": org,
        "created": instance.created,
        "createdBy": org,
        "lastChanged": instance.created,
        "lastChangedBy": changed_by,
        "visibleAfter": instance.visible_after.unwrap_or(instance.created),
        "dueBefore": instance.due_before,
        "dataValues": instance.data_values,
        "status": {
            "isArchived": instance.has_ended(),
            "isSoftDeleted": instance.is_deleted || instance.is_soft_deleted,
            "isHardDeleted": instance.is_deleted,
            "readStatus": u8::from(instance.is_opened),
        },
        "process": process(instance),
        "data": instance.parts.iter().map(|part| element(part, (org, changed_by))).collect::<Vec<_>>(),
    })
}

fn element(part: &PartFacts, (created_by, changed_by): (&str, &str)) -> Value {
    json!({
        "id": part.id, "dataType": part.name, "filename": part.file_name, "contentType": part.content_type,
        "size": part.size_bytes, "createdBy": created_by, "lastChangedBy": changed_by, "locked": false,
    })
}

type Refusal = (StatusCode, &'static str);

/// An app; `None` when there is none of the name.
fn app_of(world: &World, org: &str, app: &str) -> Option<SimulatedApp> {
    let apps = &world.options.apps;
    let known = apps.iter().find(|known| known.org == org && known.app == app).cloned();
    known.or_else(|| apps.is_empty().then(SimulatedApp::default))
}

fn make(world: &World, org: &str, app: &str, received: Received) -> Result<InstanceFacts, Refusal> {
    let Received { template, parts } = received;
    let known = app_of(world, org, app).ok_or((StatusCode::NOT_FOUND, "No such app"))?;
    if !known.data_types.is_empty() && parts.iter().any(|part| !known.data_types.contains(&part.name)) {
        return Err((StatusCode::BAD_REQUEST, "A part is of no data type of the app"));
    }
    let (number, digits) = match &template.instance_owner {
        Owner::OrganisationNumber(number) => (number, 9),
        Owner::PersonNumber(number) => (number, 11),
    };
    if number.len() != digits || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err((StatusCode::NOT_FOUND, "Cannot lookup party"));
    }
    if !takes(world, &known, &template.instance_owner) {
        return Err((StatusCode::FORBIDDEN, WRONG_PARTY));
    }
    let owner = owner_hash(number);
    let instance = InstanceFacts {
        id: format!("{}/{}", FIRST_PARTY + owner % PARTIES, Uuid::new_v4()),
        owner,
        app_id: format!("{org}/{app}"),
        created: Timestamp::now(),
        visible_after: template.visible_after,
        due_before: template.due_before,
        data_values: template.data_values,
        parts,
        steps: 0,
        is_deleted: false,
        is_soft_deleted: false,
        is_opened: false,
        is_edited: false,
    };
    world.effects().add(instance.clone()).map_err(|error| {
        tracing::error!(%error, "the journal cannot be written");
        (StatusCode::INTERNAL_SERVER_ERROR, "The journal cannot be written")
    })?;
    world.tell_made(&instance);
    Ok(instance)
}

/// Tells whether an app takes such a party.
fn takes(world: &World, app: &SimulatedApp, owner: &Owner) -> bool {
    let party_type = match owner {
        Owner::PersonNumber(_) => "person",
        Owner::OrganisationNumber(number) if world.options.sub_units.contains(number) => "subUnit",
        Owner::OrganisationNumber(_) => "organisation",
    };
    app.party_types.is_empty() || app.party_types.iter().any(|one| one == party_type)
}

async fn receive(world: &World, mut form: Multipart) -> Result<Received, Refusal> {
    let bad = |why: &'static str| (StatusCode::BAD_REQUEST, why);
    let mut template = None;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| bad("The form is cut off or not one"))? {
        if field.name() == Some("instance") {
            let bytes = field.bytes().await.map_err(|_| bad("The template is cut off"))?;
            world.record("POST /instances", || serde_json::from_slice(&bytes).unwrap_or_default());
            let read = serde_json::from_slice::<Template>(&bytes).map_err(|_| bad("The template cannot be read"))?;
            if template.replace(read).is_some() {
                return Err(bad("There are two templates"));
            }
        } else {
            parts.push(part(field).await?);
        }
    }
    Ok(Received { template: template.ok_or(bad("There is no template"))?, parts })
}

async fn part(mut field: Field<'_>) -> Result<PartFacts, Refusal> {
    let bad = |why: &'static str| (StatusCode::BAD_REQUEST, why);
    let name = field.name().ok_or(bad("A part has no name"))?.to_owned();
    let content_type = field.content_type().ok_or(bad("A part has no content type"))?.to_owned();
    let file_name = field.file_name().map(ToOwned::to_owned);
    let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0);
    while let Some(chunk) = field.chunk().await.map_err(|_| bad("A part is cut off"))? {
        hash.update(&chunk);
        size_bytes += chunk.len() as u64;
    }
    if size_bytes == 0 {
        return Err(bad("A part is empty"));
    }
    let sha256 = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(PartFacts { id: Uuid::new_v4(), name, content_type, file_name, size_bytes, sha256 })
}

/// The kinds of party in an app's metadata.
pub const PARTY_TYPES: [&str; 4] = ["bankruptcyEstate", "organisation", "person", "subUnit"];
/// What an app says to a party of a kind that it does not take.
pub(super) const WRONG_PARTY: &str = "Party 50000000 is not allowed to instantiate this application";
/// Party ids as they look.
const FIRST_PARTY: u64 = 50_000_000;
const PARTIES: u64 = 10_000_000;
