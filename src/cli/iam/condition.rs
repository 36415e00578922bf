//! The conditions of a statement: those of listings, and all others by name.

use crate::json::Json;

/// What a condition says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// The values of `StringLike` on `s3:prefix`.
    pub(super) prefixes: Option<Vec<String>>,
    /// Whether `s3:delimiter` is `/`.
    pub(super) is_delimited: bool,
    /// Conditions that no connection knows, for messages.
    pub(super) unknown: Vec<String>,
}

/// Reads a condition. `None` where it is none that IAM takes.
pub(super) fn conditions(json: &Json) -> Option<Conditions> {
    let mut conditions = Conditions::default();
    let Json::Fields(operators) = json else { return None };
    for (operator, keys) in operators {
        let Json::Fields(keys) = keys else { return None };
        for (key, values) in keys {
            conditions.add(operator, key, values);
        }
    }
    Some(conditions)
}

impl Conditions {
    fn add(&mut self, operator: &str, key: &str, values: &Json) {
        let texts = texts(values);
        let is_text = matches!(operator, "StringLike" | "StringEquals");
        match texts {
            Some(texts)
                if is_text && key.eq_ignore_ascii_case("s3:prefix") && self.prefixes.is_none() =>
            {
                let like = |text: &&str| match operator {
                    "StringEquals" => exactly(text),
                    _ => (*text).to_owned(),
                };
                self.prefixes = Some(texts.iter().map(like).collect());
            }
            // Listings are asked for with this delimiter or with none.
            Some(texts)
                if is_text && key.eq_ignore_ascii_case("s3:delimiter") && texts.contains(&"/") =>
            {
                self.is_delimited = true;
            }
            _ => self.unknown.push(format!("`{operator}` on `{key}`")),
        }
    }
}

fn texts(json: &Json) -> Option<Vec<&str>> {
    match json {
        Json::Text(text) => Some(vec![text]),
        Json::List(list) => list
            .iter()
            .map(|json| match json {
                Json::Text(text) => Some(&**text),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The text of `StringEquals` as `StringLike` has it. Variables stay what they are.
fn exactly(text: &str) -> String {
    let mut like = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '?', '$']) {
        let (before, sign) = rest.split_at(at);
        like.push_str(before);
        let len = match sign.strip_prefix("${").and_then(|behind| behind.find('}')) {
            Some(end) => {
                like.push_str(&sign[..end + 3]);
                end + 3
            }
            None => {
                like.push_str(&format!("${{{}}}", &sign[..1]));
                1
            }
        };
        rest = &sign[len..];
    }
    like + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Conditions> {
        conditions(&serde_json::from_str(json).expect(json))
    }

    #[test]
    fn conditions_of_listings_are_known_and_others_named() {
        let prefixes = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
        for (json, expected) in [
            ("{}", Conditions::default()),
            (r#"{"StringLike":{}}"#, Conditions::default()),
            (
                r#"{"StringLike":{"s3:Prefix":["","home/*"]},"StringEquals":{"s3:delimiter":["","/"]}}"#,
                Conditions {
                    prefixes: prefixes(&["", "home/*"]),
                    is_delimited: true,
                    unknown: vec![],
                },
            ),
            (
                r#"{"StringEquals":{"s3:prefix":"a*$"}}"#,
                Conditions { prefixes: prefixes(&["a${*}${$}"]), ..Conditions::default() },
            ),
            (
                r#"{"Bool":{"aws:SecureTransport":false},"StringNotLike":{"s3:prefix":"a"}}"#,
                Conditions {
                    unknown: vec![
                        "`Bool` on `aws:SecureTransport`".into(),
                        "`StringNotLike` on `s3:prefix`".into(),
                    ],
                    ..Conditions::default()
                },
            ),
            (
                r#"{"StringEquals":{"s3:delimiter":"x"}}"#,
                Conditions {
                    unknown: vec!["`StringEquals` on `s3:delimiter`".into()],
                    ..Conditions::default()
                },
            ),
        ] {
            assert_eq!(read(json), Some(expected), "{json}");
        }
        for json in ["[]", r#""x""#, r#"{"Bool":"x"}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
