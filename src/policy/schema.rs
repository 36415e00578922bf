//! What a policy file may say, and what each field means.

use std::sync::Arc;

use super::{
    ApiKey, Building, Connection, ConnectionId, CredentialsRef, Keys, Place, Rule, User, endpoint,
    fields::{self, Fields, SECRET, Shape},
    report::Report,
    rules::{self, Spanned},
    traps,
    yaml::Node,
};
use crate::{
    access::AccessSet,
    automaton::{Automaton, Effect, Entry},
    restriction::Restriction,
};

static FILE: Shape = Shape { name: "a policy", fields: &["connections", "users"], secret: None };
static CONNECTION: Shape = Shape {
    name: "a connection",
    fields: &[
        "id",
        "owner",
        "default",
        "endpoint",
        "keys",
        "region",
        "credentials",
        "access",
        "restrictions",
        "deny",
    ],
    secret: None,
};
static CREDENTIALS: Shape =
    Shape { name: "`credentials`", fields: &["profile", "env", "file"], secret: Some(SECRET) };
static USER: Shape = Shape { name: "a user", fields: &["name", "keys"], secret: None };
static API_KEY: Shape =
    Shape { name: "an API key", fields: &["id", "sha256", "access"], secret: Some(HASH) };

/// What to write instead of an API key.
const HASH: &str = "write `sha256:` and what `printf %s \"$KEY\" | sha256sum` prints; the key \
                    itself never stands in a policy";

/// The longest name of an owner or user, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// Reads one file into the policy that is built.
pub(super) fn read(report: &mut Report<'_>, building: &mut Building, root: &Node<'_>) {
    let Some(fields) = Fields::read(report, root, &FILE) else {
        return;
    };
    for (field, node) in fields.iter() {
        let name = format!("`{field}`");
        for item in fields::items(report, node, &name).unwrap_or_default() {
            match field {
                "connections" => connection(report, building, item),
                _ => user(report, building, item),
            }
        }
    }
}

fn connection(report: &mut Report<'_>, building: &mut Building, node: &Node<'_>) {
    let Some(fields) = Fields::read(report, node, &CONNECTION) else {
        return;
    };
    let errors = report.errors();
    let id =
        fields.require(report, "id", "name it: `id: s3+reports`").and_then(|node| id(report, node));
    let owner = fields
        .require(report, "owner", "name the user whose connection it is: `owner: steph`")
        .and_then(|node| name(report, node, "`owner`"));
    let is_default = fields
        .get("default")
        .and_then(|node| fields::truth(report, node, "`default`"))
        .unwrap_or_default();
    if let (Some(id), Some(owner)) = (&id, owner) {
        let place = fields.get("id").map_or(node.span, |node| node.span);
        building.claim_connection(report, place, owner, id);
        if is_default {
            let place = fields.get("default").map_or(node.span, |node| node.span);
            building.claim_default(report, place, owner, id);
        }
    }
    let endpoint = fields.get("endpoint").and_then(|node| endpoint::read(report, node));
    let keys = match fields.get("keys") {
        Some(node) => keys(report, node),
        None if fields.get("endpoint").is_some() => Some(Keys::Plain),
        None => Some(Keys::Exact),
    };
    let region = fields.get("region").and_then(|node| region(report, node));
    let credentials = fields.get("credentials").and_then(|node| credentials(report, node));
    let access = match fields.get("access") {
        Some(node) => rules::access_of(report, node, None),
        None => Some(AccessSet::READ_ONLY),
    };

    // Where the access is wrong, the restrictions are still read for their own mistakes.
    let inherited = access.unwrap_or(AccessSet::READ_ONLY);
    let mut spanned = Vec::new();
    match fields.get("restrictions") {
        Some(node) => {
            rules::read(report, building, node, Effect::Allow, inherited, &mut spanned);
        }
        None => spanned.extend(everything(report, node, inherited)),
    }
    if let Some(node) = fields.get("deny") {
        rules::read(report, building, node, Effect::Deny, AccessSet::READ_WRITE, &mut spanned);
    }
    if report.errors() > errors {
        return;
    }
    rules::warn_of_duplicates(report, &spanned);
    let (Some(id), Some(owner), Some(keys), Some(automaton)) =
        (id, owner, keys, compile(report, &spanned))
    else {
        return;
    };
    building.add_connection(Connection {
        id,
        owner: owner.into(),
        is_default,
        endpoint,
        keys,
        region,
        credentials,
        access: inherited,
        rules: spanned.into_iter().map(|spanned| spanned.rule).collect(),
        automaton,
        location: report.location(node.span),
    });
}

