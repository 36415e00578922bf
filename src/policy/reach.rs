//! Which of its user's connections an API key reaches.

use std::{fmt, sync::Arc};

use super::{
    ConnectionId,
    advice::{Advice, Candidate},
    fields,
    report::Report,
    schema,
    yaml::Node,
};

/// The most connections that one key may name.
pub const MAX_KEY_CONNECTIONS: usize = 256;

/// Which of its user's connections an API key reaches: all of them, also those that come later, or
/// some by name. To the key, the others are not there.
///
/// ```
/// use pathward::{ConnectionId, Reach};
///
/// let saha = ConnectionId::parse("s3+saha")?;
/// let team = ConnectionId::parse("s3+team")?;
/// assert!(Reach::ALL.includes(&team));
/// let reach = Reach::only([saha.clone()]);
/// assert!(reach.includes(&saha) && !reach.includes(&team));
/// # Ok::<(), pathward::ConnectionIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach(Option<Arc<[ConnectionId<'static>]>>);

impl Reach {
    /// All connections of the user.
    pub const ALL: Self = Self(None);

    /// These connections, by their ids with labels, and no others.
    pub fn only<'a>(connections: impl IntoIterator<Item = ConnectionId<'a>>) -> Self {
        let mut ids: Vec<_> = connections.into_iter().map(ConnectionId::into_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        Self(Some(ids.into()))
    }

    /// Whether the connection of this id, its label included, is reached.
    pub fn includes(&self, id: &ConnectionId<'_>) -> bool {
        match &self.0 {
            None => true,
            Some(ids) => ids.binary_search_by(|known| known.cmp(id)).is_ok(),
        }
    }

    /// The connections that it names, sorted; `None` for all.
    pub fn named(&self) -> Option<&[ConnectionId<'static>]> {
        self.0.as_deref()
    }

    /// Whether it names this connection, so that it goes with its name.
    pub fn names(&self, id: &ConnectionId<'_>) -> bool {
        self.0.is_some() && self.includes(id)
    }

    /// Whether it names this connection and no other.
    pub fn names_only(&self, id: &ConnectionId<'_>) -> bool {
        matches!(self.named(), Some([only]) if only == id)
    }

    /// The same with another name for a connection, or without it.
    #[cfg(feature = "store")]
    pub(crate) fn renamed(&self, old: &ConnectionId<'_>, new: Option<&ConnectionId<'_>>) -> Self {
        let Some(ids) = self.named() else { return Self::ALL };
        Self::only(ids.iter().filter_map(|id| if id == old { new } else { Some(id) }).cloned())
    }

    /// Whether a connection is reached that `old` did not reach.
    pub fn exceeds(&self, old: &Self) -> bool {
        match (self.named(), old.named()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(ids), Some(_)) => ids.iter().any(|id| !old.includes(id)),
        }
    }
}

impl fmt::Display for Reach {
    /// `all connections`, or the ids with a comma between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ids) = self.named() else { return f.write_str("all connections") };
        for (n, id) in ids.iter().enumerate() {
            write!(f, "{}{id}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Reads the `connections` of a key.
pub(super) fn read(report: &mut Report<'_>, node: &Node<'_>) -> Option<Reach> {
    let items = fields::items(report, node, "`connections` of a key")?;
    if items.is_empty() {
        report
            .error("policy.empty_list", node.span, "`connections` of a key is an empty list")
            .advise(
                Advice::words(
                    "name connections of the user; without this field, the key reaches all of them",
                )
                .write(Candidate::example(
                    ": write ",
                    node.whole().range(),
                    "[s3+saha]",
                )),
            );
        return None;
    }
    if items.len() > MAX_KEY_CONNECTIONS {
        let message = format!("a key names more than {MAX_KEY_CONNECTIONS} connections");
        report
            .error("limit.key_connections", node.span, message)
            .help("leave the field out, so that the key reaches all, or make several keys");
        return None;
    }
    let unlabelled =
        "which connection is the default may change; name the connection with its label";
    let id = |item| schema::id(report, item, "a connection of a key", unlabelled);
    let ids: Vec<_> = items.iter().map(id).collect();
    Some(Reach::only(ids.into_iter().collect::<Option<Vec<_>>>()?))
}
