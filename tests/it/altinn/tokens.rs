//! Tokens: how they are asked for, kept, renewed, and never shown.

use base64::Engine;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sluse::adapters::altinn::{AppReceiver, KeyIdentity, SetupError, SystemUser};
use sluse::codes;
use sluse::ports::{Clock as _, DeliveryError, Receiver};
use sluse::simulator::{Call, Fault, KeyPair, Simulator, SimulatorOptions};

use super::setup::{
    LOOPBACK, ORGANISATION, StandingClock, always, item, key, once, options, receiver, receiver_with, services,
    settings, simulator,
};
use crate::support::log::Log;

#[tokio::test]
async fn a_grant_names_its_key_and_what_was_set() {
    let simulator = simulator().await;
    receiver(&simulator).deliver(&item(1)).await.unwrap();
    let grant = simulator.last_grant().unwrap();
    assert_eq!((grant.key_id.as_deref(), grant.certificates), (Some("key-1"), 0));
    assert_eq!((grant.client_id.as_str(), grant.consumer_org), ("client-1", None));

    let certificate = |bytes: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let mut settings = settings(simulator.base_url());
    settings.maskinporten.identity =
        KeyIdentity::Certificates([certificate(&[0x30, 1]), certificate(&[0x30, 2])].concat());
    settings.maskinporten.consumer_org = Some(ORGANISATION.into());
    settings.maskinporten.resources = vec!["https://resource.example/".into()];
    receiver_with(settings).deliver(&item(2)).await.unwrap();
    let grant = simulator.last_grant().unwrap();
    assert_eq!((grant.key_id, grant.certificates), (None, 2));
    assert_eq!(grant.consumer_org.as_deref(), Some(ORGANISATION));
    assert_eq!(grant.resources, ["https://resource.example/"]);
}

#[tokio::test]
async fn all_who_wait_share_one_token() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    let items: Vec<_> = (1..=50).map(item).collect();
    for delivered in join_all(items.iter().map(|item| receiver.deliver(item))).await {
        delivered.unwrap();
    }
    let effects = simulator.effects();
    assert_eq!((effects.total, effects.grants, effects.exchanges), (50, 1, 1));
}

#[tokio::test]
async fn all_who_wait_share_one_failure() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    // One refusal for the grant and one for its second try; whoever asked again would get a token.
    let mut plan = once(Call::Grant, Fault::InvalidGrant);
    plan.rules[0].most = Some(2);
    simulator.set_faults(plan);
    let items: Vec<_> = (1..=20).map(item).collect();
    for failed in join_all(items.iter().map(|item| receiver.deliver(item))).await {
        assert!(matches!(failed, Err(DeliveryError::Credentials { code: codes::TOKEN_REFUSED })));
    }
    assert_eq!(simulator.effects().instantiations, 0);
    receiver.deliver(&item(1)).await.unwrap();
}

#[tokio::test]
async fn tokens_are_renewed_a_minute_early() {
    let options = SimulatorOptions { clock_tolerance_s: 100_000, token_lifetime_s: 1_800, ..options() };
    let simulator = Simulator::start(LOOPBACK, options).await.unwrap();
    let clock = StandingClock::now_here();
    let receiver = AppReceiver::new(settings(simulator.base_url()), services(), clock.clone()).unwrap();
    receiver.deliver(&item(1)).await.unwrap();
    clock.advance(1_730);
    simulator.set_clock_ahead(SignedDuration::from_secs(1_730));
    receiver.deliver(&item(2)).await.unwrap();
    assert_eq!(simulator.effects().grants, 1);
    clock.advance(50);
    simulator.set_clock_ahead(SignedDuration::from_secs(1_780));
    receiver.deliver(&item(3)).await.unwrap();
    assert_eq!(simulator.effects().grants, 2);
}

#[tokio::test]
async fn a_token_due_for_renewal_is_used_while_none_is_to_be_had() {
    let options = SimulatorOptions { clock_tolerance_s: 100_000, ..options() };
    let simulator = Simulator::start(LOOPBACK, options).await.unwrap();
    let clock = StandingClock::now_here();
    let receiver = AppReceiver::new(settings(simulator.base_url()), services(), clock.clone()).unwrap();
    receiver.deliver(&item(1)).await.unwrap();
    simulator.set_faults(always(Call::Grant, Fault::ErrorBefore));
    clock.advance(1_760);
    let items: Vec<_> = (10..30).map(item).collect();
    for delivered in join_all(items.iter().map(|item| receiver.deliver(item))).await {
        delivered.unwrap();
    }
    // It may still be refused, and is dropped then like any other.
    simulator.revoke_tokens();
    assert!(receiver.deliver(&item(2)).await.is_err());
    clock.advance(60);
    simulator.set_clock_ahead(SignedDuration::from_secs(1_820));
    assert!(matches!(receiver.deliver(&item(3)).await, Err(DeliveryError::Later { code: codes::UNREACHABLE, .. })));
}

