//! The JSON that is read and written. Names are those of a policy, where it has them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::bad;
use crate::{
    access::{Access, AccessSet},
    engine::Outcome,
    manage::answers::{Attempt, Finding, Meaning, Opened, Problem, Refusal, Review, RuleRef},
    policy::{Conditions, CredentialsRef, Keys},
    store::{Draft, DraftCredentials, DraftRule, Secret, Stored},
};

/// A connection as it is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct ConnectionIn {
    label: String,
    #[serde(default)]
    is_default: bool,
    endpoint: Option<String>,
    region: Option<String>,
    keys: Option<KeysIn>,
    conditions: Option<ConditionsIn>,
    /// Left out, they are kept; `null` is none.
    #[serde(default, deserialize_with = "given")]
    credentials: Option<Option<CredentialsIn>>,
    #[serde(default, deserialize_with = "given")]
    access: Option<Option<AccessIn>>,
    /// `null` is everything.
    #[serde(default, deserialize_with = "given")]
    restrictions: Option<Option<Vec<RuleIn>>>,
    deny: Option<Vec<RuleIn>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase", expecting = "`exact` or `plain`")]
enum KeysIn {
    Exact,
    Plain,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase", expecting = "`honoured` or `none`")]
enum ConditionsIn {
    Honoured,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, or null")]
struct CredentialsIn {
    access_key_id: Option<SecretText>,
    secret_access_key: Option<SecretText>,
    session_token: Option<SecretText>,
    env: Option<String>,
    file: Option<String>,
    profile: Option<String>,
}

/// Overwritten when it is dropped.
struct SecretText(Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// `read-only`, `read-write`, or a list of accesses.
#[derive(Clone, Copy)]
struct AccessIn {
    set: AccessSet,
    /// Whether it is the word, which reads in two ways in a deny.
    is_read_only: bool,
}

impl<'de> Deserialize<'de> for AccessIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = AccessIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`read-only`, `read-write` or a list of `read`, `write` and `delete`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AccessIn, E> {
                match text {
                    "read-only" => Ok(AccessIn { set: AccessSet::READ_ONLY, is_read_only: true }),
                    "read-write" => {
                        Ok(AccessIn { set: AccessSet::READ_WRITE, is_read_only: false })
                    }
                    _ => Err(E::invalid_value(Unexpected::Other("another text"), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AccessIn, A::Error> {
                let mut set = AccessSet::NONE;
                while let Some(name) = items.next_element::<String>()? {
                    let access = Access::from_name(&name).ok_or_else(|| {
                        A::Error::invalid_value(Unexpected::Other("another text"), &self)
                    })?;
                    set = set.with(access);
                }
                Ok(AccessIn { set, is_read_only: false })
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// A row: a path, or an object.
struct RuleIn {
    path: Option<String>,
    glob: Option<String>,
    access: Option<AccessIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFields {
    path: Option<String>,
    glob: Option<String>,
    access: Option<AccessIn>,
}

impl<'de> Deserialize<'de> for RuleIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = RuleIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or an object with `path` or `glob` and perhaps `access`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RuleIn, E> {
                Ok(RuleIn { path: Some(text.to_owned()), glob: None, access: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<RuleIn, A::Error> {
                let fields = RuleFields::deserialize(MapAccessDeserializer::new(fields))?;
                let RuleFields { path, glob, access } = fields;
                Ok(RuleIn { path, glob, access })
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl ConnectionIn {
    /// Refuses a change that does not say what is allowed and denied from then on: what it leaves out
    /// would be opened without a word.
    pub(super) fn says_what_may_be_done(&self) -> Result<(), Refusal> {
        let said = [
            ("access", self.access.is_some()),
            ("restrictions", self.restrictions.is_some()),
            ("deny", self.deny.is_some()),
        ];
        match said.iter().find(|(_, is_there)| !is_there) {
            None => Ok(()),
            Some((field, _)) => Err(bad(format!(
                "a change says all of a connection, and `{field}` is missing: send it as it was, or \
                 as it is to be; `\"restrictions\": null` is everything"
            ))),
        }
    }

    /// The draft that it is.
    pub(super) fn into_draft(self) -> Result<Draft, Refusal> {
        let restrictions =
            self.restrictions.flatten().map(|rules| rows("restrictions", rules)).transpose()?;
        Ok(Draft {
            label: self.label,
            is_default: self.is_default,
            endpoint: self.endpoint,
            region: self.region,
            keys: self.keys.map(|keys| match keys {
                KeysIn::Exact => Keys::Exact,
                KeysIn::Plain => Keys::Plain,
            }),
            conditions: self.conditions.map(|conditions| match conditions {
                ConditionsIn::Honoured => Conditions::Honoured,
                ConditionsIn::None => Conditions::None,
            }),
            credentials: match self.credentials {
                None => DraftCredentials::Keep,
                Some(None) => DraftCredentials::None,
                Some(Some(credentials)) => credentials.into_draft()?,
            },
            access: self.access.flatten().map_or(AccessSet::READ_ONLY, |access| access.set),
            restrictions,
            deny: rows("deny", self.deny.unwrap_or_default())?,
        })
    }
}

fn rows(field: &str, rules: Vec<RuleIn>) -> Result<Vec<DraftRule>, Refusal> {
    let mut rows = Vec::with_capacity(rules.len());
    for (row, rule) in rules.into_iter().enumerate() {
        let (text, glob) = match (rule.path, rule.glob) {
            (Some(path), None) => (path, false),
            (None, Some(glob)) => (glob, true),
            _ => {
                let message =
                    format!("row {row} of `{field}` has not exactly one of `path` and `glob`");
                return Err(bad(message));
            }
        };
        if field == "deny" && rule.access.is_some_and(|access| access.is_read_only) {
            return Err(bad(format!(
                "`read-only` in row {row} of `deny` reads in two ways: list what is taken away, such as \
                 [\"write\", \"delete\"]"
            )));
        }
        rows.push(DraftRule { text, glob, access: rule.access.map(|access| access.set) });
    }
    Ok(rows)
}

impl CredentialsIn {
    fn into_draft(self) -> Result<DraftCredentials, Refusal> {
        let Self { access_key_id, secret_access_key, session_token, env, file, profile } = self;
        let reference = match (env, file, profile) {
            (Some(name), None, None) => Some(CredentialsRef::Env(name.into())),
            (None, Some(path), None) => Some(CredentialsRef::File(path.into())),
            (None, None, Some(name)) => Some(CredentialsRef::Profile(name.into())),
            (None, None, None) => None,
            _ => return Err(bad(CREDENTIALS)),
        };
        match (reference, access_key_id, secret_access_key, session_token) {
            (Some(reference), None, None, None) => Ok(DraftCredentials::Reference(reference)),
            (None, Some(id), Some(secret), token) => Ok(DraftCredentials::Secret(Secret {
                access_key_id: id.0,
                secret_access_key: secret.0,
                session_token: token.map(|token| token.0),
            })),
            _ => Err(bad(CREDENTIALS)),
        }
    }
}

const CREDENTIALS: &str = "`credentials` is {\"access_key_id\", \"secret_access_key\"} and perhaps \
                           \"session_token\", or one of {\"env\"}, {\"file\"} and {\"profile\"}; left \
                           out, they are kept, and null is none";

/// A key's access, which is none of the finer ones.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "`none`, `read-only` or `read-write`")]
pub(super) enum KeyAccess {
    None,
    ReadOnly,
    ReadWrite,
}

impl KeyAccess {
    pub(super) fn set(self) -> AccessSet {
        match self {
            Self::None => AccessSet::NONE,
            Self::ReadOnly => AccessSet::READ_ONLY,
            Self::ReadWrite => AccessSet::READ_WRITE,
        }
    }
}

pub(super) fn names(access: AccessSet) -> Vec<&'static str> {
    access.iter().map(Access::name).collect()
}

/// A connection as it is.
pub(super) fn connection(stored: &Stored) -> Value {
    let draft = stored.draft();
    let credentials = stored.connection.credentials().map(|reference| match reference {
        CredentialsRef::Sealed(sealed) => json!({ "sealed": { "id_ends": sealed.id_ends() } }),
        other => {
            let (kind, place) = other.kind_and_place();
            let named = Map::from_iter([(kind.to_owned(), Value::from(place))]);
            Value::Object(named)
        }
    });
    json!({
        "identity": stored.identity,
        "revision": stored.revision,
        "id": stored.connection.id().to_string(),
        "label": draft.label,
        "is_default": draft.is_default,
        "endpoint": draft.endpoint,
        "region": draft.region,
        "keys": draft.keys.map(Keys::name),
        "conditions": draft.conditions.map(Conditions::name),
        "credentials": credentials,
        "access": names(draft.access),
        "restrictions": draft.restrictions.as_ref().map(|rules| rules.iter().map(rule).collect::<Vec<_>>()),
        "deny": draft.deny.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(rule: &DraftRule) -> Value {
    let name = if rule.glob { "glob" } else { "path" };
    let mut fields = Map::from_iter([(name.to_owned(), Value::from(rule.text.as_str()))]);
    if let Some(access) = rule.access {
        fields.insert("access".to_owned(), names(access).into());
    }
    Value::Object(fields)
}

pub(super) fn problem(problem: &Problem) -> Value {
    let Problem { field, row, code, message, help } = problem;
    json!({ "field": field, "row": row, "code": code, "message": message, "help": help })
}

pub(super) fn review(review: &Review) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "code": finding.code,
            "level": finding.level.to_string(),
            "field": finding.field,
            "row": finding.row,
            "message": finding.message,
            "witness": finding.witness,
            "fix": finding.fix,
        })
    };
    let meaning = |meaning: &Meaning| json!({ "field": meaning.field, "row": meaning.row, "words": meaning.words });
    let opened = |opened: &Opened| {
        json!({
            "access": names(opened.access),
            "restriction": opened.restriction,
            "words": opened.words,
            "whole": opened.whole,
            "path": opened.path,
        })
    };
    json!({
        "valid": review.is_valid(),
        "problems": review.problems.iter().map(problem).collect::<Vec<_>>(),
        "meanings": review.meanings.iter().map(meaning).collect::<Vec<_>>(),
        "findings": review.findings.iter().map(finding).collect::<Vec<_>>(),
        "opened": review.opened.iter().map(opened).collect::<Vec<_>>(),
        "lost": review.lost.iter().map(opened).collect::<Vec<_>>(),
        "undecided": review.undecided,
    })
}

/// The fields of an answer to `check` that are about the decision.
pub(super) fn attempt(attempt: &Attempt) -> Map<String, Value> {
    let rule = attempt
        .rule
        .as_ref()
        .map(|RuleRef { field, row, text }| json!({ "field": field, "row": row, "text": text }));
    let decision = match attempt.outcome {
        Outcome::Allow => "allow",
        Outcome::Deny => "deny",
        Outcome::Invalid => "invalid",
    };
    Map::from_iter([
        ("decision".to_owned(), decision.into()),
        ("reason".to_owned(), attempt.code.into()),
        ("message".to_owned(), attempt.words.clone().into()),
        ("rule".to_owned(), rule.into()),
    ])
}
