//! Every operation that we know, and what each needs.

use crate::{access::Access, path::Path};

/// How far below a path an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The path itself.
    Here,
    /// Some path that starts with it: enough to be shown what there is of them.
    SomeBelow,
    /// Every path that starts with it.
    AllBelow,
    /// Never given: permissions change only where the connection is configured.
    Never,
}

/// One thing that an operation needs.
#[derive(Clone, Copy, Debug)]
pub struct Need<'o> {
    /// The access.
    pub access: Access,
    /// How far it reaches.
    pub scope: Scope,
    /// The path, or the prefix for the scopes that reach below it.
    pub path: &'o Path<'o>,
    /// Whether it is the path of a directory, which ends with `/`: see [`Path::into_directory`].
    pub is_directory: bool,
}

/// All that an operation needs, in the order in which it is decided.
#[derive(Clone, Debug)]
pub struct Accesses<'o> {
    fixed: [Option<Need<'o>>; 2],
    deletes: std::slice::Iter<'o, Path<'o>>,
}

impl<'o> Accesses<'o> {
    fn one(access: Access, scope: Scope, path: &'o Path<'o>, is_directory: bool) -> Self {
        let need = Need { access, scope, path, is_directory };
        Self { fixed: [Some(need), None], deletes: [].iter() }
    }
}

impl<'o> Iterator for Accesses<'o> {
    type Item = Need<'o>;

    fn next(&mut self) -> Option<Need<'o>> {
        self.fixed.iter_mut().find_map(Option::take).or_else(|| {
            let path = self.deletes.next()?;
            Some(Need { access: Access::Delete, scope: Scope::Here, path, is_directory: false })
        })
    }
}

/// Something that can be decided and approved: [`Operation`] and the types in its variants.
///
/// Sealed: what an approval can be made of is written in this module alone.
pub trait Operate: sealed::Sealed {
    /// The name that tests, logs and messages use.
    fn name(&self) -> &'static str;

    /// All that the operation touches. Never empty, but for a [`DeleteObjects`] of no path.
    fn accesses(&self) -> Accesses<'_>;
}

mod sealed {
    pub trait Sealed {}
}

/// Operations on one path.
macro_rules! on_one_path {
    ($($(#[$doc:meta])* $type:ident, $name:literal, $access:ident, $scope:ident, $is_directory:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type<'a> {
            /// The path that the operation is on.
            pub path: Path<'a>,
        }

        impl sealed::Sealed for $type<'_> {}

        impl Operate for $type<'_> {
            fn name(&self) -> &'static str {
                $name
            }

            fn accesses(&self) -> Accesses<'_> {
                Accesses::one(Access::$access, Scope::$scope, &self.path, $is_directory)
            }
        }
    )*};
}

on_one_path! {
    /// Read an object's bytes. Needs read at its path.
    ReadObject, "read", Read, Here, false;
    /// Ask whether an object is there, and its size. Needs read at its path.
    StatObject, "stat", Read, Here, false;
    /// Create or replace an object. Needs write at its path.
    WriteObject, "write", Write, Here, false;
    /// Create a directory, which is an object named `dir/`: the path ends with `/`. Needs write at that path.
    CreateDirectory, "create-directory", Write, Here, true;
    /// Delete an object. Needs delete at its path.
    DeleteObject, "delete", Delete, Here, false;
    /// List a directory, whose path ends with `/`, or the root. Needs read at some path below, and shows no others.
    ListDirectory, "list", Read, SomeBelow, true;
    /// Delete a directory that is empty; its path ends with `/`. Needs delete at its marker, `dir/`.
    DeleteDirectory, "delete-directory", Delete, Here, true;
    /// Delete a directory, whose path ends with `/`, and all in it. Needs delete at every path below; without it nothing is
    /// deleted at all.
    DeleteTree, "delete-tree", Delete, AllBelow, true;
    /// Begin an upload in parts. Needs write at its path.
    CreateUpload, "create-upload", Write, Here, false;
    /// Send a part of an upload. Needs write at its path.
    UploadPart, "upload-part", Write, Here, false;
    /// Ask which parts of an upload there are. Needs write at its path.
    ListParts, "list-parts", Write, Here, false;
    /// Make an object of the parts of an upload. Needs write at its path.
    CompleteUpload, "complete-upload", Write, Here, false;
    /// End an upload without an object, and delete its parts. Needs write at its path.
    AbortUpload, "abort-upload", Write, Here, false;
    /// List the objects whose paths start with a text, which names its bucket whole: `bucket/` and what keys start
    /// with, at whatever place. Needs read at some path that starts with it, and shows no others.
    ListPrefix, "list-prefix", Read, SomeBelow, false;
    /// List the uploads in parts that have not ended, of the paths that start with a text, which names its bucket whole.
    /// Needs write at some path that starts with it, and shows no others.
    ListUploads, "list-uploads", Write, SomeBelow, false;
    /// Read an access control list. Always refused.
    ReadAcl, "read-acl", Read, Never, false;
    /// Change an access control list. Always refused.
    WriteAcl, "write-acl", Write, Never, false;
}

