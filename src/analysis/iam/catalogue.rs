//! The actions of S3 that no connection gives, by name, and what was meant where there is none of a name.

use super::Action;
use crate::policy::distance;

/// What stands under each heading of the list. See the file for where it is from.
const LIST: &str = include_str!("actions.txt");

/// How many letters a slip of the pen has at most.
const SLIP: usize = 3;

/// The lines under a heading.
fn under(heading: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = LIST.lines().skip_while(move |line| {
        line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(heading)
    });
    lines.skip(1).take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty())
}

/// The actions that no connection gives, with `s3:` in front: those on objects first.
pub(super) fn beyond() -> impl Iterator<Item = &'static str> {
    ["object", "bucket", "other", "servers"].into_iter().flat_map(under)
}

/// The operations of the API that are no actions, each with the action that allows it.
fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    under("operations").filter_map(|line| line.split_once(" = "))
}

/// Whether the prefix of a service is `s3` with a slip. No service of AWS has a prefix so near to it.
pub(super) fn is_slip(service: &str) -> bool {
    service.len() <= 3 && distance(&service.to_ascii_lowercase(), "s3") == 1
}

/// What to write instead of an action that there is not.
pub(super) fn instead_of(text: &str) -> String {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let Some(name) = words.rfind(|word| !word.is_empty()) else {
        return NOTHING_NEAR.to_owned();
    };
    let name = name.to_ascii_lowercase();
    let bare = |action: &str| action.strip_prefix("s3:").unwrap_or(action).to_ascii_lowercase();
    if let Some((operation, action)) = operations().find(|(operation, _)| bare(operation) == name) {
        return format!(
            "`{operation}` is an operation and no action: `{action}` allows it; write that, or take this out"
        );
    }
    let most = SLIP.min(name.len() / 3);
    let actions = Action::ALL.into_iter().map(Action::name).chain(beyond());
    let near = actions.map(|action| (action, action)).chain(operations());
    let near = near.map(|(near, action)| (distance(&bare(near), &name), action));
    match near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance) {
        Some((_, action)) => format!("write `{action}`, or take it out"),
        None => NOTHING_NEAR.to_owned(),
    }
}

/// The help where nothing is near.
const NOTHING_NEAR: &str = "take it out: IAM takes it, and it allows nothing; a connection gives `s3:GetObject`, \
     `s3:PutObject`, `s3:DeleteObject` and `s3:ListBucket`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_in_order() {
        let headings = ["object", "bucket", "other", "servers", "operations"];
        for heading in headings {
            let names: Vec<&str> = under(heading).collect();
            assert!(names.is_sorted() && !names.is_empty(), "{heading}");
            for name in names {
                let name = name.strip_prefix("s3:").expect(name);
                let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                assert!(name.split(" = s3:").all(is_name), "{name}");
            }
        }
        // What AWS has is 180.
        let aws = ["object", "bucket", "other"].into_iter().flat_map(under);
        assert_eq!(aws.count() + Action::ALL.len(), 180);
        let all: Vec<&str> = Action::ALL.into_iter().map(Action::name).chain(beyond()).collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
        for (operation, action) in operations() {
            assert!(all.contains(&action) && !all.contains(&operation), "{operation}");
        }
    }
}
