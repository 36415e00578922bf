//! Deciding, and the approval without which no operation runs.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    Caller, Decision, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory,
    ListMode, ListPrefix, ListUploads, Listing, Operate, Operation, Present, Scope, Withdrawn,
    decide::{decide, here, narrowed},
    grounds::{Grounds, connection_of},
    line::Line,
};
use crate::{
    access::{Access, AccessSet},
    automaton::RuleId,
    path::Path,
    policy::{Connection, ConnectionId, Policy, Revision},
};

/// Decides and approves, by one policy.
///
/// Cheap to clone and to share; a changed policy is a new engine. Engines that replace one another
/// are one line, and what any of them approved can be asked again by the line's newest policy:
/// [`Approved::still_stands`].
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Arc<Policy>,
    line: Arc<Line>,
}

impl Engine {
    /// An engine that decides by this policy, the first of its line.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let policy = policy.into();
        Self { line: Line::new(Arc::clone(&policy)), policy }
    }

    /// Makes a policy the one that holds now, and returns the engine that decides by it.
    ///
    /// This engine, and its clones, go on deciding by their own policy, so that a request keeps to
    /// the one that it began with; but no approval of theirs stands for longer than the new policy
    /// allows.
    ///
    /// ```
    /// use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::WriteObject};
    ///
    /// let policy = |access: &str| Policy::from_yaml("policy.yaml", &format!("
    /// connections:
    ///   - id: s3+saha
    ///     owner: steph
    ///     access: {access}
    ///     restrictions: [Algorithmia/*]
    /// "));
    /// let engine = Engine::new(policy("read-write")?);
    /// let steph = Caller::with_full_permission("steph");
    /// let write = WriteObject { path: Path::new("Algorithmia/team.jpg")? };
    /// let saha = ConnectionId::parse("s3+saha")?;
    /// let approved = engine.approve(steph, &saha, write).expect("it may write");
    /// assert!(approved.still_stands().is_ok());
    ///
    /// let engine = engine.replace(policy("read-only")?);
    /// let withdrawn = approved.still_stands().unwrap_err();
    /// assert_eq!(withdrawn.reason().code(), "deny.access");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "the engine that this is called on goes on deciding by its own policy"]
    pub fn replace(&self, policy: impl Into<Arc<Policy>>) -> Self {
        let policy = policy.into();
        self.line.set(Arc::clone(&policy));
        Self { policy, line: Arc::clone(&self.line) }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The caller who holds this API key, or `None` when the policy does not know it.
    ///
    /// Found by the key's SHA-256 and compared in constant time; see [`Policy::api_key`]. Never
    /// allocates.
    ///
    /// ```
    /// use pathward::{ConnectionId, Engine, Path, Policy, engine::ReadObject};
    ///
    /// let engine = Engine::new(Policy::from_yaml("policy.yaml", "
    /// connections:
    ///   - { id: s3+saha, owner: steph, restrictions: [Algorithmia/*] }
    /// users:
    ///   - name: steph
    ///     keys:
    ///       - id: laptop
    ///         sha256: e03202b9dcaeee47251f7dfe34a01cd3ec172f19dfbbce47ef63ddb92e02fdc1
    ///         access: read-only
    /// ")?);
    /// let steph = engine.caller(b"simKEY").expect("a known key");
    /// assert_eq!(steph.name(), "steph");
    /// let read = ReadObject { path: Path::new("Algorithmia/team.jpg")? };
    /// assert!(engine.decide(steph, &ConnectionId::parse("s3+saha")?, &read).is_allowed());
    /// assert!(engine.caller(b"simKEX").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The hash is what `printf %s simKEY | sha256sum` prints.
    pub fn caller(&self, key: &[u8]) -> Option<Caller<'_>> {
        let (user, key) = self.policy.api_key(&Sha256::digest(key).into())?;
        Some(Caller::of_key(user, key))
    }

    /// Decides one operation. Never fails, never allocates, in time linear in the paths.
    ///
    /// ```
    /// use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::{ReadObject, WriteObject}};
    ///
    /// let policy = Policy::from_yaml("policy.yaml", "
    /// connections:
    ///   - id: s3+saha
    ///     owner: steph
    ///     restrictions: [Algorithmia/*]
    /// ")?;
    /// let engine = Engine::new(policy);
    /// let steph = Caller::with_full_permission("steph");
    /// let saha = ConnectionId::parse("s3+saha")?;
    /// let path = Path::new("Algorithmia/team.jpg")?;
    ///
    /// let read = engine.decide(steph, &saha, &ReadObject { path: path.clone() });
    /// assert!(read.is_allowed());
    /// let write = engine.decide(steph, &saha, &WriteObject { path });
    /// assert_eq!(write.reason().code(), "deny.access");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide<Op: Operate>(
        &self,
        caller: Caller<'_>,
        connection: &ConnectionId<'_>,
        operation: &Op,
    ) -> Decision<'_> {
        match connection_of(&self.policy, caller, connection) {
            Some(connection) => {
                decide(connection, caller.permission(), operation, here(connection))
            }
            None => Decision::UNKNOWN_CONNECTION,
        }
    }

    /// Decides many operations of one caller on one connection, in their order: the same decisions
    /// as [`decide`](Self::decide) gives one by one. The connection is looked up once, and paths are
    /// decided side by side, which is faster where there are very many rules. Never allocates.
    ///
    /// ```
    /// # use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::ReadObject};
    /// # let engine = Engine::new(Policy::from_yaml("policy.yaml", "
    /// # connections:
    /// #   - id: s3+saha
    /// #     owner: steph
    /// #     restrictions: [Algorithmia/*]
    /// # ")?);
    /// # let steph = Caller::with_full_permission("steph");
    /// # let saha = ConnectionId::parse("s3+saha")?;
    /// let paths = [Path::new("Algorithmia/team.jpg")?, Path::new("Algorithmia2/team.jpg")?];
    /// let reads = paths.map(|path| ReadObject { path });
    /// let mut allowed = Vec::new();
    /// engine.decide_batch(steph, &saha, &reads, |decision| allowed.push(decision.is_allowed()));
    /// assert_eq!(allowed, [true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide_batch<'e, 'o, Op: Operate + 'o>(
        &'e self,
        caller: Caller<'_>,
        connection: &ConnectionId<'_>,
        operations: impl IntoIterator<Item = &'o Op, IntoIter: Clone>,
        mut each: impl FnMut(Decision<'e>),
    ) {
        let operations = operations.into_iter();
        let Some(connection) = connection_of(&self.policy, caller, connection) else {
            return operations.for_each(|_| each(Decision::UNKNOWN_CONNECTION));
        };
        // What is decided ahead: the first need, if it is about its path alone.
        let first = |operation: &'o Op| {
            let need = operation.accesses().next().filter(|need| need.scope == Scope::Here)?;
            Some((need.path.as_bytes(), need.access))
        };
        let or_nothing = |first: Option<_>| first.unwrap_or((&b""[..], Access::Read));
        let mut undecided = operations.clone();
        connection.automaton().here_batch(operations.map(first).map(or_nothing), |verdict| {
            let Some(operation) = undecided.next() else { return };
            let mut known = first(operation).map(|_| verdict);
            let mut others = here(connection);
            each(decide(connection, caller.permission(), operation, |path, access| {
                known.take().unwrap_or_else(|| others(path, access))
            }));
        });
    }

    /// Decides, and turns an allow into the approval to do it.
    ///
    /// # Errors
    ///
    /// The decision, when it is not an allow.
    pub fn approve<Op: Operate>(
        &self,
        caller: Caller<'_>,
        connection: &ConnectionId<'_>,
        operation: Op,
    ) -> Result<Approved<Op>, Decision<'_>> {
        let Some(connection) = connection_of(&self.policy, caller, connection) else {
            return Err(Decision::UNKNOWN_CONNECTION);
        };
        let decision = decide(connection, caller.permission(), &operation, here(connection));
        match decision.is_allowed() {
            true => Ok(Approved::assertion(self, caller, connection, &decision, operation)),
            false => Err(decision),
        }
    }

    /// Decides each deletion for itself, and approves those that are allowed, as one operation.
    ///
    /// The decisions are in the order of the paths. There is no approval when none is allowed.
    pub fn approve_each<'p>(
        &self,
        caller: Caller<'_>,
        connection: &ConnectionId<'_>,
        paths: Vec<Path<'p>>,
    ) -> (Option<Approved<DeleteObjects<'p>>>, Vec<Decision<'_>>) {
        let mut allowed = Vec::new();
        let mut decisions = Vec::with_capacity(paths.len());
        for path in paths {
            let one = DeleteObject { path };
            let decision = self.decide(caller, connection, &one);
            if decision.is_allowed() {
                allowed.push(one.path);
            }
            decisions.push(decision);
        }
        let approved = self.approve(caller, connection, DeleteObjects { paths: allowed }).ok();
        (approved, decisions)
    }
}

