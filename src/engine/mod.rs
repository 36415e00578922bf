//! Operations to decisions, and decisions to approvals.

mod approved;
mod caller;
mod decide;
mod decision;
mod explain;
mod grounds;
mod line;
mod listing;
mod operation;
mod parting;
mod walk;
mod withdrawn;

pub use self::{
    approved::{Approved, Engine},
    caller::Caller,
    decision::{DecidedNeed, Decision, ListMode, Outcome, Reason},
    explain::{Considered, ExplainedNeed, Explanation},
    grounds::Present,
    listing::Listing,
    operation::{
        Accesses, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, Need, Operate, Operation, ReadAcl, ReadObject, Scope,
        StatObject, WriteAcl, WriteObject,
    },
    parting::{Expected, Fit, Parting},
    withdrawn::Withdrawn,
};
