use super::*;

/// Finds all strings that each path starts with, or ends with (they are turned round); and how many forks that takes.
fn check<const BACK: bool>(mut strings: Vec<Vec<u8>>, paths: &[Vec<u8>]) -> usize {
    strings.sort();
    strings.dedup();
    let ids: Vec<(&[u8], u32)> = strings.iter().map(|string| &string[..]).zip(0..).collect();
    let forks = Forks::<BACK>::build(&ids);
    let mut most = 0;
    for path in paths {
        let mut turned = path.clone();
        if BACK {
            turned.reverse();
        }
        let mut found = Vec::new();
        forks.each(path, &mut |id| found.push(id));
        let starts = |id: &u32| turned.starts_with(&strings[*id as usize]);
        found.retain(starts);
        found.sort_unstable();
        let expected: Vec<u32> = (0..strings.len() as u32).filter(starts).collect();
        assert_eq!(found, expected, "{}", path.escape_ascii());
        most = most.max(forks.passed(path));
    }
    most
}

impl<const BACK: bool> Forks<BACK> {
    /// How many forks a path passes.
    fn passed(&self, path: &[u8]) -> usize {
        let mut ways = vec![self.root];
        let mut passed = 0;
        while let Some(way) = ways.pop() {
            if way.kind() == FORKS {
                let fork = &self.forks[way.place()];
                ways.extend([fork.short, self.way_on(fork, path)]);
                passed += 1;
            }
        }
        passed
    }
}

fn texts(texts: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
}

#[test]
fn ordinary_strings_are_told_apart_in_a_few_steps() {
    let strings = texts((0..20_000).map(|n| format!("bucket-{}/dir-{}/{n}/", n % 7, n % 311)));
    let paths = texts((0..500).map(|n| format!("bucket-{}/dir-{}/{n}/x", n % 7, n % 311)));
    assert!(check::<false>(strings, &paths) <= 6);
}

/// Each step parts one string from the others, whose bytes the path has.
#[test]
fn strings_that_part_one_by_one_take_no_more_steps_than_bytes() {
    let strings: Vec<Vec<u8>> =
        (0..1_000).flat_map(|n| [b"a".repeat(n), [&b"a".repeat(n)[..], b"b"].concat()]).collect();
    let paths = [b"a".repeat(1_024), [&b"a".repeat(500)[..], b"b"].concat(), b"".to_vec()];
    for most in [check::<false>(strings.clone(), &paths), check::<true>(strings, &paths)] {
        assert!(most <= 1_024, "{most} forks");
    }
}

/// A fork whose strings all had one slot was made again and again once, without end: here all
/// eight bytes differ and the upper bits of their hashes do not.
#[test]
fn bytes_whose_hashes_meet_are_parted_elsewhere() {
    // Differences that the multiplication takes to below the bits that number a slot.
    let inverse = (0..6).fold(1_u64, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(x.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    });
    let strings: Vec<Vec<u8>> = (0..600_u64)
        .map(|n| [&n.wrapping_mul(inverse).to_le_bytes()[..], b"/tail"].concat())
        .collect();
    let met = strings.iter().filter_map(|s| s.first_chunk()).map(|b| u64::from_le_bytes(*b));
    assert!(met.clone().all(|bytes| hash(bytes) >> 32 == 0), "the test's own premise");
    check::<false>(strings.clone(), &strings);
}

#[test]
fn nothing_and_single_strings() {
    check::<false>(vec![], &texts(["a".into(), String::new()]));
    check::<false>(texts([String::new()]), &texts(["a".into(), String::new()]));
    check::<true>(texts(["csv".into()]), &texts(["a.csv".into(), "csva".into()]));
}
