//! Approvals age: what is withdrawn does not begin, and does not end as if it were not.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use tokio::time::timeout;

use super::{
    objects::strings,
    report::{Outcome, passed, same, within},
    trial::{ALL, Trial},
    view::View,
};
use crate::{
    engine::{
        CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree,
        ListDirectory, ReadObject, StatObject, WriteObject,
    },
    executor::{
        Body, BodyError, CopyOptions, DirectoryDeletion, ExecuteError, PageRequest, ReadConditions,
        ReadOptions, TreeError, Upload, Want, WriteConditions,
    },
};

/// How long an upload is under way before it is withdrawn.
const UNDER_WAY: Duration = Duration::from_millis(200);
/// How long it may go on then: a transfer asks every second, and the machine may be busy.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// What changes something does nothing once its approval is withdrawn.
pub(super) async fn before(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.create_directory("@/d/").await?;
    view.create_directory("@/empty/").await?;
    view.write_all(&["@/a", "@/b", "@/d/x"]).await?;
    let everything = view.everything().await?;
    let path = |path| view.path(path);

    let upload = Upload::new(Body::from_bytes("new".into()), Some(3));
    let write = view.approve(WriteObject { path: path("@/new")? })?;
    let create = view.approve(CreateDirectory { path: path("@/new/")? })?;
    let delete = view.approve(DeleteObject { path: path("@/a")? })?;
    let directory = view.approve(DeleteDirectory { path: path("@/empty/")? })?;
    let tree = view.approve(DeleteTree { path: path("@/d/")? })?;
    let many = view.approve(DeleteObjects { paths: vec![path("@/a")?, path("@/b")?] })?;
    let copy = CopyObject { source: path("@/a")?, destination: path("@/copy")? };
    let copy = view.approve(copy)?;
    view.withdraw()?;

    let executor = trial.executor();
    let mut outcomes = vec![
        ("write", executor.write(write, upload).await.err()),
        ("create a directory", executor.create_directory(create).await.err()),
        ("delete", executor.delete(delete, WriteConditions::default()).await.err()),
        ("delete a directory", executor.delete_directory(directory).await.err()),
        ("copy", executor.copy(copy, CopyOptions::default()).await.err()),
    ];
    let tree = executor.delete_tree(tree).await.err();
    same(
        "what of a tree was deleted",
        &tree.as_ref().map(|TreeError { deleted, .. }| *deleted),
        &Some(0),
    )?;
    outcomes.push(("delete a tree", tree.map(|failed| failed.error)));
    let many = executor.delete_many(many).await;
    outcomes.extend(many.into_iter().map(|result| ("delete many", result.err())));
    for (what, error) in outcomes {
        is_withdrawn(what, error.as_ref())?;
    }
    view.settle().await?;
    let now = trial.view(ALL)?;
    same("what is there", &now.everything().await?, &everything)?;
    same("whether @/empty/ is there", &now.is_there("@/empty/").await?, &true)?;
    same("whether @/new/ is there", &now.is_there("@/new/").await?, &false)?;
    passed()
}

/// What asks is told nothing once its approval is withdrawn, whether something is there or not.
pub(super) async fn reading(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write_all(&["@/a", "@/d/x"]).await?;
    let executor = trial.executor();
    let mut asked = Vec::new();
    for path in ["@/a", "@/nothing"] {
        asked.push((
            path,
            view.approve(ReadObject { path: view.path(path)? })?,
            view.approve(StatObject { path: view.path(path)? })?,
        ));
    }
    let mut listed = Vec::new();
    for path in ["@/", "@/d/", "@/nothing/", ""] {
        for limit in [0, 10] {
            let approved = view.approve(ListDirectory { path: view.path(path)? })?;
            listed.push((
                path,
                approved,
                PageRequest { after: None, want: Want::All, limit, brief: false },
            ));
        }
    }
    view.withdraw()?;
    for (path, read, stat) in asked {
        let read = within("read", executor.read(read, ReadOptions::default())).await?;
        is_withdrawn(&format!("read {path}"), read.err().as_ref())?;
        let stat = within("stat", executor.stat(stat, ReadConditions::default())).await?;
        is_withdrawn(&format!("stat {path}"), stat.err().as_ref())?;
    }
    for (path, list, request) in listed {
        let what = format!("list {path:?}, limit {}", request.limit);
        let page = within(&what, executor.list(list, request)).await?;
        is_withdrawn(&what, page.err().as_ref())?;
    }
    passed()
}

