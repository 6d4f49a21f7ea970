//! A later form set in an instance that is there, and an instance's end: only while nobody has touched it.

use sluse::codes;
use sluse::model::{FinishRules, Note};
use sluse::ports::{Changed, Consignment, Content, DeliveryError, Receiver as _};
use sluse::simulator::{Call, Fault, FaultPlan, PartFacts, Simulator};

use super::finishing::driving;
use super::setup::{always, attachment, form, item, once, receiver, simulator};

fn with(number: u64, xml: &'static str, files: &[(&str, &'static str)]) -> Consignment {
    let files = files.iter().map(|(name, content)| attachment(name, Content::from_bytes(*content)));
    Consignment { parts: std::iter::once(form("5", xml)).chain(files).collect(), ..item(number) }
}

fn parts(simulator: &Simulator) -> Vec<PartFacts> {
    simulator.instances().remove(0).parts
}

/// Name and size of each.
fn shown(simulator: &Simulator) -> Vec<(String, u64)> {
    let shown = |part: PartFacts| (part.file_name.unwrap_or(part.name), part.size_bytes);
    parts(simulator).into_iter().map(shown).collect()
}

#[tokio::test]
async fn a_later_set_is_put_where_the_earlier_one_is() {
    let simulator = simulator().await;
    let here = receiver(&simulator);
    let made = here.deliver(&with(1, "<S/>", &[("a.pdf", "1"), ("b.pdf", "22")])).await.unwrap();
    let before = parts(&simulator);
    let later = with(2, "<Senere/>", &[("b.pdf", "333"), ("c.pdf", "4444")]);
    for _ in 0..2 {
        let put = here.put(&later, &made.receivers_reference).await.unwrap();
        assert_eq!(put, Changed::Done(Vec::new()), "and again, which changes nothing");
        let expected = [("model", 9), ("b.pdf", 3), ("c.pdf", 4)].map(|(name, size)| (name.to_owned(), size));
        assert_eq!(shown(&simulator), expected);
    }
    let after = parts(&simulator);
    assert_eq!((before[0].id, before[2].id), (after[0].id, after[1].id), "they are the same pieces of data");
    assert_eq!(simulator.effects().total, 1);
}

#[tokio::test]
async fn what_is_lost_is_put_again() {
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::ErrorBefore, Fault::ErrorAfter, Fault::Throttled(1)] {
        for call in [Call::ChangeData, Call::Data] {
            let simulator = simulator().await;
            let here = receiver(&simulator);
            let made = here.deliver(&with(1, "<S/>", &[("a.pdf", "1")])).await.unwrap();
            let later = with(2, "<Senere/>", &[("b.pdf", "22")]);
            simulator.set_faults(once(call, fault));
            let lost = here.put(&later, &made.receivers_reference).await.unwrap_err();
            assert!(matches!(lost, DeliveryError::Unknown { .. }), "{fault:?}: {lost}");
            here.put(&later, &made.receivers_reference).await.unwrap();
            assert_eq!(shown(&simulator), [("model".to_owned(), 9), ("b.pdf".to_owned(), 2)], "{fault:?}");
        }
    }
}

#[tokio::test]
async fn what_somebody_has_touched_is_left_alone() {
    for how in ["opened", "edited", "submitted"] {
        let simulator = simulator().await;
        let here = receiver(&simulator);
        let made = here.deliver(&with(1, "<S/>", &[])).await.unwrap();
        assert!(simulator.use_instance(&made.receivers_reference, how));
        assert_eq!(here.put(&with(2, "<Senere/>", &[]), &made.receivers_reference).await.unwrap(), Changed::Touched);
        assert_eq!(here.remove(&item(1), &made.receivers_reference).await.unwrap(), Changed::Touched);
        assert_eq!(shown(&simulator), [("model".to_owned(), 4)], "{how}");
        let effects = simulator.effects();
        assert_eq!((effects.puts, effects.deleted, effects.soft_deleted), (0, 0, 0), "nothing was even tried");
    }
}

#[tokio::test]
async fn what_is_gone_is_told_from_what_we_have_no_right_to() {
    let simulator = simulator().await;
    let here = receiver(&simulator);
    let made = here.deliver(&item(1)).await.unwrap();
    let nowhere = "50000001/2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10";
    assert_eq!(here.put(&item(2), nowhere).await.unwrap(), Changed::Touched);
    assert_eq!(here.remove(&item(2), nowhere).await.unwrap(), Changed::Touched);
    assert!(here.is_removed(&item(2), nowhere).await.unwrap());
    simulator.set_faults(always(Call::Instance, Fault::Forbidden));
    let refused = here.put(&item(2), &made.receivers_reference).await;
    assert!(matches!(refused, Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED })), "{refused:?}");
    simulator.set_faults(always(Call::List, Fault::Forbidden));
    let refused = here.put(&item(2), nowhere).await;
    assert!(matches!(refused, Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED })), "{refused:?}");
    assert_eq!(simulator.effects().puts, 0);
}

