//! Users and their API keys.

use std::collections::HashSet;

use super::{
    ApiKey, Building, Place, User,
    advice::{Advice, Candidate},
    credentials,
    fields::{self, Fields, HASH, Secret, Shape},
    reach::{self, Reach},
    report::Report,
    schema,
    yaml::Node,
};
use crate::access::AccessSet;

static USER: Shape = Shape {
    name: "a user",
    fields: &["name", "keys"],
    elsewhere: &[("user", "name"), ("username", "name"), ("id", "name")],
    secret: None,
};
static API_KEY: Shape = Shape {
    name: "an API key",
    fields: &["id", "sha256", "access", "manage", "connections"],
    elsewhere: &[],
    secret: Some(Secret::ApiKey),
};

/// The hash of no bytes.
const OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Reads one user.
pub(super) fn read(report: &mut Report<'_>, building: &mut Building, node: &Node<'_>) {
    let Some(fields) = Fields::read(report, node, &USER) else {
        return;
    };
    let name_node = fields.require(report, "name", "name the user", Some("name: steph"));
    let name = name_node.and_then(|node| schema::name(report, node, "`name`"));
    if let (Some(node), Some(name)) = (name_node, name) {
        building.claim(report, node.span, Place::User(name.into()), || {
            format!("the user `{name}` is defined twice")
        });
    }
    let mut keys: Vec<ApiKey> = Vec::new();
    let mut ids = HashSet::new();
    if let Some(node) = fields.get("keys") {
        for item in fields::items(report, node, "`keys`").unwrap_or_default() {
            if let Some(key) = api_key(report, building, item, &mut ids) {
                keys.push(key);
            }
        }
    }
    if let (Some(node), Some(name)) = (name_node, name) {
        let location = report.location(node.span);
        building.users.push(User { name: name.into(), keys, location });
    }
}

fn api_key<'n>(
    report: &mut Report<'_>,
    building: &mut Building,
    node: &'n Node<'_>,
    ids: &mut HashSet<&'n str>,
) -> Option<ApiKey> {
    let errors = report.errors();
    let key = (|| {
        let fields = Fields::read(report, node, &API_KEY)?;
        let id_node = fields.require(report, "id", "call it something", Some("id: laptop"));
        let id = id_node.and_then(|node| schema::name(report, node, "`id`"));
        if let (Some(node), Some(id)) = (id_node, id)
            && !ids.insert(id)
        {
            report
                .error("policy.duplicate_key", node.span, "the user has two keys of this id")
                .help("give each key an id of its own");
        }
        let sha256 = fields.require(report, "sha256", HASH, None).and_then(|node| {
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
                None,
            )
            .and_then(|node| key_access(report, node));
        let manage = match fields.get("manage") {
            Some(node) => fields::truth(report, node, "`manage`"),
            None => Some(false),
        };
        let connections = fields.get("connections");
        let reach = match connections {
            Some(node) => reach::read(report, node),
            None => Some(Reach::ALL),
        };
        if let (Some(node), Some(true)) = (connections, manage) {
            report
                .error("policy.key_connections", node.span, "a key that manages reaches all")
                .help(
                    "it can make itself any other key: one of `connections` and `manage` has to go",
                );
        }
        let location = report.location(node.span);
        let (id, manage, reach) = (id?.into(), manage?, reach?);
        Some(ApiKey { id, sha256: sha256?, access: access?, manage, reach, location })
    })();
    if report.errors() > errors {
        credentials::hide_all(report, node);
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
    // What `sha256sum` prints when the variable in the help above is not set.
    if hash == OF_NOTHING {
        report.error("policy.sha256", node.span, "`sha256` is the hash of an empty key").help(HASH);
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
            let one = |lead, word| Candidate::example(lead, node.whole().range(), word);
            report.error("policy.access", node.span, "this is not what a key may have").advise(
                Advice::default().write_each([
                    one("write ", "none"),
                    one(", ", "read-only"),
                    one(" or ", "read-write"),
                ]),
            );
            None
        }
    }
}
