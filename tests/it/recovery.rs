//! The real process is killed; nothing is lost and nothing happens twice.
//!
//! Each run starts the binary on a fresh folder and drops files as a cron job would: again, until CLOSE was answered
//! with OK. The process is killed and started again, and then everything is counted: acknowledged files, final
//! receipts, effects.
//!
//! What is the same in all cases, how a file arrives, is judged and answered, is swept point by point in the first; others are
//! swept so where they differ. Cases that are like one of these are swept by their different steps.

mod again;
mod effects;
mod instances;
mod rounds;

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use sluse::generate::{Format, Options, Profile};
use sluse::simulator::{Call, Fault, FaultPlan, Rule};

use self::effects::{At, Effects};
use crate::support::batch::{Batch, generated, written};
use crate::support::gateway::{Gateway, Home, PATIENCE, Settings, simulator};
use crate::support::kills::{Kill, at_every_point, at_every_point_around, at_every_step};
use crate::support::receipts::{Receipts, count};
use crate::support::ssh_peers::Kind;

/// What is dropped, and where it goes.
struct Case {
    route: &'static str,
    format: &'static str,
    take: &'static str,
    at: At,
    batch: Batch,
    /// What is told of the last service.
    more: &'static str,
    /// Notifications that are ordered by themselves.
    orders: u64,
    /// Another of the receivers, and what it is.
    also: Option<(&'static str, At)>,
}

impl Case {
    /// Items to the simulator's apps.
    fn items(batch: Batch) -> Self {
        Self { route: "", format: "prefill", take: "", at: At::Altinn, batch, more: "", orders: 0, also: None }
    }

    /// Batches of two items.
    fn batches(at: At, batch: Batch) -> Self {
        Self { take: "take = \"batches\"\nbatch_items = 2", at, ..Self::items(batch) }
    }

    /// Messages, some with attachments that are uploaded before them.
    fn letters(format: &'static str, of: Format, items: u64, seed: u64) -> Self {
        let profile = if of == Format::Correspondence { Profile::Attachment } else { Profile::Small };
        // Without a number a file that is dropped again is a second file where the format has no shipment reference.
        let options = Options { sequence: Some(1), ..Options::of(of, items, profile, seed) };
        Self { format, at: At::Messages, ..Self::items(written(&options)) }
    }

    /// Messages, every second of which has a notification with a time to come.
    fn notified(items: u64, seed: u64) -> Self {
        let case = Self::letters("correspondence", Format::Correspondence, items, seed);
        let later = case.batch.text().replace("        <ShipmentDateTime>2026-", "        <ShipmentDateTime>2096-");
        let batch = Batch { bytes: later.into_bytes(), ..case.batch };
        Self { more: NOTIFIED, orders: items / 2, batch, ..case }
    }

    /// A ZIP to organisations, and to persons, who are refused.
    fn transfers(profile: Profile, items: u64, seed: u64) -> Self {
        let batch = written(&Options::of(Format::Broker, items, profile, seed));
        // Every fourth is an organisation.
        Self { format: "broker", at: At::Broker, ..Self::items(Batch { right: items / 4, ..batch }) }
    }

