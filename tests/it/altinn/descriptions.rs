//! The platform's descriptions of its calls: the files as they are, what two of them leave open, and what Prism cannot read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::openapi::Description;

pub(super) const APPS: &str = "altinn-app-lib-dotnet-swagger.json";
pub(super) const ONE_APP: &str = "altinn-app-lib-dotnet-custom-openapi.json";
pub(super) const AUTHENTICATION: &str = "altinn-platform-authentication-v1.published-via-kartverket.json";
pub(super) const PLATFORM: &str = "altinn-platform-subset.derived.json";
pub(super) const MESSAGES: &str = "altinn-correspondence-v1.corrected.json";
pub(super) const BROKER: &str = "altinn-broker-v1.corrected.json";
/// The form of a message has any fields, as its own description has it. Their names are places in what is sent without
/// attachments: this one judges them by the description of that.
pub(super) const MESSAGE_FORM: &str = "the form of a message";
/// Of metadata of an issuer (RFC 8414, section 3.1) nothing is in the files, nor of the look at the token service's clock, which
/// every answer shows: neither has a query or a body.
pub(super) const UNDESCRIBED: &str = "nobody's description";

pub(super) const FORM_PATH: &str = "/correspondence/api/v1/correspondence/upload";
/// Of files of its own data types an app's description has only how they are added. What may be added may be put there.
pub(super) const FILE_PATH: &str =
    "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/data/{dataGuid}/type/customElement";
const NEW_FILE_PATH: &str =
    "/tdd/contributer-restriction/instances/{instanceOwnerPartyId}/{instanceGuid}/data/type/customElement";

/// Reads all of them.
pub(super) fn read(folder: &Path) -> BTreeMap<&'static str, Description> {
    let files = [APPS, ONE_APP, AUTHENTICATION, PLATFORM, MESSAGES, BROKER];
    let mut all: BTreeMap<_, _> = files.map(|file| (file, Description::read(folder, file))).into();
    let one_app = all.get_mut(ONE_APP).unwrap();
    let added = one_app.0["paths"][NEW_FILE_PATH]["post"].take();
    assert!(added.is_object() && one_app.0["paths"][FILE_PATH]["put"].is_null());
    one_app.0["paths"][NEW_FILE_PATH]["post"] = added.clone();
    one_app.0["paths"][FILE_PATH]["put"] = added;
    all.insert(MESSAGE_FORM, Description(message_form(all[MESSAGES].0.clone())));
    let plain = json!({"get": {"parameters": []}});
    let paths = json!({"/.well-known/oauth-authorization-server": plain, "/token": plain});
    all.insert(UNDESCRIBED, Description(json!({"paths": paths})));
    all
}

fn message_form(mut description: Value) -> Value {
    let mut fields = description["components"]["schemas"]["InitializeCorrespondencesExt"].clone();
    fields["properties"]["attachments"] = json!({"type": "string"});
    let form = &mut description["paths"][FORM_PATH]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(form["additionalProperties"], true, "the form is described by now");
    *form = fields;
    description
}

/// A description as Prism can use it; what it says of right and wrong calls stays, but for parts of forms.
pub(super) fn for_prism(description: &Description) -> Value {
    let mut description = description.0.clone();
    let parameters = description["components"]["parameters"].clone();
    for (path, item) in description["paths"].as_object_mut().unwrap() {
        without_strange_parameters(item, path, &parameters);
        for method in ["get", "post", "put", "patch", "delete", "head"] {
            if let Some(operation) = item.get_mut(method) {
                without_strange_parameters(operation, path, &parameters);
                with_a_body(operation, method);
                without_json_in_forms(operation);
                without_text_besides_json(operation);
            }
        }
    }
    description
}

/// Prism wants every described piece of a path; some descriptions have pieces of other paths.
fn without_strange_parameters(described: &mut Value, path: &str, known: &Value) {
    let Some(list) = described.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    list.retain(|parameter| {
        let name = parameter["$ref"].as_str().and_then(|place| place.rsplit('/').next());
        let meant = name.map_or(parameter, |name| &known[name]);
        meant["in"] != "path" || path.contains(&format!("{{{}}}", meant["name"].as_str().unwrap()))
    });
}

/// Where nothing is said of a body Prism takes none; apps read theirs past what describes them.
fn with_a_body(operation: &mut Value, method: &str) {
    if matches!(method, "post" | "put") && operation["requestBody"].is_null() {
        operation["requestBody"] = json!({"content": {"*/*": {}}});
    }
}

/// Prism has every part of a form as text, and with `encoding` none that holds a comma.
fn without_json_in_forms(operation: &mut Value) {
    let Some(form) = operation.pointer_mut("/requestBody/content/multipart~1form-data") else { return };
    form.as_object_mut().unwrap().remove("encoding");
    let parts = form.pointer_mut("/schema/properties").and_then(Value::as_object_mut);
    for (_, part) in parts.into_iter().flatten() {
        *part = json!({"type": "string"});
    }
}

/// Prism answers 500 where it would have to write an object as text.
fn without_text_besides_json(operation: &mut Value) {
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
    for kinds in answers.into_iter().flatten().filter_map(|(_, answer)| answer.get_mut("content")?.as_object_mut()) {
        if kinds.contains_key("application/json") {
            kinds.retain(|kind, _| kind == "application/json");
        }
    }
}
