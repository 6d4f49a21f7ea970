//! Makes every call to the platform that the adapters know, at the simulator.

use std::sync::Arc;

use sluse::adapters::altinn::{AltinnSettings, AppReceiver};
use sluse::model::FinishRules;
use sluse::ports::{Consignment, Content, ContentPart, Message, PartMeta, Receiver as _, SystemClock};
use sluse::simulator::{Call, Fault, FaultPlan, SimulatedApp, Simulator};

use super::contract::full;
use super::letters::{file, letter, message, post_office, postman, target};
use super::notices::{notification, ordering};
use super::openapi::Taken;
use super::setup::{always, attachment, form, item, once, services, settings};
use super::transfers::{archive, courier};

/// The app whose description names its data types.
const APP: (&str, &str) = ("tdd", "contributer-restriction");

/// Makes every call there is.
pub(super) async fn rehearsal() -> Vec<Taken> {
    let simulator = post_office(|options| {
        let app = |data_types: &[&str]| SimulatedApp {
            org: APP.0.into(),
            app: APP.1.into(),
            data_types: data_types.iter().map(|id| (*id).into()).collect(),
            party_types: Vec::new(),
        };
        options.apps = vec![app(&["default", "customElement"])];
    })
    .await;
    instances(&simulator).await;
    messages(&simulator).await;
    transfers(&simulator).await;
    simulator.calls().iter().map(Taken::of).collect()
}

fn app_receiver(simulator: &Simulator, drive_to: Option<&str>) -> AppReceiver {
    let mut services = services();
    let app = services.rows[0].app.as_mut().unwrap();
    (app.org, app.app) = (APP.0.into(), APP.1.into());
    "default".clone_into(&mut app.data_types[0].data_type);
    app.attachment_type = Some("customElement".into());
    app.finish = FinishRules { large_attachment_bytes: 100, drive_to: drive_to.map(Into::into), validates: true };
    let mut settings: AltinnSettings = settings(simulator.base_url());
    settings.maskinporten.well_known_url =
        Some(format!("{}/.well-known/oauth-authorization-server", simulator.base_url()));
    AppReceiver::new(settings, services, Arc::new(SystemClock)).unwrap()
}

async fn instances(simulator: &Simulator) {
    let heavy = |number| {
        let large = attachment("a.bin", Content::from_bytes(vec![7; 1_000]));
        let small = attachment("b.bin", Content::from_bytes("vedlegg"));
        let unnamed = |mut part: ContentPart, most_bytes| {
            part.most_bytes = most_bytes;
            if let PartMeta::Attachment { attachment_type, .. } = &mut part.meta {
                "binary_octet_stream".clone_into(attachment_type);
            }
            part
        };
        Consignment {
            parts: vec![form("5", "<Skjema/>"), unnamed(large, 1_000), unnamed(small, 7)],
            identifying_fields: vec!["2027".into()],
            ..item(number)
        }
    };
    let here = app_receiver(simulator, Some("end"));
    here.deliver(&heavy(1)).await.unwrap();
    simulator.set_faults(once(Call::Instantiate, Fault::NoBody));
    here.deliver(&heavy(2)).await.unwrap();
    simulator.set_faults(once(Call::Instantiate, Fault::ResetAfter));
    here.deliver(&heavy(3)).await.unwrap_err();
    here.look_up(&heavy(3)).await.unwrap().unwrap();
    simulator.set_faults(once(Call::Instantiate, Fault::UnknownParty));
    here.deliver(&heavy(4)).await.unwrap_err();
    simulator.set_faults(always(Call::Data, Fault::BadRequest));
    here.deliver(&heavy(5)).await.unwrap_err();
    simulator.set_faults(FaultPlan::default());
    let here = app_receiver(simulator, None);
    let made = here.deliver(&heavy(6)).await.unwrap();
    let mut later = heavy(7);
    // One file in place of the one that is there, a new one, and one that is no longer.
    if let PartMeta::Attachment { file_name, .. } = &mut later.parts[2].meta {
        "c.bin".clone_into(file_name);
    }
    here.put(&later, &made.receivers_reference).await.unwrap();
    here.remove(&later, &made.receivers_reference).await.unwrap();
}

async fn messages(simulator: &Simulator) {
    let (full_target, full) = full();
    let here = postman(simulator, full_target);
    let confirmed = here.deliver(&letter(4, full.clone())).await.unwrap();
    assert!(simulator.set_message_status(confirmed.receivers_reference.parse().unwrap(), "AttachmentsDownloaded"));
    here.stand(&confirmed.receivers_reference, 9).await.unwrap();
    let attachments = vec![file("a.pdf", Content::from_bytes("x"), 1)];
    here.deliver(&letter(5, Message { attachments, ..full })).await.unwrap();
    let here = postman(simulator, target());
    let sent = here.deliver(&letter(1, message("a"))).await.unwrap();
    let attachments =
        vec![file("a.pdf", Content::from_bytes("x"), 1), file("b.pdf", Content::from_bytes("y"), 1_000_000)];
    here.deliver(&letter(2, Message { attachments, ..message("a") })).await.unwrap();
    here.look_up(&letter(2, message("a"))).await.unwrap().unwrap();
    here.stand(&sent.receivers_reference, 0).await.unwrap();
    let notifications = vec![notification(None, &[("Email", "")]), notification(None, &[("SMS", "99999999")])];
    postman(simulator, ordering()).deliver(&letter(3, Message { notifications, ..message("a") })).await.unwrap();
}

async fn transfers(simulator: &Simulator) {
    let here = courier(simulator);
    let sent = here.deliver(&archive(1, 9)).await.unwrap();
    here.stand(&sent.receivers_reference, 0).await.unwrap();
    simulator.set_faults(once(Call::TransferPart, Fault::CutOff(10_000)));
    here.deliver(&archive(2, 300_000)).await.unwrap();
    simulator.set_faults(once(Call::Transfer, Fault::ResetAfter));
    here.deliver(&archive(3, 9)).await.unwrap_err();
    here.look_up(&archive(3, 9)).await.unwrap();
    simulator.set_faults(FaultPlan::default());
    simulator.set_transfer_status(sent.receivers_reference.parse().unwrap(), "Failed");
    here.deliver(&archive(1, 9)).await.unwrap_err();
}
