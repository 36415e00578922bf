//! Deciding, and the approval without which no operation runs.

use std::sync::Arc;

use super::{
    Decision, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory, ListMode,
    Listing, Operate, Operation, Reason, Scope, decision::DecidedNeed,
};
use crate::{
    access::{Access, AccessSet},
    automaton::{RuleId, Verdict},
    path::Path,
    policy::{Connection, ConnectionId, Keys, Policy, Reach, Revision},
};

/// On whose behalf a request comes, and with what rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The user. Only connections that this user owns can be reached.
    pub name: &'a str,
    /// The data permission of the key that the request came with.
    pub permission: AccessSet,
    /// Which of the user's connections the key reaches.
    pub reach: &'a Reach,
}

impl<'a> Caller<'a> {
    /// A caller whose key takes nothing away: for an owner's own tools. A request's caller has the
    /// permission of the key that it came with.
    pub fn with_full_permission(name: &'a str) -> Self {
        Self { name, permission: AccessSet::READ_WRITE, reach: &Reach::ALL }
    }
}

/// Decides and approves, by one policy.
///
/// Cheap to clone and to share; a changed policy is a new engine.
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Arc<Policy>,
}

impl Engine {
    /// An engine that decides by this policy.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self { policy: policy.into() }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The connection that a caller means, if the caller's key reaches it. A name that the key does
    /// not say is not even looked up, so that it takes as long whether or not there is one.
    fn connection(&self, caller: Caller<'_>, id: &ConnectionId<'_>) -> Option<&Arc<Connection>> {
        if id.label().is_some() && !caller.reach.includes(id) {
            return None;
        }
        let connection = self.policy.connection(caller.name, id)?;
        caller.reach.includes(connection.id()).then_some(connection)
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
        match self.connection(caller, connection) {
            Some(connection) => decide(connection, caller.permission, operation, here(connection)),
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
        let Some(connection) = self.connection(caller, connection) else {
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
            each(decide(connection, caller.permission, operation, |path, access| {
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
        let Some(connection) = self.connection(caller, connection) else {
            return Err(Decision::UNKNOWN_CONNECTION);
        };
        let decision = decide(connection, caller.permission, &operation, here(connection));
        match decision.is_allowed() {
            true => Ok(Approved::assertion(&self.policy, connection, &decision, operation)),
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
#[derive(Debug)]
pub struct Approved<Op> {
    operation: Op,
    connection: Arc<Connection>,
    rule: Option<RuleId>,
    list: Option<ListMode>,
    revision: Revision,
}

impl<Op: Operate> Approved<Op> {
    /// The one place where an approval is made.
    fn assertion(
        policy: &Policy,
        connection: &Arc<Connection>,
        decision: &Decision<'_>,
        operation: Op,
    ) -> Self {
        Self {
            operation,
            connection: Arc::clone(connection),
            rule: decision.rule,
            list: decision.list,
            revision: policy.revision(),
        }
    }

    /// The operation, as it was decided on.
    pub fn operation(&self) -> &Op {
        &self.operation
    }

    /// The connection to run it on.
    pub fn connection(&self) -> &Connection {
        &self.connection
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
            Operation::List(list) => Some(self.listing_of(list)),
            _ => None,
        }
    }
}

impl Approved<ListDirectory<'_>> {
    /// What to ask the server for, and what of its answer may be shown.
    pub fn listing(&self) -> Listing<'_> {
        self.listing_of(&self.operation)
    }
}

impl Approved<DeleteDirectory<'_>> {
    /// Whether the connection reaches anything in the directory at all, its marker aside or not.
    pub fn reaches_below(&self) -> bool {
        !self.connection.automaton().below(self.operation.path.as_bytes()).some.is_empty()
    }

    /// Whether the connection reaches this object of the directory in any way, so that its being
    /// there may keep the directory from being deleted. One that it does not reach is not to be
    /// learned of.
    pub fn reaches(&self, object: &Path<'_>) -> bool {
        let is_reached = |access| {
            matches!(
                self.connection.automaton().here(object.as_bytes(), access),
                Verdict::Allowed(_)
            )
        };
        Access::ALL.into_iter().any(is_reached)
    }
}

impl Approved<DeleteTree<'_>> {
    /// Whether this object is in the tree and may be deleted. By the approval every one is: this
    /// looks once more, at what the server says is there.
    pub fn deletes(&self, object: &Path<'_>) -> bool {
        let path = object.as_bytes();
        path.starts_with(self.operation.path.as_bytes())
            && matches!(self.connection.automaton().here(path, Access::Delete), Verdict::Allowed(_))
    }
}

impl<Op> Approved<Op> {
    fn listing_of<'a>(&'a self, list: &'a ListDirectory<'_>) -> Listing<'a> {
        let mode = self.list.unwrap_or(ListMode::Narrow);
        Listing::new(self.connection.automaton(), &list.path, mode)
    }
}

/// What a connection's rules say of an access at a path.
fn here(connection: &Connection) -> impl FnMut(&[u8], Access) -> Verdict + '_ {
    |path, access| connection.automaton().here(path, access)
}

/// Decides one operation on a connection that the caller owns; `here` says what [`here`] does.
fn decide<'e, Op: Operate>(
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
            // A listing may be of the root or a bucket; nothing else is: a bucket is no object,
            // and is neither made nor emptied through a connection.
            Scope::Here | Scope::AllBelow if need.path.key().is_empty() => {
                (Reason::InvalidOperation, None)
            }
            _ if connection.keys() == Keys::Plain && need.path.alias_at().is_some() => {
                (Reason::InvalidPath, None)
            }
            _ if !permission.contains(need.access) => (Reason::KeyPermission, None),
            Scope::Here => match here(path, need.access) {
                Verdict::Allowed(rule) => (Reason::Allowed, Some(rule)),
                Verdict::Denied(rule) => (Reason::Rule, Some(rule)),
                Verdict::OtherAccess(rule) => (Reason::Access, Some(rule)),
                Verdict::NoMatch => (Reason::NoMatch, None),
            },
            Scope::SomeBelow => {
                let below = automaton.below(path);
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
                let below = automaton.below(path);
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
