//! Every call to the platform that the adapters know, as it is made, against the platform's own description of it; and each
//! of them broken in several ways, none of which may pass: a judge that cannot refuse is none.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::descriptions::{
    APPS, AUTHENTICATION, BROKER, FILE_PATH, FORM_PATH, MESSAGE_FORM, MESSAGES, ONE_APP, PLATFORM, UNDESCRIBED, read,
};
use super::openapi::{Description, Taken, segments, variable};
use super::rehearsal::rehearsal;
use crate::needs::reference;

/// A call that the adapters make.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// The files that describe it, each with its path there.
    pub(super) described: &'static [(&'static str, &'static str)],
    /// Where it is made, in `src/adapters/altinn`: a file, and a line of it.
    made_in: &'static [(&'static str, &'static str)],
    /// What it must not be.
    pub(super) wrong: &'static [Wrong],
}

/// One thing changed.
pub(super) enum Wrong {
    /// A segment of the path.
    Path(&'static str, &'static str),
    Query(&'static str, &'static str),
    NoQuery(&'static str),
    Header(&'static str, &'static str),
    NoHeader(&'static str),
    /// A value in the body, as JSON.
    Body(&'static str, &'static str),
    Without(&'static str),
    NoBody,
    /// The kind of a form's part.
    Part(&'static str, &'static str),
}

use Wrong::{Body, Header, NoBody, NoHeader, NoQuery, Part, Query, Without};

const BAD_INSTANCE: [Wrong; 3] =
    [Wrong::Path("instanceGuid", "1"), Wrong::Path("instanceOwnerPartyId", "x"), Query("notAParameter", "1")];
const BAD_TUS: [Wrong; 2] = [NoHeader("tus-resumable"), Header("tus-resumable", "0.2")];
const TUS: &str = "/broker/api/v1/filetransfer/upload/tus/{fileTransferId}";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: "GET",
        described: &[(UNDESCRIBED, "/.well-known/oauth-authorization-server")],
        made_in: &[("issuer.rs", "self.http.send(self.http.get(url)")],
        wrong: &[Query("notAParameter", "1")],
    },
    Operation {
        method: "GET",
        described: &[(UNDESCRIBED, "/token")],
        made_in: &[("issuer.rs", "self.http.send(self.http.get(url)")],
        wrong: &[Query("notAParameter", "1")],
    },
    Operation {
        method: "POST",
        described: &[(PLATFORM, "/token")],
        made_in: &[("tokens.rs", "self.http.post(place.token_url.clone())")],
        wrong: &[
            Header("content-type", "application/json"),
            Body("/grant_type", "\"client_credentials\""),
            Body("/assertion", "\"a.b\""),
            Without("/assertion"),
            NoBody,
        ],
    },
    Operation {
        method: "GET",
        described: &[
            (PLATFORM, "/authentication/api/v1/exchange/{tokenProvider}"),
            (AUTHENTICATION, "/exchange/{tokenProvider}"),
        ],
        made_in: &[("tokens.rs", "self.http.get(self.exchange_url.clone())")],
        wrong: &[NoHeader("authorization"), Wrong::Path("tokenProvider", "elsewhere"), Query("test", "yes")],
    },
    Operation {
        method: "POST",
        described: &[(APPS, "/{org}/{app}/instances"), (ONE_APP, "/tdd/contributer-restriction/instances")],
        made_in: &[("receiver.rs", "self.client.post(url, content_type, None, body)")],
        wrong: &[
            Header("content-type", "text/xml"),
            Body("/instance/instanceOwner/organisationNumber", "910000004"),
            Body("/instance/instanceOwner/organisationNumber", "\"91\""),
            Body("/instance/instanceOwner/orgNumber", "\"910000004\""),
            Body("/instance/visibleAfter", "\"tomorrow\""),
            Body("/notADataType", "\"<Skjema/>\""),
            Part("default", "text/plain"),
            Part("instance", "text/plain"),
            Query("instanceOwnerPartyId", "x"),
            Query("notAParameter", "1"),
        ],
    },
    Operation {
        method: "GET",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}"),
            (ONE_APP, "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}"),
        ],
        made_in: &[("finish.rs", "self.client.get(&url)"), ("later.rs", "self.client.get(&self.instance()?)")],
        wrong: &BAD_INSTANCE,
    },
    Operation {
        method: "DELETE",
        // The app's own knows no `hard`.
        described: &[(APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}")],
        made_in: &[
            ("finish.rs", "self.client.change(Method::DELETE, &url"),
            ("later.rs", "self.client.change(Method::DELETE, &url"),
        ],
        wrong: &[Query("hard", "yes"), Wrong::Path("instanceGuid", "1"), Wrong::Path("instanceOwnerPartyId", "x")],
    },
    Operation {
        method: "POST",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/data/type/{dataType}"),
            (
                ONE_APP,
                "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/data/type/customElement",
            ),
        ],
        made_in: &[
            ("finish.rs", "self.client.change(Method::POST, &url, &headers, &part.content)"),
            ("later.rs", "self.client.change(method, &self.join(&path)?"),
        ],
        wrong: &[
            NoBody,
            Header("content-type", "text/plain"),
            NoHeader("content-type"),
            Wrong::Path("instanceGuid", "1"),
        ],
    },
    Operation {
        method: "PUT",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}"),
            (
                ONE_APP,
                "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}/type/default",
            ),
        ],
        made_in: &[("later.rs", "self.client.change(method, &self.join(&path)?")],
        wrong: &[
            NoBody,
            Header("content-type", "text/plain"),
            NoHeader("content-type"),
            Wrong::Path("dataGuid", "1"),
            Query("notAParameter", "1"),
        ],
    },
    Operation {
        method: "PUT",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}"),
            (ONE_APP, FILE_PATH),
        ],
        made_in: &[("later.rs", "self.client.change(method, &self.join(&path)?")],
        wrong: &[
            NoBody,
            Header("content-type", "application/pdf"),
            NoHeader("content-type"),
            Wrong::Path("dataGuid", "1"),
            Wrong::Path("instanceOwnerPartyId", "x"),
        ],
    },
    Operation {
        method: "DELETE",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}"),
            (ONE_APP, "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}"),
        ],
        made_in: &[("later.rs", "self.client.change(Method::DELETE, &url")],
        wrong: &[
            Wrong::Path("dataGuid", "1"),
            Wrong::Path("instanceGuid", "1"),
            Wrong::Path("instanceOwnerPartyId", "x"),
            Query("notAParameter", "1"),
        ],
    },
    Operation {
        method: "PUT",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/process/next"),
            (ONE_APP, "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/process/next"),
        ],
        made_in: &[("finish.rs", "self.client.change(Method::PUT, &url, &headers, &Content::from_bytes(\"{}\"))")],
        wrong: &[
            Body("/action", "1"),
            Body("/notASetting", "\"x\""),
            Header("content-type", "text/plain"),
            Wrong::Path("instanceGuid", "1"),
        ],
    },
    Operation {
        method: "GET",
        described: &[
            (APPS, "/{org}/{app}/instances/{instanceOwnerPartyId}/{instanceGuid}/validate"),
            (ONE_APP, "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/validate"),
        ],
        made_in: &[("finish.rs", "self.client.get(&self.join(\"validate\")?)")],
        wrong: &BAD_INSTANCE,
    },
    Operation {
        method: "GET",
        described: &[(APPS, "/{org}/{app}/api/v1/applicationmetadata")],
        made_in: &[("receiver.rs", "self.client.http.get(url)))")],
        wrong: &[Query("notAParameter", "1"), Query("checkOrgApp", "no")],
    },
    Operation {
        method: "GET",
        described: &[(PLATFORM, "/storage/api/v1/instances")],
        made_in: &[("look_up.rs", "self.client.http.get(url)).header(OWNER_HEADER")],
        wrong: &[
            Query("created", "yesterday"),
            Query("appId", "tdd"),
            Query("size", "all"),
            Query("size", "0"),
            Query("notAParameter", "1"),
        ],
    },
    Operation {
        method: "POST",
        described: &[(MESSAGES, "/correspondence/api/v1/correspondence")],
        made_in: &[("message/mod.rs", "self.client.post_again(&self.messages")],
        wrong: &[
            Header("content-type", "text/plain"),
            Without("/recipients"),
            Body("/recipients", "[\"12345\"]"),
            Body("/correspondence/content/language", "\"se\""),
            Body("/correspondence/replyOptions", "[{\"linkURL\": \"http://a.example/\"}]"),
            Body("/notASetting", "1"),
        ],
    },
    Operation {
        method: "POST",
        described: &[(MESSAGES, FORM_PATH), (MESSAGE_FORM, FORM_PATH)],
        made_in: &[("message/mod.rs", "self.client.post(url, &content_type, None")],
        wrong: &[
            Header("content-type", "application/json"),
            NoBody,
            Without("/correspondence.content.messageTitle"),
            Without("/recipients[0]"),
            Body("/recipients[0]", "\"12345\""),
            Body("/correspondence.content.language", "\"se\""),
            Body("/correspondence.isConfirmationNeeded", "\"yes\""),
            Body("/correspondence.replyOptions[0].linkURL", "\"http://a.example/\""),
            Body("/correspondence.content.notASetting", "\"1\""),
            Body("/idempotentKey", "\"x\""),
        ],
    },
    Operation {
        method: "GET",
        described: &[(MESSAGES, "/correspondence/api/v1/correspondence")],
        made_in: &[("message/mod.rs", "self.client.get(&url)")],
        wrong: &[NoQuery("resourceId"), NoQuery("role"), Query("role", "Owner"), Query("idempotentKey", "x")],
    },
    Operation {
        method: "GET",
        described: &[(MESSAGES, "/correspondence/api/v1/correspondence/{correspondenceId}")],
        made_in: &[("message/mod.rs", "self.client.get(&self.at(path)")],
        wrong: &[Wrong::Path("correspondenceId", "x"), Query("notAParameter", "1")],
    },
    Operation {
        method: "GET",
        described: &[(MESSAGES, "/correspondence/api/v1/correspondence/{correspondenceId}/details")],
        made_in: &[("message/mod.rs", "self.client.get(&self.at(path)")],
        wrong: &[Wrong::Path("correspondenceId", "x"), Query("notAParameter", "1")],
    },
    Operation {
        method: "POST",
        described: &[(MESSAGES, "/correspondence/api/v1/attachment")],
        made_in: &[("message/uploads.rs", "self.client.post_again(&self.attachments")],
        wrong: &[
            Header("content-type", "text/plain"),
            Without("/resourceId"),
            Body("/fileName", "\"\""),
            Body("/checksum", "\"ABC\""),
        ],
    },
    Operation {
        method: "POST",
        described: &[(MESSAGES, "/correspondence/api/v1/attachment/{attachmentId}/upload")],
        made_in: &[("message/uploads.rs", "self.client.post_again(&url, \"application/octet-stream\"")],
        wrong: &[Header("content-type", "application/pdf"), NoBody, Wrong::Path("attachmentId", "x")],
    },
    Operation {
        method: "GET",
        described: &[(MESSAGES, "/correspondence/api/v1/attachment/{attachmentId}")],
        made_in: &[("message/uploads.rs", "self.client.get(&self.url(&id.to_string())?)")],
        wrong: &[Wrong::Path("attachmentId", "x"), Query("notAParameter", "1")],
    },
    Operation {
        method: "POST",
        described: &[(PLATFORM, "/notifications/api/v1/future/orders")],
        made_in: &[("message/mod.rs", "self.client.post_again(&self.orders")],
        wrong: &[
            Header("content-type", "text/plain"),
            NoBody,
            Without("/idempotencyId"),
            Body("/idempotencyId", "\"\""),
            Body("/recipient", "{}"),
            Body("/requestedSendTime", "\"tomorrow\""),
        ],
    },
    Operation {
        method: "POST",
        described: &[(BROKER, "/broker/api/v1/filetransfer")],
        made_in: &[("broker/mod.rs", "self.client.post_again(&self.transfers")],
        wrong: &[
            Header("content-type", "text/plain"),
            Without("/resourceId"),
            Body("/sender", "\"310000000\""),
            Body("/recipients", "[]"),
            Body("/disableVirusScan", "\"no\""),
            Body("/notASetting", "1"),
        ],
    },
    Operation {
        method: "GET",
        described: &[(BROKER, "/broker/api/v1/filetransfer")],
        made_in: &[("broker/search.rs", "self.client.get(&url)")],
        wrong: &[
            NoQuery("resourceId"),
            Query("role", "Owner"),
            Query("status", "Begun"),
            Query("from", "now"),
            Query("orderAscending", "up"),
            Query("notAParameter", "1"),
        ],
    },
    Operation {
        method: "GET",
        described: &[(BROKER, "/broker/api/v1/filetransfer/{fileTransferId}")],
        made_in: &[("broker/mod.rs", "self.client.get(&self.at(path)?)")],
        wrong: &[Wrong::Path("fileTransferId", "x"), Query("notAParameter", "1")],
    },
    Operation {
        method: "GET",
        described: &[(BROKER, "/broker/api/v1/filetransfer/{fileTransferId}/details")],
        made_in: &[("broker/mod.rs", "self.client.get(&self.at(path)?)")],
        wrong: &[Wrong::Path("fileTransferId", "x"), Query("notAParameter", "1")],
    },
    Operation {
        method: "POST",
        described: &[(BROKER, "/broker/api/v1/filetransfer/{fileTransferId}/upload")],
        made_in: &[("broker/mod.rs", "self.client.post_again(&url, \"application/octet-stream\"")],
        wrong: &[Header("content-type", "application/zip"), NoBody, Wrong::Path("fileTransferId", "x")],
    },
    Operation {
        method: "POST",
        described: &[(BROKER, TUS)],
        made_in: &[("broker/resumable.rs", "self.client.effect(request, Outgoing::empty())")],
        wrong: &[NoHeader("tus-resumable"), Header("tus-resumable", "0.2"), Header("upload-length", "much")],
    },
    Operation {
        method: "HEAD",
        described: &[(BROKER, TUS)],
        made_in: &[("broker/resumable.rs", "self.client.effect(self.request(Method::HEAD)")],
        wrong: &BAD_TUS,
    },
    Operation {
        method: "PATCH",
        described: &[(BROKER, TUS)],
        made_in: &[("broker/resumable.rs", "self.client.effect(request, body)")],
        wrong: &[
            NoHeader("tus-resumable"),
            NoHeader("upload-offset"),
            Header("upload-offset", "x"),
            Header("content-type", "application/octet-stream"),
            NoBody,
        ],
    },
];

