//! casbin, with a star function of our own.

use casbin::{
    CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi, function_map::OperatorFunction,
    rhai::Dynamic,
};
use pathward::Access;

use super::wildcards::star_match;
use crate::engine::{About, Ask, Engine, Kind, Task};

/// One enforcer, a line of policy for each restriction and access.
pub(crate) struct Casbin(Enforcer);

const MODEL: &str = "
[request_definition]
r = obj, act

[policy_definition]
p = obj, act

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && star(r.obj, p.obj)
";

impl Engine for Casbin {
    const ABOUT: About = About {
        id: "casbin",
        title: "casbin, own star function",
        crates: &["casbin", "rhai"],
        kind: Kind::Peer,
        bias: "One `Enforcer` in memory; a policy line for each restriction and access, with the \
               access compared first. `star` is a function of ours, the one-backtrack matcher below: \
               casbin's `keyMatch` cuts the pattern at its first star and so grants too much. For \
               it: requests have no subject, which real ones have, and the matcher is compiled \
               Rust. `CachedEnforcer` is not used: it would measure a hash table of past answers.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        let lines = task
            .rules
            .iter()
            .flat_map(|rule| {
                [Access::Read, Access::Write]
                    .into_iter()
                    .filter(|access| rule.access.contains(*access))
                    .map(|access| vec![rule.text.clone(), access.to_string()])
            })
            .collect();
        // Nothing here waits: the adapter is memory.
        pollster::block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
            enforcer.add_function("star", OperatorFunction::Arg2(star));
            enforcer.add_policies(lines).await?;
            Ok(enforcer)
        })
        .map(Self)
        .map_err(|error: casbin::Error| error.to_string())
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        matches!(self.0.enforce((*path, access.name())), Ok(true))
    }
}

/// Whether the second matches the first.
fn star(path: Dynamic, pattern: Dynamic) -> Dynamic {
    match (path.into_immutable_string(), pattern.into_immutable_string()) {
        (Ok(path), Ok(pattern)) => star_match(pattern.as_bytes(), path.as_bytes()).into(),
        _ => false.into(),
    }
}