/// A narrowed listing shows what it showed when it was approved and shows now, and keeps no directory that
/// is not reached any more.
pub(super) async fn narrowed(trial: &Trial<'_>) -> Outcome {
    let writes = trial.view(ALL)?;
    writes.write_all(&["@/a", "@/b", "@/open/x", "@/sec/x", "@/part/x", "@/part/y"]).await?;
    writes.create_directory("@/left/").await?;
    writes.write_all(&["@/left/x"]).await?;
    let fields = |deny: &str| format!("{ALL}\nrestrictions: ['@/*']\ndeny: ['@/none', {deny}]");
    let (then, now) = (fields("'@/open/y'"), fields("'@/a', '@/sec/', '@/part/x', '@/left/x'"));
    for (path, want, names) in [
        ("@/", Want::All, &["b", "left/", "open/", "part/"][..]),
        ("@/", Want::Folders, &["left/", "open/", "part/"]),
        ("@/", Want::Files, &["b"]),
        ("@/part/", Want::All, &["y"]),
    ] {
        let view = trial.view(&then)?;
        let approved = view.approve(ListDirectory { path: view.path(path)? })?;
        trial.change(&view, &now)?;
        let request = PageRequest { after: None, want, limit: 100, brief: false };
        let what = format!("list {path}, {want:?}");
        let page = within(&what, trial.executor().list(approved, request)).await?;
        let page = match page {
            Ok(page) => page,
            // Where everything was passed through, and is no longer, it has to end.
            Err(error) if path == "@/part/" => {
                is_withdrawn(&what, Some(&error))?;
                continue;
            }
            Err(error) => return Err(format!("{what}: {error:?}")),
        };
        let mut came: Vec<String> = page.folders.iter().map(|name| format!("{name}/")).collect();
        came.extend(page.files.into_iter().map(|file| file.name));
        came.sort_unstable();
        same(&what, &came, &strings(names))?;
    }
    let view = trial.view(&then)?;
    let delete = view.approve(DeleteDirectory { path: view.path("@/left/")? })?;
    trial.change(&view, &now)?;
    let deleted = within("delete", trial.executor().delete_directory(delete)).await?;
    same("delete @/left/", &deleted, &Ok(DirectoryDeletion::Deleted))?;
    passed()
}

/// Sends some of a body, and takes the key away; then the last byte if it comes. The sender otherwise, to be held.
pub(super) async fn withdrawn_meanwhile(
    view: &View<'_>,
    mut sender: Sender<Bytes, BodyError>,
    bytes: Bytes,
    comes: bool,
) -> Result<Option<Sender<Bytes, BodyError>>, String> {
    let _ = sender.send_data(bytes).await;
    tokio::time::sleep(UNDER_WAY).await;
    view.withdraw()?;
    if comes {
        let _ = sender.send_data(Bytes::from_static(b"x")).await;
        return Ok(None);
    }
    Ok(Some(sender))
}

/// An upload is stored by nobody whose approval is withdrawn before it ends, and ends also if nothing more comes.
pub(super) async fn during(trial: &Trial<'_>) -> Outcome {
    for sent in [1_000, 300_000, 9 << 20] {
        for length in [None, Some(sent as u64 + 1)] {
            for comes in [true, false] {
                let what = format!("{sent} bytes, length {length:?}, the last one comes: {comes}");
                let view = trial.view(ALL)?;
                let (sender, body) = Channel::new(1);
                let upload = Upload::new(Body::new(body), length);
                let goes_on = withdrawn_meanwhile(&view, sender, vec![7; sent].into(), comes);
                let stored = timeout(SOON, view.begin("@/new", upload)?);
                let (stored, held) = tokio::join!(stored, goes_on);
                drop(held?);
                let stored = stored.map_err(|_| format!("{what}: it goes on after {SOON:?}"))?;
                is_withdrawn(&what, stored.err().as_ref())?;
                view.settle().await?;
                let now = trial.view(ALL)?;
                same(&format!("{what}: what is there"), &now.everything().await?, &strings(&[]))?;
            }
        }
    }
    passed()
}

pub(super) fn is_withdrawn(what: &str, error: Option<&ExecuteError>) -> Result<(), String> {
    match error {
        Some(ExecuteError::Withdrawn(_)) => Ok(()),
        other => Err(format!("{what}: {other:?}, and not that it is withdrawn")),
    }
}
