//! What a policy file may say, and what each field means.

use std::sync::Arc;

use super::{
    Building, Conditions, Connection, ConnectionId, ConnectionIdError, Keys, Rule,
    advice::{Advice, Candidate},
    credentials, endpoint,
    fields::{self, Fields, Shape},
    report::Report,
    rules::{self, Spanned},
    secrets, traps, users,
    yaml::Node,
};
use crate::{
    access::AccessSet,
    automaton::{Automaton, Budget, Effect, Entry},
    restriction::Restriction,
};

static FILE: Shape = Shape {
    name: "a policy",
    fields: &["connections", "users"],
    elsewhere: &[("sources", "connections"), ("connectors", "connections"), ("owners", "users")],
    secret: None,
};
pub(super) static CONNECTION: Shape = Shape {
    name: "a connection",
    fields: &[
        "id",
        "owner",
        "default",
        "endpoint",
        "keys",
        "conditions",
        "region",
        "credentials",
        "access",
        "restrictions",
        "deny",
    ],
    elsewhere: &[
        ("name", "id"),
        ("label", "id"),
        ("connection", "id"),
        ("user", "owner"),
        ("username", "owner"),
        ("url", "endpoint"),
        ("host", "endpoint"),
        ("server", "endpoint"),
        ("endpoint_url", "endpoint"),
        ("location", "region"),
        ("permission", "access"),
        ("permissions", "access"),
        ("mode", "access"),
        ("allow", "restrictions"),
        ("allowed", "restrictions"),
        ("paths", "restrictions"),
        ("include", "restrictions"),
        ("includes", "restrictions"),
        ("whitelist", "restrictions"),
        ("allowlist", "restrictions"),
        ("exclude", "deny"),
        ("excludes", "deny"),
        ("except", "deny"),
        ("ignore", "deny"),
        ("blocked", "deny"),
        ("blacklist", "deny"),
        ("denylist", "deny"),
        ("denied", "deny"),
    ],
    secret: None,
};

/// The longest name of an owner or user, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// Reads one file into the policy that is built.
pub(super) fn read(report: &mut Report<'_>, building: &mut Building, root: &Node<'_>) {
    let Some(fields) = Fields::read(report, root, &FILE) else {
        return;
    };
    for (field, node) in fields.iter() {
        if building.is_of_users && field != "users" {
            continue;
        }
        let name = format!("`{field}`");
        for item in fields::items(report, node, &name).unwrap_or_default() {
            match field {
                "connections" => connection(report, building, item),
                _ => users::read(report, building, item),
            }
        }
    }
}

