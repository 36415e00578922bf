//! Approvals age: what is withdrawn does not begin, and does not end as if it were not.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::Channel;
use tokio::time::timeout;

use super::{
    objects::strings,
    report::Outcome,
    trial::{ALL, Trial, passed, same},
};
use crate::{
    engine::{
        CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree,
        WriteObject,
    },
    executor::{Body, ExecuteError, TreeError, Upload},
};

/// How long an upload is under way before it is withdrawn.
const UNDER_WAY: Duration = Duration::from_millis(200);
/// How long it may go on then: a transfer asks every second, and the machine may be busy.
const SOON: Duration = Duration::from_secs(10);

/// What changes something does nothing once its approval is withdrawn.
pub(super) async fn before(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.create_directory("@/d/").await?;
    view.create_directory("@/empty/").await?;
    view.write_all(&["@/a", "@/b", "@/d/x"]).await?;
    let everything = view.everything().await?;
    let path = |path| view.path(path);

    let upload =
        Upload { body: Body::from_bytes("new".into()), length: Some(3), content_type: None };
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
        ("delete", executor.delete(delete).await.err()),
        ("delete a directory", executor.delete_directory(directory).await.err()),
        ("copy", executor.copy(copy).await.err()),
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

/// An upload is stored by nobody whose approval is withdrawn before it ends, and ends also if nothing more comes.
pub(super) async fn during(trial: &Trial<'_>) -> Outcome {
    for sent in [1_000, 300_000, 9 << 20] {
        for length in [None, Some(sent as u64 + 1)] {
            for comes in [true, false] {
                let what = format!("{sent} bytes, length {length:?}, the last one comes: {comes}");
                let view = trial.view(ALL)?;
                let (mut sender, body) = Channel::new(1);
                let upload = Upload { body: Body::new(body), length, content_type: None };
                let goes_on = async {
                    let _ = sender.send_data(Bytes::from(vec![7; sent])).await;
                    tokio::time::sleep(UNDER_WAY).await;
                    view.withdraw()?;
                    if comes {
                        let _ = sender.send_data(Bytes::from_static(b"x")).await;
                        drop(sender);
                        return Ok(None);
                    }
                    Ok::<_, String>(Some(sender))
                };
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

fn is_withdrawn(what: &str, error: Option<&ExecuteError>) -> Result<(), String> {
    match error {
        Some(ExecuteError::Withdrawn(_)) => Ok(()),
        other => Err(format!("{what}: {other:?}, and not that it is withdrawn")),
    }
}
