//! Rows of services whose messages go to Altinn 3.

use super::files;
use super::reader::Section;
use crate::model::{MessageTarget, NotificationTemplate, ReplyLink};

/// Reads what a service's row says of its messages.
pub(super) fn target(section: &Section<'_>) -> Option<MessageTarget> {
    let resource = resource(section);
    let sender = section.text("message_sender");
    if sender.as_ref().is_some_and(|sender| sender.chars().count() > 255) {
        section.fault("message_sender", "has at most 255 characters");
    }
    let packs_attachments = word(section, "other_attachments", ["zip", "refuse"]);
    let needs_template = !word(section, "without_template", ["general", "refuse"]);
    let due_days = section.number("due_days", 30, 1..=3_650);
    let target = MessageTarget {
        resource: resource.clone().unwrap_or_default(),
        sender,
        needs_confirmation: section.flag("confirmation", false),
        is_confidential: section.flag("confidential", false),
        ignores_reservation: section.flag("ignore_reservation", false),
        allows_forwarding: section.flag("forwarding", false),
        due_days: u16::try_from(due_days).unwrap_or(u16::MAX),
        packs_attachments,
        large_attachment_bytes: section.number("large_attachment_bytes", 10_000_000, 0..=2_000_000_000),
        shares_attachments: section.flag("share_attachments", false),
        templates: section.list("notification").iter().filter_map(template).collect(),
        needs_template,
        orders_notifications: section.flag("notification_orders", false),
        reply_links: section.list("reply").iter().filter_map(reply_link).collect(),
    };
    twice(section, &target);
    resource.map(|_| target)
}

/// The id of a resource.
pub(super) fn resource(section: &Section<'_>) -> Option<String> {
    let resource = section.required("resource");
    let plain = |text: &String| {
        text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if resource.as_ref().is_some_and(|resource| !plain(resource)) {
        section.fault("resource", "must be a resource's id: letters, digits, '-', '_' and '.'");
    }
    resource
}

/// Whether a setting is the first of its two words, which is its default.
pub(super) fn word(section: &Section<'_>, key: &'static str, [first, second]: [&str; 2]) -> bool {
    let given = section.text(key).unwrap_or_else(|| first.to_owned());
    if given != first && given != second {
        section.fault(key, format!("must be {first:?} or {second:?}"));
    }
    given == first
}

fn template(section: &Section<'_>) -> Option<NotificationTemplate> {
    let kind = section.required("type");
    let language = section.text("language");
    if language.as_ref().is_some_and(|language| !matches!(language.as_str(), "nb" | "nn" | "en")) {
        section.fault("language", "must be \"nb\", \"nn\" or \"en\"");
    }
    let email_subject = section.text("email_subject").unwrap_or_default();
    let email_body = files::text(section, "email_file").unwrap_or_default();
    let sms = files::text(section, "sms_file").unwrap_or_default();
    if email_subject.is_empty() == section.has("email_file") {
        section.fault("email_subject", "email_subject and email_file go together");
    }
    if !section.has("email_file") && !section.has("sms_file") {
        section.fault_here("needs an email_file or an sms_file");
    }
    Some(NotificationTemplate { kind: kind?, language, email_subject, email_body, sms })
}

fn reply_link(section: &Section<'_>) -> Option<ReplyLink> {
    let (code, edition) = (section.required("code"), section.text("edition"));
    let url = section.required("url");
    if url.as_ref().is_some_and(|url| !url.starts_with("https://") || url.chars().count() > 255) {
        section.fault("url", "must begin with https:// and have at most 255 characters");
    }
    Some(ReplyLink { code: code?, edition, url: url? })
}

/// Rows of which one could never be meant.
fn twice(section: &Section<'_>, target: &MessageTarget) {
    let kinds: Vec<_> = target.templates.iter().map(|template| (&template.kind, &template.language)).collect();
    if (1..kinds.len()).any(|at| kinds.iter().take(at).any(|earlier| Some(earlier) == kinds.get(at))) {
        section.fault("notification", "a type is listed twice with the same language");
    }
    let links: Vec<_> = target.reply_links.iter().map(|link| (&link.code, &link.edition)).collect();
    if (1..links.len()).any(|at| links.iter().take(at).any(|earlier| Some(earlier) == links.get(at))) {
        section.fault("reply", "a service is listed twice with the same edition");
    }
}
