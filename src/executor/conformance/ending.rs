//! Approvals of uploads in parts and of prefixes age, as all others do.

use http_body_util::channel::Channel;
use tokio::time::timeout;

use super::{
    aging::{SOON, is_withdrawn, withdrawn_meanwhile},
    objects::strings,
    parts::{NO_PARTS, filled},
    prefix::NO_PREFIXES,
    report::{Outcome, done, offered, passed, same, within},
    trial::{ALL, Trial},
    view::{number, part},
};
use crate::{
    engine::{
        AbortUpload, CompleteUpload, CopyPart, CreateUpload, ListParts, ListPrefix, ListUploads,
        UploadPart,
    },
    executor::{
        Body, Metadata, PartCopy, PartUpload, PrefixRequest, PrefixStart, ReadConditions,
        WriteConditions,
    },
};

/// Nothing of an upload in parts is begun, changed, told or ended once that is withdrawn.
pub(super) async fn parts(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let begun = view.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    view.write("@/source", b"to be copied").await?;
    let whole = [view.stored_part("@/a", &id, 1, &filled(b'a', 9)).await?];
    let before = done("its parts", view.parts("@/a", &id, 10).await?)?;
    let path = || view.path("@/a");

    let create = view.approve(CreateUpload { path: path()? })?;
    let upload = view.approve(UploadPart { path: path()? })?;
    let copy = CopyPart { source: view.path("@/source")?, destination: path()? };
    let copy = view.approve(copy)?;
    let list = view.approve(ListParts { path: path()? })?;
    let complete = view.approve(CompleteUpload { path: path()? })?;
    let abort = view.approve(AbortUpload { path: path()? })?;
    let uploads = view.approve(ListUploads { path: view.path("@/")? })?;
    view.withdraw()?;

    let executor = trial.executor();
    let new = part(1, filled(b'x', 10))?;
    let from = PartCopy { number: number(2)?, range: None, conditions: ReadConditions::default() };
    let outcomes = [
        ("begin", executor.create_upload(create, Metadata::default()).await.err()),
        ("upload a part", executor.upload_part(upload, &id, new).await.err()),
        ("copy a part", executor.copy_part(copy, &id, from).await.err()),
        ("list the parts", executor.list_parts(list, &id, None, 10).await.err()),
        (
            "complete",
            executor
                .complete_upload(complete, &id, whole.to_vec(), WriteConditions::default())
                .await
                .err(),
        ),
        ("abort", executor.abort_upload(abort, &id).await.err()),
        ("list the uploads", executor.list_uploads(uploads, None, 10).await.err()),
    ];
    for (what, error) in outcomes {
        is_withdrawn(what, error.as_ref())?;
    }
    view.settle().await?;
    let now = trial.view(ALL)?;
    same("what is there", &now.everything().await?, &strings(&["@/source"]))?;
    same("the parts", &done("its parts", now.parts("@/a", &id, 10).await?)?, &before)?;
    let uploads = done("the uploads", now.uploads("@/", 10).await?)?;
    same("the uploads", &uploads, &vec![("@/a".to_owned(), id)])?;
    passed()
}

/// A part is stored by nobody whose approval is withdrawn before it ends, and ends also if nothing more comes.
pub(super) async fn during(trial: &Trial<'_>) -> Outcome {
    let all = trial.view(ALL)?;
    let begun = all.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    all.stored_part("@/a", &id, 1, &filled(b'a', 9)).await?;
    let before = done("its parts", all.parts("@/a", &id, 10).await?)?;
    for sent in [1_000, 300_000, 9 << 20] {
        for (at, comes) in [(1, true), (1, false), (2, true)] {
            let what = format!("part {at}, {sent} bytes, the last one comes: {comes}");
            let view = trial.view(ALL)?;
            let (sender, body) = Channel::new(1);
            let part = PartUpload {
                number: number(at)?,
                body: Body::new(body),
                length: sent as u64 + 1,
                checksums: Vec::new(),
            };
            let goes_on = withdrawn_meanwhile(&view, sender, filled(b'x', sent), comes);
            let stored = timeout(SOON, view.begin_part("@/a", &id, part)?);
            let (stored, held) = tokio::join!(stored, goes_on);
            drop(held?);
            let stored = stored.map_err(|_| format!("{what}: it goes on after {SOON:?}"))?;
            is_withdrawn(&what, stored.err().as_ref())?;
            view.settle().await?;
            let now = done("its parts", all.parts("@/a", &id, 10).await?)?;
            same(&format!("{what}: the parts that are there"), &now, &before)?;
        }
    }
    passed()
}