/// Operations that read one path and write another.
macro_rules! on_two_paths {
    ($($(#[$doc:meta])* $type:ident, $name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $type<'a> {
            /// Where the bytes come from.
            pub source: Path<'a>,
            /// Where they go.
            pub destination: Path<'a>,
        }

        impl sealed::Sealed for $type<'_> {}

        impl Operate for $type<'_> {
            fn name(&self) -> &'static str {
                $name
            }

            fn accesses(&self) -> Accesses<'_> {
                let need =
                    |access, path| Some(Need { access, scope: Scope::Here, path, is_directory: false });
                Accesses {
                    fixed: [need(Access::Read, &self.source), need(Access::Write, &self.destination)],
                    deletes: [].iter(),
                }
            }
        }
    )*};
}

on_two_paths! {
    /// Copy an object. Needs read at the source and write at the destination.
    CopyObject, "copy";
    /// Send a part of an upload that is a copy of some of an object. Needs read at the source and write at the
    /// destination, which is the upload's path.
    CopyPart, "copy-part";
}

/// Delete many objects. Needs delete at each of their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObjects<'a> {
    /// The objects.
    pub paths: Vec<Path<'a>>,
}

impl sealed::Sealed for DeleteObjects<'_> {}

impl Operate for DeleteObjects<'_> {
    fn name(&self) -> &'static str {
        "delete-many"
    }

    fn accesses(&self) -> Accesses<'_> {
        Accesses { fixed: [None, None], deletes: self.paths.iter() }
    }
}

