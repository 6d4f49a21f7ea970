//! Rows of apps, and what is kept until it is wanted.

use super::*;
use crate::model::{AppTarget, LaterSets, PrefillMode};

/// A route to apps, whose service's row has more in it, and with more behind it.
fn apps(row: &str, more: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "{MINIMAL}\n[receiver.apps]\nkind = \"altinn-app\"\nenvironment = \"tt02\"\nclient_id = \"c\"\n\
         key_file = \"maskinporten.pem\"\nkid = \"k\"\n[route.apps]\npartner = \"etat\"\nformat = \"prefill\"\n\
         receiver = \"apps\"\ninbox = \"a\"\ntest = \"b\"\n[[route.apps.service]]\ncode = \"5001\"\napp = \"ttd/a\"\n{row}\n\
         [[route.apps.service.data_type]]\nformat_id = \"1\"\ndata_type = \"model\"\n{more}\n"
    );
    parse(&text, &[])
}

fn app(row: &str, more: &str) -> AppTarget {
    let config = apps(row, more).unwrap();
    let route = config.routes.iter().find(|route| route.receiver_name == "apps").unwrap();
    route.route.services.rows[0].app.clone().unwrap()
}

#[test]
fn a_row_says_when_and_how_prefill_goes_to_its_app() {
    let plain = app("", "").prefill;
    let finish = app("drive_to = \"Task_2\"\nvalidate = true", "").finish;
    assert_eq!(
        (finish.large_attachment_bytes, finish.drive_to.as_deref(), finish.validates),
        (10_000_000, Some("Task_2"), true)
    );
    assert_eq!((plain.mode, plain.hides_early, plain.due_by_valid_to), (PrefillMode::Instantiate, false, false));
    assert_eq!((plain.later, plain.deletes_unused), (LaterSets::New, false));
    let later = app("later = \"update-or-refuse\"\nafter_valid_to = \"delete\"", "").prefill;
    assert_eq!((later.later, later.deletes_unused), (LaterSets::UpdateOrRefuse, true));
    assert_eq!(app("later = \"update\"", "").prefill.later, LaterSets::Update);
    let row = "mode = \"hold\"\nearly = \"hide\"\ndue_before = \"valid-to\"\nswapped_periods = true\n\
               field_data_type = \"model\"\nfield = [{ id = \"/x\", path = \"/S/L[n]/B\" }]";
    let moves = "move = [{ from = \"/G/A\", to = \"/S/A\" }, { from = \"/S/B\", leave_out = true }]";
    let target = app(row, moves);
    let rules = &target.prefill;
    assert_eq!((rules.mode, rules.hides_early, rules.due_by_valid_to), (PrefillMode::Hold, true, true));
    assert!(rules.swapped_periods && target.field_form().is_some());
    assert_eq!(rules.fields[0].path.to_string(), "/S/L[n]/B");
    let moves = &target.data_types[0].moves;
    assert_eq!((moves[0].from.to_string().as_str(), moves[1].to.is_none()), ("/G/A", true));
}

#[test]
fn each_fault_of_a_row_is_told() {
    for (row, more, fault) in [
        ("mode = \"later\"", "", "mode: must be"),
        ("early = \"x\"", "", "early: must be"),
        ("due_before = \"x\"", "", "due_before: must be"),
        ("later = \"x\"", "", "later: must be"),
        ("after_valid_to = \"x\"", "", "after_valid_to: must be"),
        ("mode = \"hold\"\nlater = \"update\"", "", "later: is for"),
        ("mode = \"hold\"\nafter_valid_to = \"delete\"", "", "after_valid_to: is for"),
        ("field_data_type = \"x\"", "", "field_data_type: there is no"),
        ("field = [{ id = \"x\", path = \"S/N\" }]", "", "path: "),
        ("field = [{ path = \"/S/N\" }]", "", "id: is missing"),
        ("validate = true", "", "validate: says when"),
        ("", "move = [{ from = \"/S/A\" }]", "to: is missing"),
        ("", "move = [{ to = \"/S/A\" }]", "from: is missing"),
    ] {
        let faults = apps(row, more).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{row} {more}: {faults:?}");
    }
}

#[test]
fn apps_ask_at_an_address_and_with_a_token() {
    let config = parse(&format!("{MINIMAL}[prefill]\nat = \"05:30\"\n"), &[]).unwrap();
    assert_eq!((config.prefill.at_minute, config.prefill.service.is_none()), (330, true));
    assert_eq!(parse(MINIMAL, &[]).unwrap().prefill.at_minute, 360);
    let listen = "[prefill]\nlisten = \"127.0.0.1:9480\"\ntoken_file = \"prefill.token\"\n";
    assert!(apps("mode = \"serve\"", listen).unwrap().prefill.service.is_some());
    let open = listen.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(apps("mode = \"serve\"", &open).unwrap().warnings.len(), 1);
    for (row, more, fault) in [
        ("mode = \"serve\"", "", "prefill.listen: is missing"),
        ("", "[prefill]\nat = \"24:00\"\n", "prefill.at: must be"),
        ("", "[prefill]\nat = \"6:00\"\n", "prefill.at: must be"),
        ("", "[prefill]\nlisten = \"127.0.0.1:9480\"\n", "prefill.token_file: is missing"),
        (
            "",
            "[prefill]\nlisten = \"127.0.0.1:9480\"\ntoken_file = \"fagsystem.token\"\n",
            "prefill.token_file: must hold",
        ),
    ] {
        let faults = apps(row, more).unwrap_err();
        assert!(matches!(&faults[..], [only] if only.contains(fault)), "{row} {more}: {faults:?}");
    }
}
