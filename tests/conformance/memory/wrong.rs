//! What may be wrong with an executor, and the check that is for it.

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Keys are decoded once more.
    DecodesKeys,
    /// A copy of nothing is an empty object.
    CopiesNothing,
    /// What came of an upload that broke off is kept.
    KeepsTorn,
    /// An upload of another length than was said is stored.
    BelievesNoLength,
    /// The content type is not kept.
    ForgetsType,
    /// Nothing else that is said of an object is kept.
    ForgetsMore,
    /// A body of whatever checksum is stored.
    BelievesNoChecksum,
    /// Ranges begin one byte later.
    ShiftsRanges,
    /// Some bytes of whatever object is there.
    MixesVersions,
    /// What is read is read, whatever the conditions.
    ReadsAlways,
    /// What is stored is stored, whatever the conditions.
    OverwritesAlways,
    /// Conditions are taken for a server that may ignore them.
    TrustsServers,
    /// The last entry of a page comes on the next one too.
    ShowsTwice,
    /// A page's last entry is lost.
    LosesOne,
    /// Every entry is shown.
    ShowsHidden,
    /// A folder shows when something is in it, whether that may be shown or not.
    ShowsHiddenFolders,
    /// A directory is there when something is in it, whether that may be shown or not.
    CountsHidden,
    /// Names that are none are shown.
    ShowsAliases,
    /// Every bucket is shown.
    ShowsBuckets,
    /// A directory with something in it is deleted.
    DeletesFull,
    /// What is hidden keeps a directory.
    KeepsForHidden,
    /// A tree goes with what only begins with its name.
    DeletesBeside,
    /// A tree goes without what cannot be named.
    DeletesPartly,
    /// Of many, those that are there come first.
    SortsResults,
    /// Deleting what is not there succeeds.
    DeletesNothing,
    /// Approvals are for ever.
    NeverAsks,
    /// What reads and lists never asks.
    ReadsWithdrawn,
    /// Entries are shown by the connection as it was.
    ShowsHiddenSince,
    /// Approvals are asked when something begins, and never again.
    AsksOnce,
    /// Approvals are asked again when something has come.
    WaitsForBytes,
    /// A copy has what its source has, whatever was said in its place.
    ForgetsToReplace,
    /// A copy has nothing that is kept with its source.
    CopiesBytesAlone,
    /// What is copied is copied, whatever the conditions.
    CopiesAlways,
    /// Conditions on copies are taken for a server that may ignore them.
    TrustsServersToCopy,
    /// A part is a copy of all of an object.
    CopiesAllOfIt,
    /// A part is copied, whatever the conditions.
    CopiesPartsAlways,
    /// Parts stand in an object in the order in which they came.
    JoinsAsTheyCame,
    /// What is said when an upload begins is not kept.
    ForgetsMetadata,
    /// A part that is there is not replaced.
    KeepsFirstPart,
    /// The object is there as soon as a part is.
    ShowsParts,
    /// The object that is to be replaced goes when the upload begins.
    DeletesBefore,
    /// The last part of a page is lost.
    LosesPart,
    /// An upload is any path's.
    TakesAnyPath,
    /// An upload that was completed goes on.
    GoesOn,
    /// What has ended is ended again.
    EndsTwice,
    /// A part is the one that is meant, whatever its tag.
    BelievesTags,
    /// A part that is not there is none of the object.
    LeavesOutMissing,
    /// Parts are taken in whatever order.
    SortsParts,
    /// Parts are never too small.
    TakesSmallParts,
    /// An upload that cannot be completed is gone.
    EndsRefused,
    /// An upload is completed, whatever the conditions.
    CompletesAlways,
    /// Conditions on completing are taken for a server that may ignore them.
    TrustsServersToComplete,
    /// What came of a part that broke off is kept.
    KeepsTornPart,
    /// A part of another length than was said is stored.
    BelievesPartLength,
    /// A part of whatever checksum is stored.
    BelievesPartChecksum,
    /// A part goes when another one begins to come in its place.
    DropsPartBefore,
    /// Every upload that has not ended is shown.
    ShowsHiddenUploads,
    /// Uploads are shown to whoever may read their paths.
    ShowsUploadsToReaders,
    /// The last upload of a page is lost.
    LosesUpload,
    /// The last entry of a page by prefix is lost.
    LosesEntry,
    /// What is taken together comes again on the next page.
    SplitsFolders,
    /// A prefix is taken for a folder.
    WantsFolders,
    /// A page begins with the key that it is to be behind.
    BeginsWithIt,
    /// A page that begins behind what is taken together shows it again.
    ReturnsToFolder,
    /// What starts with a prefix is taken together up to its last `/`.
    TakesTooMuch,
    /// A folder of which something is hidden is not shown.
    HidesMixed,
    /// Every entry that starts with a prefix is shown.
    ShowsHiddenEntries,
    /// What is taken together is shown, though nothing of it may be.
    ShowsHiddenPrefixes,
    /// A page ends by what is there, shown or not.
    CountsHiddenEntries,
    /// Names that are none start with prefixes.
    ShowsAliasEntries,
    /// Approvals of uploads in parts are for ever.
    NeverAsksForParts,
    /// Approvals of parts are asked when they begin, and never again.
    AsksOnceForParts,
    /// Approvals of parts are asked again when something has come.
    WaitsForParts,
    /// Lists by prefix never ask.
    ListsWithdrawn,
    /// What starts with a prefix is shown by the connection as it was.
    ShowsEntriesSince,
    /// Uploads are shown by the connection as it was.
    ShowsUploadsSince,
}