/// Lines that call nobody by themselves: what they make is sent by one of those above.
const MADE_FOR_OTHERS: &[(&str, &str)] =
    &[("broker/resumable.rs", "self.client.http.request(method, self.url.clone())")];
/// How a call is made; `client.rs` is what the others make theirs with.
const CALLS: [&str; 8] = [
    ".http.get(",
    ".http.post(",
    ".http.request(",
    ".client.get(",
    ".client.post(",
    ".client.post_again(",
    ".client.change(",
    ".client.effect(",
];

#[test]
fn every_call_in_the_adapters_is_one_of_these() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/altinn");
    let mut lines = Vec::new();
    for sub in ["", "broker", "message"] {
        for entry in fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("client.rs") {
                continue;
            }
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let calls = text.lines().filter(|line| CALLS.iter().any(|call| line.contains(call)));
            lines.extend(calls.map(|line| (name.clone(), line.trim().to_owned())));
        }
    }
    assert!(lines.len() > 20, "{lines:?}");
    let named: Vec<_> = OPERATIONS.iter().flat_map(|operation| operation.made_in).chain(MADE_FOR_OTHERS).collect();
    for (file, line) in &lines {
        assert!(named.iter().any(|(f, part)| file == f && line.contains(part)), "no operation has {file}: {line}");
    }
    for (file, part) in named {
        assert!(lines.iter().any(|(f, line)| file == f && line.contains(part)), "{file} no longer has {part}");
    }
}

