//! Routes: partner + format + service → receiver, with the rules the agency chose. Checked values; see `config/`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FormPath, FormatRules, GenericFormat, PartnerId, ReceiptRules, RouteName, Service, TransferTarget};

/// A format sluse reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormatName {
    /// `ServiceOwner` with Prefill and Subscription parts (serviceinitiation 2009/10).
    Prefill,
    /// `DataBatch`: submitted form sets (genericbatch 2010.10, 2011.06, 2013.06).
    DataBatch,
    /// `Correspondences`: messages (correspondence 2009/10).
    Correspondence,
    /// `CorrespondenceConfirmations` (2009/10 and 2010/10).
    Confirmations,
    /// `CorrespondenceUsageData` (2009/10).
    UsageData,
    /// `GovOrgan`: messages of the platform before (AltUt 6.0).
    AltUt,
    /// `AltUtConfirmationBatch`: confirmations of those.
    AltUtConfirmations,
    /// `OnlineBatchReceipt`: an agency's answer to an online batch.
    OnlineReceipt,
    /// A ZIP with `manifest.xml` and `recipients.xml` (broker 2015/06).
    Broker,
    /// A format that the configuration describes: any schema.
    Generic,
}

impl FormatName {
    /// Every standard format: not [`Self::Generic`].
    pub const ALL: [Self; 9] = [
        Self::Prefill,
        Self::DataBatch,
        Self::Correspondence,
        Self::Confirmations,
        Self::UsageData,
        Self::AltUt,
        Self::AltUtConfirmations,
        Self::OnlineReceipt,
        Self::Broker,
    ];

    /// The word used in configuration and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::DataBatch => "databatch",
            Self::Correspondence => "correspondence",
            Self::Confirmations => "confirmations",
            Self::UsageData => "usagedata",
            Self::AltUt => "altut",
            Self::AltUtConfirmations => "altut-confirmations",
            Self::OnlineReceipt => "online-receipt",
            Self::Broker => "broker",
            Self::Generic => "generic",
        }
    }
}

/// Where a partner's files of one format come from, go to, and under which rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name in the configuration.
    pub name: RouteName,
    /// Whose files it takes.
    pub partner: PartnerId,
    /// Which format it takes.
    pub format: FormatName,
    /// The description of a format that is [`FormatName::Generic`].
    pub described: Option<Arc<GenericFormat>>,
    /// Directory where files are dropped.
    pub inbox: String,
    /// Directory where files are dropped for a rehearsal: complete receipts, nothing sent.
    pub test: String,
    /// Directory where receipts appear.
    pub receipts: String,
    /// What those receipts are like.
    pub receipt_rules: ReceiptRules,
    /// Directory where outgoing batch files appear.
    pub outbox: String,
    /// ServiceOwnerName a batch must carry; `None` takes any.
    pub sender_name: Option<String>,
    /// Largest file taken, in bytes.
    pub max_file_bytes: u64,
    /// Largest number of findings kept and listed per shipment.
    pub max_findings: u64,
    /// How the format's rules beyond its schema are weighed.
    pub rules: FormatRules,
    /// When refused items make the whole shipment refused.
    pub partial: PartialAcceptance,
    /// Which services the route takes and where they go.
    pub services: ServiceTable,
    /// How deliveries are tried again.
    pub retry: RetryPolicy,
    /// Deliveries in flight at once.
    pub concurrency: usize,
}

/// Limits above which refused items refuse the whole shipment; both absent means never.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PartialAcceptance {
    /// Most refused items that still let the others go on.
    pub max_refused: Option<u64>,
    /// Highest share of refused items, in per cent, that still lets the others go on.
    pub max_refused_percent: Option<f64>,
}

impl PartialAcceptance {
    /// Tells whether so many refused items of so many still let the others go on.
    pub fn allows(&self, refused: u64, total: u64) -> bool {
        let count_ok = self.max_refused.is_none_or(|max| refused <= max);
        let share_ok = self.max_refused_percent.is_none_or(|max| refused as f64 * 100.0 <= max * total as f64);
        count_ok && share_ok
    }
}

/// How deliveries are tried again; all times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait before the second attempt; doubles from there, with jitter.
    pub first_wait_ms: u64,
    /// Longest wait between attempts.
    pub max_wait_ms: u64,
    /// After so long since the first attempt an item is given up.
    pub give_up_after_ms: u64,
    /// How long after an unknown outcome the receiver may still be working on the request: look-ups wait for it.
    pub settle_ms: u64,
}

/// Services a route takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTable {
    /// Takes every service, for receivers that sort for themselves.
    pub any: bool,
    /// The rows, each for one service.
    pub rows: Vec<ServiceRow>,
    /// Service codes whose items are ignored, not failed (the old IgnoreServiceCodes).
    pub ignored_codes: Vec<String>,
}

impl ServiceTable {
    /// The row for a service: an exact edition before a row for all editions.
    pub fn row(&self, service: &Service) -> Option<&ServiceRow> {
        let of_code = |row: &&ServiceRow| row.code == service.code;
        let exact = |row: &&ServiceRow| row.edition.as_deref() == Some(service.edition.as_str());
        let rows = || self.rows.iter().filter(of_code);
        rows().find(exact).or_else(|| rows().find(|row| row.edition.is_none()))
    }