/// The engine's policy.
impl From<Engine> for Arc<Policy> {
    fn from(engine: Engine) -> Self {
        engine.policy
    }
}

/// An operation that was decided and allowed: the only thing that an executor runs.
///
/// It holds the very bytes that were decided on. It is made in one place, cannot be cloned, and
/// is consumed by what runs it.
///
/// ```compile_fail,E0599
/// # use pathward::engine::{Approved, ReadObject};
/// fn twice(approval: Approved<ReadObject<'_>>) {
///     let _first = approval.clone();
/// }
/// ```
pub struct Approved<Op> {
    operation: Op,
    rule: Option<RuleId>,
    list: Option<ListMode>,
    revision: Revision,
    grounds: Grounds,
}

impl<Op: fmt::Debug> fmt::Debug for Approved<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approved")
            .field("operation", &self.operation)
            .field("connection", &self.grounds.connection)
            .field("rule", &self.rule)
            .field("list", &self.list)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl<Op: Operate> Approved<Op> {
    /// The one place where an approval is made.
    fn assertion(
        engine: &Engine,
        caller: Caller<'_>,
        connection: &Arc<Connection>,
        decision: &Decision<'_>,
        operation: Op,
    ) -> Self {
        Self {
            operation,
            rule: decision.rule,
            list: decision.list,
            revision: engine.policy.revision(),
            grounds: Grounds::new(connection, caller, &engine.line),
        }
    }

    /// Decides once more, by the policy that holds now: the last that replaced the one of the engine
    /// that approved ([`Engine::replace`]). What takes time asks before each thing that cannot be
    /// taken back, and ends when this is an error.
    ///
    /// It only takes away: an approval never becomes more than it was. What of a narrowed listing may be
    /// shown is asked for each entry ([`Listing`]), and whether that changed meanwhile by
    /// [`present`](Self::present). Never allocates, and takes as long as deciding.
    ///
    /// # Errors
    ///
    /// * The API key is gone or is another user's, or carries the access no longer, or the connection
    ///   is not among those that it reaches. An approval for a caller without an API key
    ///   ([`Caller::new`]) keeps the caller's rights.
    /// * The owner has no connection of this id, or it goes elsewhere: another endpoint, region or
    ///   credentials, or another reading of keys ([`Connection::has_same_server`]).
    /// * The connection's rules deny the operation, or narrow a listing that passed everything
    ///   through.
    pub fn still_stands(&self) -> Result<(), Withdrawn> {
        self.grounds.now(|caller, connection| self.stands_by(caller, connection))
    }

    /// Decides once more, like [`still_stands`](Self::still_stands), and says by which rules of the
    /// connection. What puts together many answers, as a listing does, asks before the first and after
    /// the last: all of them are by the same rules if the two are equal. Never allocates.
    ///
    /// ```
    /// use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::ListDirectory};
    ///
    /// let policy = |deny: &str| Policy::from_yaml("policy.yaml", &format!("
    /// connections:
    ///   - {{ id: s3+saha, owner: steph, restrictions: [lake/], deny: [{deny}] }}
    /// "));
    /// let engine = Engine::new(policy("lake/old/")?);
    /// let steph = Caller::with_full_permission("steph");
    /// let list = ListDirectory { path: Path::new("lake/")? };
    /// let approved = engine.approve(steph, &ConnectionId::parse("s3+saha")?, list).expect("it may");
    /// let before = approved.present()?;
    /// assert!(approved.listing().shows_folder(&Path::new("lake/new/")?));
    ///
    /// let engine = engine.replace(policy("lake/new/")?);
    /// assert_ne!(approved.present()?, before);
    /// assert!(!approved.listing().shows_folder(&Path::new("lake/new/")?));
    /// // What it did not show when it was approved, it does not show now.
    /// assert!(!approved.listing().shows_folder(&Path::new("lake/old/")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What was approved is not allowed any more, for one of the reasons of
    /// [`still_stands`](Self::still_stands).
    pub fn present(&self) -> Result<Present, Withdrawn> {
        self.grounds.now(|caller, connection| {
            self.stands_by(caller, connection)?;
            Ok(Present(Arc::clone(connection)))
        })
    }

    fn stands_by(&self, caller: Caller<'_>, connection: &Connection) -> Result<(), Withdrawn> {
        let decision = decide(connection, caller.permission(), &self.operation, here(connection));
        if !decision.is_allowed() {
            return Err(Withdrawn::Denied(decision.reason()));
        }
        match (self.list, decision.list) {
            (Some(ListMode::Pass), Some(ListMode::Narrow)) => {
                Err(Withdrawn::Denied(narrowed(connection, &self.operation)))
            }
            _ => Ok(()),
        }
    }

    /// The operation, as it was decided on.
    pub fn operation(&self) -> &Op {
        &self.operation
    }

    /// The connection to run it on.
    pub fn connection(&self) -> &Connection {
        &self.grounds.connection
    }

    /// The rule that allowed it, where one did.
    pub fn rule_id(&self) -> Option<RuleId> {
        self.rule
    }

    /// Of a listing, how much of it may be shown.
    pub fn list_mode(&self) -> Option<ListMode> {
        self.list
    }

    /// The revision of the policy that allowed it.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Uses the approval up.
    pub fn into_operation(self) -> Op {
        self.operation
    }
}

