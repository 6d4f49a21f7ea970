//! Form sets that are kept for apps to ask for.

use async_trait::async_trait;
use jiff::civil::Date;

use super::DeliveryError;

/// A form set that is given to its app. Never logged: it has no `Debug`.
pub struct ServedSet {
    /// SendersReference; empty where the forms are of prefilled fields alone.
    pub senders_reference: String,
    /// First day.
    pub valid_from: Option<Date>,
    /// Last day.
    pub valid_to: Option<Date>,
    /// Identifying fields, in order.
    pub identifying_fields: Vec<String>,
    /// Its forms, with the reportee's fields in them.
    pub forms: Vec<ServedForm>,
}

/// A form of it.
pub struct ServedForm {
    /// The app's data type.
    pub data_type: String,
    /// DataFormatId.
    pub format_id: String,
    /// DataFormatVersion.
    pub format_version: String,
    /// Its XML.
    pub xml: String,
}

/// Why an app gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    /// No service with that app is served.
    #[error("nothing is kept for this app")]
    UnknownApp,
    /// What was given is nobody's number.
    #[error("this is no reportee's number")]
    BadReportee,
    /// It cannot be had now.
    #[error(transparent)]
    Failed(#[from] DeliveryError),
}

/// Gives apps what is kept for them.
#[async_trait]
pub trait HeldForms: Send + Sync {
    /// What is kept for a reportee and an app, `org/app`, and valid today; the earliest first.
    async fn held_forms(&self, app: &str, reportee: &str) -> Result<Vec<ServedSet>, NotServed>;
}
