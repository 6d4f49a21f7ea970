//! Who is let in when, who is kept out, and from where a connection counts as coming.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use russh::client::{self, AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::PrivateKeyWithHashAlg;
use russh_sftp::protocol::OpenFlags;
use sluse::adapters::sftp_server::{Defence, SftpSettings};
use sluse::ports::{Ban, Bans as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::sftp::{Gateway, PASSWORD, Trusting, user_key};

async fn with_key(session: &mut client::Handle<Trusting>, user: &str) -> AuthResult {
    with_key_of(session, user, user).await
}

async fn with_key_of(session: &mut client::Handle<Trusting>, user: &str, owner: &str) -> AuthResult {
    let key = PrivateKeyWithHashAlg::new(Arc::new(user_key(owner)), None);
    session.authenticate_publickey(user, key).await.unwrap()
}

/// Connects from another address of this machine.
async fn connect_from(address: &str, gateway: &Gateway) -> client::Handle<Trusting> {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    let stream = socket.connect(gateway.address).await.unwrap();
    client::connect_stream(Arc::default(), stream, Trusting).await.unwrap()
}

/// Whether the first step is taken and the second is still asked for.
fn is_half(result: &AuthResult) -> bool {
    matches!(result, AuthResult::Failure { partial_success: true, .. })
}

fn is_refused(result: &AuthResult) -> bool {
    matches!(result, AuthResult::Failure { partial_success: false, .. })
}

#[tokio::test]
async fn keyboard_interactive_asks_for_the_password() {
    let gateway = Gateway::start().await;
    for (answer, opens) in [(PASSWORD, true), ("wrong", false)] {
        let mut session = gateway.connect().await;
        let asked = session.authenticate_keyboard_interactive_start("etat", None).await.unwrap();
        let KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = asked else { panic!("{asked:?}") };
        assert!(prompts.len() == 1 && !prompts[0].echo, "{prompts:?}");
        let told = session.authenticate_keyboard_interactive_respond(vec![answer.to_owned()]).await.unwrap();
        assert_eq!(matches!(told, KeyboardInteractiveAuthResponse::Success), opens, "{told:?}");
    }
}

#[tokio::test]
async fn a_login_that_needs_both_takes_them_in_either_order_and_neither_alone() {
    let gateway = Gateway::changed(|settings| settings.partners[0].logins[0].needs_both = true).await;
    let mut session = gateway.connect().await;
    assert!(is_half(&with_key(&mut session, "etat").await));
    assert!(is_refused(&session.authenticate_password("etat", "wrong").await.unwrap()));
    assert!(matches!(session.authenticate_password("etat", PASSWORD).await.unwrap(), AuthResult::Success));
    let mut session = gateway.connect().await;
    assert!(is_half(&session.authenticate_password("etat", PASSWORD).await.unwrap()));
    assert!(is_half(&session.authenticate_password("etat", PASSWORD).await.unwrap()), "twice the same is not both");
    assert!(matches!(with_key(&mut session, "etat").await, AuthResult::Success));
    // One user's key and another's password are not both of anybody.
    let mut session = gateway.connect().await;
    assert!(is_half(&with_key(&mut session, "etat").await));
    assert!(matches!(session.authenticate_password("annen", PASSWORD).await.unwrap(), AuthResult::Success));
    assert!(is_half(&with_key(&mut gateway.connect().await, "etat").await));
}

#[tokio::test]
async fn logins_are_taken_in_the_partners_hours() {
    let day = |shift: i64| {
        let at = Timestamp::now() + jiff::SignedDuration::from_hours(24 * shift);
        let text = at.to_zoned(TimeZone::UTC).strftime("%a").to_string().to_lowercase();
        format!("{text} 00:00-00:00").parse().unwrap()
    };
    // Two days, so that a midnight in between changes nothing.
    let (open, shut) = (vec![day(-1), day(0), day(1)], vec![day(3), day(4)]);
    let gateway = Gateway::changed(|settings| {
        settings.partners[0].hours = open;
        settings.partners[1].hours = shut;
    })
    .await;
    assert!(matches!(with_key(&mut gateway.connect().await, "etat").await, AuthResult::Success));
    assert!(is_refused(&with_key(&mut gateway.connect().await, "annen").await));
}

fn strict(settings: &mut SftpSettings) {
    settings.defence = Defence { ban_score: 3, wait: Duration::from_millis(50), ..Defence::default() };
}

#[tokio::test]
async fn guessing_waits_longer_each_time_and_ends_with_a_ban_that_the_ledger_keeps() {
    let gateway = Gateway::changed(strict).await;
    let mut session = gateway.connect().await;
    let mut waits = Vec::new();
    for user in ["etat", "nobody", "etat"] {
        let start = Instant::now();
        assert!(is_refused(&session.authenticate_password(user, "wrong").await.unwrap()));
        waits.push(start.elapsed());
    }
    assert!(waits[2] >= Duration::from_millis(100), "{waits:?}");
    let mut banned = TcpStream::connect(gateway.address).await.unwrap();
    let mut greeting = Vec::new();
    let ended = banned.read_to_end(&mut greeting).await;
    assert!(ended.is_err() || greeting.is_empty());
    let bans = gateway.ledger.bans_after(Timestamp::now()).await.unwrap();
    let address: IpAddr = "127.0.0.1".parse().unwrap();
    assert!(matches!(&bans[..], [Ban { address: banned, times: 1, .. }] if *banned == address), "{bans:?}");
    // Another address of this machine is another address.
    let mut other = connect_from("127.0.0.2", &gateway).await;
    assert!(matches!(with_key(&mut other, "etat").await, AuthResult::Success));
}

#[tokio::test]
async fn who_gives_way_while_a_login_is_worked_on_is_gone() {
    let an_hour = Duration::from_secs(3600);
    let gateway = Gateway::changed(|settings| {
        settings.limits.max_connections = 1;
        settings.defence = Defence { ban_score: 2, wait: an_hour, longest_wait: an_hour, ..Defence::default() };
    })
    .await;
    let mut guesser = connect_from("127.0.0.2", &gateway).await;
    assert!(is_refused(&guesser.authenticate_password("etat", "wrong").await.unwrap()));
    let guessing = tokio::spawn(async move { guesser.authenticate_password("etat", "wrong").await });
    // The second answer waits from here on.
    while gateway.ledger.bans_after(Timestamp::now()).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut comes = loop {
        let stream = TcpStream::connect(gateway.address).await.unwrap();
        // Refused where who gives way needs long for it.
        if let Ok(session) = client::connect_stream(Arc::default(), stream, Trusting).await {
            break session;
        }
    };
    assert!(matches!(with_key(&mut comes, "annen").await, AuthResult::Success));
    let ended = tokio::time::timeout(Duration::from_secs(60), guessing).await.expect("the guesser's line ends");
    assert!(!matches!(ended.unwrap(), Ok(AuthResult::Success)));
}

#[tokio::test]
async fn keys_that_open_nothing_are_counted_once_a_connection() {
    let strict = |settings: &mut SftpSettings| {
        settings.defence = Defence { ban_score: 3, wait: Duration::ZERO, ..Defence::default() };
    };
    let gateway = Gateway::changed(strict).await;
    for guess in 0..3 {
        let mut session = gateway.connect().await;
        for user in ["annen", "nobody", "annen"] {
            assert!(is_refused(&with_key_of(&mut session, user, "stranger").await), "{guess}");
        }
        if guess == 1 {
            // An agent may offer other keys first.
            assert!(matches!(with_key(&mut session, "etat").await, AuthResult::Success));
        }
    }
    assert!(gateway.ledger.bans_after(Timestamp::now()).await.unwrap().is_empty(), "one login was right");
    let gateway = Gateway::changed(strict).await;
    for _guess in 0..3 {
        with_key_of(&mut gateway.connect().await, "annen", "stranger").await;
    }
    let begun = Instant::now();
    while gateway.ledger.bans_after(Timestamp::now()).await.unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no ban");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_partner_that_may_be_here_no_longer_begins_nothing_more() {
    let mut partners = Vec::new();
    let gateway = Gateway::changed(|settings| {
        settings.limits.drain_time = Duration::from_secs(3600);
        partners.clone_from(&settings.partners);
    })
    .await;
    let (gone, stays) = (gateway.raw("etat").await, gateway.raw("annen").await);
    let handle = gone.open("/inbox/a.xml", OpenFlags::WRITE | OpenFlags::CREATE).await.unwrap();
    gone.sftp.write(handle, 0, b"half".to_vec()).await.unwrap();
    partners.retain(|access| access.partner.as_str() == "annen");
    gateway.doorkeeper.admit(&partners).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), gone.ssh).await;
    assert!(ended.is_ok(), "what is open must not wait for the drain time");
    gateway.paused_at("/inbox/a.xml", 4).await;
    stays.put("/inbox/b.xml", b"<b/>").await.unwrap();
}

