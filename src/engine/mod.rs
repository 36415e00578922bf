//! Operations to decisions, and decisions to approvals.

mod approved;
mod decision;
mod explain;
mod listing;
mod operation;
mod parting;

pub use self::{
    approved::{Approved, Caller, Engine},
    decision::{DecidedNeed, Decision, ListMode, Outcome, Reason},
    explain::{Considered, ExplainedNeed, Explanation},
    listing::Listing,
    operation::{
        Accesses, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, Need, Operate, Operation, ReadAcl, ReadObject, Scope,
        StatObject, WriteAcl, WriteObject,
    },
    parting::{Expected, Fit, Parting},
};
