//! Receivers, and what rows of routes say of them.

use super::*;

#[test]
fn a_receiver_may_take_batches() {
    let with = |more: &str| MINIMAL.replace("path = \"out\"", &format!("path = \"out\"\n{more}"));
    let limits = |more: &str| parse(&with(more), &[]).unwrap().routes[0].receiver.batches();
    assert_eq!(limits(""), None);
    assert_eq!(limits("take = \"items\""), None);
    assert_eq!(limits("take = \"batches\""), Some(BatchLimits { items: 100, bytes: 30_000_000 }));
    let small = "take = \"batches\"\nbatch_items = 7\nbatch_bytes = 8";
    assert_eq!(limits(small), Some(BatchLimits { items: 7, bytes: 8 }));
    for (more, place) in [
        ("take = \"all\"", "receiver.files.take"),
        ("batch_items = 7", "receiver.files.take"),
        ("take = \"batches\"\nbatch_items = 0", "receiver.files.batch_items"),
        ("take = \"batches\"\nbatch_items = 10_001", "receiver.files.batch_items"),
    ] {
        let faults = parse(&with(more), &[]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(place), "{more}: {faults:?}");
    }
    let archives = with("take = \"batches\"").replace("\"prefill\"", "\"broker\"");
    let faults = parse(&archives, &[]).unwrap_err();
    assert!(faults.len() == 1 && faults[0].contains("take = \"items\""), "{faults:?}");
}

#[test]
fn a_receiver_has_time_to_settle() {
    let directory = "kind = \"directory\"\npath = \"out\"";
    let with = |settle_ms: u64, url: &str| {
        let text = MINIMAL.replace(directory, &format!("kind = \"http\"\nurl = \"{url}\"\ntimeout_ms = 5_000"));
        parse(&format!("{text}[route.prefill.retry]\nsettle_ms = {settle_ms}"), &[])
    };
    assert!(with(0, "https://example.no").unwrap_err()[0].contains("settle_ms: must be a whole number from 1"));
    let [warning] = &with(4_999, "https://example.no").unwrap().warnings[..] else { panic!("one warning") };
    assert!(warning.contains("route.prefill.retry.settle_ms: is shorter than"), "{warning}");
    for (settle_ms, url) in [(5_000, "https://example.no"), (1, "http://127.0.0.1:8080")] {
        assert_eq!(with(settle_ms, url).unwrap().warnings, Vec::<String>::new());
    }
}

#[test]
fn an_http_service_has_one_credential_and_no_secret_travels_in_the_clear() {
    let with = |settings: &str| {
        let receiver = format!("kind = \"http\"\n{settings}");
        parse(&MINIMAL.replace("kind = \"directory\"\npath = \"out\"", &receiver), &[])
    };
    let header = "credential_header = \"X-Api-Key\"\ncredential_file = \"subscription.key\"\n";
    let config =
        with(&format!("url = \"https://a.example/\"\nstatus_url = \"https://a.example/{{key}}\"\n{header}")).unwrap();
    let ReceiverConfig::Http(http) = &config.routes[0].receiver else { panic!("an HTTP receiver") };
    assert_eq!(http.status_url.as_deref(), Some("https://a.example/{key}"));
    assert!(matches!(&http.credential, Some(HttpCredential::Header { name, .. }) if name == "X-Api-Key"));
    // Without a secret it is the operator's choice, and said.
    assert_eq!(with("url = \"http://a.example/\"").unwrap().warnings.len(), 1);
    let bearer = "bearer_token_file = \"fagsystem.token\"\n";
    for (settings, fault) in [
        (format!("url = \"http://a.example/\"\n{header}"), "line 7: receiver.files.url: must begin with https://"),
        (format!("url = \"http://a.example/\"\n{bearer}"), "line 7: receiver.files.url: must begin with https://"),
        (
            format!("url = \"https://a.example/\"\nstatus_url = \"http://a.example/{{key}}\"\n{bearer}"),
            "line 8: receiver.files.status_url: must begin with https://",
        ),
        (
            "url = \"https://a.example/\"\nstatus_url = \"https://a.example/\"".into(),
            "line 8: receiver.files.status_url: must have {key}",
        ),
        (
            format!("url = \"https://a.example/\"\n{header}{bearer}"),
            "line 8: receiver.files.credential_header: give this or",
        ),
        (
            "url = \"https://a.example/\"\ncredential_header = \"X\"".into(),
            "line 8: receiver.files.credential_header: ",
        ),
        (
            format!("url = \"https://a.example/\"\n{}", header.replace("X-Api", "X Api")),
            "line 8: receiver.files.credential_header: must be",
        ),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.starts_with(fault)), "{settings}: {faults:?}");
    }
}

