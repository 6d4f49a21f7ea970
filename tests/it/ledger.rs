//! The conformance suites of the ledger, the area and the blobs: every adapter passes the same cases.
//!
//! A case takes a `&dyn Store`; an adapter joins with a function that makes an empty store and one line at the end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod aftermath;
mod area;
mod area_model;

mod batches;
mod blobs;
mod crowd;
mod deliveries;
mod judging;
mod shipments;
mod small_blobs;
mod sources;
mod sqlite;
mod timetable;

use async_trait::async_trait;
use jiff::Timestamp;
use sluse::model::{
    AreaPath, BlobId, ByteRange, Code, ItemKey, ItemKind, NewItem, PartnerId, ScratchId, Service, ShipmentId,
};
use sluse::ports::{
    Area, Close, Followed, Ledger, NewUpload, Progress, Quota, SmallBlobs, Sources, Timetable, Transfers, Uploads,
};

/// An empty ledger and area of one adapter.
#[async_trait]
trait Store: Send + Sync {
    fn ledger(&self) -> &dyn Ledger;
    fn area(&self) -> &dyn Area;
    fn timetable(&self) -> &dyn Timetable;
    fn followed(&self) -> &dyn Followed;
    fn uploads(&self) -> &dyn Uploads;
    fn transfers(&self) -> &dyn Transfers;
    fn small(&self) -> &dyn SmallBlobs;
    fn sources(&self) -> &dyn Sources;
    fn progress(&self) -> &dyn Progress;
    /// Drops it as a crash would and opens what is on disk.
    async fn reopen(self: Box<Self>) -> Box<dyn Store>;
}

/// A time, in seconds of the tests' own clock.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn partner(name: &str) -> PartnerId {
    name.parse().unwrap()
}

fn path(text: &str) -> AreaPath {
    text.parse().unwrap()
}

const ROOMY: Quota = Quota { bytes: u64::MAX, files: u64::MAX };

fn upload(path_text: &str, scratch: ScratchId) -> NewUpload {
    NewUpload {
        partner: partner("etat"),
        path: path(path_text),
        owner: None,
        scratch,
        exclusive: false,
        quota: ROOMY,
        now: at(0),
    }
}

fn closing(path_text: &str, scratch: ScratchId, blob: BlobId) -> Close {
    let (partner, path) = (partner("etat"), path(path_text));
    Close { partner, path, scratch, blob, size_bytes: 100, claim: None, now: at(1) }
}

/// Uploads a file and claims it.
async fn claim(store: &dyn Store, path_text: &str) -> ShipmentId {
    claim_of(store, "etat", path_text).await
}

/// The same for a partner.
async fn claim_of(store: &dyn Store, name: &str, path_text: &str) -> ShipmentId {
    let (id, scratch) = (ShipmentId::new(), ScratchId::new());
    store.area().begin(&NewUpload { partner: partner(name), ..upload(path_text, scratch) }).await.unwrap();
    let close = closing(path_text, scratch, BlobId::new());
    let close = Close { claim: Some((id, false)), partner: partner(name), ..close };
    store.area().close(&close).await.unwrap();
    id
}

/// The item of a number, as judging finds it.
fn item(number: u64, refused: Option<Code>) -> NewItem {
    let reference = format!("ref-{number}");
    NewItem {
        number,
        part: 0,
        kind: ItemKind::FormTask,
        key: ItemKey::derive(&["etat", &reference]),
        range: ByteRange { start: number * 1_000, end: number * 1_000 + 900 },
        group: ByteRange { start: number * 1_000 - 90, end: number * 1_000 },
        line: number * 10,
        column: 5,
        senders_reference: reference,
        service: Some(Service { code: "PSA".into(), edition: "2".into() }),
        forms: 0,
        refused,
    }
}

/// Makes a test of every case for an adapter.
macro_rules! conformance {
    ($open:path; $($suite:ident: $($case:ident),+;)+) => {
        $(mod $suite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                super::super::$suite::$case($open().await).await;
            })+
        })+
    };
}

