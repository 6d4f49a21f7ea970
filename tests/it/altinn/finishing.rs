//! What follows an instantiation: large attachments and the process, whatever is lost in between.

use std::sync::Arc;

use sluse::adapters::altinn::AppReceiver;
use sluse::codes;
use sluse::model::{Code, FinishRules};
use sluse::ports::{Consignment, Content, Delivered, DeliveryError, Receiver as _, SystemClock};
use sluse::simulator::{Call, Fault, Simulator};

use super::setup::{always, attachment, form, item, once, services, settings, simulator};

/// A receiver that does what follows an instantiation.
pub(super) fn driving(simulator: &Simulator, finish: FinishRules) -> AppReceiver {
    let mut services = services();
    services.rows[0].app.as_mut().unwrap().finish = finish;
    AppReceiver::new(settings(simulator.base_url()), services, Arc::new(SystemClock)).unwrap()
}

/// A form and two attachments of which one is large, by name as old clients give it.
fn heavy(number: u64) -> Consignment {
    let mut large = attachment("C:\\brev\\søk 1.pdf", Content::from_bytes(vec![7; 300_000]));
    large.most_bytes = 300_000;
    let small = attachment("b.pdf", Content::from_bytes("x"));
    Consignment { parts: vec![form("5", "<Skjema/>"), large, small], ..item(number) }
}

const LARGE: FinishRules = FinishRules { large_attachment_bytes: 100_000, drive_to: None, validates: false };

fn driven(to: &str) -> FinishRules {
    FinishRules { drive_to: Some(to.into()), validates: true, ..LARGE }
}

fn unknown(result: Result<Delivered, DeliveryError>) -> Code {
    match result {
        Err(DeliveryError::Unknown { code }) => code,
        other => panic!("{other:?}"),
    }
}

fn names(simulator: &Simulator) -> Vec<Option<String>> {
    simulator.instances().remove(0).parts.into_iter().map(|part| part.file_name).collect()
}

#[tokio::test]
async fn large_attachments_are_added_after_the_instance_was_made() {
    let simulator = simulator().await;
    let here = driving(&simulator, LARGE);
    here.deliver(&heavy(1)).await.unwrap();
    assert_eq!(names(&simulator), [None, Some("b.pdf".into()), Some("søk 1.pdf".into())]);
    let part = simulator.instances().remove(0).parts.pop().unwrap();
    assert_eq!(
        (part.size_bytes, part.name.as_str(), part.content_type.as_str()),
        (300_000, "vedlegg", "application/pdf")
    );
    assert!(here.look_up(&heavy(1)).await.unwrap().is_some());
    assert_eq!(names(&simulator).len(), 3, "nothing is missing, and nothing is added");
}

#[tokio::test]
async fn an_upload_that_is_lost_is_taken_up_where_it_was() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::ErrorBefore, Fault::ErrorAfter, Fault::Throttled(1)] {
        let simulator = simulator().await;
        let here = driving(&simulator, LARGE);
        simulator.set_faults(once(Call::Data, fault));
        unknown(here.deliver(&heavy(1)).await);
        let found = here.look_up(&heavy(1)).await.unwrap().unwrap();
        assert_eq!(found.receivers_reference, simulator.instances()[0].id);
        assert_eq!(names(&simulator).len(), 3, "{fault:?}");
        assert_eq!(simulator.effects().total, 1);
    }
}

#[tokio::test]
async fn an_instance_whose_attachment_is_refused_is_taken_back() {
    for (fault, code) in [(Fault::BadRequest, codes::ATTACHMENT_REFUSED), (Fault::TooLarge, codes::PAYLOAD_TOO_LARGE)] {
        let simulator = simulator().await;
        let here = driving(&simulator, LARGE);
        simulator.set_faults(always(Call::Data, fault));
        assert!(matches!(here.deliver(&heavy(1)).await, Err(DeliveryError::Refused { code: found }) if found == code));
        assert!(simulator.instances()[0].is_deleted);
        assert!(here.look_up(&heavy(1)).await.unwrap().is_none(), "what was taken back is not there");
    }
}

#[tokio::test]
async fn an_instance_is_driven_on_as_far_as_the_row_says() {
    for (goal, steps) in [("Task_1", 0), ("Task_2", 1), ("end", 2)] {
        let simulator = simulator().await;
        let here = driving(&simulator, driven(goal));
        let delivered = here.deliver(&item(1)).await.unwrap();
        assert_eq!((delivered.notes.len(), simulator.instances()[0].steps), (0, steps), "{goal}");
        here.look_up(&item(1)).await.unwrap().unwrap();
        assert_eq!(simulator.instances()[0].steps, steps, "it is there already");
    }
}

#[tokio::test]
async fn a_step_that_is_lost_is_not_taken_twice() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::ErrorBefore, Fault::ErrorAfter] {
        let simulator = simulator().await;
        let here = driving(&simulator, driven("Task_2"));
        simulator.set_faults(once(Call::Next, fault));
        unknown(here.deliver(&item(1)).await);
        here.look_up(&item(1)).await.unwrap().unwrap();
        assert_eq!((simulator.instances()[0].steps, simulator.effects().total), (1, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn what_the_app_does_not_let_on_is_noted() {
    let simulator = simulator().await;
    let here = driving(&simulator, driven("end"));
    simulator.set_faults(always(Call::Next, Fault::Conflict));
    let delivered = here.deliver(&item(1)).await.unwrap();
    assert_eq!(delivered.notes.iter().map(|note| note.code).collect::<Vec<_>>(), [codes::NOT_DRIVEN]);
    let empty = Consignment { parts: vec![form("5", "<S/>")], ..item(2) };
    let delivered = here.deliver(&empty).await.unwrap();
    assert_eq!(delivered.notes.iter().map(|note| note.code).collect::<Vec<_>>(), [codes::NOT_VALID_IN_APP]);
    assert_eq!(simulator.instances()[1].steps, 0);
}
