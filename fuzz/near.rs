//! Policies whose rules and paths are made of the same few pieces, so that most paths come near to a
//! rule and many miss it by little. Read from bytes by `arbitrary`, for the fuzz target `near_misses`
//! and for the tests, which both include this file.

use arbitrary::{Arbitrary, Result, Unstructured};
use pathward::internal::RuleText;

/// The most rules and paths of a case: the reference matcher takes its time.
const MOST_RULES: usize = 10;
const MOST_PATHS: usize = 8;
/// The most pieces of a rule, and changes of a path.
const MOST_PIECES: usize = 8;
const MOST_EDITS: usize = 3;

/// What the names are made of.
const LETTERS: [char; 8] = ['a', 'b', 'c', '-', '.', 'A', '0', 'ü'];

/// Rules, and the paths that are asked.
#[derive(Arbitrary, Debug)]
pub(crate) struct Case {
    names: [[u8; 3]; 4],
    #[arbitrary(with = |u: &mut Unstructured<'_>| some(u, MOST_RULES))]
    rules: Vec<Rule>,
    #[arbitrary(with = |u: &mut Unstructured<'_>| some(u, MOST_PATHS))]
    paths: Vec<Asked>,
}

#[derive(Arbitrary, Debug)]
struct Rule {
    is_deny: bool,
    is_glob: bool,
    access: u8,
    start: u8,
    #[arbitrary(with = |u: &mut Unstructured<'_>| some(u, MOST_PIECES))]
    pieces: Vec<Piece>,
}

#[derive(Arbitrary, Debug)]
enum Piece {
    Name(u8),
    Slash,
    /// Any run of bytes; of a segment's bytes in a glob.
    Star,
    /// Any folders, in a glob.
    Folders,
    /// One character, in a glob.
    One,
    /// One of two letters, or neither of them, in a glob.
    Class(u8, u8, bool),
    /// One of two names, in a glob.
    Either(u8, u8),
}

/// A path: what a rule matches, its wildcards filled, and then changed a little.
#[derive(Arbitrary, Debug)]
struct Asked {
    rule: u8,
    fills: [u8; 4],
    #[arbitrary(with = |u: &mut Unstructured<'_>| some(u, MOST_EDITS))]
    edits: Vec<Edit>,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Drop(u8),
    Change(u8, u8),
    Insert(u8, u8),
    Double(u8),
    Cut(u8),
    Slash,
}

/// So many that each is as likely, where most lists of `arbitrary` are empty or nearly so.
fn some<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>, most: usize) -> Result<Vec<T>> {
    let count = bytes.int_in_range(0..=most)?;
    (0..count).map(|_| bytes.arbitrary()).collect()
}

impl Case {
    pub(crate) fn rules(&self) -> Vec<RuleText> {
        let text = |rule: &Rule| RuleText {
            text: self.text(rule),
            is_glob: rule.is_glob,
            is_deny: rule.is_deny,
            access: rule.access,
        };
        self.rules.iter().map(text).collect()
    }

    pub(crate) fn paths(&self) -> Vec<Vec<u8>> {
        self.paths.iter().map(|asked| self.path(asked)).collect()
    }

    fn name(&self, number: u8) -> String {
        let bytes = &self.names[usize::from(number) % self.names.len()];
        // One to three letters: the first byte of a name says how many.
        let count = 1 + usize::from(bytes[0] >> 6) % bytes.len();
        bytes[..count].iter().map(|byte| letter(*byte)).collect()
    }

    fn text(&self, rule: &Rule) -> String {
        let mut text = start(rule.start).to_owned();
        for piece in &rule.pieces {
            match (piece, rule.is_glob) {
                (Piece::Name(name), _) => text.push_str(&self.name(*name)),
                (Piece::Slash, _) => text.push('/'),
                (Piece::Star, _) | (Piece::Folders | Piece::One, false) => text.push('*'),
                (Piece::Folders, true) => {
                    if !text.is_empty() && !text.ends_with('/') {
                        text.push('/');
                    }
                    text.push_str("**/");
                }
                (Piece::One, true) => text.push('?'),
                (Piece::Class(one, ..), false) => text.push(letter(*one)),
                (Piece::Class(one, other, negated), true) => {
                    let sign = if *negated { "!" } else { "" };
                    text.push_str(&format!("[{sign}{}{}]", letter(*one), letter(*other)));
                }
                (Piece::Either(one, _), false) => text.push_str(&self.name(*one)),
                (Piece::Either(one, other), true) => {
                    text.push_str(&format!("{{{},{}}}", self.name(*one), self.name(*other)));
                }
            }
        }
        text
    }

    fn path(&self, asked: &Asked) -> Vec<u8> {
        let mut path = String::new();
        let mut fills = asked.fills.iter().cycle();
        if let Some(rule) = self.rules.get(usize::from(asked.rule) % self.rules.len().max(1)) {
            path.push_str(&start(rule.start).replace('*', &self.name(asked.rule)));
            for piece in &rule.pieces {
                let fill = fills.next().copied().unwrap_or_default();
                match piece {
                    Piece::Name(name) => path.push_str(&self.name(*name)),
                    Piece::Slash => path.push('/'),
                    Piece::Star if fill % 4 == 0 => {}
                    Piece::Star => path.push_str(&self.name(fill)),
                    Piece::Folders if fill % 4 == 0 => {}
                    Piece::Folders => path.push_str(&format!("{}/", self.name(fill))),
                    Piece::One => path.push(letter(fill)),
                    Piece::Class(one, other, _) => {
                        path.push(letter([*one, *other, fill][usize::from(fill % 3)]))
                    }
                    Piece::Either(one, other) => {
                        path.push_str(&self.name([*one, *other, fill][usize::from(fill % 3)]))
                    }
                }
            }
        }
        let mut path = path.into_bytes();
        for edit in &asked.edits {
            self.change(&mut path, edit);
        }
        path
    }

    fn change(&self, path: &mut Vec<u8>, edit: &Edit) {
        let place = |at: &u8, most: usize| usize::from(*at) % (most + 1);
        match edit {
            Edit::Drop(at) if !path.is_empty() => {
                path.remove(place(at, path.len() - 1));
            }
            Edit::Change(at, to) if !path.is_empty() => {
                let at = place(at, path.len() - 1);
                path[at] = b"ab/c-.A*"[usize::from(*to % 8)];
            }
            Edit::Drop(_) | Edit::Change(..) => {}
            Edit::Insert(at, name) => {
                let at = place(at, path.len());
                path.splice(at..at, self.name(*name).into_bytes());
            }
            Edit::Double(at) => path.extend_from_within(place(at, path.len())..),
            Edit::Cut(at) => path.truncate(place(at, path.len())),
            Edit::Slash => path.push(b'/'),
        }
    }
}

fn letter(number: u8) -> char {
    LETTERS[usize::from(number) % LETTERS.len()]
}

/// Most rules are of one bucket.
fn start(number: u8) -> &'static str {
    ["pub/", "pub/", "pub/", "pub", "*", "puc/", "pub/a", ""][usize::from(number) % 8]
}