    /// A ZIP to two recipients and a wrong one.
    fn archive(at: At) -> Self {
        let options = Options { errors: "34%".parse().unwrap(), ..Options::of(Format::Broker, 3, Profile::Small, 6) };
        Self { format: "broker", at, ..Self::items(written(&options)) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_items_are_sent() {
    kill_at_every_point(&Case::items(generated(3, Profile::Small, "0%", 1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_a_file_too_large_for_the_ledger_arrives() {
    let batch = generated(1, Profile::Attachment, "0%", 7);
    assert!(batch.bytes.len() > 100_000, "small ones lie in the ledger");
    kill_at_every_step(&Case::items(batch)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_some_items_are_refused() {
    kill_at_every_step(&Case::items(generated(4, Profile::Medium, "50%", 2))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_the_file_is_refused() {
    kill_at_every_step(&Case::items(Batch { bytes: Vec::new(), items: 0, right: 0 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_receipts_of_every_form_are_written() {
    let route = "receipts = { html = 'nb', csv = true, signing_key_file = 'receipts.pem' }";
    kill_at_every_step(&Case { route, ..Case::items(generated(2, Profile::Small, "50%", 3)) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_batches_are_posted() {
    kill_at_every_point_around(&["receiver.post"], 1, &Case::batches(At::Http, generated(3, Profile::Small, "0%", 4)))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_batches_with_attachments_are_sent_by_soap() {
    let options = Options { sequence: Some(1), ..Options::of(Format::DataBatch, 2, Profile::Attachment, 9) };
    let case = Case { format: "databatch", take: "batch_items = 1", at: At::Soap, ..Case::items(written(&options)) };
    kill_at_every_point_around(&["soap.post"], 3, &case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_batches_are_placed_in_a_directory() {
    kill_at_every_point(&Case::batches(At::Directory, generated(4, Profile::Small, "25%", 5))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_every_item_goes_to_two_receivers() {
    let also = Some(("directory", At::Directory));
    kill_at_every_step(&Case { at: At::Http, also, ..Case::items(generated(3, Profile::Small, "34%", 12)) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_every_item_becomes_an_instance_and_a_file() {
    let also = Some(("directory", At::Directory));
    kill_at_every_step(&Case { also, ..Case::items(generated(2, Profile::Small, "0%", 13)) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_messages_are_sent_and_followed() {
    kill_at_every_point_around(
        &["altinn.message", "altinn.upload", "news."],
        3,
        &Case::letters("correspondence", Format::Correspondence, 2, 7),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_messages_of_the_older_format_are_sent() {
    kill_at_every_step(&Case::letters("altut", Format::AltUt, 2, 8)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_notifications_are_ordered() {
    kill_at_every_step(&Case::notified(2, 11)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_while_messages_meet_faults() {
    let rule = |call, fault, probability| Rule { fault, call, every: None, probability: Some(probability), most: None };
    let rules = vec![
        rule(Call::Message, Fault::ResetAfter, 0.05),
        rule(Call::Message, Fault::ResetBefore, 0.02),
        rule(Call::Message, Fault::ErrorAfter, 0.01),
        rule(Call::Message, Fault::Throttled(0), 0.05),
        rule(Call::Upload, Fault::ResetAfter, 0.05),
        rule(Call::FindMessage, Fault::ErrorBefore, 0.05),
    ];
    kill_under_faults(At::Messages, "correspondence", FaultPlan { seed: 11, rules }, |round| {
        Options::of(Format::Correspondence, 60, Profile::Small, 500 + round)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_an_archive_is_transferred() {
    kill_at_every_step(&Case::transfers(Profile::Small, 9, 9)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_an_archive_is_transferred_in_pieces() {
    kill_at_every_point_around(&["altinn.transfer"], 1, &Case::transfers(Profile::Attachment, 4, 10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_while_transfers_meet_faults() {
    let rule = |call, fault, probability| Rule { fault, call, every: None, probability: Some(probability), most: None };
    let rules = vec![
        rule(Call::Transfer, Fault::ResetAfter, 0.05),
        rule(Call::Transfer, Fault::ResetBefore, 0.02),
        rule(Call::Transfer, Fault::ErrorAfter, 0.01),
        rule(Call::Transfer, Fault::Throttled(0), 0.05),
        rule(Call::TransferUpload, Fault::ResetAfter, 0.05),
        rule(Call::TransferUpload, Fault::CutOff(500), 0.02),
        rule(Call::TransferPart, Fault::CutOff(50_000), 0.1),
        rule(Call::TransferPart, Fault::ResetAfter, 0.05),
        rule(Call::FindTransfer, Fault::ErrorBefore, 0.05),
        rule(Call::TransferOverview, Fault::ErrorBefore, 0.05),
    ];
    kill_under_faults(At::Broker, "broker", FaultPlan { seed: 12, rules }, |round| {
        let profile = if round % 3 == 0 { Profile::Attachment } else { Profile::Small };
        Options::of(Format::Broker, 60, profile, 700 + round)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_an_archive_is_posted_to_its_recipients() {
    kill_at_every_step(&Case::archive(At::Http)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_an_archive_is_placed_for_its_recipients() {
    kill_at_every_step(&Case::archive(At::Directory)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_while_items_are_pushed_to_openssh() {
    kill_at_every_point_around(
        &["push."],
        1,
        &Case { at: At::Sftp(Kind::OpenSsh), ..Case::items(generated(3, Profile::Small, "0%", 7)) },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_while_batches_are_pushed_to_proftpd() {
    kill_at_every_step(&Case::batches(At::Sftp(Kind::ProFtpd), generated(3, Profile::Small, "0%", 8))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_under_load() {
    let home = Home::new(simulator().await, "concurrency = 4");
    let mut acknowledged = Vec::new();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..KILLS_UNDER_LOAD {
        let gateway = home.start(None);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(30 + (chance >> 33) % 600);
        let profile = [Profile::Small, Profile::Medium, Profile::Attachment][usize::try_from(round % 3).unwrap()];
        let items = if round % 3 == 2 { 3 } else { 60 };
        let batch = generated(items, profile, "5%", 100 + round);
        let name = format!("load-{round}.xml");
        if drop_and_kill(&home, gateway, life, &name, &batch.bytes).await {
            acknowledged.push(name);
        }
    }
    let _gateway = home.start(None);
    check(&home, &Effects::of_simulator(), &acknowledged, None).await;
}

/// Kills the process again and again while it sends batches and the simulator fails as told.
async fn kill_under_faults(at: At, format: &'static str, plan: FaultPlan, batch: impl Fn(u64) -> Options) {
    let (effects, receiver) = Effects::begin(at).await.unwrap();
    let settings = Settings { format, receiver, route: "concurrency = 4".into(), ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let (mut acknowledged, mut chance) = (Vec::new(), 0x2545_f491_4f6c_dd1d_u64 ^ plan.seed);
    home.simulator.set_faults(plan);
    for round in 0..KILLS_UNDER_FAULTS {
        let gateway = home.start(None);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = Duration::from_millis(100 + (chance >> 33) % 900);
        let name = format!("faults-{round}");
        if drop_and_kill(&home, gateway, life, &name, &written(&batch(round)).bytes).await {
            acknowledged.push(name);
        }
    }
    let _gateway = home.start(None);
    check(&home, &effects, &acknowledged, None).await;
}

async fn kill_at_every_point(case: &Case) {
    at_every_point(FEWEST_POINTS, async |kill| run_killed(kill, case).await).await;
}

/// For a case that is like another one but for what happens at these places.
async fn kill_at_every_point_around(places: &[&str], stride: usize, case: &Case) {
    at_every_point_around(places, stride, FEWEST_POINTS, async |kill| run_killed(kill, case).await).await;
}

/// For a case that is like another one but for a few steps.
async fn kill_at_every_step(case: &Case) {
    at_every_step(FEWEST_POINTS, async |kill| run_killed(kill, case).await).await;
}

/// Drops a file on a gateway that is killed after so long; whether it was acknowledged by then.
async fn drop_and_kill(home: &Home, mut gateway: Gateway, life: Duration, name: &str, bytes: &[u8]) -> bool {
    let mut is_acknowledged = false;
    let work = async {
        is_acknowledged = put(home, name, bytes).await;
        std::future::pending::<()>().await;
    };
    let _ = tokio::time::timeout(life, work).await;
    assert!(gateway.ended().is_none(), "it ended by itself\n{}", home.log());
    gateway.kill();
    is_acknowledged
}

/// One run; `false` when the process came through, `None` where it cannot be done here.
async fn run_killed(kill: Kill, case: &Case) -> Option<bool> {
    let Case { route, format, take, at, batch, more, orders, also } = case;
    let also_at = match also {
        Some((_, at)) => Some(Effects::begin(*at).await?.0),
        None => None,
    };
    let also = also.map_or("", |(name, _)| name);
    let (effects, receiver) = Effects::begin(*at).await?;
    let (route, more) = ((*route).to_owned(), (*more).to_owned());
    let has_forms = !route.is_empty();
    let settings = Settings { route, format, take, receiver, also, more, ..Settings::default() };
    let home = Home::with(simulator().await, &settings);
    let name = "nightly.xml".to_owned();
    let gateway = home.start_armed(&kill.variables());
    let mut acknowledged = false;
    let drop_and_wait = async {
        acknowledged = put(&home, &name, &batch.bytes).await;
        acknowledged && Receipts::arrive(&home, std::slice::from_ref(&name)).await.is_ok()
    };
    let killed = was_killed(&home, gateway, Box::pin(drop_and_wait)).await;
    let mut gateway = home.start(None);
    let begun = Instant::now();
    while !acknowledged {
        assert!(begun.elapsed() < PATIENCE, "nothing is acknowledged\n{}", home.log());
        assert!(gateway.ended().is_none(), "it ended by itself\n{}", home.log());
        acknowledged = put(&home, &name, &batch.bytes).await;
    }
    check(&home, &effects, &[name], Some(batch.right)).await;
    if let Some(effects) = also_at {
        assert_eq!(effects.count(&home), batch.right, "at the other receiver\n{}", home.log());
    }
    let ordered = home.simulator.message_counts().orders;
    assert_eq!(ordered, *orders, "notifications\n{}", home.log());
    if has_forms {
        every_form_is_there(&home).await;
    }
    gateway.kill();
    Some(killed)
}

/// Does the work and ends the process; whether it was killed, meanwhile or in its graceful stop.
async fn was_killed(home: &Home, mut gateway: Gateway, work: impl Future<Output = bool>) -> bool {
    if until_death(&mut gateway, work).await {
        // Also what follows the final receipt, and a graceful stop, pass kill points.
        let end = gateway.terminate();
        assert!(end.success() || end.signal() == Some(9), "{end}\n{}", home.log());
        return !end.success();
    }
    gateway.kill();
    true
}

/// Does the work; `false` when the process dies before it is done.
async fn until_death(gateway: &mut Gateway, work: impl Future<Output = bool>) -> bool {
    let death = async {
        while gateway.ended().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = death => false,
    }
}

/// Waits for the death of a process; `false` when it lives on.
async fn dies(gateway: &mut Gateway) -> bool {
    let lives_on = async {
        tokio::time::sleep(PATIENCE).await;
        true
    };
    !until_death(gateway, lives_on).await
}

/// Drops a file; `true` when the server acknowledged its CLOSE.
async fn put(home: &Home, name: &str, bytes: &[u8]) -> bool {
    let Ok(client) = home.connect().await else { return false };
    client.put(&format!("/inbox/{name}"), &mut &*bytes).await.is_ok()
}

/// Waits for the receipts and counts.
async fn check(home: &Home, effects: &Effects, acknowledged: &[String], expected: Option<u64>) {
    let receipts = Receipts::wait(home, acknowledged).await;
    receipts.assert_one_final_each();
    let client = home.connect().await.unwrap();
    let delivered: u64 = receipts.finals(&client).await.iter().map(|receipt| count(receipt, "delivered")).sum();
    let seen = effects.count(home);
    assert_eq!(seen, delivered, "effects and receipts differ\n{}", home.log());
    if let Some(expected) = expected {
        assert_eq!(seen, expected, "{}", home.log());
    }
}

/// Whatever died when: a receipt has all of its files, and one of each.
async fn every_form_is_there(home: &Home) {
    let entries = home.connect().await.unwrap().list("/receipts").await.unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let finals: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".final.xml")).collect();
    assert!(!finals.is_empty());
    for of in finals {
        for end in ["final.html", "final.csv", "final.xml.sig", "accepted.xml", "accepted.xml.sig"] {
            assert!(names.contains(&format!("{of}.{end}").as_str()), "{of}.{end}: {names:?}");
        }
    }
}

/// A service's texts, for notifications that are ordered by themselves.
const NOTIFIED: &str = r#"
notification_orders = true
[[route.etat.service.notification]]
type = "Correspondence"
email_subject = "Nytt vedtak"
email_file = "notice.txt"
sms_file = "notice.txt"
"#;

/// Kills in the test under load.
const KILLS_UNDER_LOAD: u64 = 60;

/// Kills while messages, or transfers, meet faults.
const KILLS_UNDER_FAULTS: u64 = 12;

/// Fewer kill points than this, and the test does not look where it should.
const FEWEST_POINTS: usize = 12;
