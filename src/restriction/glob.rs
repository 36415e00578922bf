//! The glob form: `*` and `?` stay in a segment, `**` crosses.
//!
//! Braces and `**` are spelled out first, so that what is left is a list of patterns without
//! branches. The reading agrees with globset (with `literal_separator`) wherever that is not
//! surprising, which tests check; the rest is refused.

use super::{
    ByteSet, Pattern, Token,
    check::check_reachable,
    kind::{
        MAX_GLOB_ALTERNATIVES, MAX_GLOB_NESTING, MAX_GLOB_TOKENS, Refused,
        RestrictionErrorKind as Kind,
    },
};

/// Text to patterns; the glob matches what any of them matches. Each can match a path, unless
/// `check` is false.
///
/// An alternative that `**` makes and that no path can be is left out: `**/v1/**` without a folder
/// before `v1`, because no bucket has two characters. What a choice of the braces says is refused
/// where no reading of it is a path, as the same text without braces is: `{a,logs}/x`, because of
/// `a/x`.
pub(super) fn read(text: &str, check: bool) -> Result<Vec<Pattern>, Refused> {
    let items = lex(text)?;
    let mut patterns = Vec::new();
    let mut alternatives = 0;
    for spelled in expand(&items)? {
        if let Some(Item { at, lexeme: Lexeme::Char('/') }) = spelled.last() {
            return Err(Refused::new(Kind::GlobTrailingSlash, *at));
        }
        let mut found = segments(&spelled, MAX_GLOB_ALTERNATIVES.saturating_sub(alternatives))?;
        alternatives += found.len();
        if found.iter().any(|pattern| steps(pattern) > MAX_GLOB_TOKENS) {
            return Err(Refused::new(Kind::GlobTokens, 0));
        }
        if check {
            let mut wrong = None;
            found.retain(|pattern| match check_reachable(pattern, text) {
                Ok(()) => true,
                Err(why) => {
                    wrong.get_or_insert(why);
                    false
                }
            });
            if let (true, Some(wrong)) = (found.is_empty(), wrong) {
                return Err(wrong);
            }
        }
        patterns.append(&mut found);
    }
    patterns.sort_unstable();
    patterns.dedup();
    Ok(patterns)
}

/// A character, wildcard or brace of the text, and where it stands.
#[derive(Clone, Debug)]
struct Item {
    at: usize,
    lexeme: Lexeme,
}

#[derive(Clone, Debug, PartialEq)]
enum Lexeme {
    Char(char),
    Star,
    StarStar,
    /// One character: its first byte is in the set, and bytes that continue it follow if the
    /// flag says that the character need not be ASCII.
    One(ByteSet, bool),
    Open,
    Comma,
    Close,
}

fn lex(text: &str) -> Result<Vec<Item>, Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    let mut items: Vec<Item> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let lexeme = match character {
            '\\' => match characters.next() {
                Some((_, escaped)) if "\\*?[]{},!".contains(escaped) => Lexeme::Char(escaped),
                _ => return fail(Kind::GlobEscape, at),
            },
            '*' => {
                let mut stars = 1;
                while characters.next_if(|(_, next)| *next == '*').is_some() {
                    stars += 1;
                }
                match stars {
                    1 => Lexeme::Star,
                    2 => Lexeme::StarStar,
                    _ => return fail(Kind::GlobStarStar, at),
                }
            }
            '?' => Lexeme::One(first_bytes(), true),
            '[' => class(at, &mut characters)?,
            '{' => {
                open.push(at);
                if open.len() > MAX_GLOB_NESTING {
                    return fail(Kind::GlobNesting, at);
                }
                Lexeme::Open
            }
            ',' if !open.is_empty() => Lexeme::Comma,
            '}' => match open.pop() {
                Some(_) => Lexeme::Close,
                None => return fail(Kind::GlobBrace, at),
            },
            other => Lexeme::Char(other),
        };
        let before = items.last().map(|item| &item.lexeme);
        let starts = matches!(before, Some(Lexeme::Open | Lexeme::Comma));
        if starts && matches!(lexeme, Lexeme::Comma | Lexeme::Close) {
            return fail(Kind::GlobEmptyAlternative, at);
        }
        items.push(Item { at, lexeme });
    }
    match open.pop() {
        Some(at) => fail(Kind::GlobBrace, at),
        None => Ok(items),
    }
}

/// The bytes that start a character other than `/`.
fn first_bytes() -> ByteSet {
    (0x80..0xc0).fold(ByteSet::segment(), ByteSet::without)
}

