//! How fast the machine gives a file that it has in its page cache, to one thread and to one for each core:
//! `SLUSE_BENCH_FILE=y.xml cargo bench --bench reading`. It reads in pieces as the engine does and does nothing else, or adds
//! up what it has read: so that it can be told whether a second core is of no more use to the engine or to anybody.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

const ROUNDS: usize = 9;
const READ_BYTES: usize = 256 << 10;
const SEGMENT_BYTES: u64 = 1 << 20;

/// What is done with a piece.
type Use = fn(&[u8]);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::var_os("SLUSE_BENCH_FILE") else {
        println!("nothing to do: SLUSE_BENCH_FILE names no file");
        return Ok(());
    };
    let file = File::open(path)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let ways: [(&str, Use); 2] = [("read", pass_by), ("read and add up", add_up)];
    for (name, using) in ways {
        let (mut one, mut all) = (Vec::new(), Vec::new());
        // In turn, so that both meet the same machine.
        for _ in 0..ROUNDS {
            one.push(seconds(&file, 1, using)?);
            all.push(seconds(&file, cores, using)?);
        }
        let (one, all) = (median(one), median(all));
        let speed = |seconds: f64| file.metadata().map(|metadata| metadata.len() as f64 / seconds / 1e9);
        println!("{name}: {:.1} GB/s, all cores {:.1} GB/s, {:.2} times as fast", speed(one)?, speed(all)?, one / all);
    }
    Ok(())
}

/// How long so many threads take for the file.
fn seconds(file: &File, threads: usize, using: Use) -> io::Result<f64> {
    let (total, next) = (file.metadata()?.len(), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| read(file, total, &next, using))).collect();
        readers.into_iter().try_for_each(|reader| reader.join().unwrap_or_else(|_| Err(io::Error::other("panicked"))))
    })?;
    Ok(start.elapsed().as_secs_f64())
}

/// Reads segments until there are no more.
fn read(file: &File, total: u64, next: &AtomicU64, using: Use) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let mut at = next.fetch_add(SEGMENT_BYTES, Ordering::Relaxed);
        let end = total.min(at.saturating_add(SEGMENT_BYTES));
        if at >= end {
            return Ok(());
        }
        while at < end {
            let room = usize::try_from(end - at).unwrap_or(READ_BYTES).min(READ_BYTES);
            let count = file.read_at(buffer.get_mut(..room).unwrap_or_default(), at)?;
            if count == 0 {
                return Ok(());
            }
            using(buffer.get(..count).unwrap_or_default());
            at += count as u64;
        }
    }
}

fn pass_by(piece: &[u8]) {
    black_box(piece);
}

fn add_up(piece: &[u8]) {
    let (words, _) = piece.as_chunks();
    black_box(words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word))));
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}