/// The rule of a connection without `restrictions`.
fn everything(report: &mut Report<'_>, node: &Node<'_>, access: AccessSet) -> Option<Spanned> {
    match Restriction::parse("*") {
        Ok(restriction) => Some(Spanned {
            rule: Rule { restriction, access, effect: Effect::Allow, location: None },
            span: node.span,
        }),
        Err(error) => {
            report.error("policy.restriction", node.span, error.to_string());
            None
        }
    }
}

fn compile(report: &mut Report<'_>, spanned: &[Spanned]) -> Option<Automaton> {
    let entries = spanned.iter().map(|Spanned { rule, .. }| Entry {
        restriction: &rule.restriction,
        access: rule.access,
        effect: rule.effect,
    });
    match Automaton::compile(entries) {
        Ok(automaton) => Some(automaton),
        Err(error) => {
            let span = spanned.get(error.rule.index()).map(|spanned| spanned.span);
            report
                .error(
                    error.limit,
                    span.unwrap_or_default(),
                    format!("with this entry the connection is too large: {error}"),
                )
                .help("name folders instead of files, or make two connections of it");
            None
        }
    }
}

fn id(report: &mut Report<'_>, node: &Node<'_>) -> Option<ConnectionId<'static>> {
    let text = fields::text(report, node, "`id`")?;
    match ConnectionId::parse(text) {
        Ok(id) if id.label().is_none() => {
            report.error("policy.connection_id", node.span, format!("`{text}` has no label")).help(
                format!(
                    "give it a label, and `default: true`: `id: {}+main`",
                    id.protocol().name()
                ),
            );
            None
        }
        Ok(id) => Some(id.into_owned()),
        Err(error) => {
            let message = format!("`{}` is not a connection's id", traps::shorten(text));
            report.error("policy.connection_id", node.span, message).help(error.to_string());
            None
        }
    }
}

/// A name of a user, an owner or a key.
pub(super) fn name<'n>(report: &mut Report<'_>, node: &'n Node<'_>, what: &str) -> Option<&'n str> {
    let text = fields::text(report, node, what)?;
    let wrong = if text.is_empty() {
        "is empty"
    } else if text.len() > MAX_NAME_LEN {
        "is longer than 128 bytes"
    } else if text.trim() != text {
        "starts or ends with a space"
    } else if text != crate::escape::escape(text) {
        "has characters in it that cannot be seen"
    } else {
        return Some(text);
    };
    report.error("policy.name", node.span, format!("{what} {wrong}")).help("write a name");
    None
}

fn keys(report: &mut Report<'_>, node: &Node<'_>) -> Option<Keys> {
    match fields::text(report, node, "`keys`")? {
        "exact" => Some(Keys::Exact),
        "plain" => Some(Keys::Plain),
        other => {
            let message = format!("`{}` is not a way to read keys", traps::shorten(other));
            report.error("policy.value", node.span, message).help(
                "write `exact` for AWS, where a key is its bytes, and `plain` for every server \
                 that was not probed",
            );
            None
        }
    }
}

fn region(report: &mut Report<'_>, node: &Node<'_>) -> Option<Box<str>> {
    let text = fields::text(report, node, "`region`")?;
    let in_region = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=64).contains(&text.len()) && text.bytes().all(in_region) {
        return Some(text.into());
    }
    report
        .error("policy.value", node.span, "this is not a region")
        .help("write a name such as `eu-west-1`");
    None
}

/// Reads a reference to credentials. Whatever is wrong with it, its line is not shown: what stands
/// where a reference belongs may be the secret itself.
fn credentials(report: &mut Report<'_>, node: &Node<'_>) -> Option<CredentialsRef> {
    let errors = report.errors();
    let reference = Fields::read(report, node, &CREDENTIALS).and_then(|fields| {
        let mut entries = fields.iter();
        let (Some((field, value)), None) = (entries.next(), entries.next()) else {
            if report.errors() == errors {
                report
                    .error(
                        "policy.credentials",
                        fields.span,
                        "`credentials` names not exactly one place",
                    )
                    .help(SECRET);
            }
            return None;
        };
        let text = fields::text(report, value, &format!("`{field}`"))?;
        let wrong = match field {
            _ if looks_like_secret(text) => Some("this looks like a key, not like the name of one"),
            _ if text.is_empty() || text != crate::escape::escape(text) => {
                Some("this is no name: it is empty, or has characters that cannot be seen")
            }
            "env" if !is_variable(text) => {
                Some("`env` is the name of an environment variable: A-Z a-z 0-9 _")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            report.error("policy.credentials", value.span, wrong).help(SECRET);
            return None;
        }
        Some(match field {
            "env" => CredentialsRef::Env(text.into()),
            "file" => CredentialsRef::File(text.into()),
            _ => CredentialsRef::Profile(text.into()),
        })
    });
    if report.errors() > errors {
        hide_all(report, node);
    }
    reference
}

/// Keeps every line of a value from being shown.
fn hide_all(report: &mut Report<'_>, node: &Node<'_>) {
    use super::yaml::Value;
    report.hide(node.span);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| hide_all(report, item)),
        Value::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            report.hide(key.span);
            hide_all(report, value);
        }),
        Value::Scalar(_) | Value::Reported => {}
    }
}

