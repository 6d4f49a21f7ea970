//! How far a file has been read, shown on standard error while it is.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::xsd::ReadAt;

/// How far the file at hand has been read, by however many.
pub(super) struct Progress {
    /// Somebody looks.
    shown: bool,
    done: AtomicU64,
    bar: Mutex<Bar>,
}

/// What the bar shows beside that.
struct Bar {
    name: String,
    total: Option<u64>,
    begun: Instant,
    drawn: Instant,
    /// It stands on the terminal's last line.
    standing: bool,
}

impl Progress {
    pub(super) fn new(shown: bool) -> Self {
        let now = Instant::now();
        let bar = Bar { name: String::new(), total: None, begun: now, drawn: now, standing: false };
        Self { shown, done: AtomicU64::new(0), bar: Mutex::new(bar) }
    }

    /// Begins with a file of so many bytes as it lies on disk.
    pub(super) fn begin(&self, name: &str, total: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
        let now = Instant::now();
        let mut bar = self.bar();
        *bar = Bar { name: name.to_owned(), total, begun: now, drawn: now, standing: bar.standing };
    }

    /// Bytes read of the file as it lies on disk.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Takes note of bytes read.
    pub(super) fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.shown {
            return;
        }
        let mut bar = self.bar();
        if bar.drawn.elapsed() > BETWEEN_DRAWINGS {
            bar.drawn = Instant::now();
            bar.standing = true;
            let line = line(&bar.name, done, bar.total, bar.begun.elapsed());
            // A terminal that is gone is no reason to stop judging.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// Takes the bar away, for other lines to be printed.
    pub(super) fn clear(&self) {
        if std::mem::take(&mut self.bar().standing) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn bar(&self) -> MutexGuard<'_, Bar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source whose reading is progress.
pub(super) struct Counted<'p, R> {
    inner: R,
    progress: &'p Progress,
}

impl<'p, R> Counted<'p, R> {
    pub(super) fn new(inner: R, progress: &'p Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

impl ReadAt for Counted<'_, File> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.inner.read_at(buffer, offset)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

impl rawzip::ReaderAt for Counted<'_, File> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(self, buffer, offset)
    }
}

fn line(name: &str, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let short: String = name.chars().rev().take(NAME_CHARACTERS).collect::<Vec<_>>().into_iter().rev().collect();
    let per_second = done as f64 / elapsed.as_secs_f64().max(0.001);
    let rate = per_second / 1e6;
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{short}  {} MB  {rate:.0} MB/s", done / 1_000_000);
    };
    let share = (done as f64 / total as f64).min(1.0);
    let full = (share * BAR as f64) as usize;
    let left = (total.saturating_sub(done) as f64 / per_second.max(1.0)).ceil() as u64;
    let (percent, bar, rest) = (share * 100.0, "#".repeat(full), ".".repeat(BAR - full));
    format!("{short}  [{bar}{rest}] {percent:3.0} %  {rate:.0} MB/s  {}:{:02} left", left / 60, left % 60)
}

const BETWEEN_DRAWINGS: Duration = Duration::from_millis(200);
/// A line fits 80 columns: one that breaks could not be taken away.
const NAME_CHARACTERS: usize = 24;
const BAR: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_share_rate_and_time_left() {
        let ten = Duration::from_secs(10);
        let half = line("a.xml", 500_000_000, Some(1_000_000_000), ten);
        assert_eq!(half, "a.xml  [########........]  50 %  50 MB/s  0:10 left");
        assert_eq!(line("a.xml", 8_000_000_000, Some(8_000_000_000), ten).matches('#').count(), BAR);
        assert!(line("a.xml", 9, Some(8), ten).contains("100 %"), "a file that grows");
        assert_eq!(line("-", 500_000_000, None, ten), "-  500 MB  50 MB/s");
    }
}
