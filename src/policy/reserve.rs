//! File descriptors kept back for reading the policy.
//!
//! Where all of them are taken, nothing can be read any more, and a right that was taken away would
//! stay. Whoever reads keeps a few, and gives them up when it has to.

use std::{fs::File, path::Path};

/// How many files are open at once while a policy is read, and one more.
const KEPT: usize = 5;

/// Some file descriptors that nobody else gets.
#[derive(Debug)]
pub(crate) struct Reserve(Vec<File>);

impl Reserve {
    /// Keeps some back, as far as there are any.
    pub(crate) fn new() -> Self {
        let mut reserve = Self(Vec::new());
        reserve.fill();
        reserve
    }

    fn fill(&mut self) {
        // Whatever is there always, and is not waited for.
        let any = Path::new(if cfg!(unix) { "/dev/null" } else { "NUL" });
        while self.0.len() < KEPT
            && let Ok(file) = File::open(any)
        {
            self.0.push(file);
        }
    }

    /// Reads, and once more with the descriptors that were kept back where that fails.
    pub(crate) fn read<T>(
        &mut self,
        mut read: impl FnMut() -> T,
        is_read: impl Fn(&T) -> bool,
    ) -> T {
        let mut read_now = read();
        if !is_read(&read_now) && !self.0.is_empty() {
            self.0.clear();
            read_now = read();
        }
        self.fill();
        read_now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_read_once_more_with_what_was_kept() {
        let mut reserve = Reserve::new();
        for is_read in [true, false, false] {
            let mut times = 0;
            let read = || {
                times += 1;
                times
            };
            reserve.read(read, |_| is_read);
            assert_eq!((times, reserve.0.len()), (if is_read { 1 } else { 2 }, KEPT));
        }
    }
}
