//! What API keys name that is not there.

use super::{Finding, Level};
use crate::policy::Policy;

/// Keys that are for a connection which their user does not have.
pub(super) fn look<'p>(policy: &'p Policy, findings: &mut Vec<Finding<'p>>) {
    for user in policy.users() {
        for key in &user.keys {
            for id in key.reach.named().unwrap_or_default() {
                if policy.connection(&user.name, id).is_some() {
                    continue;
                }
                findings.push(Finding {
                    code: "lint.key_connection",
                    level: Level::Warning,
                    connection: None,
                    rule: None,
                    message: format!(
                        "the API key `{}` is for `{id}`, and `{}` has no such connection: one that is \
                         called so later is the key's too",
                        key.id, user.name
                    ),
                    help: "correct the name, or take it out of the key's `connections`".to_owned(),
                    instead: None,
                    witness: None,
                    by: Vec::new(),
                    location: Some(key.location.clone()),
                });
            }
        }
    }
}