mod on_sqlite {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::area_model::{answers_as_the_model, calls};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_area_answers_as_its_model(calls in calls()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let store = super::sqlite::empty().await;
                answers_as_the_model(store.as_ref(), calls).await;
            });
        }
    }

    conformance! {
        crate::ledger::sqlite::empty;
        shipments:
            a_claim_is_a_shipment, the_oldest_due_shipment_is_leased, who_has_nothing_in_hand_comes_first, it_is_known_how_far_shipments_have_come, stages_are_leased_apart_and_in_turns,
            a_lease_ends_by_time_release_or_finish, a_start_makes_all_work_due,
            counters_count_per_partner_and_name, the_watchdog_sees_what_has_no_final_receipt,
            a_receipt_is_placed_once, a_receipts_files_are_placed_together, a_list_of_numbers_is_placed_only_while_it_is_true, news_are_told_once, bytes_are_let_go_of_after_their_time, a_final_receipt_takes_the_claimed_file_out,
            a_final_receipt_leaves_a_later_file_of_the_same_name, what_is_referred_to_is_told,
            everything_is_there_after_a_crash;
        judging:
            items_come_back_as_they_were_found, adding_again_changes_nothing, judging_starts_over,
            repeats_are_refused, a_verdict_stands, a_reference_is_taken_once, a_reference_may_be_free_again,
            a_number_is_taken_once_and_lets_the_next_go_on, who_waits_for_a_number_is_woken_whenever_it_is_taken,
            a_refused_batch_may_come_again_under_its_reference, a_refusal_refuses_what_was_ready,
            findings_come_in_order, groups_come_in_order, outcomes_are_counted_by_part_state_and_code, open_items_of_a_state_are_failed, a_rehearsal_is_settled_without_sending;
        sources: a_source_is_one_workers_at_a_time, a_file_is_as_the_looks_showed_it, files_have_their_turn_in_order,
            what_was_tried_is_remembered_until_it_changes, a_take_becomes_a_shipment_in_one_change,
            bytes_of_a_take_are_not_swept, a_source_stands_as_its_last_look_left_it, a_look_comes_in_time,
            what_a_clock_put_off_for_years_is_due, a_receipt_placed_anew_is_written_back_once_more;
        timetable:
            the_run_of_a_time_begins_once, what_is_asked_for_begins_once, old_runs_are_forgotten_but_not_those_asked_for,
            a_watch_and_what_it_settled_are_kept, who_is_told_of_files_may_have_heard_enough, an_alarm_is_told_once_to_each_and_over_to_who_was_told;
        deliveries:
            an_item_goes_its_way, doubt_lasts_until_a_look_settles_it, due_items_wait_for_their_time, an_intent_without_outcome_is_due,
            an_outcome_is_recorded_once, many_steps_are_taken_together, a_wrong_step_fails_alone;
        aftermath:
            notes_stand_with_their_outcome, items_are_followed_after_their_final_receipt, uploads_are_remembered_for_a_time,
            a_transfer_is_kept_for_its_item;
        batches:
            a_batch_goes_its_way, batches_are_made_once, only_ready_items_are_grouped, a_batch_is_settled_once,
            batches_are_there_after_a_crash;
        small_blobs:
            a_small_file_lies_where_its_row_does, what_is_safeguarded_is_there_after_a_crash,
            a_file_that_grew_is_no_longer_kept_twice, a_small_file_begins_and_ends_at_once, small_blobs_are_listed_and_removed;
        area:
            a_file_is_partial_until_closed, a_cut_off_upload_is_resumed, a_whole_file_stays_until_its_replacement_is_closed,
            a_claimed_file_gives_way_to_a_new_upload, an_older_upload_is_superseded, closing_again_changes_nothing,
            renaming_moves_and_claims, renaming_never_overwrites_unasked, an_unfinished_file_is_never_claimed,
            an_upload_goes_on_when_its_file_moves, an_upload_whose_name_is_taken_is_given_back,
            removing_gives_the_bytes_back, quotas_hold, touching_sets_the_time, areas_are_apart, listing_pages_through_many;
        crowd:
            two_workers_never_hold_one_shipment, many_deliveries_at_once_each_count_once, many_uploads_at_once, many_small_uploads_at_once;
    }
}
