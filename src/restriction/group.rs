//! Groups of extended globs and of regular expressions, which are none here.

use std::ops::Range;

/// A group of an extended glob, `@(a|b)`, or of a regular expression, `(a|b)`.
pub(super) struct Group {
    pub(super) at: usize,
    pub(super) sign: Option<char>,
    inner: Range<usize>,
    pub(super) to: usize,
}

impl Group {
    /// The first in a text.
    pub(super) fn find(text: &str) -> Option<Self> {
        text.match_indices('(').find_map(|(open, _)| {
            let sign = text.get(..open)?.chars().next_back().filter(|c| "@+!?*".contains(*c));
            Self::at(text, open - sign.map_or(0, char::len_utf8))
        })
    }

    /// The one that starts at a place.
    pub(super) fn at(text: &str, at: usize) -> Option<Self> {
        let rest = text.get(at..)?;
        let sign = rest.chars().next().filter(|c| "@+!?*".contains(*c));
        let open = at + sign.map_or(0, char::len_utf8);
        let behind = text.get(open..)?.strip_prefix('(')?;
        let mut depth = 1;
        let len = behind.char_indices().find_map(|(n, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(n)
        })?;
        let inner = behind.get(..len)?;
        let starts = matches!(text.get(..at)?.chars().next_back(), None | Some('/'));
        let has_signs = inner.contains(['[', '*', '?']);
        // `report*(1).pdf`, `My+song+(live)` and `Hello!(1)` are names; `?` is a wildcard where it is not.
        let is_group = !inner.is_empty()
            && (inner.contains('|')
                || match sign {
                    Some('!' | '@' | '+') => starts || has_signs,
                    Some('?') => true,
                    _ => false,
                });
        let inner = open + 1..open + 1 + len;
        is_group.then(|| Self { at, sign, to: inner.end + 1, inner })
    }

    /// The text with braces for the group, or without any where there is one alternative.
    pub(super) fn as_braces(&self, text: &str) -> String {
        let inner = text.get(self.inner.clone()).unwrap_or_default();
        let inner = match inner.contains('|') {
            true => format!("{{{}}}", inner.replace('|', ",")),
            false => inner.to_owned(),
        };
        let (before, behind) = (text.get(..self.at), text.get(self.to..));
        format!("{}{inner}{}", before.unwrap_or_default(), behind.unwrap_or_default())
    }
}
