//! A connection as a text of its own.

use super::text::{access_text, quoted};
use crate::{
    access::AccessSet,
    policy::{Conditions, CredentialsRef, Keys},
};

/// One entry of `restrictions` or `deny`, as its author writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DraftRule {
    /// The path or glob.
    pub text: String,
    /// Whether it is a segment-aware glob.
    pub glob: bool,
    /// Its own access, where it has one.
    pub access: Option<AccessSet>,
}

impl DraftRule {
    /// A path with the connection's access; in `deny`, with every access.
    pub fn path(text: impl Into<String>) -> Self {
        Self { text: text.into(), glob: false, access: None }
    }

    /// As an item of a list, behind `- `.
    pub(super) fn written(&self) -> String {
        let text = quoted(&self.text);
        let name = if self.glob { "glob" } else { "path" };
        match self.access {
            None if !self.glob => text,
            None => format!("{{ {name}: {text} }}"),
            // As a list, `read-only` reads in one way in `deny`, too.
            Some(AccessSet::READ_ONLY) => format!("{{ {name}: {text}, access: [read] }}"),
            Some(access) => format!("{{ {name}: {text}, access: {} }}", access_text(access)),
        }
    }
}

/// What a file says about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) label: String,
    pub(crate) owner: String,
    pub(crate) is_default: bool,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) keys: Option<Keys>,
    pub(crate) conditions: Option<Conditions>,
    pub(crate) credentials: Option<CredentialsRef>,
    pub(crate) access: AccessSet,
    pub(crate) restrictions: Option<Vec<DraftRule>>,
    pub(crate) deny: Vec<DraftRule>,
}

/// A field of a connection, and an entry of it.
pub(crate) type Place = (&'static str, Option<usize>);

impl Written {
    /// The fields that have one value each, in the order of a new file; `None` for those that are not
    /// written.
    pub(super) fn scalars(&self) -> [(&'static str, Option<String>); 9] {
        [
            ("id", Some(quoted(&format!("s3+{}", self.label)))),
            ("owner", Some(quoted(&self.owner))),
            ("default", self.is_default.then(|| "true".to_owned())),
            ("endpoint", self.endpoint.as_deref().map(quoted)),
            ("region", self.region.as_deref().map(quoted)),
            ("keys", self.keys.map(|keys| keys.name().to_owned())),
            ("conditions", self.conditions.map(|conditions| conditions.name().to_owned())),
            ("credentials", self.credentials.as_ref().map(credentials)),
            ("access", Some(access_text(self.access))),
        ]
    }

    /// The two lists; `None` for one that is not written.
    pub(super) fn lists(&self) -> [(&'static str, Option<&[DraftRule]>); 2] {
        let deny = (!self.deny.is_empty()).then_some(&*self.deny);
        [("restrictions", self.restrictions.as_deref()), ("deny", deny)]
    }

    /// A file of this one connection.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("connections:\n");
        for (line, _) in self.lines() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// What each line of [`Written::text`] is about, by its number from 0; lines count from 1.
    pub(crate) fn places(&self) -> Vec<Place> {
        let top = [("id", None), ("id", None)];
        top.into_iter().chain(self.lines().into_iter().map(|(_, place)| place)).collect()
    }

    fn lines(&self) -> Vec<(String, Place)> {
        let mut lines = Vec::new();
        for (name, value) in self.scalars() {
            if let Some(value) = value {
                let start = if name == "id" { "  - " } else { "    " };
                lines.push((format!("{start}{name}: {value}"), (name, None)));
            }
        }
        for (name, list) in self.lists() {
            match list {
                Some([]) => lines.push((format!("    {name}: []"), (name, None))),
                Some(rules) => {
                    lines.push((format!("    {name}:"), (name, None)));
                    for (row, rule) in rules.iter().enumerate() {
                        lines.push((format!("      - {}", rule.written()), (name, Some(row))));
                    }
                }
                None => {}
            }
        }
        lines
    }
}

fn credentials(credentials: &CredentialsRef) -> String {
    match credentials {
        CredentialsRef::Sealed(sealed) => {
            let (text, ends) = (sealed.text(), quoted(sealed.id_ends()));
            format!("{{ sealed: \"{text}\", id-ends: {ends} }}")
        }
        reference => {
            let (kind, place) = reference.kind_and_place();
            format!("{{ {kind}: {} }}", quoted(place))
        }
    }
}