impl Approved<Operation<'_>> {
    /// Of an approved listing, what to ask the server for and what of its answer may be shown.
    pub fn listing(&self) -> Option<Listing<'_>> {
        match &self.operation {
            Operation::List(list) => Some(self.listing_of(&list.path)),
            Operation::ListPrefix(list) => Some(self.listing_of(&list.path)),
            _ => None,
        }
    }
}

impl Approved<ListDirectory<'_>> {
    /// What to ask the server for, and what of its answer may be shown.
    pub fn listing(&self) -> Listing<'_> {
        self.listing_of(&self.operation.path)
    }
}

impl Approved<ListPrefix<'_>> {
    /// What to ask the server for, and what of its answer may be shown: what starts with the prefix is in the place of
    /// what is in a directory.
    pub fn listing(&self) -> Listing<'_> {
        self.listing_of(&self.operation.path)
    }
}

impl Approved<ListUploads<'_>> {
    /// Whether an upload of this path may be shown: whether the path starts with the prefix and may be written, by the
    /// connection as it was and as it is now.
    pub fn shows(&self, object: &Path<'_>) -> bool {
        object.as_bytes().starts_with(self.operation.path.as_bytes())
            && !object.key().is_empty()
            && self.grounds.are_such(Access::Write.into(), |connection| {
                connection.allows(object, Access::Write)
            })
    }
}

