//! What a file says, with the places where it says it.

use std::sync::Arc;

use super::whole::{DraftRule, Written};
use crate::{
    access::AccessSet,
    automaton::Effect,
    policy::{
        Conditions, ConnectionId, Keys, credentials, endpoint,
        fields::{self, Fields},
        report::Report,
        rules, schema,
        yaml::{self, Node, Value},
    },
    restriction::Dialect,
};

/// A connection of a file.
pub(super) struct Item<'n, 't> {
    pub(super) node: &'n Node<'t>,
    pub(super) written: Written,
}

/// A text as a tree. `None` for what is not YAML.
pub(super) fn tree(text: &str) -> Option<(Report<'_>, Node<'_>)> {
    let mut report = Report::new(Arc::from("store"), text, |_| {});
    let root = yaml::parse(&mut report)?;
    Some((report, root))
}

/// The value of a mapping's field.
pub(super) fn field<'n, 't>(node: &'n Node<'t>, name: &str) -> Option<&'n Node<'t>> {
    let Value::Mapping(entries) = &node.value else { return None };
    let is_it = |key: &Node<'_>| matches!(&key.value, Value::Scalar(scalar) if scalar.text == name);
    entries.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

/// The items of a list.
pub(super) fn items<'n, 't>(node: &'n Node<'t>) -> &'n [Node<'t>] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

/// The text of a scalar.
pub(super) fn scalar<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

/// Every connection of a file that loads, in its order.
pub(super) fn connections<'n, 't>(
    report: &mut Report<'t>,
    root: &'n Node<'t>,
) -> Option<Vec<Item<'n, 't>>> {
    let Some(list) = field(root, "connections") else { return Some(Vec::new()) };
    items(list).iter().map(|node| Some(Item { node, written: connection(report, node)? })).collect()
}

fn connection(report: &mut Report<'_>, node: &Node<'_>) -> Option<Written> {
    let fields = Fields::read(report, node, &schema::CONNECTION)?;
    let id = ConnectionId::parse(scalar(fields.get("id")?)?).ok()?;
    let mut rules = |name, effect| -> Option<Option<Vec<DraftRule>>> {
        let Some(list) = fields.get(name) else { return Some(None) };
        items(list).iter().map(|item| rule(report, item, effect)).collect::<Option<_>>().map(Some)
    };
    let restrictions = rules("restrictions", Effect::Allow)?;
    let deny = rules("deny", Effect::Deny)?.unwrap_or_default();
    Some(Written {
        label: id.label()?.to_owned(),
        owner: scalar(fields.get("owner")?)?.to_owned(),
        is_default: match fields.get("default") {
            Some(node) => fields::truth(report, node, "`default`")?,
            None => false,
        },
        endpoint: match fields.get("endpoint") {
            Some(node) => Some(endpoint::read(report, node)?.into()),
            None => None,
        },
        region: fields.get("region").and_then(scalar).map(str::to_owned),
        keys: fields.get("keys").and_then(scalar).and_then(Keys::named),
        conditions: fields.get("conditions").and_then(scalar).and_then(Conditions::named),
        credentials: match fields.get("credentials") {
            Some(node) => Some(credentials::read(report, node)?),
            None => None,
        },
        access: match fields.get("access") {
            Some(node) => rules::access_of(report, node, None)?,
            None => AccessSet::READ_ONLY,
        },
        restrictions,
        deny,
    })
}

fn rule(report: &mut Report<'_>, item: &Node<'_>, effect: Effect) -> Option<DraftRule> {
    let read = rules::entry(report, item, "an entry", effect, AccessSet::NONE)?.rule;
    Some(DraftRule {
        text: read.restriction.text().to_owned(),
        glob: read.restriction.dialect() == Dialect::Glob,
        access: field(item, "access").is_some().then_some(read.access),
    })
}