impl Wrong {
    /// All of them, and the check that each must fail.
    pub(crate) const ALL: [(Self, &str); 76] = [
        (Self::DecodesKeys, "keys-are-bytes"),
        (Self::CopiesNothing, "what-is-not-there-is-missing"),
        (Self::KeepsTorn, "an-upload-is-whole-or-not-at-all"),
        (Self::BelievesNoLength, "an-upload-is-whole-or-not-at-all"),
        (Self::ForgetsType, "what-is-written-is-read"),
        (Self::ForgetsMore, "what-is-said-of-it-is-kept"),
        (Self::BelievesNoChecksum, "what-is-said-of-it-is-kept"),
        (Self::ShiftsRanges, "a-range-is-what-was-asked-for"),
        (Self::MixesVersions, "a-range-is-what-was-asked-for"),
        (Self::ReadsAlways, "what-is-read-meets-its-condition"),
        (Self::OverwritesAlways, "what-is-changed-meets-its-condition"),
        (Self::TrustsServers, "what-is-changed-meets-its-condition"),
        (Self::ShowsTwice, "pages-make-the-directory"),
        (Self::LosesOne, "pages-make-the-directory"),
        (Self::ShowsHidden, "what-is-hidden-changes-no-listing"),
        (Self::ShowsHiddenFolders, "what-is-hidden-changes-no-listing"),
        (Self::CountsHidden, "what-is-hidden-changes-no-listing"),
        (Self::ShowsAliases, "names-that-are-none-are-not-shown"),
        (Self::ShowsBuckets, "the-root-shows-what-is-reached"),
        (Self::DeletesFull, "an-empty-directory-is-deleted"),
        (Self::KeepsForHidden, "what-is-hidden-changes-no-deletion"),
        (Self::DeletesBeside, "a-tree-goes-whole-and-alone"),
        (Self::DeletesPartly, "what-cannot-be-named-is-not-deleted"),
        (Self::SortsResults, "many-are-deleted-in-their-order"),
        (Self::DeletesNothing, "what-is-not-there-is-missing"),
        (Self::NeverAsks, "what-is-withdrawn-does-not-begin"),
        (Self::ReadsWithdrawn, "what-is-withdrawn-is-not-answered"),
        (Self::ShowsHiddenSince, "what-is-hidden-now-is-not-listed"),
        (Self::AsksOnce, "an-upload-that-is-withdrawn-is-not-stored"),
        (Self::WaitsForBytes, "an-upload-that-is-withdrawn-is-not-stored"),
        (Self::ForgetsToReplace, "a-copy-keeps-what-is-said-of-it"),
        (Self::CopiesBytesAlone, "a-copy-keeps-what-is-said-of-it"),
        (Self::CopiesAlways, "a-copy-meets-its-condition"),
        (Self::TrustsServersToCopy, "a-copy-meets-its-condition"),
        (Self::CopiesAllOfIt, "a-part-is-a-copy-of-what-was-asked-for"),
        (Self::CopiesPartsAlways, "a-part-is-a-copy-of-what-was-asked-for"),
        (Self::JoinsAsTheyCame, "parts-make-the-object"),
        (Self::ForgetsMetadata, "parts-make-the-object"),
        (Self::KeepsFirstPart, "a-part-replaces-the-one-before"),
        (Self::ShowsParts, "parts-make-the-object"),
        (Self::DeletesBefore, "parts-make-the-object"),
        (Self::LosesPart, "parts-make-the-object"),
        (Self::TakesAnyPath, "an-upload-in-parts-is-that-of-its-path"),
        (Self::GoesOn, "an-upload-in-parts-is-that-of-its-path"),
        (Self::EndsTwice, "an-upload-in-parts-is-that-of-its-path"),
        (Self::BelievesTags, "parts-that-make-no-object-change-nothing"),
        (Self::LeavesOutMissing, "parts-that-make-no-object-change-nothing"),
        (Self::SortsParts, "parts-that-make-no-object-change-nothing"),
        (Self::TakesSmallParts, "parts-that-make-no-object-change-nothing"),
        (Self::EndsRefused, "parts-that-make-no-object-change-nothing"),
        (Self::CompletesAlways, "what-is-completed-meets-its-condition"),
        (Self::TrustsServersToComplete, "what-is-completed-meets-its-condition"),
        (Self::KeepsTornPart, "a-part-is-whole-or-not-at-all"),
        (Self::BelievesPartLength, "a-part-is-whole-or-not-at-all"),
        (Self::BelievesPartChecksum, "a-part-is-whole-or-not-at-all"),
        (Self::DropsPartBefore, "a-part-is-whole-or-not-at-all"),
        (Self::ShowsHiddenUploads, "what-is-unfinished-is-shown-to-its-writers"),
        (Self::ShowsUploadsToReaders, "what-is-unfinished-is-shown-to-its-writers"),
        (Self::LosesUpload, "what-is-unfinished-is-shown-to-its-writers"),
        (Self::LosesEntry, "pages-make-the-prefix"),
        (Self::SplitsFolders, "pages-make-the-prefix"),
        (Self::WantsFolders, "pages-make-the-prefix"),
        (Self::TakesTooMuch, "pages-make-the-prefix"),
        (Self::BeginsWithIt, "a-page-begins-behind-any-text"),
        (Self::ReturnsToFolder, "a-page-begins-behind-any-text"),
        (Self::HidesMixed, "what-is-shown-of-a-prefix-is-not-lost"),
        (Self::ShowsHiddenEntries, "what-is-hidden-changes-no-prefix"),
        (Self::ShowsHiddenPrefixes, "what-is-hidden-changes-no-prefix"),
        (Self::CountsHiddenEntries, "what-is-hidden-changes-no-prefix"),
        (Self::ShowsAliasEntries, "names-that-are-none-have-no-prefix"),
        (Self::NeverAsksForParts, "parts-that-are-withdrawn-do-not-begin"),
        (Self::AsksOnceForParts, "a-part-that-is-withdrawn-is-not-stored"),
        (Self::WaitsForParts, "a-part-that-is-withdrawn-is-not-stored"),
        (Self::ListsWithdrawn, "a-prefix-that-is-withdrawn-is-not-listed"),
        (Self::ShowsEntriesSince, "what-is-hidden-now-has-no-prefix"),
        (Self::ShowsUploadsSince, "an-upload-that-is-hidden-now-is-not-listed"),
    ];
}
