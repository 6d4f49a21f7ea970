//! What is sent, against the platform's own descriptions of its calls, where they are there.
//!
//! Each call has a request that must not pass: a description that cannot be compiled would let everything through.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use jsonschema::Validator;
use serde_json::{Value, json};
use sluse::model::{Deadlines, MessageTarget, NotificationTemplate};
use sluse::ports::{Consignment, Content, Message, Notification, Receiver, Reply};
use sluse::simulator::{Call, Fault, Simulator};

use super::letters::{file, letter, message, post_office, postman, target};
use super::notices::{notification, ordering};
use super::setup::{item, once, receiver};
use super::transfers::{archive, courier};
use crate::needs::reference;

/// A description of calls.
pub(super) struct Description(Value);

impl Description {
    pub(super) fn read(folder: &Path, name: &str) -> Self {
        let text = fs::read_to_string(folder.join("altinn3/openapi").join(name)).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// A judge of one of its objects.
    pub(super) fn judge(&self, name: &str) -> Validator {
        assert!(self.0["components"]["schemas"][name].is_object(), "there is no {name}");
        let root = json!({"$ref": format!("#/components/schemas/{name}"), "components": self.0["components"]});
        jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
    }

    /// A judge of the body of a call that describes it itself.
    fn body(&self, path: &str) -> Validator {
        let body = &self.0["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert!(body.is_object(), "{path}");
        jsonschema::draft202012::options().should_validate_formats(true).build(body).unwrap()
    }

    /// A judge of a call's query.
    fn query(&self, path: &str) -> Validator {
        self.parameters(path, "get", "query")
    }

    /// A judge of those headers of a call that its description names, with the kind of its body beside them.
    fn headers(&self, path: &str, method: &str) -> Validator {
        self.parameters(path, method, "header")
    }

    fn parameters(&self, path: &str, method: &str, place: &str) -> Validator {
        let call = &self.0["paths"][path][method];
        let described = call["parameters"].as_array().unwrap().iter();
        let mut parameters: Vec<Value> = described.filter(|parameter| parameter["in"] == place).cloned().collect();
        if let Some(kinds) = call["requestBody"]["content"].as_object().filter(|_| place == "header") {
            let kinds: Vec<&String> = kinds.keys().collect();
            parameters.push(json!({"name": "Content-Type", "required": true, "schema": {"enum": kinds}}));
        }
        let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
        let properties: serde_json::Map<String, Value> =
            parameters.iter().map(|parameter| (name(parameter), parameter["schema"].clone())).collect();
        let required: Vec<_> = parameters.iter().filter(|parameter| parameter["required"] == true).map(name).collect();
        let root = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            "components": self.0["components"]
        });
        jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
    }
}

/// Judges all recorded requests of a call; there must be some.
fn all_pass(simulator: &Simulator, operation: &str, judge: &Validator) -> Value {
    let requests = simulator.requests();
    let of_call: Vec<_> = requests.iter().filter(|request| request.operation == operation).collect();
    for request in &of_call {
        let wrong: Vec<_> = judge.iter_errors(&request.content).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{operation}: {wrong:#?}");
    }
    of_call.first().unwrap_or_else(|| panic!("no {operation}")).content.clone()
}

/// Changes a request that is right, one thing at a time: none of the results may pass.
fn none_passes(judge: &Validator, right: &Value, changes: &[(&str, Value)]) {
    assert!(judge.is_valid(right));
    for (place, value) in changes {
        let mut wrong = right.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = wrong.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name).unwrap();
        } else {
            parent.insert(name.to_owned(), value.clone());
        }
        assert!(!judge.is_valid(&wrong), "{place} = {value} passes");
    }
}

/// A message with everything a message can have.
pub(super) fn full() -> (MessageTarget, Message) {
    let template = NotificationTemplate {
        kind: "N".into(),
        language: None,
        email_subject: "s".into(),
        email_body: "b".into(),
        sms: "t".into(),
    };
    let target = MessageTarget {
        sender: Some("Etaten".into()),
        needs_confirmation: true,
        allows_forwarding: true,
        templates: vec![template],
        ..target()
    };
    let now = Timestamp::now();
    let notification = Notification {
        kind: "N".into(),
        endpoints: vec![("PriorityEmailSMSReminder".into(), String::new()), ("SMS".into(), "99999999".into())],
        ..Notification::default()
    };
    let message = Message {
        summary: "Kort".into(),
        visible_from: Some(now + SignedDuration::from_hours(1)),
        due: Some(now + SignedDuration::from_hours(2)),
        archive_reference: "AR1".into(),
        replies: vec![Reply::Url { text: "Svar".into(), url: "https://a.example/".into() }],
        notifications: vec![notification],
        may_forward: true,
        case: "7".into(),
        ..message("<h1>a</h1><table><tr><td>b</table>")
    };
    (target, message)
}