    /// Tells whether the route has somewhere to send the service's items.
    pub fn takes(&self, service: &Service) -> bool {
        self.any || self.row(service).is_some()
    }

    /// Tells whether some app asks for what is kept for it.
    pub fn serves(&self) -> bool {
        let mut apps = self.rows.iter().filter_map(|row| row.app.as_ref());
        apps.any(|app| app.prefill.mode == PrefillMode::Serve)
    }

    /// Tells whether items with the code are ignored.
    pub fn ignores(&self, code: &str) -> bool {
        self.ignored_codes.iter().any(|ignored| ignored == code)
    }
}

/// One service and where its items go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    /// ExternalServiceCode.
    pub code: String,
    /// ExternalServiceEditionCode; `None` for all.
    pub edition: Option<String>,
    /// The Altinn 3 app; `None` on routes to other receivers.
    pub app: Option<AppTarget>,
    /// The Altinn 3 resource its messages go to; `None` on routes to other receivers.
    pub message: Option<Box<MessageTarget>>,
    /// The Altinn 3 resource its archives go to; `None` on routes to other receivers.
    pub transfer: Option<TransferTarget>,
    /// Schemas of its forms' data.
    pub schemas: Vec<FormSchemaRow>,
}

impl ServiceRow {
    /// The schema of a form's data: one for the version before one for all versions.
    pub fn form_schema(&self, format_id: &str, format_version: &str) -> Option<&Path> {
        let rows = || self.schemas.iter().filter(|row| row.format_id == format_id);
        rows()
            .find(|row| row.format_version.as_deref() == Some(format_version))
            .or_else(|| rows().find(|row| row.format_version.is_none()))
            .map(|row| row.schema.as_path())
    }
}

/// DataFormatId (and version) → schema of the form data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormSchemaRow {
    /// DataFormatId.
    pub format_id: String,
    /// DataFormatVersion; `None` for all.
    pub format_version: Option<String>,
    /// The schema's file.
    pub schema: PathBuf,
}

/// An Altinn 3 app and how forms and attachments become its data types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTarget {
    /// Owner of the app, such as `ttd`.
    pub org: String,
    /// The app's name.
    pub app: String,
    /// Data types of forms.
    pub data_types: Vec<DataTypeRow>,
    /// Data type of attachments; `None` refuses items with attachments.
    pub attachment_type: Option<String>,
    /// What becomes of prefill on its way there.
    pub prefill: PrefillRules,
    /// What follows an instantiation.
    pub finish: FinishRules,
}

/// What follows an instantiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishRules {
    /// Attachments that may be larger than this are added to the instance one by one.
    pub large_attachment_bytes: u64,
    /// The task its process is driven on to, or `end`; `None` leaves it where it begins.
    pub drive_to: Option<String>,
    /// It is driven on only when the app finds no error in it.
    pub validates: bool,
}

impl Default for FinishRules {
    fn default() -> Self {
        Self { large_attachment_bytes: u64::MAX, drive_to: None, validates: false }
    }
}

/// What becomes of prefill on its way to an app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrefillRules {
    /// When form sets become instances.
    pub mode: PrefillMode,
    /// A form set that comes before its first day becomes an instance at once, hidden until then; otherwise it waits.
    pub hides_early: bool,
    /// ValidTo is the day to be done by.
    pub due_by_valid_to: bool,
    /// PeriodType is meant as the old platform's guide words it: Quarterly three times a year, Tertiary four times.
    pub swapped_periods: bool,
    /// Where prefilled fields go in forms.
    pub fields: Vec<FieldRow>,
    /// The data type of a form that is made of prefilled fields alone; `None` makes none.
    pub field_data_type: Option<String>,
    /// What becomes of a set that is the same as one which is an instance already.
    pub later: LaterSets,
    /// An instance that nobody has touched is deleted when its set's last day has passed.
    pub deletes_unused: bool,
}

/// What becomes of a form set that is the same as an earlier one which has become an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LaterSets {
    /// It becomes another instance.
    #[default]
    New,
    /// It is put into that instance while nobody has touched it, and else becomes another.
    Update,
    /// It is put into that instance while nobody has touched it, and else is refused.
    UpdateOrRefuse,
}

/// When form sets become instances of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrefillMode {
    /// Once they are valid.
    #[default]
    Instantiate,
    /// When a subscription of the same reportee and identifying fields comes round.
    Hold,
    /// Never: the app asks for them.
    Serve,
}

/// A prefilled field's Id → where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    /// Id.
    pub id: String,
    /// Where, in forms with the path's root element; Index counts the element with `[n]`.
    pub path: FormPath,
}

/// An element of the old form → where it goes in the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Where it stands.
    pub from: FormPath,
    /// Where it goes; `None` to leave it out.
    pub to: Option<FormPath>,
}

