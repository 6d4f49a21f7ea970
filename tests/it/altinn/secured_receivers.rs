//! HTTP receivers that want to know who sends: headers, signatures, tokens of their own, certificates.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::post;
use sluse::adapters::receiver::{Credential, HttpSettings, OauthSettings, Trust};
use sluse::codes;
use sluse::ports::{DeliveryError, Receiver};
use tempfile::TempDir;

use super::other_receivers::{receiver, settings};
use super::setup::item;
use crate::needs;
use crate::support::http_receiver::{Inbox, serve};

#[tokio::test]
async fn headers_carry_what_the_receiver_asked_for_and_a_signature_of_the_body() {
    let inbox = Inbox::default();
    let base_url = serve(inbox.clone()).await;
    let headers = ["X-Environment: prod", "X-Ref: {shipment_reference}/{senders_reference}"];
    let headers = headers.iter().map(|line| line.parse().unwrap()).collect();
    let signing_secret = Some("a shared secret".into());
    let receiver = receiver(HttpSettings { headers, signing_secret, ..settings(&base_url) });
    let item = item(4);
    receiver.deliver(&item).await.unwrap();
    let taken = inbox.taken.lock().unwrap();
    let (headers, body) = &taken[&item.key.to_string()];
    assert_eq!(headers["x-environment"], "prod");
    assert_eq!(headers["x-ref"], format!("SHIP-1/{}", item.senders_reference));
    let signature = headers["x-sluse-signature"].to_str().unwrap();
    let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a shared secret");
    let signed = [format!("{time}.{}.", item.key).as_bytes(), body].concat();
    let mac: Vec<u8> = (0..mac.len()).step_by(2).map(|at| u8::from_str_radix(&mac[at..at + 2], 16).unwrap()).collect();
    hmac::verify(&key, &signed, &mac).unwrap();
    hmac::verify(&key, &[&signed, &b"x"[..]].concat(), &mac).unwrap_err();
}

/// A receiver with an authorization server: the token in force is the number of those given.
#[derive(Default)]
struct Authority {
    given: AtomicU64,
    accepted: AtomicU64,
    expires_in: AtomicU64,
    /// It accepts no token.
    is_blind: AtomicBool,
}

async fn authority(authority: Arc<Authority>) -> String {
    let (gives, takes) = (Arc::clone(&authority), authority);
    let token = post(async move |headers: HeaderMap, body: String| {
        assert_eq!(body, "grant_type=client_credentials&scope=items%3Awrite");
        // gateway:p%3Ass
        if headers["authorization"] != "Basic Z2F0ZXdheTpwJTNBc3M=" {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let number = gives.given.fetch_add(1, Ordering::SeqCst) + 1;
        gives.accepted.store(number, Ordering::SeqCst);
        let expires_in = gives.expires_in.load(Ordering::SeqCst);
        axum::Json(serde_json::json!({"access_token": format!("T{number}"), "expires_in": expires_in})).into_response()
    });
    let items = post(async move |headers: HeaderMap| {
        let right = format!("Bearer T{}", takes.accepted.load(Ordering::SeqCst));
        if headers["authorization"] == right && !takes.is_blind.load(Ordering::SeqCst) {
            StatusCode::CREATED
        } else {
            StatusCode::UNAUTHORIZED
        }
    });
    let router = axum::Router::new().route("/token", token).route("/items", items);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base_url
}

fn with_token(base_url: &str, secret: &str) -> HttpSettings {
    let oauth = OauthSettings {
        token_url: format!("{base_url}/token"),
        client_id: "gateway".into(),
        client_secret: secret.into(),
        scope: Some("items:write".into()),
    };
    HttpSettings { credential: Some(Credential::Oauth(oauth)), status_url: None, ..settings(base_url) }
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_anew_when_it_ends_or_is_revoked() {
    let authority_state = Arc::new(Authority::default());
    authority_state.expires_in.store(3_600, Ordering::SeqCst);
    let base_url = authority(Arc::clone(&authority_state)).await;
    let given = || authority_state.given.load(Ordering::SeqCst);
    let receiver = receiver(with_token(&base_url, "p:ss"));
    let (first, second) = (item(1), item(2));
    let (one, other) = tokio::join!(receiver.deliver(&first), receiver.deliver(&second));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(given(), 1, "whoever finds none waits for it");
    // Revoked: nothing happened, and the next attempt brings a new one.
    authority_state.accepted.store(99, Ordering::SeqCst);
    let error = receiver.deliver(&item(3)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Later { code: codes::TOKEN_REFUSED, .. }), "{error:?}");
    receiver.deliver(&item(3)).await.unwrap();
    assert_eq!(given(), 2);
    // A new one that is not accepted either is a matter of rights.
    authority_state.is_blind.store(true, Ordering::SeqCst);
    let errors = [receiver.deliver(&item(3)).await.unwrap_err(), receiver.deliver(&item(3)).await.unwrap_err()];
    assert!(matches!(errors[0], DeliveryError::Later { .. }), "{errors:?}");
    assert!(matches!(errors[1], DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }), "{errors:?}");
    authority_state.is_blind.store(false, Ordering::SeqCst);
    receiver.deliver(&item(3)).await.unwrap();
    let before = given();
    // One that ends at once is asked for each time.
    authority_state.expires_in.store(0, Ordering::SeqCst);
    authority_state.accepted.store(99, Ordering::SeqCst);
    receiver.deliver(&item(4)).await.unwrap_err();
    receiver.deliver(&item(4)).await.unwrap();
    receiver.deliver(&item(5)).await.unwrap();
    assert_eq!(given(), before + 2);
}

