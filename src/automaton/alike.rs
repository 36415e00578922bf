//! Whether a path starts with some bytes, told without a branch for each length that they can have.
//!
//! Where a comparison's length changes from call to call, `memcmp` costs mispredicted branches
//! more than it does loads. Here what is compared is covered by four windows of sixteen bytes, which
//! overlap where it is shorter.

/// Whether these bytes are the start of the path.
///
/// Ask first whether they are empty, where they may be and are not part of a longer text: the C
/// library's `memcmp` with AVX-512 reads no byte of an empty slice, but where its address is no memory
/// the processor takes 60 ns to find that out.
#[inline]
pub(crate) fn starts_with(path: &[u8], bytes: &[u8]) -> bool {
    path.len() >= bytes.len() && alike(&path[..bytes.len()], bytes)
}

/// Whether these bytes are the end of the path.
#[inline]
pub(super) fn ends_with(path: &[u8], bytes: &[u8]) -> bool {
    path.len() >= bytes.len() && alike(&path[path.len() - bytes.len()..], bytes)
}

/// Whether two slices of one length hold the same bytes.
#[inline(always)]
fn alike(a: &[u8], b: &[u8]) -> bool {
    match a.len() {
        16..=64 => windows::<16>(a, b),
        8..16 => windows::<8>(a, b),
        _ => a == b,
    }
}

/// The same for at least `WIDTH` and at most four times as many bytes.
#[inline(always)]
fn windows<const WIDTH: usize>(a: &[u8], b: &[u8]) -> bool {
    let last = a.len() - WIDTH;
    let at = |place: usize| {
        let place = place.min(last);
        a[place..].first_chunk::<WIDTH>() == b[place..].first_chunk::<WIDTH>()
    };
    at(0) & at(WIDTH) & at(2 * WIDTH) & at(3 * WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_every_difference() {
        let text: Vec<u8> = (0..100).collect();
        for len in 0..=90 {
            assert!(starts_with(&text, &text[..len]) && ends_with(&text, &text[100 - len..]));
            assert!(len == 0 || !starts_with(&text[..len - 1], &text[..len]));
            for at in 0..len {
                let mut other = text.clone();
                other[at] ^= 0x80;
                assert!(!starts_with(&text, &other[..len]), "{len} bytes, different at {at}");
                assert!(!ends_with(&text[..len], &other[..len]), "{len} bytes, different at {at}");
            }
        }
    }
}
