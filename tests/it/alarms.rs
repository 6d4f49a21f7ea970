//! Alarms told by e-mail and webhook, over real connections on loopback.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use sluse::adapters::alarm::{EmailChannel, EmailSettings, MailTls, WebhookChannel, WebhookSettings};
use sluse::adapters::receiver::{Credential, Waits};
use sluse::model::Alarm;
use sluse::ports::{Channel, Notice};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

fn notice(is_over: bool) -> Notice {
    Notice {
        id: 7,
        channel: "watch".to_owned(),
        subject: "expected/nightly".to_owned(),
        alarm: Alarm {
            level: "late".to_owned(),
            due: "2026-11-27T22:00:00Z".parse().unwrap(),
            text: "no file of partner etat by 2026-11-27 23:00 CET".to_owned(),
        },
        is_over,
        at: "2026-11-27T22:00:03Z".parse().unwrap(),
        attempts: 0,
    }
}

/// A mail server: what it was written, line by line. It refuses recipients that begin with `x`, and the first time those with
/// `grey`.
#[derive(Clone, Default)]
struct Mail(Arc<Mutex<Vec<String>>>);

impl Mail {
    async fn serve(&self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mail = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mail.clone().talk(stream));
            }
        });
        port
    }

    async fn talk(self, stream: TcpStream) -> Option<()> {
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"220 mail ready\r\n").await.ok()?;
        let mut in_data = false;
        while let Some(line) = lines.next_line().await.ok()? {
            self.0.lock().unwrap().push(line.clone());
            let answer = match line.get(..4) {
                _ if in_data && line != "." => continue,
                Some("DATA") => "354 go on",
                Some("RCPT") if line.contains("<x") => "550 no such mailbox: somebody@example.no",
                Some("RCPT") if line.contains("<grey") && self.times(&line) == 1 => "451 come again",
                Some("QUIT") => "221 bye",
                _ => "250 fine",
            };
            in_data = line == "DATA";
            writing.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        Some(())
    }

    fn times(&self, line: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|said| *said == line).count()
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn email(port: u16, to: &[&str]) -> EmailChannel {
    let settings = EmailSettings {
        server: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        login: None,
        from: "sluse@example.no".to_owned(),
        to: to.iter().map(|to| (*to).to_owned()).collect(),
    };
    EmailChannel::new(settings).unwrap()
}

#[tokio::test]
async fn a_mail_says_what_is_wrong_and_when_it_is_over() {
    let mail = Mail::default();
    let channel = email(mail.serve().await, &["Drift <drift@example.no>", "vakt@example.no"]);
    channel.send(&notice(false)).await.unwrap();
    channel.send(&notice(true)).await.unwrap();
    let lines = mail.lines();
    let has = |wanted: &str| lines.iter().filter(|line| line.contains(wanted)).count();
    assert_eq!(has("RCPT TO:<drift@example.no>") + has("RCPT TO:<vakt@example.no>"), 4, "{lines:#?}");
    assert_eq!(has("Subject: [sluse] late: expected/nightly"), 2, "{lines:#?}");
    assert_eq!(has("Subject: [sluse] over: expected/nightly"), 2, "{lines:#?}");
    assert_eq!(has("Message-ID: <sluse-7-1795816803000@example.no>"), 4, "{lines:#?}");
    assert_eq!(has("no file of partner etat by 2026-11-27 23:00 CET."), 4, "{lines:#?}");
}

#[tokio::test]
async fn a_mail_server_s_words_are_not_repeated() {
    let port = Mail::default().serve().await;
    let refused = email(port, &["x@example.no"]).send(&notice(false)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the mail server answered 550");
    let both = email(port, &["x@example.no", "xx@example.no"]).send(&notice(false)).await.unwrap_err();
    assert_eq!(both.to_string(), "the mail server answered 550");
    // Nobody listens there, and no other test gets the port meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let gone =
        email(closed.local_addr().unwrap().port(), &["drift@example.no"]).send(&notice(false)).await.unwrap_err();
    assert_eq!(gone.to_string(), "the mail server cannot be reached");
}

#[tokio::test]
async fn a_mailbox_that_is_gone_keeps_no_mail_from_the_others() {
    let mail = Mail::default();
    let port = mail.serve().await;
    let channel = email(port, &["drift@example.no", "x@example.no", "vakt@example.no"]);
    channel.send(&notice(false)).await.unwrap();
    let lines = mail.lines();
    let has = |wanted: &str| lines.iter().filter(|line| line.contains(wanted)).count();
    assert_eq!(has("RCPT TO:<drift@example.no>") + has("RCPT TO:<vakt@example.no>"), 2, "{lines:#?}");
    assert_eq!((has("DATA"), has("Message-ID: <sluse-7-1795816803000@example.no>")), (2, 2), "{lines:#?}");
}

#[tokio::test]
async fn who_is_to_be_asked_again_is_told_later_and_nobody_twice() {
    let mail = Mail::default();
    let port = mail.serve().await;
    let channel = email(port, &["drift@example.no", "grey@example.no", "x@example.no", "vakt@example.no"]);
    let trouble = channel.send(&notice(false)).await.unwrap_err();
    assert_eq!(trouble.to_string(), "the mail server answered 451");
    channel.send(&notice(false)).await.unwrap();
    let times = |to: &str| mail.times(&format!("RCPT TO:<{to}@example.no>"));
    assert_eq!([times("drift"), times("grey"), times("vakt")], [1, 2, 1]);
    assert_eq!(mail.times("DATA"), 3);
}

/// What a webhook was sent, and what it answers.
type Hooked = Arc<Mutex<(Vec<(HeaderMap, String)>, StatusCode)>>;

async fn take(State(hooked): State<Hooked>, headers: HeaderMap, body: String) -> StatusCode {
    let mut hooked = hooked.lock().unwrap();
    hooked.0.push((headers, body));
    hooked.1
}

#[tokio::test]
async fn a_webhook_gets_the_alarm_as_json_under_one_key() {
    let hooked: Hooked = Arc::new(Mutex::new((Vec::new(), StatusCode::NO_CONTENT)));
    let router = axum::Router::new().route("/alarm", post(take)).with_state(Arc::clone(&hooked));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/alarm", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let waits = Waits { connect_ms: 5_000, answer_ms: 100_000 };
    let credential = Some(Credential::Bearer("secret".into()));
    let channel = WebhookChannel::new(WebhookSettings { url, credential, waits }).unwrap();
    assert!(channel.longest().as_millis() > 105_000, "its own waits end first");
    channel.send(&notice(false)).await.unwrap();
    hooked.lock().unwrap().1 = StatusCode::SERVICE_UNAVAILABLE;
    let error = channel.send(&notice(true)).await.unwrap_err();
    assert_eq!(error.to_string(), "the webhook answered 503");
    let (sent, _) = &*hooked.lock().unwrap();
    assert_eq!(sent[0].0["authorization"], "Bearer secret");
    assert_eq!(sent[0].0["idempotency-key"], "7-1795816803000");
    let body: serde_json::Value = serde_json::from_str(&sent[0].1).unwrap();
    let expected = serde_json::json!({
        "id": "7-1795816803000", "subject": "expected/nightly", "state": "raised", "level": "late",
        "due": "2026-11-27T22:00:00Z", "at": "2026-11-27T22:00:03Z",
        "text": "no file of partner etat by 2026-11-27 23:00 CET",
    });
    assert_eq!(body, expected);
    assert!(sent[1].1.contains("\"over\""));
}