/// Any operation: what a request asks for, before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// See [`ReadObject`].
    Read(ReadObject<'a>),
    /// See [`StatObject`].
    Stat(StatObject<'a>),
    /// See [`WriteObject`].
    Write(WriteObject<'a>),
    /// See [`CreateDirectory`].
    CreateDirectory(CreateDirectory<'a>),
    /// See [`DeleteObject`].
    Delete(DeleteObject<'a>),
    /// See [`ListDirectory`].
    List(ListDirectory<'a>),
    /// See [`DeleteDirectory`].
    DeleteDirectory(DeleteDirectory<'a>),
    /// See [`DeleteTree`].
    DeleteTree(DeleteTree<'a>),
    /// See [`CopyObject`].
    Copy(CopyObject<'a>),
    /// See [`DeleteObjects`].
    DeleteMany(DeleteObjects<'a>),
    /// See [`CreateUpload`].
    CreateUpload(CreateUpload<'a>),
    /// See [`UploadPart`].
    UploadPart(UploadPart<'a>),
    /// See [`CopyPart`].
    CopyPart(CopyPart<'a>),
    /// See [`ListParts`].
    ListParts(ListParts<'a>),
    /// See [`CompleteUpload`].
    CompleteUpload(CompleteUpload<'a>),
    /// See [`AbortUpload`].
    AbortUpload(AbortUpload<'a>),
    /// See [`ListPrefix`].
    ListPrefix(ListPrefix<'a>),
    /// See [`ListUploads`].
    ListUploads(ListUploads<'a>),
    /// See [`ReadAcl`].
    ReadAcl(ReadAcl<'a>),
    /// See [`WriteAcl`].
    WriteAcl(WriteAcl<'a>),
}

impl sealed::Sealed for Operation<'_> {}

impl Operate for Operation<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Read(operation) => operation.name(),
            Self::Stat(operation) => operation.name(),
            Self::Write(operation) => operation.name(),
            Self::CreateDirectory(operation) => operation.name(),
            Self::Delete(operation) => operation.name(),
            Self::List(operation) => operation.name(),
            Self::DeleteDirectory(operation) => operation.name(),
            Self::DeleteTree(operation) => operation.name(),
            Self::Copy(operation) => operation.name(),
            Self::DeleteMany(operation) => operation.name(),
            Self::CreateUpload(operation) => operation.name(),
            Self::UploadPart(operation) => operation.name(),
            Self::CopyPart(operation) => operation.name(),
            Self::ListParts(operation) => operation.name(),
            Self::CompleteUpload(operation) => operation.name(),
            Self::AbortUpload(operation) => operation.name(),
            Self::ListPrefix(operation) => operation.name(),
            Self::ListUploads(operation) => operation.name(),
            Self::ReadAcl(operation) => operation.name(),
            Self::WriteAcl(operation) => operation.name(),
        }
    }

    fn accesses(&self) -> Accesses<'_> {
        match self {
            Self::Read(operation) => operation.accesses(),
            Self::Stat(operation) => operation.accesses(),
            Self::Write(operation) => operation.accesses(),
            Self::CreateDirectory(operation) => operation.accesses(),
            Self::Delete(operation) => operation.accesses(),
            Self::List(operation) => operation.accesses(),
            Self::DeleteDirectory(operation) => operation.accesses(),
            Self::DeleteTree(operation) => operation.accesses(),
            Self::Copy(operation) => operation.accesses(),
            Self::DeleteMany(operation) => operation.accesses(),
            Self::CreateUpload(operation) => operation.accesses(),
            Self::UploadPart(operation) => operation.accesses(),
            Self::CopyPart(operation) => operation.accesses(),
            Self::ListParts(operation) => operation.accesses(),
            Self::CompleteUpload(operation) => operation.accesses(),
            Self::AbortUpload(operation) => operation.accesses(),
            Self::ListPrefix(operation) => operation.accesses(),
            Self::ListUploads(operation) => operation.accesses(),
            Self::ReadAcl(operation) => operation.accesses(),
            Self::WriteAcl(operation) => operation.accesses(),
        }
    }
}

impl<'a> Operation<'a> {
    /// The names of the operations on one path, which [`Operation::named`] takes.
    pub const NAMES: [&'static str; 17] = [
        "read",
        "stat",
        "write",
        "create-directory",
        "delete",
        "list",
        "delete-directory",
        "delete-tree",
        "create-upload",
        "upload-part",
        "list-parts",
        "complete-upload",
        "abort-upload",
        "list-prefix",
        "list-uploads",
        "read-acl",
        "write-acl",
    ];

    /// The operation of this name on one path, or `None` for a name that is none or needs more
    /// than a path. The names are those of [`Operate::name`].
    ///
    /// Operations on a directory take its path with or without the `/` at the end.
    ///
    /// # Errors
    ///
    /// [`PathError::KeyLength`](crate::PathError::KeyLength) when the `/` that a directory's path
    /// ends with makes its key too long.
    pub fn named(name: &str, path: Path<'a>) -> Result<Option<Self>, crate::PathError> {
        Ok(Some(match name {
            "read" => Self::Read(ReadObject { path }),
            "stat" => Self::Stat(StatObject { path }),
            "write" => Self::Write(WriteObject { path }),
            "create-directory" => {
                Self::CreateDirectory(CreateDirectory { path: path.into_directory()? })
            }
            "delete" => Self::Delete(DeleteObject { path }),
            "list" => Self::List(ListDirectory { path: path.into_directory()? }),
            "delete-directory" => {
                Self::DeleteDirectory(DeleteDirectory { path: path.into_directory()? })
            }
            "delete-tree" => Self::DeleteTree(DeleteTree { path: path.into_directory()? }),
            "create-upload" => Self::CreateUpload(CreateUpload { path }),
            "upload-part" => Self::UploadPart(UploadPart { path }),
            "list-parts" => Self::ListParts(ListParts { path }),
            "complete-upload" => Self::CompleteUpload(CompleteUpload { path }),
            "abort-upload" => Self::AbortUpload(AbortUpload { path }),
            "list-prefix" => Self::ListPrefix(ListPrefix { path }),
            "list-uploads" => Self::ListUploads(ListUploads { path }),
            "read-acl" => Self::ReadAcl(ReadAcl { path }),
            "write-acl" => Self::WriteAcl(WriteAcl { path }),
            _ => return Ok(None),
        }))
    }
}
