//! Whether a path starts with some bytes, told without a branch for each length that they can have.
//!
//! Where a comparison's length changes from call to call, `memcmp` costs mispredicted branches
//! more than it does loads. Here what is compared is covered by four windows of sixteen bytes, which
//! overlap where it is shorter.

/// Whether these bytes are the start of the path.
#[inline]
pub(super) fn starts_with(path: &[u8], bytes: &[u8]) -> bool {
    path.len() >= bytes.len() && alike(&path[..bytes.len()], bytes)
}

/// Whether two slices of one length hold the same bytes.
#[inline]
fn alike(a: &[u8], b: &[u8]) -> bool {
    match a.len() {
        16..=64 => windows::<16>(a, b),
        8..16 => windows::<8>(a, b),
        _ => a == b,
    }
}

/// The same for at least `WIDTH` and at most four times as many bytes.
#[inline]
fn windows<const WIDTH: usize>(a: &[u8], b: &[u8]) -> bool {
    let last = a.len() - WIDTH;
    let at = |place: usize| {
        let place = place.min(last);
        a[place..].first_chunk::<WIDTH>() == b[place..].first_chunk::<WIDTH>()
    };
    at(0) & at(WIDTH) & at(2 * WIDTH) & at(3 * WIDTH)
}
