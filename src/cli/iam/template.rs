//! What templates leave open: `Fn::Sub`, `Ref`, `${Bucket}`, `<bucket>`. A policy as it is deployed has none of it.

use crate::json::Json;

/// What starts the names of IAM's own variables. (The names of identity providers, which are hosts, have a dot.)
const VARIABLES: [&str; 11] =
    ["aws", "s3", "saml", "sts", "jwt", "ldap", "ec2", "iam", "kms", "oidc", "cognito-identity"];

/// The function of a template that stands in place of a text.
pub(super) fn function(json: &Json) -> Option<&str> {
    let Json::Fields(fields) = json else { return None };
    let [(name, _)] = &fields[..] else { return None };
    let is_function = name.starts_with("Fn::") || matches!(&**name, "Ref" | "Condition");
    is_function.then_some(name)
}

/// A placeholder in a text: `${…}` that is none of IAM's variables, and `{{…}}`.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let braces = text.find("{{").and_then(|at| {
        let end = text[at..].find("}}")?;
        Some(&text[at..at + end + 2])
    });
    braces.or_else(|| {
        let mut rest = text;
        loop {
            rest = &rest[rest.find("${")?..];
            let end = rest.find('}')? + 1;
            let (variable, behind) = rest.split_at(end);
            if !is_variable(&variable[2..end - 1]) {
                return Some(variable);
            }
            rest = behind;
        }
    })
}

/// Whether IAM knows a name between `${` and `}`. What has no colon, as `Bucket` and `var.bucket`, is of a template.
fn is_variable(name: &str) -> bool {
    // `${*}`, `${?}` and `${$}` are the signs, and nothing at all is a slip.
    if name.is_empty() || matches!(name, "*" | "?" | "$") {
        return true;
    }
    match name.split_once(':') {
        Some((start, rest)) => {
            !rest.starts_with(':')
                && (start.contains('.')
                    || VARIABLES.iter().any(|known| start.eq_ignore_ascii_case(known)))
        }
        None => false,
    }
}

/// A bucket's name that is none, because it stands for one: `<bucket>`, `[bucket]`, `%BUCKET%`, `$BUCKET`.
pub(super) fn stands_for_bucket(resource: &str) -> Option<&str> {
    let bucket = resource.split('/').next().unwrap_or_default();
    let odd = |character: char| {
        matches!(character, '<' | '>' | '[' | ']' | '{' | '}' | '%' | '(' | ')' | '#' | '@' | '\'')
    };
    let is_odd = bucket.contains(odd) || bucket.starts_with('$') || bucket.trim() != bucket;
    (is_odd && !bucket.contains("${")).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_variables() {
        for text in [
            "${DataBucket}/*",
            "a/${var.bucket}",
            "${aws_s3_bucket.b.arn}/*",
            "${AWS::AccountId}-logs",
            "${self:custom.bucket}",
            "${aws:username}/${Bucket}",
            "{{ bucket }}/*",
            "${BUCKET}",
            "${local.x}",
        ] {
            assert!(placeholder(text).is_some(), "{text}");
        }
        for text in [
            "home/${aws:username}/*",
            "${aws:PrincipalTag/team}",
            "${aws:username, 'x'}",
            "${cognito-identity.amazonaws.com:sub}",
            "${www.amazon.com:user_id}",
            "${saml:sub}",
            "${jwt:preferred_username}",
            "${*}${?}${$}",
            "a$b{c}",
            "${",
            "",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
        for text in ["<bucket>/*", "[your-bucket]", "%BUCKET%/x", "$BUCKET/*", " b/*"] {
            assert!(stands_for_bucket(text).is_some(), "{text}");
        }
        for text in ["*", "b/*", "b*/<x>", "my_Bucket.1/*", "b?/[a]"] {
            assert_eq!(stands_for_bucket(text), None, "{text}");
        }
    }
}
