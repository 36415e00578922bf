//! ARNs: which of them are buckets and objects.

use crate::{
    analysis::iam::PARTITIONS,
    automaton::Effect,
    policy::distance,
    restriction::{ByteSet, Pattern, Token},
};

/// What an ARN of S3 may name beside buckets and their objects, and what that is called.
const KINDS: [(&str, &str); 7] = [
    ("accesspoint", "an access point"),
    ("access-grants", "a grant"),
    ("async-request", "a request"),
    ("job", "a job"),
    ("outpost", "an outpost"),
    ("storage-lens", "a lens"),
    ("storage-lens-group", "a lens"),
];

/// What a resource is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resource<'t> {
    /// A bucket or objects: what stands behind `arn:aws:s3:::`; `*` for everything. With the partitions that it may be
    /// in.
    Named(&'t str, Vec<&'static str>),
    /// Something that no object is: what it is.
    Elsewhere(String),
    /// Nothing that there is: what is wrong, and what to write.
    Wrong(String, String),
}

/// Reads a resource. `effect` is of its statement: of a deny nothing may be overlooked.
pub(super) fn resource(text: &str, effect: Option<Effect>) -> Resource<'_> {
    if text == "*" {
        return Resource::Named(text, PARTITIONS.iter().map(|(name, _)| *name).collect());
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts[..] else {
        return wrong(text, format!("`{text}` is no bucket and no object"));
    };
    if service.contains(['*', '?']) {
        return wrong(
            text,
            format!("`{text}` has a wildcard for its service, which IAM does not take"),
        );
    }
    if service != "s3" {
        return match distance(service, "s3") {
            1 => wrong(text, format!("`{text}` is no bucket and no object")),
            _ => Resource::Elsewhere(format!("of the service `{service}`")),
        };
    }
    let like = pattern(partition);
    let partitions: Vec<&str> = PARTITIONS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| like.matches(name.as_bytes()))
        .collect();
    if partitions.is_empty() || resource.is_empty() || resource.starts_with(':') {
        return wrong(text, format!("`{text}` is no bucket and no object"));
    }
    if region.is_empty() && account.is_empty() {
        return Resource::Named(resource, partitions);
    }
    // An object's ARN has neither.
    let may_be_empty = [region, account].iter().all(|part| part.bytes().all(|byte| byte == b'*'));
    let kind = resource.split(['/', ':']).next().unwrap_or_default();
    let kind = KINDS.iter().find(|(name, _)| *name == kind);
    match (kind, may_be_empty, effect) {
        (_, true, _) if resource == "*" => Resource::Named(resource, partitions),
        (_, true, Some(Effect::Deny)) => wrong(
            text,
            format!("`{text}` has wildcards for its region and account, which no object has"),
        ),
        (Some((_, what)), _, _) => Resource::Elsewhere((*what).to_owned()),
        (None, true, _) => Resource::Named(resource, partitions),
        (None, false, _) if resource.starts_with(['*', '?']) => Resource::Elsewhere(
            "what has a region or an account, as an access point does".to_owned(),
        ),
        (None, false, _) => wrong(
            text,
            format!(
                "`{text}` has a region or an account, which no bucket has: it is none, and no object"
            ),
        ),
    }
}

/// What an ARN is meant to be, where it is none.
fn wrong(text: &str, message: String) -> Resource<'_> {
    let behind =
        |start: &str| text.strip_prefix(start).map(|rest| rest.trim_start_matches([':', '/']));
    let meant = behind("s3://")
        .or_else(|| behind("s3a://"))
        .or_else(|| behind("arn:aws:s3"))
        .or_else(|| {
            let parts: Vec<&str> = text.splitn(6, ':').collect();
            match parts[..] {
                ["arn", .., resource] if parts.len() == 6 => Some(resource),
                [alone] if alone.contains('/') => Some(alone.trim_start_matches('/')),
                _ => None,
            }
        });
    let meant = meant.and_then(|meant| meant.rsplit(':').next()).filter(|meant| !meant.is_empty());
    let help = match meant {
        Some(meant) => format!("write `arn:aws:s3:::{meant}` if that is meant"),
        None => "write `arn:aws:s3:::bucket/key`, in which the bucket and the key may have `*`"
            .to_owned(),
    };
    Resource::Wrong(message, help)
}

fn pattern(text: &str) -> Pattern {
    let mut pattern = Pattern::default();
    for byte in text.bytes() {
        match byte {
            b'*' => pattern.push(Token::STAR),
            b'?' => pattern.push(Token::One(ByteSet::ALL)),
            byte => pattern.push_byte(byte),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_buckets_and_objects_or_said_to_be_none() {
        let allow = Some(Effect::Allow);
        for (text, expected) in [
            ("*", "*"),
            ("arn:aws:s3:::b", "b"),
            ("arn:aws:s3:::b/a:b/*", "b/a:b/*"),
            ("arn:aws-cn:s3:::b/*", "b/*"),
            ("arn:*:s3:::b/*", "b/*"),
            ("arn:aws*:s3:::*", "*"),
            ("arn:aws:s3:*:*:b/*", "b/*"),
            ("arn:aws:s3:*:*:*", "*"),
        ] {
            match resource(text, allow) {
                Resource::Named(named, partitions) => {
                    assert_eq!(named, expected, "{text}");
                    assert_eq!(
                        partitions.len() == 1,
                        !text.split("s3").next().unwrap_or("").contains('*')
                    );
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in [
            "arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/*",
            "arn:aws:s3::111122223333:accesspoint/x.mrap",
            "arn:aws:s3:*:*:accesspoint/*",
            "arn:aws:s3:us-east-1:111122223333:job/*",
            "arn:aws:s3:*:111122223333:*",
            "arn:aws:s3-object-lambda:us-east-1:111122223333:accesspoint/x",
            "arn:aws:s3express:us-east-1:1:bucket/b--use1-az4--x-s3",
            "arn:aws:kms:us-east-1:1:key/x",
            "arn:aws:sqs:::q",
        ] {
            assert!(matches!(resource(text, allow), Resource::Elsewhere(_)), "{text}");
        }
        for (text, help) in [
            ("s3://b/*", "`arn:aws:s3:::b/*`"),
            ("b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s3::b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s3::::b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s3:b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s3:us-east-1:1:b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s33:::b/*", "`arn:aws:s3:::b/*`"),
            ("arn:minio:s3:::b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:*:::b/*", "`arn:aws:s3:::b/*`"),
            ("arn:aws:s3:::", "write `arn:aws:s3:::bucket/key`"),
            ("bucket", "write `arn:aws:s3:::bucket/key`"),
            ("", "write `arn:aws:s3:::bucket/key`"),
        ] {
            match resource(text, allow) {
                Resource::Wrong(_, found) => assert!(found.contains(help), "{text}: {found}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        let deny = Some(Effect::Deny);
        assert!(matches!(resource("arn:aws:s3:*:*:b/*", deny), Resource::Wrong(..)));
        assert!(matches!(resource("arn:aws:s3:*:*:*", deny), Resource::Named("*", _)));
    }
}