#[test]
fn a_soap_service_takes_batches_and_no_password_travels_in_the_clear() {
    let with = |settings: &str| {
        let receiver = format!("kind = \"soap\"\n{settings}");
        parse(&MINIMAL.replace("kind = \"directory\"\npath = \"out\"", &receiver), &[])
    };
    let url = "url = \"https://a.example/\"\n";
    let config = with(url).unwrap();
    let ReceiverConfig::Soap(soap) = &config.routes[0].receiver else { panic!("a SOAP receiver") };
    assert_eq!((soap.version, soap.mtom, soap.user.is_none()), (SoapVersion::V11, true, true));
    assert_eq!(config.routes[0].receiver.batches(), Some(BatchLimits::DEFAULT));
    let user = "username = \"u\"\npassword_file = \"fagsystem.token\"\n";
    let config = with(&format!("{url}{user}username_in = \"header\"\nversion = \"1.2\"\nmtom = false")).unwrap();
    let ReceiverConfig::Soap(soap) = &config.routes[0].receiver else { panic!("a SOAP receiver") };
    assert_eq!((soap.version, soap.credential_place, soap.mtom), (SoapVersion::V12, CredentialPlace::Header, false));
    assert_eq!(soap.user.as_ref().map(|(name, _)| name.as_str()), Some("u"));
    for (settings, fault) in [
        (format!("url = \"http://a.example/\"\n{user}"), "url: must begin with https://"),
        (format!("{url}take = \"items\""), "take: must be"),
        (format!("{url}version = \"2\""), "version: must be"),
        (format!("{url}{user}username_in = \"cookie\""), "username_in: must be"),
        (format!("{url}username_in = \"header\""), "username_in: needs username"),
        (format!("{url}username = \"u\""), "username: username and password_file go together"),
        (format!("{url}password_file = \"fagsystem.token\""), "username: username and password_file go together"),
        (format!("{url}headers = [\"A: b\"]"), "headers: "),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{settings}: {faults:?}");
    }
}

#[test]
fn a_receiver_on_an_sftp_server_is_known_by_its_key_and_has_one_temporary_name() {
    let with = |settings: &str| {
        let directory = "kind = \"directory\"\npath = \"out\"\n";
        let text = MINIMAL.replace(directory, &format!("kind = \"sftp\"\nhost = \"h\"\nuser = \"u\"\n{settings}"));
        parse(&text, &[])
    };
    let pinned = format!("host_keys = [\"{KEY}\", \"[h]:2222 {KEY}\"]\n");
    let config = with(&format!("{pinned}key_file = \"mottak_key\"\n")).unwrap();
    let ReceiverConfig::Sftp(sftp) = &config.routes[0].receiver else { panic!("an SFTP receiver") };
    assert_eq!((sftp.peer.port, sftp.peer.host_keys.as_slice()), (22, &[KEY.to_owned(), KEY.to_owned()][..]));
    assert_eq!((sftp.path.as_str(), sftp.temporary.as_str(), sftp.replace), ("", ".{name}.part", false));
    let secret = "password_file = \"mottak.password\"\n";
    for (settings, fault) in [
        (secret.to_owned(), "needs host_keys or host_keys_file"),
        (pinned.clone(), "needs key_file or password_file"),
        (format!("host_keys = [\"ssh-ed25519 AAAA\"]\n{secret}"), "host_keys: is not a public key"),
        (format!("{pinned}{secret}certificate_file = \"mottak_key-cert.pub\"\n"), "certificate_file: needs key_file"),
        (format!("{pinned}{secret}temporary = \"{{name}}\"\n"), "temporary: must be"),
        (format!("{pinned}{secret}temporary = \"../{{name}}.part\"\n"), "temporary: must be"),
        (format!("{pinned}{secret}temporary = \"part\"\n"), "temporary: must be"),
    ] {
        let faults = with(&settings).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{settings}: {faults:?}");
    }
}

/// A route of archives to Altinn, whose row has more in it.
fn transfers(receiver: &str, format: &str, row: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{MINIMAL}\n[receiver.files3]\nkind = \"altinn-broker\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
         key_file = \"maskinporten.pem\"\nkid = \"k\"\n{receiver}\n[route.files3]\npartner = \"etat\"\n\
         format = \"{format}\"\nreceiver = \"files3\"\ninbox = \"a\"\ntest = \"b\"\n{row}\n"
    );
    parse(&text, &[])
}

#[test]
fn archives_go_to_resources_by_rows() {
    let row = |more: &str| format!("[[route.files3.service]]\ncode = \"4752\"\n{more}");
    let whole = row("resource = \"r\"");
    let config =
        transfers("part_bytes = 1_000_000\nnews = []", "broker", &row("resource = \"r\"\nsend = \"payload\"")).unwrap();
    let route = config.routes.iter().find(|route| route.receiver_name == "files3").unwrap();
    let ReceiverConfig::AltinnBroker(receiver) = &route.receiver else { panic!("a receiver of transfers") };
    assert_eq!((receiver.resumable_above_bytes, receiver.part_bytes), (50_000_000, 1_000_000));
    assert_eq!((receiver.news.events.len(), receiver.news.days), (0, 60));
    assert!(receiver.altinn.maskinporten.scope.contains("altinn:broker.write"));
    let target = route.route.services.rows[0].transfer.as_ref().unwrap();
    assert_eq!((target.content, target.is_scanned), (crate::model::TransferContent::Payload, true));
    for (receiver, format, row, fault) in [
        ("", "broker", row(""), "resource: is missing"),
        ("", "broker", row("resource = \"a/b\""), "resource: must be a resource's id"),
        ("", "broker", row("resource = \"r\"\nsend = \"all\""), "send: must be \"archive\" or \"payload\""),
        ("", "broker", row("resource = \"r\"\napp = \"a/b\""), "app: is not a setting"),
        ("", "broker", String::new(), "service: is missing"),
        ("", "prefill", whole.clone(), "takes the format broker only"),
        ("news = [\"read\"]", "broker", whole.clone(), "news: must be some of"),
        ("part_bytes = 1", "broker", whole, "part_bytes: must be"),
        ("take = \"batches\"", "broker", row("resource = \"r\""), "take: is not a setting"),
    ] {
        let faults = transfers(receiver, format, &row).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{receiver} {row}: {faults:?}");
    }
}