type Characters<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Reads a class whose `[` stands at `open`.
fn class(open: usize, characters: &mut Characters<'_>) -> Result<Lexeme, Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    let negated = characters.next_if(|(_, next)| matches!(next, '!' | '^')).is_some();
    let mut set = ByteSet::NONE;
    let mut is_first = true;
    loop {
        let Some((at, low)) = characters.next() else {
            return fail(Kind::GlobClass, open);
        };
        if low == ']' && !is_first {
            break;
        }
        // A `]` or `[` in a class, and an escape, are read in as many ways as there are readers.
        if matches!(low, ']' | '[' | '\\') {
            return fail(Kind::GlobClass, at);
        }
        is_first = false;
        let mut high = low;
        if low != '-' && characters.next_if(|(_, next)| *next == '-').is_some() {
            match characters.peek() {
                // `[a-]`: the `-` is a member.
                Some((_, ']')) => set = set.with(b'-'),
                Some((_, next)) => {
                    high = *next;
                    characters.next();
                }
                None => return fail(Kind::GlobClass, open),
            }
        }
        if !low.is_ascii() || !high.is_ascii() {
            return fail(Kind::GlobClassNotAscii, at);
        }
        if matches!(high, ']' | '[' | '\\') {
            return fail(Kind::GlobClass, at);
        }
        if low > high {
            return fail(Kind::GlobRange, at);
        }
        set = (low as u8..=high as u8).fold(set, ByteSet::with);
        // In a class or in a range: some readers take it, here it never matches.
        if set.contains(b'/') {
            return fail(Kind::GlobClassSlash, at);
        }
    }
    let set = match negated {
        true => {
            let all = first_bytes();
            ByteSet::of(|byte| all.contains(byte) && !set.contains(byte))
        }
        false => set,
    };
    match set.is_empty() {
        true => fail(Kind::GlobClass, open),
        false => Ok(Lexeme::One(set, negated)),
    }
}

/// What the one alternative is that stands in braces.
fn alone(items: &[Item]) -> Kind {
    let is_dot = |item: &Item| item.lexeme == Lexeme::Char('.');
    match items.windows(2).any(|two| two.iter().all(is_dot)) {
        true => Kind::GlobBraceRange,
        false => Kind::GlobOneAlternative,
    }
}

/// Spells the braces out: every choice of alternatives, in order.
fn expand(items: &[Item]) -> Result<Vec<Vec<Item>>, Refused> {
    let Some(open) = items.iter().position(|item| item.lexeme == Lexeme::Open) else {
        return Ok(vec![items.to_vec()]);
    };
    let too_many = || Refused::new(Kind::GlobAlternatives, items[open].at);
    let mut depth = 0;
    let mut cuts = vec![open];
    for (n, item) in items.iter().enumerate().skip(open) {
        match item.lexeme {
            Lexeme::Open => depth += 1,
            Lexeme::Close => depth -= 1,
            _ => {}
        }
        if item.lexeme == Lexeme::Comma && depth == 1 || depth == 0 {
            cuts.push(n);
        }
        if depth == 0 {
            break;
        }
    }
    // One alternative is none; and what has two each is soon too many, which bounds the work.
    if let [from, to] = cuts[..] {
        return Err(Refused::new(alone(&items[from + 1..to]), items[open].at));
    }
    let close = cuts[cuts.len() - 1];
    let tails = expand(&items[close + 1..])?;
    let mut spelled = Vec::new();
    for cut in cuts.windows(2) {
        for middle in expand(&items[cut[0] + 1..cut[1]])? {
            for tail in &tails {
                if spelled.len() == MAX_GLOB_ALTERNATIVES {
                    return Err(too_many());
                }
                spelled.push([&items[..open], &middle, tail].concat());
            }
        }
    }
    Ok(spelled)
}

/// Spells each `**` out as no segment or some: at most `most` patterns.
fn segments(items: &[Item], most: usize) -> Result<Vec<Pattern>, Refused> {
    let is_slash = |item: &Item| item.lexeme == Lexeme::Char('/');
    let mut spelled = vec![Pattern::default()];
    let parts: Vec<&[Item]> = items.split(is_slash).collect();
    for (n, part) in parts.iter().enumerate() {
        let is_last = n + 1 == parts.len();
        match part {
            [Item { lexeme: Lexeme::StarStar, .. }] => {
                if is_last {
                    spelled.iter_mut().for_each(|pattern| pattern.push(Token::STAR));
                    continue;
                }
                // `**/**/` is `**/`.
                if n > 0 && matches!(parts[n - 1], [Item { lexeme: Lexeme::StarStar, .. }]) {
                    continue;
                }
                if spelled.len() * 2 > most {
                    return Err(Refused::new(Kind::GlobAlternatives, part[0].at));
                }
                let mut some = spelled.clone();
                for pattern in &mut some {
                    pattern.push(Token::STAR);
                    pattern.push_byte(b'/');
                }
                spelled.append(&mut some);
            }
            part => {
                if let Some(item) = part.iter().find(|item| item.lexeme == Lexeme::StarStar) {
                    return Err(Refused::new(Kind::GlobStarStar, item.at));
                }
                for pattern in &mut spelled {
                    part.iter().for_each(|item| push(pattern, &item.lexeme));
                    if !is_last {
                        pattern.push_byte(b'/');
                    }
                }
            }
        }
    }
    Ok(spelled)
}

fn push(pattern: &mut Pattern, lexeme: &Lexeme) {
    match lexeme {
        Lexeme::Char(character) => {
            pattern.push_bytes(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Lexeme::Star => pattern.push(Token::Run(ByteSet::segment())),
        Lexeme::One(first, continues) => {
            pattern.push(Token::One(*first));
            if *continues {
                pattern.push(Token::Run(ByteSet::continuation()));
            }
        }
        Lexeme::StarStar | Lexeme::Open | Lexeme::Comma | Lexeme::Close => {
            unreachable!("braces are spelled out and `**` is a whole segment")
        }
    }
}

/// How many steps a pattern has behind its literal start.
fn steps(pattern: &Pattern) -> usize {
    let skip = usize::from(!pattern.prefix().is_empty());
    pattern.tokens().iter().skip(skip).map(|token| token.min_len().max(1)).sum()
}