#[tokio::test]
async fn every_call_is_as_described_and_broken_ones_are_refused() {
    let Some(folder) = reference() else { return };
    let (descriptions, calls) = (read(&folder), rehearsal().await);
    let mut seen = vec![0; OPERATIONS.len()];
    for call in &calls {
        let number = number(call);
        let operation = &OPERATIONS[number];
        let faults = operation.faults(&descriptions, call);
        assert!(faults.is_empty(), "{} {}: {faults:#?}", call.method, operation.path());
        seen[number] += 1;
    }
    let mut passed = Vec::new();
    for (number, (operation, seen)) in OPERATIONS.iter().zip(seen).enumerate() {
        assert!(seen > 0, "{} {} was not called", operation.method, operation.path());
        let right = first(number, &calls);
        assert!(!operation.wrong.is_empty());
        for wrong in operation.wrong {
            let (broken, what) = wrong.made_of(right, operation.path());
            if operation.faults(&descriptions, &broken).is_empty() {
                passed.push(format!("{} {} with {what}", operation.method, operation.path()));
            }
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}

/// Which operation a call is: of those that it may be the one with the fewest variables.
pub(super) fn number(call: &Taken) -> usize {
    let fitting = OPERATIONS.iter().enumerate().filter(|(_, known)| call.is_of(known.method, known.path()));
    let variables = |path: &str| path.matches('{').count();
    let is_of_a_file = call.headers.contains_key("content-disposition");
    let found =
        fitting.min_by_key(|(_, operation)| (variables(operation.path()), operation.is_of_files() != is_of_a_file));
    found.unwrap_or_else(|| panic!("no operation is {} {}", call.method, call.path.join("/"))).0
}

/// The first call of an operation.
pub(super) fn first(operation: usize, calls: &[Taken]) -> &Taken {
    calls.iter().find(|call| number(call) == operation).unwrap()
}

impl Operation {
    pub(super) fn path(&self) -> &'static str {
        self.described[0].1
    }

    /// What is wrong with a call, as each description has it.
    fn faults(&self, descriptions: &BTreeMap<&str, Description>, call: &Taken) -> Vec<String> {
        let values = call.values(self.path());
        let faults = |(file, path): &(&str, &str)| descriptions[file].faults(path, &values, call);
        self.described.iter().flat_map(faults).collect()
    }

    /// Tells whether it is of files: apps have one path for those and for forms.
    fn is_of_files(&self) -> bool {
        self.described.iter().any(|(_, path)| path.ends_with("/customElement"))
    }
}

impl Wrong {
    /// The call with this one thing changed, and what that is.
    pub(super) fn made_of(&self, right: &Taken, path: &str) -> (Taken, String) {
        let mut call = right.clone();
        let what = match *self {
            Self::Path(name, value) => {
                let place = segments(path).iter().position(|segment| variable(segment) == Some(name)).unwrap();
                value.clone_into(&mut call.path[place]);
                format!("{name} = {value}")
            }
            Self::Query(name, value) => {
                call.query.insert(name.to_owned(), json!(value));
                format!("?{name}={value}")
            }
            Self::NoQuery(name) => {
                call.query.remove(name).unwrap();
                format!("no ?{name}")
            }
            Self::Header(name, value) => {
                call.headers.insert(name.to_owned(), json!(value)).unwrap();
                format!("{name}: {value}")
            }
            Self::NoHeader(name) => {
                call.headers.remove(name).unwrap();
                format!("no {name}")
            }
            Self::Body(place, value) => {
                let (parent, name) = in_body(&mut call, place);
                parent.insert(name, serde_json::from_str(value).unwrap());
                format!("{place} = {value}")
            }
            Self::Without(place) => {
                let (parent, name) = in_body(&mut call, place);
                parent.remove(&name).unwrap();
                format!("no {place}")
            }
            Self::NoBody => {
                call.body.take().unwrap();
                "no body".to_owned()
            }
            Self::Part(name, kind) => {
                kind.clone_into(&mut call.parts.iter_mut().find(|(part, _)| part == name).unwrap().1);
                format!("{name} of kind {kind}")
            }
        };
        (call, what)
    }
}

fn in_body<'a>(call: &'a mut Taken, place: &str) -> (&'a mut serde_json::Map<String, Value>, String) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let body = call.body.as_mut().unwrap_or_else(|| panic!("no body for {place}"));
    let found = body.pointer_mut(parent).and_then(Value::as_object_mut);
    (found.unwrap_or_else(|| panic!("nothing at {place}")), name.to_owned())
}
