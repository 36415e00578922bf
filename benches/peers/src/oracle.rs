//! The right answers for the sets that are made here: a matcher that shares no code with any
//! engine. Those of M1 to M3 come from the oracle of `benches/workload`.

use pathward::Access;

use crate::engine::Rule;

/// Whether some rule gives the access at the path, by looking at every rule.
pub(crate) fn grants(rules: &[Rule], path: &str, access: Access) -> bool {
    Rule::giving(rules, access).any(|text| matches(text, path))
}

/// Whether a restriction's text matches a path: the piece before the first star starts it, the
/// one behind the last star ends it, and those between are found in it, each as early as it can.
fn matches(text: &str, path: &str) -> bool {
    let Some((start, rest)) = text.split_once('*') else {
        return text == path;
    };
    let Some(mut left) = path.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = left.strip_suffix(end) else {
        return false;
    };
    left = inner;
    middle.split('*').all(|piece| match left.find(piece) {
        Some(at) => {
            left = &left[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By definition: a star is nothing, or one more character and a star.
    fn by_definition(text: &str, path: &str) -> bool {
        match text.chars().next() {
            None => path.is_empty(),
            Some('*') => {
                by_definition(&text[1..], path)
                    || !path.is_empty() && by_definition(text, &path[1..])
            }
            Some(first) => path.starts_with(first) && by_definition(&text[1..], &path[1..]),
        }
    }

    /// All words of up to `len` characters of an alphabet.
    fn words(alphabet: &[char], len: usize) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut from = 0;
        for _ in 0..len {
            let to = words.len();
            for place in from..to {
                for character in alphabet {
                    words.push(format!("{}{character}", words[place]));
                }
            }
            from = to;
        }
        words
    }

    #[test]
    fn matches_as_defined() {
        for text in words(&['a', 'b', '*'], 5) {
            for path in words(&['a', 'b'], 5) {
                assert_eq!(matches(&text, &path), by_definition(&text, &path), "{text} {path}");
            }
        }
    }
}