impl Approved<DeleteDirectory<'_>> {
    /// Whether the connection, as it was and as it is now, reaches anything in the directory at all, its
    /// marker aside or not.
    pub fn reaches_below(&self) -> bool {
        let path = &self.operation.path;
        self.reached(|connection| !connection.below(path).some.is_empty())
    }

    /// Whether the connection, as it was and as it is now, reaches everything in the directory, in one
    /// way at least. Then also an object is there that no path can name.
    pub fn reaches_all_below(&self) -> bool {
        let path = &self.operation.path;
        self.reached(|connection| !connection.below(path).all.is_empty())
    }

    /// Whether the connection, as it was and as it is now, reaches this object of the directory in any
    /// way, so that its being there may keep the directory from being deleted. One that it does not reach
    /// is not to be learned of.
    pub fn reaches(&self, object: &Path<'_>) -> bool {
        object.as_bytes().starts_with(self.operation.path.as_bytes())
            && self.reached(|connection| {
                Access::ALL.into_iter().any(|access| connection.allows(object, access))
            })
    }

    fn reached(&self, question: impl Fn(&Connection) -> bool) -> bool {
        self.grounds.are_such(AccessSet::NONE, question)
    }
}

impl Approved<DeleteTree<'_>> {
    /// Whether this object is in the tree and may be deleted. By the approval every one is: this
    /// looks once more, at what the server says is there, and at the connection as it is now.
    pub fn deletes(&self, object: &Path<'_>) -> bool {
        object.as_bytes().starts_with(self.operation.path.as_bytes())
            && self.grounds.are_such(Access::Delete.into(), |connection| {
                connection.allows(object, Access::Delete)
            })
    }
}

impl<Op> Approved<Op> {
    fn listing_of<'a>(&'a self, path: &'a Path<'_>) -> Listing<'a> {
        let mode = self.list.unwrap_or(ListMode::Narrow);
        Listing::new(&self.grounds, path, mode)
    }
}
