//! The rest of a large file: the caller reads it and keeps what is found, one thread judges, another hashes.
//!
//! Pieces go round by value, from the caller to the judge, to the hash and back to be filled again, and with each what was
//! found in it: so the number of pieces bounds also what is found and not kept yet, and nobody waits for a place in a
//! channel.

use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Builder};

use super::collector::Collected;
use super::judge::Judge;
use super::source::{Piece, Source};
use super::{JudgeError, Keep};

/// A piece, and what was found in it.
#[derive(Default)]
struct Round {
    piece: Piece,
    found: Collected,
}

/// Goes through the file to its end; on a machine without threads to give, not at all.
pub(super) fn share(source: &mut Source<'_>, judge: &mut Judge<'_>, keep: &mut Keep<'_>) -> Result<(), JudgeError> {
    let Source { inner, hash, piece, .. } = source;
    // Others go round in its place.
    *piece = Piece::default();
    let (read, to_judge) = channel::<Round>();
    let (judged, to_hash) = channel::<Round>();
    let (back, arriving) = channel();
    // That nobody takes what is sent means that the caller has given up.
    thread::scope(|scope| {
        let judging = Builder::new().name("judge".to_owned()).spawn_scoped(scope, move || {
            for Round { piece, .. } in to_judge {
                judge.see(piece.bytes());
                _ = judged.send(Round { piece, found: judge.take_found() });
            }
        });
        let hashing = Builder::new().name("hash".to_owned()).spawn_scoped(scope, move || {
            (0..PIECES).for_each(|_| _ = back.send(Round::default()));
            for round in to_hash {
                hash.update(round.piece.bytes());
                _ = back.send(round);
            }
        });
        if judging.is_err() || hashing.is_err() { Ok(()) } else { read_and_keep(*inner, read, arriving, keep) }
    })
}

fn read_and_keep(
    inner: &mut dyn Read,
    read: Sender<Round>,
    arriving: Receiver<Round>,
    keep: &mut Keep<'_>,
) -> Result<(), JudgeError> {
    let mut read = Some(read);
    for Round { mut piece, found } in arriving {
        // Before what was found is kept: the others wait for the piece.
        if let Some(to_judge) = &read {
            piece.fill(inner)?;
            if piece.bytes().is_empty() {
                // With it the judge ends, then the hash, then what comes back.
                read = None;
            } else {
                _ = to_judge.send(Round { piece, ..Round::default() });
            }
        }
        found.hand_over(keep).map_err(JudgeError::NotKept)?;
    }
    Ok(())
}

/// Pieces on their way.
const PIECES: usize = 4;

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use aws_lc_rs::digest;

    use crate::validate::{Found, JudgeError, Judgement, Judging, Limits, judge};

    fn judged(source: &mut dyn Read, keep: &mut dyn FnMut(Found) -> io::Result<()>) -> Result<Judgement, JudgeError> {
        judge(
            source,
            &Judging { routes: &[], partner: "", shipment: "", size_bytes: 0, limits: Limits::default() },
            keep,
        )
    }

    fn fields(count: usize) -> String {
        let field = "<Field><Id>x</Id><ValidFrom>2026-01-01</ValidFrom><ValidTo>2026-01-01</ValidTo><Value/></Field>";
        format!(
            "<ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>\
             <ServiceOwnerName>TTD</ServiceOwnerName><Prefill><ExternalShipmentReference>S</ExternalShipmentReference>\
             <Reportee><Id>910000004</Id>{}</Reportee></Prefill></ServiceOwner>",
            field.repeat(count)
        )
    }

    #[test]
    fn the_hash_is_that_of_all_bytes_whether_threads_help_or_not() {
        for size in [0, 1, 256 << 10, 1 << 20, (1 << 20) + (256 << 10), (5 << 20) + 7] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let sha256 = judged(&mut &bytes[..], &mut |_| Ok(())).unwrap().sha256.unwrap();
            assert_eq!(sha256, digest::digest(&digest::SHA256, &bytes).as_ref(), "{size}");
        }
    }

    #[test]
    fn items_arrive_in_order_and_all_of_them() {
        let batch = fields(30_000);
        let mut numbers = Vec::new();
        let judgement = judged(&mut batch.as_bytes(), &mut |found| {
            if let Found::Items(items) = found {
                assert!(items.len() <= 1_024);
                numbers.extend(items.sights().map(|item| item.number));
            }
            Ok(())
        });
        assert_eq!(judgement.unwrap().items_total, 30_000);
        assert!(numbers.into_iter().eq(1..=30_000));
    }

    #[test]
    fn who_cannot_keep_or_read_is_not_judged_further() {
        let batch = fields(30_000);
        let mut calls = 0;
        let full = judged(&mut batch.as_bytes(), &mut |_| {
            calls += 1;
            if calls > 10 { Err(io::Error::other("full")) } else { Ok(()) }
        });
        assert!(matches!(full, Err(JudgeError::NotKept(_))));
        assert_eq!(calls, 11);
        struct Gone;
        impl Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let gone = judged(&mut batch.as_bytes().chain(Gone), &mut |_| Ok(()));
        assert!(matches!(gone, Err(JudgeError::Unreadable(_))));
    }
}
