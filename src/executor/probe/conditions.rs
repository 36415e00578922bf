//! Finding out whether a server honours conditions on what is written or deleted.

use bytes::Bytes;

use super::{ProbeError, Prober, refused, unapproved};
use crate::{
    engine::{DeleteObject, WriteObject},
    executor::{Body, ExecuteError, Upload, WriteConditions},
    path::Path,
};

/// More than is sent in one request where the length is not told.
const LARGE: usize = 9 << 20;
/// An entity tag that no object of a probe has.
const OTHER: &str = "\"00000000000000000000000000000000\"";

/// What may be done on a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conditional {
    /// Storing an object in one request, with `If-None-Match: *`.
    Put,
    /// Completing an upload in parts, with `If-None-Match: *`.
    Complete,
    /// Deleting an object, with `If-Match`.
    Delete,
}

impl Conditional {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Put, Self::Complete, Self::Delete];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Complete => "complete",
            Self::Delete => "delete",
        }
    }
}

/// What a server does with something whose condition is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Heed {
    /// It does nothing, and says that the condition is not met.
    Honoured,
    /// It does it all the same.
    Ignored,
    /// It knows no such condition, and says so: nothing is done.
    Refused,
}

impl Heed {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }
}

impl Prober<'_> {
    /// What the server does with each.
    pub(super) async fn conditions(&self) -> Result<Vec<(Conditional, Heed)>, ProbeError> {
        let mut found = Vec::new();
        for conditional in Conditional::ALL {
            found.push((conditional, self.heed(conditional).await?));
        }
        Ok(found)
    }

    async fn heed(&self, conditional: Conditional) -> Result<Heed, ProbeError> {
        let path = self.path(conditional.name())?;
        self.write(&path, "kept").await?;
        let new = WriteConditions { if_none: true, if_match: None };
        let done = match conditional {
            Conditional::Put => self.write_on(&path, vec![b'x'; 2], Some(2), new).await,
            Conditional::Complete => self.write_on(&path, vec![b'x'; LARGE], None, new).await,
            Conditional::Delete => {
                let delete = DeleteObject { path: path.clone() };
                let approved = self.engine.approve(self.caller(), &self.id, delete);
                let other = WriteConditions { if_match: Some(OTHER.to_owned()), if_none: false };
                self.executor.delete(approved.map_err(unapproved)?, other).await
            }
        };
        // What it says is not enough: what was there is to be there.
        let is_kept = self.read(&path).await?.as_deref() == Some("kept");
        let heed = match done {
            Ok(()) => Heed::Ignored,
            Err(_) if !is_kept => Heed::Ignored,
            Err(ExecuteError::PreconditionFailed) => Heed::Honoured,
            Err(error) => {
                refused(error)?;
                Heed::Refused
            }
        };
        self.delete(&path).await?;
        Ok(heed)
    }

    async fn write_on(
        &self,
        path: &Path<'static>,
        bytes: Vec<u8>,
        length: Option<u64>,
        conditions: WriteConditions,
    ) -> Result<(), ExecuteError> {
        let write = WriteObject { path: path.clone() };
        let approved = self.engine.approve(self.caller(), &self.id, write).map_err(unapproved)?;
        let body = Body::from_bytes(Bytes::from(bytes));
        let upload = Upload { conditions, ..Upload::new(body, length) };
        self.executor.write(approved, upload).await.map(drop)
    }
}
