//! What happens to instances, messages, attachments and transfers, as events.

use jiff::Timestamp;
use uuid::Uuid;

use super::Event;
use crate::simulator::World;
use crate::simulator::effects::InstanceFacts;
use crate::simulator::instance::process;

impl World {
    /// An instance was made.
    pub(in crate::simulator) fn tell_made(&self, instance: &InstanceFacts) {
        self.events().add(of_instance(instance, "app.instance.created".to_owned()));
    }

    /// An instance's process went on, to a task or to its end.
    pub(in crate::simulator) fn tell_moved(&self, instance: &InstanceFacts) {
        let process = process(instance);
        let task = process.pointer("/currentTask/elementId").and_then(|task| task.as_str());
        let kind = match task {
            Some(task) => format!("app.instance.process.movedTo.{task}"),
            None => "app.instance.process.completed".to_owned(),
        };
        self.events().add(of_instance(instance, kind));
    }

    /// Something happened to a message, or will.
    pub(in crate::simulator) fn tell_message(&self, resource: &str, id: Uuid, what: &str, at: Timestamp) {
        self.events().add(Event {
            kind: format!("no.altinn.correspondence.correspondence{what}"),
            source: format!("/correspondence/api/v1/correspondence/{id}"),
            ..of_resource(resource, id, at)
        });
    }

    /// A message's status was set: what was to come of it does not.
    pub(in crate::simulator) fn tell_message_status(&self, resource: &str, id: Uuid, status: &str) {
        let what = match status {
            "Published" => "published",
            "Failed" => "publishfailed",
            "Read" => "receiverread",
            "Confirmed" => "receiverconfirmed",
            "PurgedByRecipient" | "PurgedByAltinn" => "purged",
            _ => return,
        };
        self.events().forget_due(&id.to_string());
        self.tell_message(resource, id, what, Timestamp::now());
    }

    /// Something happened to an attachment, or will.
    pub(in crate::simulator) fn tell_attachment(&self, resource: &str, id: Uuid, what: &str, at: Timestamp) {
        self.events().add(Event {
            kind: format!("no.altinn.correspondence.attachment{what}"),
            source: format!("/correspondence/api/v1/attachment/{id}"),
            ..of_resource(resource, id, at)
        });
    }

    /// Something happened to a transfer, or will: its sender is told, or a recipient.
    pub(in crate::simulator) fn tell_transfer(&self, told: &Told<'_>, what: &str, at: Timestamp) {
        self.events().add(Event {
            kind: format!("no.altinn.broker.{what}"),
            source: format!("/broker/api/v1/filetransfer/{}", told.id),
            subject: Some(told.subject.to_owned()),
            role: Some(told.role),
            ..of_resource(told.resource, told.id, at)
        });
    }
}

/// Who is told of a transfer.
pub(in crate::simulator) struct Told<'a> {
    pub(in crate::simulator) resource: &'a str,
    pub(in crate::simulator) id: Uuid,
    pub(in crate::simulator) subject: &'a str,
    pub(in crate::simulator) role: &'static str,
}

fn of_instance(instance: &InstanceFacts, kind: String) -> Event {
    let (org, app) = instance.app_id.split_once('/').unwrap_or_default();
    let (party, _) = instance.id.split_once('/').unwrap_or_default();
    Event {
        kind,
        resource: format!("app_{org}_{app}"),
        instance: instance.id.clone(),
        source: format!("/{}/instances/{}", instance.app_id, instance.id),
        subject: Some(format!("/party/{party}")),
        role: None,
        at: Timestamp::now(),
    }
}

fn of_resource(resource: &str, id: Uuid, at: Timestamp) -> Event {
    Event {
        kind: String::new(),
        resource: resource.to_owned(),
        instance: id.to_string(),
        source: String::new(),
        subject: None,
        role: None,
        at,
    }
}