impl AppTarget {
    /// The data type for a form: an exact version before a row for all versions.
    pub fn data_type(&self, format_id: &str, format_version: &str) -> Option<&str> {
        self.form_row(format_id, format_version).map(|row| row.data_type.as_str())
    }

    /// The row for a form, likewise.
    pub fn form_row(&self, format_id: &str, format_version: &str) -> Option<&DataTypeRow> {
        let rows = || self.data_types.iter().filter(|row| row.format_id == format_id);
        rows()
            .find(|row| row.format_version.as_deref() == Some(format_version))
            .or_else(|| rows().find(|row| row.format_version.is_none()))
    }

    /// The row for a form that is made of prefilled fields alone.
    pub fn field_form(&self) -> Option<&DataTypeRow> {
        let data_type = self.prefill.field_data_type.as_deref()?;
        self.data_types.iter().find(|row| row.data_type == data_type)
    }

    /// Its name among all apps: `org/app`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.org, self.app)
    }
}

/// An Altinn 3 resource for messages, and how they become its correspondences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTarget {
    /// The resource's id.
    pub resource: String,
    /// A name shown in place of the owner's.
    pub sender: Option<String>,
    /// Reading is to be confirmed.
    pub needs_confirmation: bool,
    /// Only who may see what is confidential sees it.
    pub is_confidential: bool,
    /// Who has reserved himself gets it all the same.
    pub ignores_reservation: bool,
    /// A message that says so may be forwarded.
    pub allows_forwarding: bool,
    /// Days to confirm in, for messages without a due date.
    pub due_days: u16,
    /// Attachments of types the platform does not take go as ZIP archives; otherwise they refuse the message.
    pub packs_attachments: bool,
    /// Attachments that may be larger than this are uploaded before the message.
    pub large_attachment_bytes: u64,
    /// Attachments are uploaded before the message, each once for all that have it.
    pub shares_attachments: bool,
    /// Texts of notifications.
    pub templates: Vec<NotificationTemplate>,
    /// A message with a notification that no template is for is refused.
    pub needs_template: bool,
    /// Notifications that a message cannot carry are ordered by themselves.
    pub orders_notifications: bool,
    /// Where answers with forms of services lead.
    pub reply_links: Vec<ReplyLink>,
}

/// Texts of a notification, with `{1}` where the token of that number goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationTemplate {
    /// NotificationType.
    pub kind: String,
    /// Language as the platform names it; `None` for all.
    pub language: Option<String>,
    /// Subject of the e-mail.
    pub email_subject: String,
    /// Text of the e-mail.
    pub email_body: String,
    /// Text of the SMS.
    pub sms: String,
}

/// A service and the address of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyLink {
    /// ServiceCode.
    pub code: String,
    /// ServiceEdition; `None` for all.
    pub edition: Option<String>,
    /// Where it is.
    pub url: String,
}

impl MessageTarget {
    /// The texts of a notification: one for the language before one for all.
    pub fn template(&self, kind: &str, language: &str) -> Option<&NotificationTemplate> {
        let of_kind = || self.templates.iter().filter(|template| template.kind == kind);
        of_kind()
            .find(|template| template.language.as_deref() == Some(language))
            .or_else(|| of_kind().find(|template| template.language.is_none()))
    }

    /// The address of a service's form: an exact edition before one for all.
    pub fn reply_link(&self, code: &str, edition: &str) -> Option<&str> {
        let of_code = || self.reply_links.iter().filter(|link| link.code == code);
        let exact = of_code().find(|link| link.edition.as_deref() == Some(edition));
        exact.or_else(|| of_code().find(|link| link.edition.is_none())).map(|link| link.url.as_str())
    }
}

/// DataFormatId (and version) → data type id in the app's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTypeRow {
    /// DataFormatId.
    pub format_id: String,
    /// DataFormatVersion; `None` for all.
    pub format_version: Option<String>,
    /// Data type id.
    pub data_type: String,
    /// Elements that have other places in the app's model.
    pub moves: Vec<Move>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(code: &str, edition: Option<&str>) -> ServiceRow {
        ServiceRow {
            code: code.into(),
            edition: edition.map(Into::into),
            app: None,
            message: None,
            transfer: None,
            schemas: Vec::new(),
        }
    }

    #[test]
    fn an_exact_edition_wins_over_a_row_for_all() {
        let table = ServiceTable { rows: vec![row("PSA", None), row("PSA", Some("2"))], ..Default::default() };
        let find = |edition: &str| table.row(&Service { code: "PSA".into(), edition: edition.into() });
        assert_eq!(find("2").unwrap().edition.as_deref(), Some("2"));
        assert_eq!(find("9").unwrap().edition, None);
        assert!(!table.takes(&Service { code: "X".into(), edition: "2".into() }));
    }

    #[test]
    fn partial_acceptance_counts_and_shares() {
        let rule = PartialAcceptance { max_refused: Some(5), max_refused_percent: Some(1.0) };
        assert!(rule.allows(5, 1_000));
        assert!(!rule.allows(6, 1_000));
        assert!(!rule.allows(2, 100));
        assert!(PartialAcceptance::default().allows(10, 10));
    }
}