#[tokio::test]
async fn a_refused_client_is_the_operators_matter() {
    let base_url = authority(Arc::default()).await;
    let settings = with_token(&base_url, "wrong-7c1d");
    assert!(!format!("{settings:?}").contains("7c1d"));
    let error = receiver(settings).deliver(&item(1)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Credentials { code: codes::TOKEN_REFUSED }), "{error:?}");
}

/// OpenSSL's server, which asks for a certificate of the authority in the folder and answers every POST.
struct TlsServer {
    child: Child,
    port: u16,
}

impl TlsServer {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-verify_return_error", "-Verify", "1", "-accept", "127.0.0.1:0"])
            .args(["-cert", "server.pem", "-key", "server.key", "-CAfile", "ca.pem"])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        let port = loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it listens");
            if let Some((_, port)) = line.trim().rsplit_once(':').filter(|_| line.starts_with("ACCEPT ")) {
                break port.parse().unwrap();
            }
        };
        std::thread::spawn(move || Self::answer(stdin, stdout));
        Self { child, port }
    }

    fn answer(mut stdin: ChildStdin, mut stdout: impl std::io::BufRead) {
        let mut line = String::new();
        while stdout.read_line(&mut line).is_ok_and(|count| count > 0) {
            if line.starts_with("POST ") {
                stdin.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            }
            line.clear();
        }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority, and certificates of it for a server and a client.
fn certificates() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN=sluse test {name}"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-keyout", &key, "-out", &pem, "-subj", &subject])
            .args(more)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let leaf = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
    make("ca", &[]);
    make("server", &[&leaf[..], &["-addext", "subjectAltName=IP:127.0.0.1"]].concat());
    make("client", &leaf);
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_a_certificate_gets_ours_and_only_its_own_authority_is_trusted() {
    if !needs::has("openssl") {
        return;
    }
    let dir = certificates();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let deliver = async |identity: Option<String>, authorities: Option<String>| {
        // It serves one connection after the other: each has a server of its own.
        let server = TlsServer::start(dir.path());
        let trust = Trust { identity: identity.map(Into::into), authorities };
        let base_url = format!("https://127.0.0.1:{}", server.port);
        receiver(HttpSettings { trust, status_url: None, ..settings(&base_url) }).deliver(&item(1)).await
    };
    let ours = read("client.pem") + &read("client.key");
    deliver(Some(ours.clone()), Some(read("ca.pem"))).await.unwrap();
    deliver(None, Some(read("ca.pem"))).await.unwrap_err();
    let error = deliver(Some(ours), None).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Later { code: codes::UNREACHABLE, .. }), "{error:?}");
}
