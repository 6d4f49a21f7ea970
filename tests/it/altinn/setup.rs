//! A simulator, a receiver that knows it, and items to bring there.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use sluse::adapters::altinn::{AltinnSettings, AppReceiver, KeyIdentity, MaskinportenSettings, Waits};
use sluse::model::{
    AppTarget, DataTypeRow, FinishRules, ItemKey, ItemKind, PrefillRules, Prefilled, Reportee, ReporteeKind, Service,
    ServiceRow, ServiceTable, ShipmentId,
};
use sluse::ports::{Clock, Consignment, Content, ContentPart, PartMeta, SystemClock};
use sluse::simulator::{Call, Fault, FaultPlan, Rule, SimulatedApp, Simulator, SimulatorOptions};

pub(super) use crate::support::gateway::key;

/// A synthetic organisation, with a right check digit.
pub(super) const ORGANISATION: &str = "910000004";

pub(super) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(super) fn options() -> SimulatorOptions {
    SimulatorOptions {
        public_key: Some(key().public_key.clone()),
        apps: vec![SimulatedApp {
            org: "ttd".into(),
            app: "skjema".into(),
            data_types: vec!["model".into(), "vedlegg".into()],
            party_types: Vec::new(),
        }],
        ..SimulatorOptions::default()
    }
}

pub(super) async fn simulator() -> Simulator {
    Simulator::start(LOOPBACK, options()).await.unwrap()
}

pub(super) fn settings(base_url: &str) -> AltinnSettings {
    AltinnSettings {
        maskinporten: MaskinportenSettings {
            token_url: format!("{base_url}/token"),
            audience: format!("{base_url}/"),
            client_id: "client-1".into(),
            scope: "altinn:serviceowner altinn:serviceowner/instances.write".into(),
            private_key: key().private_key.clone(),
            identity: KeyIdentity::KeyId("key-1".into()),
            consumer_org: None,
            resources: Vec::new(),
            well_known_url: None,
            system_user: None,
            key_ends_at: None,
        },
        platform_base: base_url.to_owned(),
        apps_base: base_url.to_owned(),
        test_exchange: true,
        subscription_key: None,
        waits: Waits { connect_ms: 2_000, answer_ms: 10_000 },
    }
}

pub(super) fn services() -> ServiceTable {
    let data_type =
        DataTypeRow { format_id: "5".into(), format_version: None, data_type: "model".into(), moves: Vec::new() };
    let app = AppTarget {
        org: "ttd".into(),
        app: "skjema".into(),
        data_types: vec![data_type],
        attachment_type: Some("vedlegg".into()),
        prefill: PrefillRules::default(),
        finish: FinishRules::default(),
    };
    let row = ServiceRow {
        code: "PSA".into(),
        edition: None,
        app: Some(app),
        message: None,
        transfer: None,
        schemas: Vec::new(),
    };
    ServiceTable { rows: vec![row], ..ServiceTable::default() }
}

pub(super) fn receiver(simulator: &Simulator) -> AppReceiver {
    receiver_with(settings(simulator.base_url()))
}

pub(super) fn receiver_with(settings: AltinnSettings) -> AppReceiver {
    AppReceiver::new(settings, services(), Arc::new(SystemClock)).unwrap()
}

/// An item with one small form.
pub(super) fn item(number: u64) -> Consignment {
    let reference = format!("ft-{number}");
    Consignment {
        shipment: ShipmentId::new(),
        number,
        key: ItemKey::derive(&["tests", &reference]),
        kind: ItemKind::FormTask,
        reportee: Some(Reportee::new(ReporteeKind::Organisation, ORGANISATION.into())),
        service: Some(Service { code: "PSA".into(), edition: "1".into() }),
        shipment_reference: "SHIP-1".into(),
        senders_reference: reference,
        receivers_reference: String::new(),
        valid_from: None,
        identifying_fields: Vec::new(),
        prefilled: Prefilled::default(),
        parts: vec![form("5", "<Skjema/>")],
        messages: Vec::new(),
        parcel: None,
        batch: Content::from_bytes("<ServiceOwner/>"),
        first_intent: Timestamp::now(),
    }
}

pub(super) fn form(format_id: &str, xml: &'static str) -> ContentPart {
    let meta = PartMeta::Form { format_id: format_id.into(), format_version: "1".into() };
    ContentPart { meta, content: Content::from_bytes(xml), most_bytes: xml.len() as u64 }
}

pub(super) fn attachment(name: &str, content: Content) -> ContentPart {
    let meta = PartMeta::Attachment { file_name: name.into(), attachment_type: "application_pdf".into() };
    ContentPart { meta, content, most_bytes: 1_000 }
}

pub(super) fn always(call: Call, fault: Fault) -> FaultPlan {
    FaultPlan { seed: 0, rules: vec![Rule { fault, call, every: None, probability: None, most: None }] }
}

pub(super) fn once(call: Call, fault: Fault) -> FaultPlan {
    FaultPlan { seed: 0, rules: vec![Rule { fault, call, every: None, probability: None, most: Some(1) }] }
}

/// A clock that stands until it is moved.
pub(super) struct StandingClock(Mutex<Timestamp>);

impl StandingClock {
    pub(super) fn now_here() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::now())))
    }

    /// It is as late as it is.
    pub(super) fn catch_up(&self) {
        *self.0.lock().unwrap() = Timestamp::now();
    }

    pub(super) fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
