//! Operations to decisions, and decisions to approvals.

mod approved;
mod decision;
mod listing;
mod operation;

pub use self::{
    approved::{Approved, Caller, Engine},
    decision::{DecidedNeed, Decision, ListMode, Outcome, Reason},
    listing::Listing,
    operation::{
        Accesses, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, Need, Operate, Operation, ReadAcl, ReadObject, Scope,
        StatObject, WriteAcl, WriteObject,
    },
};