fn is_variable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether it has the form of an AWS access key id or of a secret access key.
fn looks_like_secret(text: &str) -> bool {
    let key_id = text.len() == 20
        && ["AKIA", "ASIA"].iter().any(|start| text.starts_with(start))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let in_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let secret = text.len() == 40
        && text.bytes().all(in_base64)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    key_id || secret
}

fn user(report: &mut Report<'_>, building: &mut Building, node: &Node<'_>) {
    let Some(fields) = Fields::read(report, node, &USER) else {
        return;
    };
    let name_node = fields.require(report, "name", "name the user: `name: steph`");
    let name = name_node.and_then(|node| name(report, node, "`name`"));
    if let (Some(node), Some(name)) = (name_node, name) {
        building.claim(report, node.span, Place::User(name.into()), || {
            format!("the user `{name}` is defined twice")
        });
    }
    let mut keys: Vec<ApiKey> = Vec::new();
    if let Some(node) = fields.get("keys") {
        for item in fields::items(report, node, "`keys`").unwrap_or_default() {
            if let Some(key) = api_key(report, building, item, &keys) {
                keys.push(key);
            }
        }
    }
    if let Some(name) = name {
        building.users.push(User { name: name.into(), keys });
    }
}

fn api_key(
    report: &mut Report<'_>,
    building: &mut Building,
    node: &Node<'_>,
    others: &[ApiKey],
) -> Option<ApiKey> {
    let errors = report.errors();
    let key = (|| {
        let fields = Fields::read(report, node, &API_KEY)?;
        let id_node = fields.require(report, "id", "call it something: `id: laptop`");
        let id = id_node.and_then(|node| name(report, node, "`id`"));
        if let (Some(node), Some(id)) = (id_node, id)
            && others.iter().any(|other| *other.id == *id)
        {
            report
                .error("policy.duplicate_key", node.span, "the user has two keys of this id")
                .help("give each key an id of its own");
        }
        let sha256 = fields.require(report, "sha256", HASH).and_then(|node| {
            let hash = sha256(report, node)?;
            building.claim(report, node.span, Place::Hash(hash), || {
                "two API keys have the same hash".to_owned()
            });
            Some(hash)
        });
        let access = fields
            .require(
                report,
                "access",
                "say what the key may do with data: `none`, `read-only` or `read-write`",
            )
            .and_then(|node| key_access(report, node));
        Some(ApiKey { id: id?.into(), sha256: sha256?, access: access? })
    })();
    if report.errors() > errors {
        hide_all(report, node);
    }
    key
}

fn sha256(report: &mut Report<'_>, node: &Node<'_>) -> Option<[u8; 32]> {
    let text = fields::text(report, node, "`sha256`")?;
    let mut hash = [0; 32];
    let pairs = text.as_bytes().chunks(2);
    let complete = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    if !complete {
        report
            .error("policy.sha256", node.span, "`sha256` is not 64 hexadecimal digits")
            .help(HASH);
        return None;
    }
    Some(hash)
}

fn key_access(report: &mut Report<'_>, node: &Node<'_>) -> Option<AccessSet> {
    match fields::text(report, node, "the `access` of a key")? {
        "none" => Some(AccessSet::NONE),
        "read-only" => Some(AccessSet::READ_ONLY),
        "read-write" => Some(AccessSet::READ_WRITE),
        _ => {
            report
                .error("policy.access", node.span, "this is not what a key may have")
                .help("write `none`, `read-only` or `read-write`");
            None
        }
    }
}

impl Building {
    fn add_connection(&mut self, connection: Connection) {
        let place = self.connections.len();
        let own = self.by_owner.entry(connection.owner.clone()).or_default();
        if let Some(label) = connection.id.label() {
            own.by_label.insert(label.into(), place);
        }
        if connection.is_default {
            own.default = Some(place);
        }
        self.connections.push(Arc::new(connection));
    }
}
