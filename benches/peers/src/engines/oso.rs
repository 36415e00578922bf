//! oso's Polar, with a star method of our own.

use std::fmt::Write;

use oso::{Oso, PolarClass};
use pathward::Access;

use super::wildcards::star_match;
use crate::engine::{About, Ask, Engine, Kind, Task};

/// A fact for each restriction and access, and one rule.
pub(crate) struct Polar(Oso);

const RULE: &str = "
allow(_, action, object: Object) if
    grant(action, pattern) and
    object.like(pattern);
";

/// What the rule is asked about.
#[derive(Clone, PolarClass)]
struct Object {
    path: String,
}

impl Object {
    /// Whether a restriction matches the object's path.
    #[expect(clippy::needless_pass_by_value, reason = "oso hands its arguments over")]
    fn like(&self, pattern: String) -> bool {
        star_match(pattern.as_bytes(), self.path.as_bytes())
    }
}

impl Engine for Polar {
    const ABOUT: About = About {
        id: "oso",
        title: "oso",
        crates: &["oso", "polar-core"],
        kind: Kind::Peer,
        bias: "A fact `grant(\"read\", \"…\");` for each restriction and access, and one rule that \
               looks for one whose pattern the object is like: from ten restrictions on faster than \
               a rule for each. `like` is a method in Rust with the one-backtrack matcher below, \
               since Polar has no wildcards. For it: it stops at the first that holds. The library \
               is no longer developed.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        let mut oso = Oso::new();
        let class = Object::get_polar_class_builder()
            .name("Object")
            .add_method("like", Object::like)
            .build();
        oso.register_class(class).map_err(|error| error.to_string())?;
        let mut text = String::new();
        for access in [Access::Read, Access::Write] {
            for rule in task.rules.iter().filter(|rule| rule.access.contains(access)) {
                let pattern = rule.text.replace('\\', "\\\\").replace('"', "\\\"");
                writeln!(text, "grant(\"{access}\", \"{pattern}\");")
                    .map_err(|error| error.to_string())?;
            }
        }
        text.push_str(RULE);
        oso.load_str(&text).map_err(|error| error.to_string())?;
        Ok(Self(oso))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        let object = Object { path: (*path).to_owned() };
        matches!(self.0.is_allowed("steph", access.name(), object), Ok(true))
    }
}