fn connection(report: &mut Report<'_>, building: &mut Building, node: &Node<'_>) {
    let Some(fields) = Fields::read(report, node, &CONNECTION) else {
        return;
    };
    let errors = report.errors();
    let id = fields.require(report, "id", "name it", Some("id: s3+reports")).and_then(|node| {
        id(report, node, "`id`", "for bare `s3` there is `default: true`; give it a label")
    });
    let owner = fields
        .require(report, "owner", "name the user whose connection it is", Some("owner: steph"))
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
    let conditions = match fields.get("conditions") {
        Some(node) => conditions(report, node),
        None if fields.get("endpoint").is_some() => Some(Conditions::None),
        None => Some(Conditions::Honoured),
    };
    let region = fields.get("region").and_then(|node| region(report, node));
    let credentials = fields.get("credentials").and_then(|node| credentials::read(report, node));
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
    // What is tried is not used, and need not be compiled.
    if building.is_trial {
        return;
    }
    let before = building.budget;
    let (Some(id), Some(owner), Some(keys), Some(conditions), Some(automaton)) =
        (id, owner, keys, conditions, compile(report, &spanned, &mut building.budget))
    else {
        return;
    };
    building.add_connection(Arc::new(Connection {
        id,
        owner: owner.into(),
        is_default,
        endpoint,
        keys,
        conditions,
        region,
        credentials,
        access: inherited,
        rules: spanned.into_iter().map(|spanned| spanned.rule).collect(),
        automaton,
        spent: building.budget.spent(&before),
        location: report.location(node.span),
    }));
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

fn compile(report: &mut Report<'_>, spanned: &[Spanned], budget: &mut Budget) -> Option<Automaton> {
    let entries = spanned.iter().map(|Spanned { rule, .. }| Entry {
        restriction: &rule.restriction,
        access: rule.access,
        effect: rule.effect,
    });
    match Automaton::compile_within(entries, budget) {
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

/// A connection's id, with its label; `unlabelled` is what to do about one without.
pub(super) fn id(
    report: &mut Report<'_>,
    node: &Node<'_>,
    what: &str,
    unlabelled: &'static str,
) -> Option<ConnectionId<'static>> {
    let text = fields::text(report, node, what)?;
    match ConnectionId::parse(text) {
        Ok(id) if id.label().is_none() => {
            let range = node.whole().range();
            let names = ["s3+main", "s3+reports"];
            report
                .error("policy.connection_id", node.span, format!("`{text}` has no label"))
                .advise(Advice::words(unlabelled).write_first(
                    names.map(|name| Candidate::example(", as in ", range.clone(), name)),
                ));
            None
        }
        Ok(id) => Some(id.into_owned()),
        Err(error) => {
            refuse_id(report, node, text, &error);
            None
        }
    }
}

/// Reports what is not a connection's id.
pub(super) fn refuse_id(
    report: &mut Report<'_>,
    node: &Node<'_>,
    text: &str,
    error: &ConnectionIdError,
) {
    let range = node.whole().range();
    let label: String =
        text.rsplit_once("://")
            .map_or(text, |(_, label)| label)
            .trim_matches(|c: char| !c.is_ascii_alphanumeric())
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
    let label = match label.split_once(['+', '-']) {
        Some((protocol, label)) if protocol.len() <= 3 => label.replace('+', "-"),
        _ => label.replace('+', "-"),
    };
    let meant = Candidate::new("; write ", range.clone(), format!("s3+{label}"));
    let example = Candidate::example("; one is ", range, "s3+reports");
    let message = format!("`{}` is not a connection's id", fields::visible(text));
    report
        .error("policy.connection_id", node.span, message)
        .advise(Advice::words(error.to_string()).write_first([meant, example]));
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
    let seen: String = text.chars().filter(|c| !crate::escape::is_hidden(*c)).collect();
    let seen = traps::scalar(seen.trim());
    report.error("policy.name", node.span, format!("{what} {wrong}")).advise(
        Advice::words("a name has 1 to 128 bytes that can be seen").write(Candidate::new(
            ": write ",
            node.whole().range(),
            seen,
        )),
    );
    None
}

fn keys(report: &mut Report<'_>, node: &Node<'_>) -> Option<Keys> {
    let text = fields::text(report, node, "`keys`")?;
    if let Some(keys) = Keys::named(text) {
        return Some(keys);
    }
    let message = format!("`{}` is not a way to read keys", fields::visible(text));
    let one = |lead, word| Candidate::example(lead, node.whole().range(), word);
    report.error("policy.value", node.span, message).advise(
        Advice::default()
            .write(one("write ", "exact").ending(" for AWS, where a key is its bytes"))
            .write(one(", and ", "plain").ending(" for every server that was not probed")),
    );
    None
}

fn conditions(report: &mut Report<'_>, node: &Node<'_>) -> Option<Conditions> {
    let text = fields::text(report, node, "`conditions`")?;
    if let Some(conditions) = Conditions::named(text) {
        return Some(conditions);
    }
    let message =
        format!("`{}` does not say whether conditions are honoured", fields::visible(text));
    let one = |lead, word| Candidate::example(lead, node.whole().range(), word);
    report.error("policy.value", node.span, message).advise(
        Advice::default()
            .write(one("write ", "honoured").ending(" for AWS, and servers known to do so"))
            .write(one(", and ", "none").ending(" for servers that may ignore them")),
    );
    None
}

fn region(report: &mut Report<'_>, node: &Node<'_>) -> Option<Box<str>> {
    let text = fields::text(report, node, "`region`")?;
    let in_region = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_name = (1..=64).contains(&text.len()) && text.bytes().all(in_region);
    if is_name && !secrets::has_form(text) {
        return Some(text.into());
    }
    let example = Candidate::example("write a name such as ", node.whole().range(), "eu-west-1");
    report
        .error("policy.value", node.span, "this is not a region")
        .advise(Advice::default().write(example));
    None
}

impl Building {
    pub(super) fn add_connection(&mut self, connection: Arc<Connection>) {
        let place = self.connections.len();
        let own = self.by_owner.entry(connection.owner.clone()).or_default();
        if let Some(label) = connection.id.label() {
            own.by_label.insert(label.into(), place);
        }
        if connection.is_default {
            own.default = Some(place);
        }
        self.connections.push(connection);
    }
}
