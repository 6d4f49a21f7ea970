//! Routes with several receivers.

use super::*;

/// A route to several receivers, one of them of Altinn 3.
fn several(route: &str, more: &str) -> Result<Config, Vec<String>> {
    let altinn = |name: &str| {
        format!(
            "[receiver.{name}]\nkind = \"altinn-app\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
             key_file = \"maskinporten.pem\"\nkid = \"k\"\n"
        )
    };
    let text = MINIMAL.replace("receiver = \"files\"", route);
    let text = format!(
        "{text}\n{more}\n{}{}[receiver.copy]\nkind = \"directory\"\npath = \"copy\"\n",
        altinn("apps"),
        altinn("tt02")
    );
    parse(&text, &[])
}

#[test]
fn a_route_may_lead_to_several_receivers() {
    let names = |config: &Config| config.routes[0].leads().map(|(name, ..)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&parse(MINIMAL, &[]).unwrap()), ["files"]);
    let config = several("receivers = [\"files\", \"copy\"]", "").unwrap();
    assert_eq!(names(&config), ["files", "copy"]);
    assert!(config.routes[0].route.services.any);
    let row = "[[route.prefill.service]]\ncode = \"5001\"\napp = \"ttd/app\"\n\
               [[route.prefill.service.data_type]]\nformat_id = \"1\"\ndata_type = \"model\"";
    let config = several("receivers = [\"copy\", \"apps\"]", row).unwrap();
    assert_eq!(names(&config), ["apps", "copy"], "what is kept and followed is the first one's");
    assert!(config.routes[0].route.services.rows[0].app.is_some());
}

#[test]
fn what_several_receivers_cannot_be_is_told() {
    for (route, told) in [
        ("receiver = \"files\"\nreceivers = [\"copy\"]", "stands beside receiver"),
        ("receivers = []", "names none"),
        ("receivers = [\"copy\", \"files\", \"copy\"]", "names copy twice"),
        ("receivers = [\"files\", \"lost\"]", "there is no [receiver.lost]"),
        ("receivers = \"files\"", "a list of texts"),
        ("", "route.prefill.receiver: is missing"),
    ] {
        let faults = several(route, "").unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{route}: {faults:?}");
    }
    let row = "[[route.prefill.service]]\ncode = \"5001\"\napp = \"ttd/app\"\n\
               [[route.prefill.service.data_type]]\nformat_id = \"1\"\ndata_type = \"model\"";
    let faults = several("receivers = [\"apps\", \"tt02\"]", row).unwrap_err();
    assert!(faults.len() == 1 && faults[0].contains("only one of them may be of Altinn 3"), "{faults:?}");
    let broker = MINIMAL.replace("\"prefill\"\nreceiver = \"files\"", "\"broker\"\nreceivers = [\"files\", \"copy\"]")
        + "[receiver.copy]\nkind = \"directory\"\npath = \"copy\"\ntake = \"batches\"\n";
    let faults = parse(&broker, &[]).unwrap_err();
    assert!(faults.len() == 1 && faults[0].contains("route.prefill.receivers: takes batches"), "{faults:?}");
}
