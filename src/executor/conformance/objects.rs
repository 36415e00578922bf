//! Objects: their bytes, their keys, and uploads that do not end as they should.

use bytes::Bytes;
use http_body_util::channel::Channel;

use super::{
    report::{Outcome, passed, same, within},
    trial::{ALL, Trial},
    view::View,
};
use crate::executor::{Body, BodyError, ExecuteError, Metadata, Upload, Want};

/// More than an executor may want to hold of an upload before it sends anything.
const LARGE: usize = 9 << 20;

/// What is written is read, its size and its type too; what is written again is replaced.
pub(super) async fn written(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    for bytes in [&b"first"[..], b"", b"second and longer"] {
        view.write("@/a", bytes).await?;
        same("read @/a", &view.read("@/a").await?, &Ok(Bytes::from_static(bytes)))?;
        let size = view.stat("@/a").await?.map(|info| info.size);
        same("the size of @/a", &size, &Ok(bytes.len() as u64))?;
    }
    let large = Bytes::from(vec![7; LARGE]);
    for length in [None, Some(LARGE as u64)] {
        let metadata =
            Metadata { content_type: Some("text/x-conformance".to_owned()), ..Metadata::default() };
        let upload = Upload { metadata, ..Upload::new(Body::from_bytes(large.clone()), length) };
        let what = format!("an upload of {LARGE} bytes, length {length:?}");
        same(&what, &view.upload("@/large", upload).await?, &Ok(LARGE as u64))?;
        let is_same = view.read("@/large").await?.is_ok_and(|bytes| bytes == large);
        same(&format!("{what}, reads as it was written"), &is_same, &true)?;
        let kept = view.stat("@/large").await?.ok().and_then(|info| info.metadata.content_type);
        same(&format!("{what}, its type"), &kept.as_deref(), &Some("text/x-conformance"))?;
    }
    passed()
}

/// A key is its bytes: none of these is another.
pub(super) async fn bytes(trial: &Trial<'_>) -> Outcome {
    const NAMES: [&str; 20] = [
        "a",
        "A",
        "a.",
        "a b",
        "a+b",
        "a%20b",
        "a%2Fb",
        "a?b",
        "a#b",
        "a&b=c",
        "a*",
        "a\"<>'",
        "\u{fc}",
        "u\u{308}",
        "...",
        "~",
        "a;b",
        "a:b",
        "a@b",
        "\u{1f600}",
    ];
    let view = trial.view(ALL)?;
    for name in NAMES {
        let body = Body::from_bytes(Bytes::from_static(name.as_bytes()));
        let upload = Upload::new(body, None);
        let path = format!("@/{name}");
        same(&path, &view.upload(&path, upload).await?, &Ok(name.len() as u64))?;
    }
    for name in NAMES {
        let path = format!("@/{name}");
        let bytes = Bytes::from_static(name.as_bytes());
        same(&format!("read {path}"), &view.read(&path).await?, &Ok(bytes))?;
    }
    let mut names = NAMES.map(str::to_owned);
    names.sort_unstable();
    same("list @/", &view.list("@/", Want::All, 100).await?.as_slice(), &names.as_slice())?;
    passed()
}

/// What is not there is missing, whatever is asked of it.
pub(super) async fn missing(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    // Beside it, and begun by its name.
    view.write_all(&["@/gone2", "@/gone/x", "@/other"]).await?;
    let gone = ExecuteError::Missing;
    same("read", &view.read("@/gone").await?.err(), &Some(gone.clone()))?;
    same("stat", &view.stat("@/gone").await?.err(), &Some(gone.clone()))?;
    same("delete", &view.delete("@/gone").await?, &Err(gone.clone()))?;
    same("copy", &view.copy("@/gone", "@/copy").await?, &Err(gone.clone()))?;
    same("delete @/other", &view.delete("@/other").await?, &Ok(()))?;
    same("delete @/other again", &view.delete("@/other").await?, &Err(gone))?;
    same("what is there", &view.everything().await?, &strings(&["@/gone/x", "@/gone2"]))?;
    passed()
}

/// An upload that breaks off, or has another length than was said, stores nothing and replaces nothing.
pub(super) async fn whole(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write("@/old", b"what was there before").await?;
    for path in ["@/old", "@/new"] {
        for sent in [3, LARGE] {
            for length in [None, Some(sent as u64 + 1)] {
                let what = format!(
                    "{path}: an upload that breaks off after {sent} bytes, length {length:?}"
                );
                let stored = broken(&view, path, sent, length).await?;
                same(&what, &stored, &Err(ExecuteError::Body(BodyError::Interrupted)))?;
                unchanged(&view, &what).await?;
            }
            for said in [sent as u64 - 1, sent as u64 + 1] {
                let what = format!("{path}: {sent} bytes where {said} were said");
                let body = Body::from_bytes(vec![7; sent].into());
                let upload = Upload::new(body, Some(said));
                let stored = view.upload(path, upload).await?;
                same(&what, &stored.is_err(), &true)?;
                unchanged(&view, &what).await?;
            }
            let what = format!("{path}: an upload that is dropped after {sent} bytes");
            dropped(&view, path, sent).await?;
            unchanged(&view, &what).await?;
        }
    }
    passed()
}

/// The body fails after so many bytes.
async fn broken(
    view: &View<'_>,
    path: &str,
    sent: usize,
    length: Option<u64>,
) -> Result<Result<u64, ExecuteError>, String> {
    let (mut sender, body) = Channel::new(1);
    let upload = Upload::new(Body::new(body), length);
    let send = async {
        // Whoever takes no more has heard enough.
        let _ = sender.send_data(Bytes::from(vec![7; sent])).await;
        sender.abort(BodyError::Interrupted);
    };
    let (stored, ()) = tokio::join!(view.upload(path, upload), send);
    stored
}

/// Whoever waits for the upload does so no longer.
async fn dropped(view: &View<'_>, path: &str, sent: usize) -> Result<(), String> {
    let (mut sender, body) = Channel::new(1);
    let upload = Upload::new(Body::new(body), None);
    let upload = view.upload(path, upload);
    let send = async {
        let _ = sender.send_data(Bytes::from(vec![7; sent])).await;
        // Taken once there is room for more.
        let _ = sender.send_data(Bytes::from_static(b"more")).await;
    };
    let sent = async {
        tokio::select! {
            stored = upload => Err(format!("{path}: it ended before its body: {stored:?}")),
            () = send => Ok(()),
        }
    };
    within(path, sent).await?
}

/// Nothing but what was there before, as it was.
async fn unchanged(view: &View<'_>, what: &str) -> Result<(), String> {
    view.settle().await?;
    same(&format!("{what}: what is there"), &view.everything().await?, &strings(&["@/old"]))?;
    let old = view.read("@/old").await?;
    same(what, &old, &Ok(Bytes::from_static(b"what was there before")))
}

/// A copy has the bytes, replaces what was there, and leaves what it is of.
pub(super) async fn copied(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write("@/a b", b"to be copied").await?;
    view.write("@/there", b"to be replaced").await?;
    for to in ["@/there", "@/c/d", "@/e%20f"] {
        same(&format!("copy to {to}"), &view.copy("@/a b", to).await?, &Ok(()))?;
        for path in ["@/a b", to] {
            let bytes = Bytes::from_static(b"to be copied");
            same(&format!("read {path}"), &view.read(path).await?, &Ok(bytes))?;
        }
    }
    passed()
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