#[tokio::test]
async fn messages_are_as_the_platform_describes_them() {
    let Some(folder) = reference() else { return };
    let description = Description::read(&folder, "altinn-correspondence-v1.corrected.json");
    let simulator = post_office(|_| {}).await;
    let (target, full) = full();
    let here = postman(&simulator, target);
    here.deliver(&letter(1, full.clone())).await.unwrap();
    here.deliver(&letter(2, message("a"))).await.unwrap();
    let attachments =
        vec![file("a.pdf", Content::from_bytes("x"), 1), file("b.pdf", Content::from_bytes("y"), 1_000_000)];
    here.deliver(&letter(3, Message { attachments, ..full })).await.unwrap();
    here.look_up(&letter(3, message("a"))).await.unwrap();

    let initialize = description.judge("InitializeCorrespondencesExt");
    let changes = [
        ("/correspondence", Value::Null),
        ("/recipients", json!(["12345"])),
        ("/recipients", json!([])),
        ("/idempotentKey", json!("x")),
        ("/correspondence/content/messageTitle", json!("x".repeat(256))),
        ("/correspondence/content/messageBody", json!("x".repeat(30_001))),
        ("/correspondence/content/language", json!("se")),
        ("/correspondence/sendersReference", json!("")),
        ("/correspondence/notASetting", json!(1)),
        ("/correspondence/requestedPublishTime", json!("tomorrow")),
        ("/correspondence/replyOptions", json!([{"linkURL": "http://a.example/"}])),
        ("/correspondence/notification/notificationChannel", json!("Fax")),
        ("/correspondence/isConfirmationNeeded", json!("yes")),
    ];
    let post = all_pass(&simulator, "POST /correspondence/api/v1/correspondence", &initialize);
    none_passes(&initialize, &post, &changes);
    let form = all_pass(&simulator, "POST /correspondence/api/v1/correspondence/upload", &initialize);
    none_passes(&initialize, &form, &[("/correspondence/content/attachments", json!([{"fileName": "a.pdf"}]))]);
    none_passes(&initialize, &form, &[("/existingAttachments", json!(["x"]))]);

    let announce = description.judge("InitializeAttachmentExt");
    let announced = all_pass(&simulator, "POST /correspondence/api/v1/attachment", &announce);
    let changes = [("/fileName", json!("")), ("/checksum", json!("ABC")), ("/resourceId", Value::Null)];
    none_passes(&announce, &announced, &changes);

    let find = description.query("/correspondence/api/v1/correspondence");
    let found = all_pass(&simulator, "GET /correspondence/api/v1/correspondence", &find);
    none_passes(&find, &found, &[("/role", json!("Owner")), ("/resourceId", Value::Null)]);
}

#[tokio::test]
async fn orders_of_notifications_are_as_the_platform_describes_them() {
    let Some(folder) = reference() else { return };
    let description = Description::read(&folder, "altinn-platform-subset.derived.json");
    let simulator = post_office(|_| {}).await;
    let later = Some(Timestamp::now() + SignedDuration::from_hours(1));
    let reminded = notification(later, &[("PriorityEmailSMSReminder", ""), ("SMS", "99999999")]);
    let item = letter(1, Message { notifications: vec![reminded], ..message("a") });
    postman(&simulator, ordering()).deliver(&item).await.unwrap();
    let order = description.body("/notifications/api/v1/future/orders");
    let ordered = all_pass(&simulator, "POST /notifications/api/v1/future/orders", &order);
    let changes = [
        ("/idempotencyId", Value::Null),
        ("/idempotencyId", json!("")),
        ("/recipient", json!({})),
        ("/recipient", json!("a@b.example")),
        ("/requestedSendTime", json!("tomorrow")),
        ("/reminders", json!({})),
    ];
    none_passes(&order, &ordered, &changes);
}

