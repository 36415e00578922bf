//! The bytes that a search tries where no pattern names one.

use super::domain;
use crate::restriction::ByteSet;

/// The bytes of a field, in classes that neither a set nor a phase of a path tells apart, and in
/// each those first that a person would write.
#[derive(Debug)]
pub(super) struct Alphabet {
    pub(super) classes: Vec<Vec<u8>>,
    /// ASCII bytes that no set tells from bytes of longer characters. Where one of them is tried, no
    /// longer character need be.
    pub(super) like_wide: ByteSet,
}

impl Alphabet {
    pub(super) fn new(sets: &[ByteSet]) -> Self {
        let of = |byte: u8| -> Vec<bool> { sets.iter().map(|set| set.contains(byte)).collect() };
        let wide = of(0xff);
        let is_uniform = (0x80..=0xff).all(|byte| of(byte) == wide);
        let like = |byte: u8| is_uniform && byte.is_ascii() && of(byte) == wide;
        let like_wide = ByteSet::of(|byte| matches!(domain::kind(byte), 0 | 4) && like(byte));
        let mut bytes: Vec<u8> = (0x20..=0xff).filter(|b| domain::kind(*b) != 15).collect();
        bytes.sort_by_key(|byte| (oddness(*byte), *byte));
        let mut known: Vec<(u8, Vec<bool>)> = Vec::new();
        let mut classes: Vec<Vec<u8>> = Vec::new();
        for byte in bytes {
            let key = (domain::kind(byte), of(byte));
            match known.iter().position(|other| *other == key) {
                Some(n) => classes[n].push(byte),
                None => {
                    known.push(key);
                    classes.push(vec![byte]);
                }
            }
        }
        Self { classes, like_wide }
    }
}

/// How odd a byte looks in a path where nothing asks for it.
pub(super) fn oddness(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => 1,
        b'/' => 2,
        b'A'..=b'Z' | b'0'..=b'9' => 3,
        b'-' | b'_' => 4,
        b'.' => 6,
        b' ' => 20,
        0x21..=0x7e => 12,
        _ => 30,
    }
}
