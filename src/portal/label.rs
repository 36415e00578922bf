//! A label for a data source that has none yet: two short words, so that it can be said.

use std::collections::HashSet;

const FIRST: [&str; 24] = [
    "amber", "brisk", "calm", "clear", "cobalt", "coral", "crisp", "dawn", "early", "fern", "frost",
    "gold", "green", "hazel", "ivory", "jade", "lunar", "maple", "misty", "north", "quiet", "river",
    "silver", "south",
];
const SECOND: [&str; 24] = [
    "bay", "brook", "cabin", "cove", "creek", "delta", "field", "fjord", "glade", "grove", "harbor",
    "haven", "hill", "isle", "lake", "mesa", "moor", "oak", "pine", "reef", "shore", "spring",
    "stone", "vale",
];

/// A label that is not among these.
pub(super) fn suggest(taken: &HashSet<String>) -> String {
    let mut bytes = [0; 2];
    // Without random bytes it begins at the first: what is suggested is no secret.
    let _ = getrandom::fill(&mut bytes);
    let start = usize::from(u16::from_le_bytes(bytes));
    let words = (0..FIRST.len() * SECOND.len()).map(|n| {
        let at = start.wrapping_add(n);
        let first = FIRST[at % FIRST.len()];
        let second = SECOND[at / FIRST.len() % SECOND.len()];
        format!("{first}-{second}")
    });
    let numbered = (1_u32..).map(|n| format!("source-{n}"));
    words.chain(numbered).find(|label| !taken.contains(label)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionId;

    #[test]
    fn labels_are_labels_and_never_one_that_is_taken() {
        let mut taken = HashSet::new();
        for _ in 0..FIRST.len() * SECOND.len() + 3 {
            let label = suggest(&taken);
            assert!(ConnectionId::parse(&format!("s3+{label}")).is_ok(), "{label}");
            assert!(taken.insert(label));
        }
        assert!(taken.contains("source-3"));
    }
}
