//! A stateful stand-in for Altinn 3, with faults on demand.
//!
//! It speaks the calls that forwarding uses (Maskinporten's token endpoint, the token exchange, instantiation, the
//! list of instances, application metadata, correspondences and their attachments, transfers of files, lists of events),
//! counts effects, keeps to limits, and can be told to fail; beside it stands a service owner's receiver over SOAP. Demo, tests
//! and dry runs use the same one. It keeps small facts, never contents: ids, keys and counts of every instance, more about the
//! latest ones.

mod apps;
mod broker;
mod control;
mod doors;
mod effects;
mod events;
mod faults;
mod instance;
mod keys;
mod limits;
mod mail;
mod online;
mod options;
mod record;
mod storage;
mod sums;
mod tcp;
mod tokens;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use axum::{Router, middleware};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use apps::PARTY_TYPES;
pub use broker::{TransferCounts, TransferFacts};
pub use effects::{EffectCounts, InstanceFacts, PartFacts, Repeated};
pub use faults::{Call, Fault, FaultPlan, Rule};
pub use keys::KeyPair;
pub use limits::{Limit, LimitCounts, LimitPlan};
pub use mail::{MessageCounts, MessageFacts};
pub use online::BatchCounts;
pub use options::{SimulatedApp, SimulatorOptions};
pub use record::{RecordedCall, RecordedRequest};
pub use tokens::GrantFacts;

use broker::Desk;
use effects::Effects;
use events::Events;
use faults::Faults;
use limits::Limits;
use mail::Mail;
use online::Online;
use record::Record;
use tokens::Issued;

/// Why the stand-in does not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The port or the journal.
    #[error("the simulator cannot start: {0}")]
    Io(#[from] io::Error),
    /// The public key.
    #[error("the simulator's public key is not an RSA key in PEM")]
    BadKey,
}

/// A running stand-in; it stops when dropped.
pub struct Simulator {
    world: Arc<World>,
    addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// Everything the calls share.
struct World {
    options: SimulatorOptions,
    base_url: String,
    effects: Mutex<Effects>,
    faults: Mutex<Faults>,
    issued: Mutex<Issued>,
    mail: Mutex<Mail>,
    desk: Mutex<Desk>,
    online: Mutex<Online>,
    events: Mutex<Events>,
    limits: Mutex<Limits>,
    requests: Mutex<Record>,
}

impl World {
    fn effects(&self) -> MutexGuard<'_, Effects> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request, where that is asked for.
    fn record(&self, operation: &'static str, content: impl FnOnce() -> serde_json::Value) {
        if self.options.record {
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).add(operation, content());
        }
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn online(&self) -> MutexGuard<'_, Online> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reset(&self) -> io::Result<()> {
        *self.faults() = Faults::new(FaultPlan::default());
        *self.mail() = Mail::default();
        *self.desk() = Desk::default();
        *self.online() = Online::default();
        *self.events() = Events::default();
        self.effects().reset()
    }
}

impl Simulator {
    /// Starts serving; port 0 takes a free one.
    pub async fn start(addr: SocketAddr, options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let base_url = format!("http://{addr}");
        let world = Arc::new(World {
            effects: Mutex::new(Effects::open(options.keep, options.journal.as_deref())?),
            faults: Mutex::new(Faults::new(options.faults.clone())),
            issued: Mutex::new(Issued::new(&options, &base_url)?),
            mail: Mutex::default(),
            desk: Mutex::default(),
            online: Mutex::default(),
            events: Mutex::default(),
            limits: Mutex::new(Limits::new(&options.limits)),
            requests: Mutex::default(),
            base_url,
            options,
        });
        let stop = CancellationToken::new();
        let router = router(world.clone());
        let router = if world.options.record {
            router.layer(middleware::from_fn_with_state(world.clone(), record::kept))
        } else {
            router
        };
        let service = router.into_make_service_with_connect_info::<tcp::Line>();
        let serving =
            axum::serve(tcp::Listener::new(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Self { world, addr, stop, serving })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address for every API it stands in for.
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// What happened so far.
    pub fn effects(&self) -> EffectCounts {
        self.world.effects().counts()
    }

    /// Facts about the latest instances, oldest first.
    pub fn instances(&self) -> Vec<InstanceFacts> {
        self.world.effects().recent()
    }

    /// Has an instance's owner do something with it: `opened`, `edited`, `submitted`; `false` when there is none.
    pub fn use_instance(&self, id: &str, how: &str) -> bool {
        self.world.effects().used(id, how)
    }

    /// What happened to messages so far.
    pub fn message_counts(&self) -> MessageCounts {
        self.world.mail().counts.clone()
    }

    /// Facts about the latest messages, oldest first.
    pub fn messages(&self) -> Vec<MessageFacts> {
        self.world.mail().latest()
    }

    /// What happened to transfers so far.
    pub fn transfer_counts(&self) -> TransferCounts {
        self.world.desk().counts.clone()
    }

    /// Facts about transfers, oldest first.
    pub fn transfers(&self) -> Vec<TransferFacts> {
        self.world.desk().facts(Duration::from_millis(self.world.options.scan_ms))
    }

    /// What happened to batches sent over SOAP so far.
    pub fn batch_counts(&self) -> BatchCounts {
        self.world.online().counts.clone()
    }

    /// How the calls that have a limit fared.
    pub fn limit_counts(&self) -> BTreeMap<Call, LimitCounts> {
        self.world.limits().counts()
    }

    /// Sets what has become of a transfer, `DownloadConfirmed` among it; `false` when there is none.
    pub fn set_transfer_status(&self, id: uuid::Uuid, status: &str) -> bool {
        self.world.set_transfer_status(id, status)
    }

    /// Forgets how far an upload in pieces has come, as the platform does in time; `false` when there is none.
    pub fn forget_upload(&self, id: uuid::Uuid) -> bool {
        self.world.desk().forget_upload(id)
    }

    /// The latest requests, oldest first; none where they are not recorded.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.world.requests.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    /// The same, whatever they were for, as HTTP has them.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.world.requests.lock().unwrap_or_else(PoisonError::into_inner).calls()
    }

    /// Sets what has become of a message; `false` when there is none.
    pub fn set_message_status(&self, id: uuid::Uuid, status: &str) -> bool {
        self.world.set_message_status(id, status)
    }

    /// The latest grant that was taken.
    pub fn last_grant(&self) -> Option<GrantFacts> {
        self.world.issued().last_grant()
    }

    /// A token of the platform, for who plays somebody else.
    pub fn token(&self) -> String {
        let lifetime_s = self.world.options.token_lifetime_s;
        self.world.issued().issue("somebody else".to_owned(), jiff::Timestamp::now().as_second(), lifetime_s)
    }

    /// Replaces what goes wrong.
    pub fn set_faults(&self, plan: FaultPlan) {
        *self.world.faults() = Faults::new(plan);
    }

    /// Replaces the limits; every client begins anew.
    pub fn set_limits(&self, plan: &LimitPlan) {
        *self.world.limits() = Limits::new(plan);
    }

    /// Sets how far the clock of the token endpoint is ahead of the machine's.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.world.issued().set_ahead(ahead);
    }

