//! What decides one operation on one connection.

use super::{Decision, ListMode, Need, Operate, Reason, Scope, decision::DecidedNeed};
use crate::{
    access::{Access, AccessSet},
    automaton::Verdict,
    policy::Connection,
};

/// What a connection's rules say of an access at a path.
pub(super) fn here(connection: &Connection) -> impl FnMut(&[u8], Access) -> Verdict + '_ {
    |path, access| connection.automaton().here(path, access)
}

/// Decides one operation on a connection that the caller owns; `here` says what [`here`] does.
pub(super) fn decide<'e, Op: Operate>(
    connection: &'e Connection,
    permission: AccessSet,
    operation: &Op,
    mut here: impl FnMut(&[u8], Access) -> Verdict,
) -> Decision<'e> {
    let mut decision = Decision {
        reason: Reason::InvalidOperation,
        connection: Some(connection),
        rule: None,
        need: None,
        list: None,
    };
    for (index, need) in operation.accesses().enumerate() {
        decision.need = Some(DecidedNeed { index, access: need.access, scope: need.scope });
        let automaton = connection.automaton();
        let path = need.path.as_bytes();
        (decision.reason, decision.rule) = match need.scope {
            Scope::Never => (Reason::Acl, None),
            // `dir` and `dir/` are different objects: what is decided on is what is used.
            _ if need.is_directory && !path.is_empty() && !path.ends_with(b"/") => {
                (Reason::InvalidOperation, None)
            }
            // What paths start with names its bucket whole: `pub` would begin `pub2` too.
            Scope::SomeBelow if !need.is_directory && !path.contains(&b'/') => {
                (Reason::InvalidOperation, None)
            }
            // A listing may be of the root or a bucket; nothing else is: a bucket is no object,
            // and is neither made nor emptied through a connection.
            Scope::Here | Scope::AllBelow if need.path.key().is_empty() => {
                (Reason::InvalidOperation, None)
            }
            _ if !connection.keys().admit(need.path) => (Reason::InvalidPath, None),
            _ if !permission.contains(need.access) => (Reason::KeyPermission, None),
            Scope::Here => match here(path, need.access) {
                Verdict::Allowed(rule) => (Reason::Allowed, Some(rule)),
                Verdict::Denied(rule) => (Reason::Rule, Some(rule)),
                Verdict::OtherAccess(rule) => (Reason::Access, Some(rule)),
                Verdict::NoMatch => (Reason::NoMatch, None),
            },
            Scope::SomeBelow => {
                let below = connection.below(need.path);
                let all = below.all.contains(need.access);
                decision.list = Some(if all { ListMode::Pass } else { ListMode::Narrow });
                match below.some.contains(need.access) {
                    true => (Reason::Allowed, None),
                    false if automaton.taken_below(path).all.contains(need.access) => {
                        (Reason::Rule, None)
                    }
                    false => (lacking(below.some), None),
                }
            }
            Scope::AllBelow => {
                let below = connection.below(need.path);
                let taken = || automaton.taken_below(path).some.contains(need.access);
                match (below.all.contains(need.access), below.some.contains(need.access)) {
                    (true, _) => (Reason::Allowed, None),
                    // Partly: a deny takes some of it, or no restriction matches some of it.
                    (false, true) if taken() => (Reason::Rule, None),
                    (false, true) => (Reason::NoMatch, None),
                    (false, false) => (lacking(below.some), None),
                }
            }
        };
        if decision.reason != Reason::Allowed {
            decision.list = None;
            break;
        }
    }
    decision
}

/// Why an access that nothing below has is denied, by what else there is.
fn lacking(some: AccessSet) -> Reason {
    match some.is_empty() {
        true => Reason::NoMatch,
        false => Reason::Access,
    }
}

/// Why a listing that is narrowed does not pass everything through.
pub(super) fn narrowed<Op: Operate>(connection: &Connection, operation: &Op) -> Reason {
    let is_taken = |need: Need<'_>| {
        let taken = connection.automaton().taken_below(need.path.as_bytes());
        need.scope == Scope::SomeBelow && taken.some.contains(need.access)
    };
    if operation.accesses().any(is_taken) { Reason::Rule } else { Reason::NoMatch }
}