/// A route of messages, whose row has more in it.
fn messages(receiver: &str, row: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{MINIMAL}\n[receiver.messages]\nkind = \"altinn-correspondence\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
         key_file = \"maskinporten.pem\"\nkid = \"k\"\n{receiver}\n[route.messages]\npartner = \"etat\"\n\
         format = \"altut\"\nreceiver = \"messages\"\ninbox = \"a\"\ntest = \"b\"\n[[route.messages.service]]\n\
         code = \"5001\"\n{row}\n"
    );
    parse(&text, &[])
}

#[test]
fn messages_go_to_resources_by_rows() {
    let config = messages("news = [\"read\"]\nnews_days = 7", "resource = \"eta-brev\"").unwrap();
    let route = config.routes.iter().find(|route| route.receiver_name == "messages").unwrap();
    let ReceiverConfig::AltinnMessages(receiver) = &route.receiver else { panic!("a receiver of messages") };
    let news = &receiver.news;
    assert_eq!((news.events.len(), news.days, news.first_wait_ms), (1, 7, 60_000));
    assert!(receiver.altinn.maskinporten.scope.contains("altinn:correspondence.write"));
    assert_eq!(route.route.services.rows[0].message.as_ref().unwrap().resource, "eta-brev");
    for (receiver, row, fault) in [
        ("", "", "resource: is missing"),
        ("", "resource = \"eta/brev\"", "resource: must be a resource's id"),
        ("", "resource = \"r\"\nother_attachments = \"drop\"", "other_attachments: must be \"zip\" or \"refuse\""),
        ("", "resource = \"r\"\napp = \"a/b\"", "app: is not a setting"),
        ("", "resource = \"r\"\n[[route.messages.service.notification]]\ntype = \"N\"", "needs an email_file"),
        (
            "",
            "resource = \"r\"\n[[route.messages.service.notification]]\ntype = \"N\"\nemail_file = \"closed.txt\"",
            "email_subject and email_file go together",
        ),
        (
            "",
            "resource = \"r\"\n[[route.messages.service.reply]]\ncode = \"1\"\nurl = \"http://a.example\"",
            "url: must begin with https://",
        ),
        ("", "resource = \"r\"\nnotification_orders = true", "needs altinn:serviceowner/notifications.create"),
        ("news = [\"lost\"]", "resource = \"r\"", "news: must be some of"),
        ("news_max_wait_ms = 100", "resource = \"r\"", "news_max_wait_ms: is shorter"),
    ] {
        let faults = messages(receiver, row).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{receiver} {row}: {faults:?}");
    }
}

#[test]
fn an_http_receiver_has_one_way_to_be_known_and_headers_that_can_be_sent() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["etat.pub", "secret", "client.pem"] {
        std::fs::write(dir.path().join(name), if name == "etat.pub" { KEY } else { "word" }).unwrap();
    }
    let http = "kind = \"http\"\nurl = \"https://a.example/x\"\n";
    let read = |more: &str| {
        let text = format!("{MINIMAL}\n[receiver.service]\n{http}{more}");
        super::Config::parse(&text, dir.path(), []).map_err(|error| error.to_string())
    };
    let oauth = "[receiver.service.oauth]\ntoken_url = \"https://id.example/t\"\nclient_id = \"a\"\n\
                 client_secret_file = \"secret\"";
    read(&format!("headers = [\"X-A: {{key}}\"]\nsigning_secret_file = \"secret\"\n{oauth}")).unwrap();
    let table = [
        ("headers = [\"X-A: {keys}\"]", "receiver.service.headers: `X-A: {keys}` is no header"),
        ("client_certificate_file = \"client.pem\"", "must hold a certificate and its private key"),
        ("ca_file = \"client.pem\"", "receiver.service.ca_file: does not hold certificates"),
        (
            "[receiver.service.oauth]\ntoken_url = \"https://id.example/t\"",
            "receiver.service.oauth.client_id: is missing",
        ),
        (
            &format!("bearer_token_file = \"secret\"\n{oauth}"),
            "receiver.service.oauth: give this or a fixed credential",
        ),
        (&oauth.replace("https", "http"), "receiver.service.oauth.token_url: must begin with https://"),
    ];
    for (more, fault) in table {
        let told = read(more).unwrap_err();
        assert!(told.contains(fault), "{more}: {told}");
    }
}
