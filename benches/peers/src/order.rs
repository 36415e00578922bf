//! Orders of requests, from a seed alone.

use crate::workload::Random;

/// The numbers below `len` in an order that is the same for the same seed.
pub(crate) fn shuffled(len: usize, seed: u64) -> Vec<usize> {
    let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95));
    let mut order: Vec<usize> = (0..len).collect();
    for n in (1..len).rev() {
        order.swap(n, random.below(n + 1));
    }
    order
}
