//! Cedar, in the two forms in which one would write restrictions.

use std::{
    collections::{HashMap, HashSet},
    fmt::{self, Write},
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use pathward::{Access, AccessSet};

use crate::engine::{About, Ask, Engine, Kind, Rule, Task};

/// A policy for each restriction.
pub(crate) struct PerRestriction(Cedar);

impl Engine for PerRestriction {
    const ABOUT: About = About {
        id: "cedar",
        title: "Cedar, request and entity per decision",
        crates: &["cedar-policy", "cedar-policy-core"],
        kind: Kind::Peer,
        bias: "A `permit` for each restriction, on `resource.path like \"…\"`, as one would write it \
               by hand or keep it in a store. Each decision makes the resource's entity with its \
               attribute `path` and the request, because each request is for another object; the \
               user, the actions and the type's name are made once. For it: no schema and no \
               validation, ids are made without parsing. Against it: Cedar evaluates every policy \
               and names all that applied, and could say much more than a path in each.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        let mut text = String::new();
        for rule in &task.rules {
            let actions = match rule.access == AccessSet::READ_WRITE {
                true => "action in [Action::\"read\", Action::\"write\"]",
                false => "action == Action::\"read\"",
            };
            let like = Like(&rule.text);
            writeln!(text, "permit(principal, {actions}, resource) when {{ {like} }};")
                .map_err(|error| error.to_string())?;
        }
        Cedar::new(&text).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.allows(path, *access)
    }
}

/// A policy for each access, with all of its restrictions.
pub(crate) struct PerAccess(Cedar);

impl Engine for PerAccess {
    const ABOUT: About = About {
        id: "cedar-or",
        title: "Cedar, one policy per access, `like || like`",
        crates: &["cedar-policy", "cedar-policy-core"],
        kind: Kind::Peer,
        bias: "Two policies, one for read and one for write, each of its restrictions joined by \
               `||`: what one would generate for speed. It stops at the first that matches. Joined \
               as a balanced tree, because a flat chain of a hundred thousand is beyond Cedar's \
               recursion limit: the policy errs, and nothing is granted. Request and entity are made \
               for each decision, as in the other form. Against it: which restriction allowed is lost.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        let mut text = String::new();
        for access in [Access::Read, Access::Write] {
            let texts: Vec<&str> = Rule::giving(&task.rules, access).collect();
            if !texts.is_empty() {
                write!(
                    text,
                    "permit(principal, action == Action::\"{access}\", resource) when {{ "
                )
                .and_then(|()| write_any(&texts, &mut text))
                .map_err(|error| error.to_string())?;
                text.push_str(" };\n");
            }
        }
        Cedar::new(&text).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.allows(path, *access)
    }
}

/// `like || like` as a balanced tree, of at least one.
fn write_any(texts: &[&str], to: &mut String) -> fmt::Result {
    match *texts {
        [text] => write!(to, "{}", Like(text)),
        _ => {
            let (left, right) = texts.split_at(texts.len() / 2);
            to.push('(');
            write_any(left, to)?;
            to.push_str(" || ");
            write_any(right, to)?;
            to.push(')');
            Ok(())
        }
    }
}

/// `resource.path like "…"` for a restriction's text: the star is Cedar's own, and what its string
/// literals escape is escaped.
struct Like<'a>(&'a str);

impl fmt::Display for Like<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("resource.path like \"")?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}

/// Policies, and what requests have in common.
struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    user: EntityUid,
    read: EntityUid,
    write: EntityUid,
    object: EntityTypeName,
}

impl Cedar {
    fn new(policies: &str) -> Result<Self, String> {
        let uid = |text: &str| text.parse::<EntityUid>().map_err(|error| error.to_string());
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: policies.parse().map_err(|error| format!("{error}"))?,
            user: uid("User::\"steph\"")?,
            read: uid("Action::\"read\"")?,
            write: uid("Action::\"write\"")?,
            object: "Object".parse().map_err(|error| format!("{error}"))?,
        })
    }

    fn allows(&self, path: &str, access: Access) -> bool {
        let action = if access == Access::Write { &self.write } else { &self.read };
        let uid = EntityUid::from_type_name_and_id(self.object.clone(), EntityId::new(path));
        let attributes =
            HashMap::from([("path".to_owned(), RestrictedExpression::new_string(path.to_owned()))]);
        let Ok(entity) = Entity::new(uid.clone(), attributes, HashSet::new()) else {
            return false;
        };
        let Ok(entities) = Entities::from_entities([entity], None) else {
            return false;
        };
        let context = Context::empty();
        let Ok(request) = Request::new(self.user.clone(), action.clone(), uid, context, None)
        else {
            return false;
        };
        self.authorizer.is_authorized(&request, &self.policies, &entities).decision()
            == Decision::Allow
    }
}
