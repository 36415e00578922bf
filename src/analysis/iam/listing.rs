//! What a policy denies of listings. In a connection it follows from what may be read what may be listed, so that a
//! listing is only denied there if nothing of it may be read.

use super::{
    Action, Document, Problem, Statement,
    relation::{below, bucket},
    rules::{ASKED, Rules, given, holds},
    text,
};
use crate::{
    access::Access,
    analysis::Language,
    automaton::Effect,
    restriction::{Pattern, Token},
};

/// How many names are asked about one by one: each bucket with each prefix. Of more, all names of the buckets are.
const MOST_NAMES: usize = 16_384;

/// The first statement that denies a listing of what may be read.
pub(super) fn problems(policy: &Document, allows: &Rules, denies: &Rules) -> Option<Problem> {
    let readable = given(allows, denies, Access::Read);
    let statements = policy.statements.iter().enumerate();
    let mut denied = statements.filter(|(_, statement)| statement.effect == Effect::Deny);
    denied.find_map(|(n, statement)| {
        let hides_names =
            statement.actions.contains(&Action::ListBucket) && hides(statement, &readable);
        // A connection asks which buckets there are where its restrictions do not name them.
        let hides_buckets = statement.actions.contains(&Action::ListAllMyBuckets)
            && (statement.is_inverted || statement.resources.iter().any(|one| one == "*"))
            && allows.patterns(Access::Read).any(|pattern| !names_bucket(pattern));
        (hides_names || hides_buckets).then(|| {
            Problem::new(
                format!("Statement[{n}].Action"),
                "a denied listing: what may be listed follows from what may be read",
                "deny `s3:GetObject` on all objects that are not to be seen",
            )
        })
    })
}

/// Whether a statement hides names of what is readable. Its conditions may be met.
fn hides(statement: &Statement, readable: &Language<'_>) -> bool {
    let read = |resource: &String| text::read_loosely(resource).ok().map(|loose| loose.pattern);
    let all = [Token::STAR].into_iter().collect::<Pattern>();
    let of_buckets = statement.resources.iter().filter_map(read);
    let buckets: Vec<Pattern> = of_buckets.filter_map(|pattern| bucket(&pattern)).collect();
    let prefixes: Vec<Pattern> = match &statement.prefixes {
        Some(prefixes)
            if !statement.is_inverted
                && buckets.len().saturating_mul(prefixes.len()) <= MOST_NAMES =>
        {
            prefixes.iter().filter_map(read).collect()
        }
        _ => vec![Pattern::default()],
    };
    let names: Vec<Pattern> = buckets
        .iter()
        .flat_map(|bucket| prefixes.iter().map(move |prefix| below(bucket, prefix, false)))
        .collect();
    let hidden = match statement.is_inverted {
        true => Language::of_patterns([&all], &names),
        false => Language::of_patterns(&names, []),
    };
    !holds(&readable.disjoint(&hidden, ASKED))
}

/// Whether all paths of a pattern are in one bucket, which it names.
fn names_bucket(pattern: &Pattern) -> bool {
    matches!(pattern.tokens().first(), Some(Token::Literal(bytes)) if bytes.contains(&b'/'))
}
