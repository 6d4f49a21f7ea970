//! What is measured while the gateway runs: every measure, what it is told by, and nothing that names a person.
//!
//! Rooms call the functions here and know neither names nor labels. Labels are partners, routes, codes and words of our own:
//! their number does not grow with what is sent.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::model::{Code, PartnerId, ReceiptKind, RouteName, VerdictKind};

/// How a measure grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from 0 at the start of the process.
    Counter,
    /// It comes and goes.
    Gauge,
    /// How many values there were, their sum, and how many were below each bound.
    Histogram,
}

/// A measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its name, with its unit.
    pub name: &'static str,
    /// How it grows.
    pub kind: Kind,
    /// Its labels, with blanks between.
    pub labels: &'static str,
    /// What it is.
    pub help: &'static str,
}

macro_rules! measures {
    ($($field:ident: $metric:ty = $kind:ident $name:literal { $labels:literal } $help:literal;)*) => {
        /// All of them, in the order of a file's way.
        pub const MEASURES: &[Measure] =
            &[$(Measure { name: $name, kind: Kind::$kind, labels: $labels, help: $help },)*];

        /// What they stand at.
        struct Standings {
            registry: Registry,
            $($field: $metric,)*
        }

        impl Standings {
            fn new() -> Self {
                let mut registry = Registry::default();
                $(
                    let $field = <$metric>::new_standing();
                    // The end of a counter's name is the format's own to write.
                    let name = $name.strip_suffix("_total").unwrap_or($name);
                    registry.register(name, $help.trim_end_matches('.'), $field.clone());
                )*
                Self { registry, $($field,)* }
            }
        }
    };
}

measures! {
    connections: Gauge = Gauge "sluse_sftp_connections" { "" } "SFTP connections, logged in or not.";
    logins: By<Counter> = Counter "sluse_sftp_logins_total" { "partner" } "Logins that were taken.";
    logins_refused: Counter = Counter "sluse_sftp_logins_refused_total" { "" } "Logins that were refused.";
    uploads: By<Counter> = Counter "sluse_uploads_total" { "partner" } "Uploads that ended with CLOSE.";
    uploaded_bytes: By<Counter> = Counter "sluse_uploaded_bytes_total" { "partner" } "Bytes of those uploads.";
    shipments: By<Gauge> = Gauge "sluse_shipments" { "stage" } "Shipments in the ledger: claimed, judged, receipted; looked at twice a minute.";
    overdue: Gauge = Gauge "sluse_shipments_overdue" { "" } "Shipments without a final receipt after worker.overdue_ms whose route is not shut by its window, at most 500.";
    judged: By<Counter> = Counter "sluse_shipments_judged_total" { "route verdict" } "Verdicts: pass or refuse; without a route where none could take the file.";
    judging: Histogram = Histogram "sluse_judging_seconds" { "" } "From the beginning of judging to the verdict.";
    attempts: By<Counter> = Counter "sluse_attempts_total" { "route outcome code" } "Attempts to deliver an item, or a batch of them: delivered, retry, unknown, failed.";
    delivering: ByRoute = Histogram "sluse_delivering_seconds" { "route" } "The receiver's share of an attempt; with several receivers those of all.";
    receipts: By<Counter> = Counter "sluse_receipts_total" { "kind" } "Receipts that were placed: accepted, rest, final, supplement.";
    alarm: By<Gauge> = Gauge "sluse_alarm" { "subject" } "1 while something is wrong with the subject, such as expected/nightly, 0 when it is over.";
}