#[tokio::test]
async fn a_revoked_token_is_replaced_at_once() {
    let simulator = simulator().await;
    let receiver = receiver(&simulator);
    receiver.deliver(&item(1)).await.unwrap();
    simulator.revoke_tokens();
    receiver.deliver(&item(2)).await.unwrap();
    simulator.revoke_tokens();
    assert!(receiver.look_up(&item(1)).await.unwrap().is_some());
    let effects = simulator.effects();
    assert_eq!((effects.total, effects.grants), (2, 3));
}

#[tokio::test]
async fn refusals_of_the_token_service_are_told_apart() {
    let simulator = simulator().await;
    for call in [Call::Grant, Call::Exchange] {
        let deliver = async |fault| {
            simulator.set_faults(always(call, fault));
            receiver(&simulator).deliver(&item(1)).await.unwrap_err()
        };
        for fault in [Fault::BadRequest, Fault::Unauthorized, Fault::Forbidden] {
            let error = deliver(fault).await;
            assert!(matches!(error, DeliveryError::Credentials { code: codes::TOKEN_REFUSED }), "{call:?} {error:?}");
        }
        for fault in [Fault::ErrorBefore, Fault::ResetBefore] {
            let error = deliver(fault).await;
            assert!(matches!(error, DeliveryError::Later { code: codes::UNREACHABLE, .. }), "{call:?} {error:?}");
        }
        let error = deliver(Fault::Throttled(4)).await;
        assert!(
            matches!(error, DeliveryError::Later { code: codes::THROTTLED, after: Some(wait) } if wait.as_secs() == 4)
        );
    }
}

