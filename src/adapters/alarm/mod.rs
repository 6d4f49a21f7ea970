//! The ways by which people are told of alarms. What is sent holds names of the configuration, times and counts; no
//! personal data. An error says what the other side answered by its number alone: its words may name people.

mod email;
mod webhook;

pub use email::{EmailChannel, EmailSettings, EmailSetupError, MailTls};
pub use webhook::{WebhookChannel, WebhookSettings};

use crate::ports::Notice;

/// The id by which the same notice, sent again, is known.
fn id(notice: &Notice) -> String {
    format!("{}-{}", notice.id, notice.at.as_millisecond())
}
