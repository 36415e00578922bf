//! Emptying caches, from safe code: by filling them with something else.

use std::{fs, hint::black_box};

/// Bytes of a cache line, and of a page.
const LINE: usize = 64;
const PAGE: usize = 4_096;
/// Pages that are touched: several times what a second-level TLB holds (2,048 entries).
const PAGES: usize = 16_384;

/// A buffer much larger than the caches that are to be emptied.
pub(crate) struct Caches {
    buffer: Vec<u8>,
    /// Bytes whose lines are all touched.
    dense: usize,
}

impl Caches {
    /// A buffer for this machine's caches.
    pub(crate) fn new() -> Self {
        let dense = 4 * second_level();
        // Written, because pages that never were are all the same page of zeros.
        Self { buffer: vec![1; dense.max(PAGES * PAGE)], dense }
    }

    /// Empties the first and second level cache, and the TLBs.
    ///
    /// A byte of each line of four times the second level is read, and then a byte of each page of
    /// many, not at the same place in each, so that they spread over the sets of the cache. What
    /// was in them is then in the third level, or in memory. Code in the first-level cache of
    /// instructions is not touched by this; it leaves the second.
    pub(crate) fn flush(&mut self) {
        let lines = self.buffer[..self.dense].iter().step_by(LINE);
        let pages = self.buffer.iter().step_by(PAGE + LINE);
        black_box(lines.chain(pages).fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    }
}

/// The size of the second-level cache in bytes, as Linux says; else 2 MiB.
fn second_level() -> usize {
    let text = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size");
    let kib = text.ok().and_then(|text| text.trim().strip_suffix('K')?.parse::<usize>().ok());
    kib.unwrap_or(2_048) * 1_024
}