    /// Makes every token given so far invalid.
    pub fn revoke_tokens(&self) {
        self.world.issued().revoke();
    }

    /// Forgets effects, events and faults; limits stay.
    pub fn reset(&self) -> io::Result<()> {
        self.world.reset()
    }

    /// Stops listening, lets running requests finish for a moment, and returns.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_REQUESTS, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn router(world: Arc<World>) -> Router {
    let doors = middleware::from_fn_with_state(world.clone(), doors::pass);
    let dated = middleware::from_fn_with_state(world.clone(), tokens::dated);
    let office = Router::new()
        .route("/token", post(tokens::grant))
        .route("/.well-known/oauth-authorization-server", get(tokens::metadata))
        .layer(doors.clone())
        .layer(dated);
    Router::new()
        .route("/authentication/api/v1/exchange/maskinporten", get(tokens::exchange))
        .route("/storage/api/v1/instances", get(storage::list))
        .route("/{org}/{app}/instances", post(apps::instantiate))
        .route("/{org}/{app}/instances/{party}/{guid}", get(instance::get).delete(instance::delete))
        .route("/{org}/{app}/instances/{party}/{guid}/data/type/{data_type}", post(instance::add_data))
        .route("/{org}/{app}/instances/{party}/{guid}/data/{id}", put(instance::put_data).delete(instance::drop_data))
        .route("/{org}/{app}/instances/{party}/{guid}/process/next", put(instance::next))
        .route("/{org}/{app}/instances/{party}/{guid}/validate", get(instance::validate))
        .route("/{org}/{app}/api/v1/applicationmetadata", get(apps::metadata))
        .route("/correspondence/api/v1/correspondence", post(mail::send).get(mail::find))
        .route("/correspondence/api/v1/correspondence/upload", post(mail::send_form))
        .route("/correspondence/api/v1/correspondence/{id}", get(mail::overview))
        .route("/correspondence/api/v1/correspondence/{id}/details", get(mail::details))
        .route("/correspondence/api/v1/attachment", post(mail::announce))
        .route("/correspondence/api/v1/attachment/{id}", get(mail::attachment))
        .route("/correspondence/api/v1/attachment/{id}/upload", post(mail::upload))
        .route("/notifications/api/v1/future/orders", post(mail::order))
        .route("/broker/api/v1/filetransfer", post(broker::begin).get(broker::list))
        .route("/broker/api/v1/filetransfer/{id}", get(broker::overview))
        .route("/broker/api/v1/filetransfer/{id}/details", get(broker::details))
        .route("/broker/api/v1/filetransfer/{id}/upload", post(broker::upload))
        .route("/broker/api/v1/filetransfer/{id}/confirmdownload", post(broker::confirm))
        .route(
            "/broker/api/v1/filetransfer/upload/tus/{id}",
            post(broker::create).head(broker::offset).patch(broker::append).delete(broker::terminate),
        )
        .route("/events/api/v1/events", get(events::of_resource))
        .route("/events/api/v1/app/{org}/{app}", get(events::of_app))
        .route("/soap", post(online::receive))
        .route("/soap/{key}", get(online::status))
        .route("/simulator/batches/counts", get(control::batch_counts))
        .route("/simulator/limits", get(control::limit_counts).put(control::limits))
        .route("/simulator/transfers", get(control::transfers))
        .route("/simulator/transfers/counts", get(control::transfer_counts))
        .route("/simulator/transfers/{id}/status", put(broker::set_status))
        .route("/simulator/messages", get(control::messages))
        .route("/simulator/messages/counts", get(control::message_counts))
        .route("/simulator/messages/{id}/status", put(mail::set_status))
        .route("/simulator/effects", get(control::effects))
        .route("/simulator/instances", get(control::instances))
        .route("/simulator/instances/{party}/{guid}/status", put(instance::set_status))
        .route("/simulator/faults", put(control::faults))
        .route("/simulator/reset", post(control::reset))
        .layer(doors)
        .merge(office)
        .layer(DefaultBodyLimit::disable())
        .with_state(world)
}

/// How long a stop waits for requests that are under way.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
