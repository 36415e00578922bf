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
        AbortUpload, Accesses, CompleteUpload, CopyObject, CopyPart, CreateDirectory, CreateUpload,
        DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory, ListParts,
        ListPrefix, ListUploads, Need, Operate, Operation, ReadAcl, ReadObject, Scope, StatObject,
        UploadPart, WriteAcl, WriteObject,
    },
    parting::{Expected, Fit, Parting},
    withdrawn::Withdrawn,
};