#[tokio::test]
async fn transfers_are_as_the_platform_describes_them() {
    let Some(folder) = reference() else { return };
    let description = Description::read(&folder, "altinn-broker-v1.corrected.json");
    let simulator = post_office(|_| {}).await;
    let here = courier(&simulator);
    here.deliver(&archive(1, 9)).await.unwrap();
    simulator.set_faults(once(Call::TransferPart, Fault::CutOff(10_000)));
    let delivered = here.deliver(&archive(2, 300_000)).await.unwrap();
    simulator.set_faults(once(Call::Transfer, Fault::ResetAfter));
    here.deliver(&archive(3, 9)).await.unwrap_err();
    here.look_up(&archive(3, 9)).await.unwrap();

    let initialize = description.judge("FileTransferInitalizeExt");
    let begun = all_pass(&simulator, "POST /broker/api/v1/filetransfer", &initialize);
    let changes = [
        ("/fileName", json!("")),
        ("/fileName", json!("x".repeat(256))),
        ("/resourceId", Value::Null),
        ("/resourceId", json!("a:b")),
        ("/sendersFileTransferReference", json!("")),
        ("/sender", json!("910000004")),
        ("/recipients", json!([])),
        ("/recipients", json!(["urn:altinn:person:identifier-no:14878510187"])),
        ("/propertyList", json!({"k": "x".repeat(3_001)})),
        ("/propertyList", json!(["k"])),
        ("/checksum", json!("ABC")),
        ("/disableVirusScan", json!("no")),
        ("/notASetting", json!(1)),
    ];
    none_passes(&initialize, &begun, &changes);

    let path = "/broker/api/v1/filetransfer";
    let list = description.query(path);
    let listed = all_pass(&simulator, "GET /broker/api/v1/filetransfer", &list);
    let changes =
        [("/role", json!("Owner")), ("/status", json!("Begun")), ("/resourceId", Value::Null), ("/from", json!("now"))];
    none_passes(&list, &listed, &changes);

    let path = "/broker/api/v1/filetransfer/{fileTransferId}/upload";
    let upload = description.headers(path, "post");
    let uploaded = all_pass(&simulator, &format!("POST {path}"), &upload);
    none_passes(&upload, &uploaded, &[("/Content-Type", json!("application/zip"))]);

    let path = "/broker/api/v1/filetransfer/upload/tus/{fileTransferId}";
    for (method, name) in [("POST", "Upload-Length"), ("HEAD", "Tus-Resumable"), ("PATCH", "Upload-Offset")] {
        let judge = description.headers(path, &method.to_lowercase());
        let sent = all_pass(&simulator, &format!("{method} {path}"), &judge);
        none_passes(&judge, &sent, &[("/Tus-Resumable", json!("0.2")), ("/Tus-Resumable", Value::Null)]);
        none_passes(&judge, &sent, &[(&format!("/{name}"), json!("x")), ("/Not-A-Header", json!(1))]);
    }

    // What the simulator answers is what the platform would.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let id = &delivered.receivers_reference;
    for (path, name) in [("", "FileTransferOverviewExt"), ("/details", "FileTransferStatusDetailsExt")] {
        let url = format!("{}/broker/api/v1/filetransfer/{id}{path}", simulator.base_url());
        let token = simulator.token();
        let shown: Value = client.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        let wrong: Vec<_> = description.judge(name).iter_errors(&shown).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[tokio::test]
async fn instances_are_as_the_platform_describes_them() {
    let Some(folder) = reference() else { return };
    let description = Description::read(&folder, "altinn-app-lib-dotnet-swagger.json");
    let simulator = post_office(|_| {}).await;
    let here = receiver(&simulator);
    let later = jiff::Zoned::now().date().tomorrow().unwrap();
    let deadlines = Deadlines { due: Some(later), visible: Some(later) };
    here.deliver(&Consignment { valid_from: Some(later), ..item(1) }.on(deadlines)).await.unwrap();
    here.deliver(&item(2)).await.unwrap();
    let template = description.judge("Instance");
    let first = all_pass(&simulator, "POST /instances", &template);
    let changes = [
        ("/instanceOwner", json!("x")),
        ("/instanceOwner/organisationNumber", json!(1)),
        ("/visibleAfter", json!("tomorrow")),
        ("/dueBefore", json!("tomorrow")),
        ("/dataValues", json!([])),
        ("/notASetting", json!(1)),
    ];
    none_passes(&template, &first, &changes);
}