/// A list by prefix tells nothing once its approval is withdrawn, whether something is there or not.
pub(super) async fn prefixes(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let first =
        |is_delimited, limit| PrefixRequest { start: PrefixStart::First, is_delimited, limit };
    let page = view.prefix_page("@/", first(false, 1)).await?;
    if offered("list by prefix", page)?.is_none() {
        return NO_PREFIXES;
    }
    view.write_all(&["@/a", "@/d/x"]).await?;
    let mut asked = Vec::new();
    for prefix in ["@/", "@/a", "@/nothing"] {
        for is_delimited in [false, true] {
            let approved = view.approve(ListPrefix { path: view.path(prefix)? })?;
            asked.push((prefix, approved, first(is_delimited, 10)));
        }
    }
    view.withdraw()?;
    for (prefix, approved, request) in asked {
        let what = format!("what starts with {prefix}");
        let page = within(&what, trial.executor().list_prefix(approved, request)).await?;
        is_withdrawn(&what, page.err().as_ref())?;
    }
    passed()
}

/// A narrowed list by prefix shows what it showed when it was approved and shows now, and no more.
pub(super) async fn narrowed(trial: &Trial<'_>) -> Outcome {
    let all = trial.view(ALL)?;
    let first =
        |is_delimited| PrefixRequest { start: PrefixStart::First, is_delimited, limit: 100 };
    if offered("list by prefix", all.prefix_page("@/", first(false)).await?)?.is_none() {
        return NO_PREFIXES;
    }
    all.write_all(&["@/a", "@/b", "@/open/x", "@/open/y", "@/part/x", "@/part/y", "@/sec/x"])
        .await?;
    let fields = |deny: &str| format!("{ALL}\nrestrictions: ['@/*']\ndeny: ['@/none', {deny}]");
    let (then, now) = (fields("'@/open/y'"), fields("'@/a', '@/sec/', '@/part/x'"));
    for (prefix, is_delimited, entries) in [
        ("@/", false, &["@/b", "@/open/x", "@/part/y"][..]),
        ("@/", true, &["@/b", "@/open/*", "@/part/*"]),
        ("@/o", false, &["@/open/x"]),
        ("@/part/", false, &["@/part/y"]),
        ("@/sec", false, &[]),
        ("@/sec", true, &[]),
    ] {
        let view = trial.view(&then)?;
        let approved = view.approve(ListPrefix { path: view.path(prefix)? })?;
        trial.change(&view, &now)?;
        let what = format!("what starts with {prefix}, taken together: {is_delimited}");
        let listed = trial.executor().list_prefix(approved, first(is_delimited));
        match within(&what, listed).await? {
            Ok(page) => same(&what, &view.entries(&page)?, &strings(entries))?,
            // Where everything was passed through, and is no longer, it has to end.
            Err(error) if prefix.starts_with("@/part") || prefix.starts_with("@/sec") => {
                is_withdrawn(&what, Some(&error))?;
            }
            Err(error) => return Err(format!("{what}: {error:?}")),
        }
    }
    passed()
}

/// An upload that has not ended is shown to whoever could see it when they asked and can now, and to nobody else.
pub(super) async fn unfinished(trial: &Trial<'_>) -> Outcome {
    let all = trial.view(ALL)?;
    let begun = all.create_upload("@/a", Metadata::default()).await?;
    if offered("begin an upload", begun)?.is_none() {
        return NO_PARTS;
    }
    for path in ["@/b", "@/sec/x", "@/then"] {
        all.begun(path).await?;
    }
    let fields = |deny: &str| format!("{ALL}\nrestrictions: ['@/*']\ndeny: ['@/none', {deny}]");
    let view = trial.view(&fields("'@/then'"))?;
    let approved = view.approve(ListUploads { path: view.path("@/")? })?;
    trial.change(&view, &fields("'@/a', '@/sec/'"))?;
    let listed = within("uploads", trial.executor().list_uploads(approved, None, 100)).await?;
    let keys: Vec<String> =
        done("the uploads", listed)?.uploads.into_iter().map(|upload| upload.key).collect();
    same("the uploads that are shown", &keys, &vec![all.key("@/b")])?;
    passed()
}