#[tokio::test]
async fn a_grant_refused_as_used_is_asked_for_once_more() {
    let simulator = simulator().await;
    simulator.set_faults(once(Call::Grant, Fault::InvalidGrant));
    receiver(&simulator).deliver(&item(1)).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_off_signs_nothing_until_it_is_right() {
    let simulator = simulator().await;
    let clock = StandingClock::now_here();
    let receiver = AppReceiver::new(settings(simulator.base_url()), services(), clock.clone()).unwrap();
    let concerns = async || receiver.concerns(clock.now()).await;
    for (ahead, way) in [(300, "ahead of"), (-20, "behind")] {
        clock.catch_up();
        clock.advance(ahead);
        let refused = receiver.deliver(&item(1)).await.unwrap_err();
        assert!(matches!(refused, DeliveryError::Credentials { code: codes::CLOCK_OFF }), "{refused}");
        assert!(simulator.last_grant().is_none(), "nothing was signed");
        let concern = concerns().await.pop().unwrap();
        assert_eq!((concern.about, concern.alarm.level.as_str()), ("clock", "off"));
        assert!(concern.alarm.text.contains(&format!("seconds {way} the token service's")), "{}", concern.alarm.text);
        clock.advance(-ahead);
        assert_eq!(concerns().await, [], "it is right again");
    }
    receiver.deliver(&item(1)).await.unwrap();
    assert_eq!(simulator.effects().grants, 1);
    // So far a clock may be off, and the next grant is looked at anew.
    simulator.revoke_tokens();
    clock.catch_up();
    clock.advance(8);
    receiver.deliver(&item(2)).await.unwrap();
    simulator.revoke_tokens();
    clock.advance(300);
    receiver.deliver(&item(3)).await.unwrap_err();
}

#[tokio::test]
async fn the_issuer_tells_where_it_is_and_what_was_set_holds_while_it_does_not() {
    let simulator = simulator().await;
    let base_url = simulator.base_url().to_owned();
    let with = |well_known_url: String| {
        let mut settings = settings(&base_url);
        settings.maskinporten.token_url = format!("{base_url}/elsewhere");
        settings.maskinporten.audience = "https://old.example/".into();
        settings.maskinporten.well_known_url = Some(well_known_url);
        settings
    };
    receiver_with(with(format!("{base_url}/.well-known/oauth-authorization-server"))).deliver(&item(1)).await.unwrap();
    // What nobody tells, or a stranger does, changes nothing.
    let stranger = SimulatorOptions { audience: Some("https://stranger.example/".into()), ..options() };
    let stranger = Simulator::start(LOOPBACK, stranger).await.unwrap();
    for well_known in
        [format!("{base_url}/gone"), format!("{}/.well-known/oauth-authorization-server", stranger.base_url())]
    {
        let mut settings = with(well_known);
        receiver_with(settings.clone()).deliver(&item(2)).await.unwrap_err();
        settings.maskinporten.token_url = format!("{base_url}/token");
        settings.maskinporten.audience = format!("{base_url}/");
        receiver_with(settings).deliver(&item(2)).await.unwrap();
    }
    assert!(stranger.last_grant().is_none());
}

#[tokio::test]
async fn a_system_user_is_named_in_the_grant() {
    let simulator = simulator().await;
    for reference in [None, Some("avdeling-7".to_owned())] {
        let mut settings = settings(simulator.base_url());
        settings.maskinporten.system_user =
            Some(SystemUser { organisation: ORGANISATION.into(), reference: reference.clone() });
        receiver_with(settings).deliver(&item(1)).await.unwrap();
        assert_eq!(simulator.last_grant().unwrap().system_user, Some((ORGANISATION.to_owned(), reference)));
    }
}

#[tokio::test]
async fn the_end_of_a_key_is_told_ahead() {
    let simulator = simulator().await;
    let mut settings = settings(simulator.base_url());
    let ends_at = Timestamp::now() + SignedDuration::from_hours(24 * 20);
    settings.maskinporten.key_ends_at = Some(ends_at);
    let concerns = receiver_with(settings).concerns(Timestamp::now()).await;
    assert_eq!(concerns.len(), 1);
    assert_eq!(
        (concerns[0].about, concerns[0].alarm.level.as_str(), concerns[0].alarm.due),
        ("key", "30-days", ends_at)
    );
    assert_eq!(receiver(&simulator).concerns(Timestamp::now()).await, []);
}

#[tokio::test]
async fn another_key_gets_no_token() {
    let simulator = simulator().await;
    let mut settings = settings(simulator.base_url());
    settings.maskinporten.private_key = KeyPair::generate().unwrap().private_key;
    let error = receiver_with(settings).deliver(&item(1)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Credentials { code: codes::TOKEN_REFUSED }));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let refused = |change: fn(&mut sluse::adapters::altinn::AltinnSettings)| {
        let mut settings = settings("http://127.0.0.1:1");
        change(&mut settings);
        AppReceiver::new(settings, services(), StandingClock::now_here()).err().unwrap()
    };
    let insecure = refused(|settings| settings.platform_base = "http://platform.example".into());
    assert!(matches!(insecure, SetupError::Address(_)));
    let insecure = refused(|settings| settings.apps_base = "http://{org}.apps.example".into());
    assert!(matches!(insecure, SetupError::Address(_)));
    let no_key = refused(|settings| settings.maskinporten.private_key = "none".into());
    assert!(matches!(no_key, SetupError::Key(_)));
}

#[tokio::test]
async fn nothing_shows_a_reportee_or_a_secret() {
    let simulator = simulator().await;
    let log = Log::default();
    let _guard = log.listen();
    let mut settings = settings(simulator.base_url());
    settings.subscription_key = Some("subscription-7c1d".into());
    let mut texts = vec![format!("{settings:?}"), format!("{:?}", key())];
    let receiver = receiver_with(settings);
    for call in [Call::Grant, Call::Exchange, Call::Instantiate, Call::List] {
        for fault in
            [Fault::BadRequest, Fault::InvalidGrant, Fault::NotInstantiable, Fault::ErrorBefore, Fault::ResetBefore]
        {
            simulator.revoke_tokens();
            simulator.set_faults(once(call, fault));
            // Another test may have come to one of these places first, just when nobody listened yet.
            tracing::callsite::rebuild_interest_cache();
            if let Err(error) = receiver.deliver(&item(1)).await {
                texts.push(format!("{error} {error:?}"));
            }
            if let Err(error) = receiver.look_up(&item(1)).await {
                texts.push(format!("{error} {error:?}"));
            }
        }
    }
    texts.push(log.text());
    assert!(texts.last().unwrap().contains("refuses us a token"));
    for text in texts {
        for secret in [ORGANISATION, "n-7c1d", "PRIVATE KEY", "<Skjema", "eyJ"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