/// Standings of a measure by its labels.
type By<M> = Family<Labels, M>;
/// The same of a histogram, whose bounds are ours.
type ByRoute = Family<Labels, Histogram, fn() -> Histogram>;
type Labels = Vec<(&'static str, String)>;

/// Makes a measure that stands at nothing.
trait NewStanding {
    fn new_standing() -> Self;
}

impl NewStanding for Gauge {
    fn new_standing() -> Self {
        Self::default()
    }
}

impl NewStanding for Counter {
    fn new_standing() -> Self {
        Self::default()
    }
}

impl NewStanding for By<Counter> {
    fn new_standing() -> Self {
        Self::default()
    }
}

impl NewStanding for By<Gauge> {
    fn new_standing() -> Self {
        Self::default()
    }
}

impl NewStanding for Histogram {
    fn new_standing() -> Self {
        seconds()
    }
}

impl NewStanding for ByRoute {
    fn new_standing() -> Self {
        Self::new_with_constructor(seconds)
    }
}

fn seconds() -> Histogram {
    Histogram::new(BOUNDS)
}

/// Of this process: it is what is measured.
static STANDINGS: LazyLock<Standings> = LazyLock::new(Standings::new);

/// All that was measured so far, as OpenMetrics 1.0 writes it.
pub fn text() -> String {
    let mut text = String::new();
    // A string takes whatever is written to it.
    let _ = encode(&mut text, &STANDINGS.registry);
    text
}

/// What the text is sent as.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of histograms, in seconds: from an answer on the same machine to an hour.
pub const BOUNDS: [f64; 12] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0, 1_200.0, 3_600.0];

/// Counts a connection as long as it is held.
#[must_use]
pub struct Connected(());

impl Connected {
    /// A connection came.
    pub fn new() -> Self {
        STANDINGS.connections.inc();
        Self(())
    }
}

impl Default for Connected {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        STANDINGS.connections.dec();
    }
}

/// A login was taken.
pub fn logged_in(partner: &PartnerId) {
    STANDINGS.logins.get_or_create(&by_partner(partner)).inc();
}

/// A login was refused.
pub fn login_refused() {
    STANDINGS.logins_refused.inc();
}

/// An upload is whole.
pub fn uploaded(partner: &PartnerId, size_bytes: u64) {
    STANDINGS.uploads.get_or_create(&by_partner(partner)).inc();
    STANDINGS.uploaded_bytes.get_or_create(&by_partner(partner)).inc_by(size_bytes);
}

/// So many shipments are at the stage.
pub fn shipments(stage: &'static str, count: u64) {
    let labels = vec![("stage", stage.to_owned())];
    STANDINGS.shipments.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// So many shipments are overdue.
pub fn overdue(count: usize) {
    STANDINGS.overdue.set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// A verdict is recorded.
pub fn judged(route: Option<&RouteName>, verdict: VerdictKind, took: Duration) {
    let verdict = match verdict {
        VerdictKind::Pass => "pass",
        VerdictKind::Refuse => "refuse",
    };
    let route = route.map_or_else(String::new, ToString::to_string);
    let labels = vec![("route", route), ("verdict", verdict.to_owned())];
    STANDINGS.judged.get_or_create(&labels).inc();
    STANDINGS.judging.observe(took.as_secs_f64());
}

/// An attempt came to an outcome, in one word, with the code where it has one.
pub fn attempted(route: &RouteName, outcome: &'static str, code: Option<Code>) {
    let code = code.map_or("", |code| code.0);
    let labels = vec![("route", route.to_string()), ("outcome", outcome.to_owned()), ("code", code.to_owned())];
    STANDINGS.attempts.get_or_create(&labels).inc();
}

/// A receiver answered, or did not.
pub fn delivering(route: &RouteName, took: Duration) {
    STANDINGS.delivering.get_or_create(&vec![("route", route.to_string())]).observe(took.as_secs_f64());
}

/// A receipt was placed.
pub fn receipt(kind: ReceiptKind) {
    STANDINGS.receipts.get_or_create(&vec![("kind", kind.as_str().to_owned())]).inc();
}

/// Something is wrong with a subject, or it is over.
pub fn alarm(subject: &str, is_wrong: bool) {
    STANDINGS.alarm.get_or_create(&vec![("subject", subject.to_owned())]).set(i64::from(is_wrong));
}

fn by_partner(partner: &PartnerId) -> Labels {
    vec![("partner", partner.to_string())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kind_and_unit() {
        for measure in MEASURES {
            assert!(measure.name.starts_with("sluse_"), "{}", measure.name);
            assert_eq!(measure.name.ends_with("_total"), measure.kind == Kind::Counter, "{}", measure.name);
            assert_eq!(measure.name.ends_with("_seconds"), measure.kind == Kind::Histogram, "{}", measure.name);
        }
        assert!(BOUNDS.is_sorted());
    }
}
