//! A few bytes of a string as a number, the first being the lowest, and where to look for them.
//!
//! `BACK` counts places from the string's end, and goes back from there: as if it were turned round.

/// Eight bytes from a place on, if the string has them.
#[inline]
pub(super) fn eight_at<const BACK: bool>(string: &[u8], at: usize) -> Option<u64> {
    match BACK {
        false => string.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
        true => {
            let end = string.len().checked_sub(at)?;
            string[..end].last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
        }
    }
}

/// Up to four bytes from a place on, with zeros for those that the string has not.
#[inline]
pub(super) fn four_at<const BACK: bool>(string: &[u8], at: usize) -> u32 {
    let four = match BACK {
        false => {
            string.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u32::from_le_bytes(*b))
        }
        true => {
            let end = string.len().checked_sub(at);
            end.and_then(|end| string[..end].last_chunk()).map(|bytes| u32::from_be_bytes(*bytes))
        }
    };
    four.unwrap_or_else(|| few_at::<BACK>(string, at) as u32)
}

/// The bytes from a place on where the string has at most eight, byte by byte.
#[inline]
pub(super) fn few_at<const BACK: bool>(string: &[u8], at: usize) -> u64 {
    let byte = |place| string[if BACK { string.len() - 1 - place } else { place }];
    let places = (at..string.len().min(at + 8)).rev();
    places.fold(0, |bytes, place| bytes << 8 | u64::from(byte(place)))
}

/// The bits of the lowest bytes of a number, all of them for eight and more.
#[inline]
pub(super) fn lowest(bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        1..8 => u64::MAX >> (64 - 8 * bytes),
        _ => u64::MAX,
    }
}

/// How many bytes two strings start with alike.
pub(super) fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The place where the fewest pairs of a few sorted strings are alike, which `is_alike` tells.
pub(super) fn best_place(
    strings: &[&[u8]],
    is_alike: impl Fn(usize, &[u8], &[u8]) -> bool,
) -> usize {
    let alike = |at: &usize| {
        let pairs = strings.iter().flat_map(|one| strings.iter().map(move |two| (*one, *two)));
        pairs.filter(|(one, two)| is_alike(*at, one, two)).count()
    };
    // Neighbours differ first where they part.
    let parts = strings.windows(2).map(|two| shared(two[0], two[1]));
    parts.flat_map(|part| part.saturating_sub(3)..=part).min_by_key(alike).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_and_at_the_ends() {
        let text = b"abcdefghij";
        for at in 0..12 {
            let rest: Vec<u8> = text.iter().skip(at).copied().collect();
            let back: Vec<u8> = text.iter().rev().skip(at).copied().collect();
            let number = |bytes: &[u8], most: usize| {
                bytes.iter().take(most).rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
            };
            assert_eq!(u64::from(four_at::<false>(text, at)), number(&rest, 4));
            assert_eq!(u64::from(four_at::<true>(text, at)), number(&back, 4));
            let is_there = at <= 2;
            assert_eq!(eight_at::<false>(text, at), is_there.then(|| number(&rest, 8)));
            assert_eq!(eight_at::<true>(text, at), is_there.then(|| number(&back, 8)));
            assert_eq!(few_at::<false>(text, at), number(&rest, 8));
            assert_eq!(few_at::<true>(text, at), number(&back, 8));
            assert_eq!(lowest(at), number(&[0xff; 12], at.min(8)));
        }
    }
}