#[tokio::test]
async fn behind_a_balancer_the_address_of_the_header_counts() {
    let gateway = Gateway::changed(|settings| {
        strict(settings);
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.partners[0].addresses = vec!["192.0.2.0/24".parse().unwrap()];
    })
    .await;
    let connect = async |from: &str| {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(format!("PROXY TCP4 {from} 192.0.2.1 4711 22\r\n").as_bytes()).await.unwrap();
        client::connect_stream(Arc::new(client::Config::default()), stream, Trusting).await
    };
    assert!(matches!(with_key(&mut connect("192.0.2.7").await.unwrap(), "etat").await, AuthResult::Success));
    let mut elsewhere = connect("198.51.100.9").await.unwrap();
    for _ in 0..3 {
        assert!(is_refused(&with_key(&mut elsewhere, "etat").await));
    }
    assert!(connect("198.51.100.9").await.is_err(), "the guesser is banned, not the balancer");
    assert!(matches!(with_key(&mut connect("192.0.2.8").await.unwrap(), "etat").await, AuthResult::Success));
    // Without a header nobody is let in past the balancer.
    let mut bare = TcpStream::connect(gateway.address).await.unwrap();
    bare.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    let mut heard = Vec::new();
    let ended = bare.read_to_end(&mut heard).await;
    assert!(ended.is_err() || heard.is_empty());
}

#[tokio::test]
async fn a_partners_bandwidth_is_kept_to() {
    let gateway = Gateway::changed(|settings| settings.partners[0].bytes_per_second = Some(1_000_000)).await;
    let client = gateway.raw("etat").await;
    let start = Instant::now();
    for number in 0..3 {
        client.put(&format!("/inbox/{number}.part"), &vec![7; 200_000]).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(590), "{:?}", start.elapsed());
}
