//! What is kept, through the real binary: subscriptions that come round, and apps that ask.

use std::process::Command;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::support::gateway::{Home, PATIENCE, Settings, free_port, simulator};
use crate::support::receipts::Receipts;

/// A token as long as it must be.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const REPORTEE: &str = "910000004";

fn home_settings(port: u16) -> Settings {
    let more = format!(
        r#"
[prefill]
at = "00:00"
listen = "127.0.0.1:{port}"
token_file = "app.token"
[route.kept]
partner = "etat"
format = "prefill"
receiver = "altinn"
inbox = "kept"
test = "kept-test"
[[route.kept.service]]
code = "H"
app = "ttd/holdt"
mode = "hold"
field_data_type = "model"
[[route.kept.service.field]]
id = "navn"
path = "/S/Navn"
[[route.kept.service.data_type]]
format_id = "5"
data_type = "model"
[[route.kept.service]]
code = "A"
app = "ttd/spurt"
mode = "serve"
[[route.kept.service.field]]
id = "navn"
path = "/S/Navn"
[[route.kept.service.data_type]]
format_id = "5"
data_type = "model"
[[route.kept.service.data_type.move]]
from = "/Gml/A"
to = "/S/B"
"#
    );
    Settings { more, log_filter: "trace", ..Settings::default() }
}

/// A set of each service, a field, and a subscription that comes round now and in a month.
fn batch() -> String {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap()).date();
    let (first, last) = (today - 30.days(), today + 30.days());
    let set = |service: &str, reference: &str, form: &str| {
        format!(
            "<FormTask><ExternalServiceCode>{service}</ExternalServiceCode>\
             <ExternalServiceEditionCode>1</ExternalServiceEditionCode><ValidFrom>{first}</ValidFrom>\
             <ValidTo>{last}</ValidTo><SendersReference>{reference}</SendersReference><Form>\
             <DataFormatId>5</DataFormatId><DataFormatVersion>1</DataFormatVersion>\
             <SendersReference>{reference}-F</SendersReference><FormData><![CDATA[{form}]]></FormData></Form></FormTask>"
        )
    };
    format!(
        "<ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>\
         <ServiceOwnerName>TTD</ServiceOwnerName><Subscription><ExternalShipmentReference>sub</ExternalShipmentReference>\
         <Reportee><Id>{REPORTEE}</Id><FormTask><ExternalServiceCode>H</ExternalServiceCode><StartDate>{first}</StartDate>\
         <NextScheduledDate>{today}</NextScheduledDate><NextDueDate>{last}</NextDueDate><PeriodType>Monthly</PeriodType>\
         </FormTask></Reportee></Subscription><Prefill><ExternalShipmentReference>pre</ExternalShipmentReference>\
         <Reportee><Id>{REPORTEE}</Id>{}{}<Field><Id>navn</Id><ValidFrom>{first}</ValidFrom><ValidTo>{last}</ValidTo>\
         <Value>HEMMELIGNAVN</Value></Field></Reportee></Prefill></ServiceOwner>",
        set("H", "S-held", "<S/>"),
        set("A", "S-asked", "<Gml><A>1</A></Gml>"),
    )
}

async fn ask(port: u16, app: &str, token: &str, question: &Value) -> (u16, Value) {
    let url = format!("http://127.0.0.1:{port}/v1/apps/{app}/prefill");
    let answer = reqwest::Client::new().post(url).bearer_auth(token).body(question.to_string());
    let answer = answer.header("content-type", "application/json").send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_come_round_and_apps_are_given_what_they_ask_for() {
    let port = free_port();
    let home = Home::with(simulator().await, &home_settings(port));
    std::fs::write(home.path("app.token"), TOKEN).unwrap();
    let _gateway = home.start(None);
    let client = home.connect().await.unwrap();
    client.put("/kept/a.xml", &mut batch().as_bytes()).await.unwrap();
    Receipts::wait(&home, &["a.xml".to_owned()]).await.assert_one_final_each();
    let begun = std::time::Instant::now();
    while home.simulator.instances().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{}", home.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let instance = home.simulator.instances().remove(0);
    assert_eq!((instance.app_id.as_str(), instance.data_values["SendersReference"].as_str()), ("ttd/holdt", "S-held"));
    assert!(instance.due_before.is_some() && instance.parts[0].name == "model");
    let filled = "<S><Navn>HEMMELIGNAVN</Navn></S>";
    assert_eq!(instance.parts[0].size_bytes, filled.len() as u64);

    let question = json!({"reportee": REPORTEE});
    let (status, answer) = ask(port, "ttd/spurt", TOKEN, &question).await;
    assert_eq!(status, 200);
    assert_eq!(answer["sets"][0]["sendersReference"], "S-asked");
    assert_eq!(answer["sets"][0]["forms"][0]["xml"], "<S><B>1</B><Navn>HEMMELIGNAVN</Navn></S>");
    assert_eq!(ask(port, "ttd/spurt", TOKEN, &json!({"reportee": "910000012"})).await, (200, json!({"sets": []})));
    assert_eq!(ask(port, "ttd/spurt", "0123456789abcdef0123456789abcdeg", &question).await.0, 401);
    assert_eq!(ask(port, "ttd/holdt", TOKEN, &question).await.0, 404);
    assert_eq!(ask(port, "ttd/spurt", TOKEN, &json!({"reportee": "91"})).await.0, 400);
    assert_eq!(ask(port, "ttd/spurt", TOKEN, &json!({"number": REPORTEE})).await.0, 400);

    let mut list = Command::new(env!("CARGO_BIN_EXE_sluse"));
    let list = list.args(["subscription", "list", "--json", "--config", "sluse.toml"]).current_dir(home.path("."));
    let output = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let listed: Value = serde_json::from_str(output.trim()).unwrap();
    assert_eq!(
        (&listed["period"], &listed["stand"], &listed["form_set"]),
        (&json!("Monthly"), &json!("in force"), &json!(true))
    );
    assert_eq!((listed["next"].as_array().unwrap().len(), &listed["last_outcome"]), (3, &json!("done")));
    for text in [output, home.log()] {
        assert!(!text.contains(REPORTEE) && !text.contains("HEMMELIGNAVN"), "{text}");
    }
}