#[tokio::test]
async fn failing_to_look_changes_nothing() {
    for fault in [Fault::ErrorBefore, Fault::ResetBefore, Fault::Throttled(1)] {
        let simulator = simulator().await;
        let here = receiver(&simulator);
        let made = here.deliver(&with(1, "<S/>", &[])).await.unwrap();
        simulator.set_faults(always(Call::Instance, fault));
        let put = here.put(&with(2, "<Senere/>", &[]), &made.receivers_reference).await;
        assert!(matches!(put, Err(DeliveryError::Later { .. })), "{fault:?}: {put:?}");
        assert_eq!(simulator.effects().puts, 0);
    }
}

#[tokio::test]
async fn what_the_app_says_of_a_later_set_is_told() {
    let table = [
        (Fault::BadRequest, Some(codes::RECEIVER_REFUSED)),
        (Fault::TooLarge, Some(codes::PAYLOAD_TOO_LARGE)),
        (Fault::Conflict, None),
    ];
    for (fault, refusal) in table {
        let simulator = simulator().await;
        let here = receiver(&simulator);
        let made = here.deliver(&with(1, "<S/>", &[])).await.unwrap();
        simulator.set_faults(always(Call::ChangeData, fault));
        let put = here.put(&with(2, "<Senere/>", &[]), &made.receivers_reference).await;
        match refusal {
            Some(refusal) => {
                assert!(matches!(put, Err(DeliveryError::Refused { code }) if code == refusal), "{fault:?}")
            }
            None => assert_eq!(put.unwrap(), Changed::Touched),
        }
    }
}

#[tokio::test]
async fn what_is_there_in_part_is_not_taken_for_what_is_not_there() {
    let table = [
        (Fault::BadRequest, Some(codes::ATTACHMENT_REFUSED)),
        (Fault::TooLarge, Some(codes::PAYLOAD_TOO_LARGE)),
        (Fault::Conflict, None),
    ];
    for (fault, refusal) in table {
        let simulator = simulator().await;
        let here = receiver(&simulator);
        let made = here.deliver(&with(1, "<S/>", &[])).await.unwrap();
        simulator.set_faults(always(Call::Data, fault));
        let put = here.put(&with(2, "<Senere/>", &[("a.pdf", "1")]), &made.receivers_reference).await;
        assert_eq!(put.unwrap(), Changed::Partly(refusal), "{fault:?}");
        assert_eq!(shown(&simulator), [("model".to_owned(), 9)], "its form is there");
        // It is put again as a whole as soon as that can be.
        simulator.set_faults(FaultPlan::default());
        here.put(&with(2, "<Senere/>", &[("a.pdf", "1")]), &made.receivers_reference).await.unwrap();
        assert_eq!(shown(&simulator), [("model".to_owned(), 9), ("a.pdf".to_owned(), 1)]);
    }
}

#[tokio::test]
async fn an_instance_that_stood_still_for_its_errors_is_driven_on_when_they_are_mended() {
    let simulator = simulator().await;
    let rules = FinishRules { drive_to: Some("Task_2".into()), validates: true, ..FinishRules::default() };
    let here = driving(&simulator, rules);
    let made = here.deliver(&with(1, "<S/>", &[])).await.unwrap();
    assert_eq!(made.notes, [Note::new(codes::NOT_VALID_IN_APP, "1 errors")]);
    here.put(&with(2, "<Senere/>", &[]), &made.receivers_reference).await.unwrap();
    assert_eq!(simulator.instances()[0].steps, 1);
    here.put(&with(3, "<EndaSenere/>", &[]), &made.receivers_reference).await.unwrap();
    assert_eq!((simulator.instances()[0].steps, shown(&simulator)[0].1), (1, 13));
}

#[tokio::test]
async fn an_untouched_instance_is_deleted_so_that_it_may_be_taken_back() {
    for fault in [None, Some(Fault::ResetBefore), Some(Fault::ResetAfter), Some(Fault::ErrorAfter)] {
        let simulator = simulator().await;
        let here = receiver(&simulator);
        let made = here.deliver(&item(1)).await.unwrap();
        let reference = &made.receivers_reference;
        assert!(!here.is_removed(&item(1), reference).await.unwrap());
        if let Some(fault) = fault {
            simulator.set_faults(once(Call::Delete, fault));
            assert!(matches!(here.remove(&item(1), reference).await, Err(DeliveryError::Unknown { .. })));
        }
        if !here.is_removed(&item(1), reference).await.unwrap() {
            assert_eq!(here.remove(&item(1), reference).await.unwrap(), Changed::Done(Vec::new()));
        }
        assert!(here.is_removed(&item(1), reference).await.unwrap());
        let instance = simulator.instances().remove(0);
        assert_eq!((instance.is_soft_deleted, instance.is_deleted), (true, false));
        assert_eq!(simulator.effects().soft_deleted, 1, "{fault:?}");
        assert_eq!(here.remove(&item(1), reference).await.unwrap(), Changed::Touched, "somebody was first");
    }
    let simulator = simulator().await;
    let here = receiver(&simulator);
    let made = here.deliver(&item(1)).await.unwrap();
    simulator.set_faults(always(Call::Delete, Fault::Forbidden));
    let refused = here.remove(&item(1), &made.receivers_reference).await;
    assert!(matches!(refused, Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED })));
}
