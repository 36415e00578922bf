//! What an upload in parts is while it has not ended: its parts, each whole, and who sees it.

use bytes::Bytes;
use http_body_util::channel::Channel;

use super::{
    parts::{NO_PARTS, filled},
    reading::checksum,
    report::{Outcome, done, offered, passed, same, within},
    trial::{ALL, Trial},
    view::{View, number, part},
};
use crate::executor::{
    Algorithm, Body, BodyError, ExecuteError, Metadata, PartInfo, PartUpload, Stored, UploadId,
};

/// Few bytes, which an executor may collect, and more than it may want to.
const SIZES: [usize; 2] = [5, 300_000];

/// An upload of which a part is there, and another one is not.
struct Unchanged<'v, 'a> {
    view: &'v View<'a>,
    id: UploadId,
    parts: Vec<PartInfo>,
}

impl Unchanged<'_, '_> {
    async fn send(
        &self,
        at: u16,
        length: u64,
        body: Body,
    ) -> Result<Result<Stored, ExecuteError>, String> {
        let part = PartUpload { number: number(at)?, body, length, checksums: Vec::new() };
        self.view.upload_part("@/a", &self.id, part).await
    }

    /// The part that was there is the one that is there still, and there is no other.
    async fn is(&self, what: &str) -> Result<(), String> {
        self.view.settle().await?;
        let now = done("its parts", self.view.parts("@/a", &self.id, 10).await?)?;
        same(&format!("{what}: the parts that are there"), &now, &self.parts)
    }
}

/// A part that is shorter or longer than was said, breaks off, or has another checksum is not stored, and replaces
/// none.
pub(super) async fn whole(trial: &Trial<'_>) -> Outcome {
    let view = &trial.view(ALL)?;
    let begun = view.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    let bytes = Bytes::from_static(b"what was there before");
    let kept = view.stored_part("@/a", &id, 1, &bytes).await?;
    let parts = done("its parts", view.parts("@/a", &id, 10).await?)?;
    let upload = Unchanged { view, id, parts };
    for at in [1, 2] {
        for size in SIZES {
            for said in [size as u64 - 1, size as u64 + 1] {
                let what = format!("part {at} of {size} bytes where {said} were said");
                let body = Body::from_bytes(filled(b'x', size));
                let stored = upload.send(at, said, body).await?;
                same(&format!("{what} fails: {stored:?}"), &stored.is_err(), &true)?;
                upload.is(&what).await?;
            }
            let what = format!("part {at} that breaks off after {size} bytes");
            let stored = broken(&upload, at, size).await?;
            let interrupted = Some(ExecuteError::Body(BodyError::Interrupted));
            same(&what, &stored.err(), &interrupted)?;
            upload.is(&what).await?;
            dropped(&upload, at, size).await?;
            upload.is(&format!("part {at} that is dropped after {size} bytes")).await?;
            for algorithm in Algorithm::ALL {
                let what = format!("part {at} of {size} bytes and of another {algorithm:?}");
                let checksums = vec![checksum(algorithm, b"other")];
                let part = PartUpload { checksums, ..part(at, filled(b'x', size))? };
                let stored = view.upload_part("@/a", &upload.id, part).await?;
                same(&what, &stored.err(), &Some(ExecuteError::Body(BodyError::Mismatch)))?;
                upload.is(&what).await?;
            }
        }
    }
    done("complete", view.complete("@/a", &upload.id, &[kept]).await?)?;
    same("what it made", &view.read("@/a").await?, &Ok(bytes))?;
    summed(view).await
}

/// A part of its own checksums is stored.
async fn summed(view: &View<'_>) -> Outcome {
    let id = view.begun("@/summed").await?;
    for size in SIZES {
        let bytes = filled(b's', size);
        for algorithm in Algorithm::ALL {
            let checksums = vec![checksum(algorithm, &bytes)];
            let part = PartUpload { checksums, ..part(1, bytes.clone())? };
            let stored = view.upload_part("@/summed", &id, part).await?.map(|stored| stored.size);
            let what = format!("a part of {size} bytes and of its own {algorithm:?}");
            same(&what, &stored, &Ok(size as u64))?;
        }
    }
    passed()
}

/// The body fails after so many bytes.
async fn broken(
    upload: &Unchanged<'_, '_>,
    at: u16,
    sent: usize,
) -> Result<Result<Stored, ExecuteError>, String> {
    let (mut sender, body) = Channel::new(1);
    let send = async {
        // Whoever takes no more has heard enough.
        let _ = sender.send_data(filled(b'x', sent)).await;
        sender.abort(BodyError::Interrupted);
    };
    let stored = upload.send(at, sent as u64 + 1, Body::new(body));
    let (stored, ()) = tokio::join!(stored, send);
    stored
}

/// Whoever waits for the part does so no longer.
async fn dropped(upload: &Unchanged<'_, '_>, at: u16, sent: usize) -> Result<(), String> {
    let (mut sender, body) = Channel::new(1);
    let stored = upload.send(at, sent as u64 + 9, Body::new(body));
    let send = async {
        let _ = sender.send_data(filled(b'x', sent)).await;
        // Taken once there is room for more.
        let _ = sender.send_data(Bytes::from_static(b"more")).await;
    };
    let sent = async {
        tokio::select! {
            stored = stored => Err(format!("part {at} ended before its body: {stored:?}")),
            () = send => Ok(()),
        }
    };
    within("a part that is dropped", sent).await?
}

/// An upload that has not ended is shown to whoever may write to its path, once, and to nobody else.
pub(super) async fn unfinished(trial: &Trial<'_>) -> Outcome {
    const PATHS: [&str; 6] = ["@/a", "@/mine/a", "@/mine/a", "@/mine/b/c", "@/mine2/a", "@/read/a"];
    let all = trial.view(ALL)?;
    let begun = all.create_upload(PATHS[0], Metadata::default()).await?;
    let Some(first) = offered("begin an upload", begun)? else { return NO_PARTS };
    let mut begun = vec![(PATHS[0].to_owned(), first)];
    for path in &PATHS[1..] {
        begun.push(((*path).to_owned(), all.begun(path).await?));
    }
    for (name, path) in [("completed", "@/mine/done"), ("aborted", "@/mine/gone")] {
        let id = all.begun(path).await?;
        let part = all.stored_part(path, &id, 1, &filled(b'a', 9)).await?;
        match name {
            "completed" => done(name, all.complete(path, &id, &[part]).await?).map(drop)?,
            _ => done(name, all.abort(path, &id).await?)?,
        }
    }
    let reads = "{ path: '@/read/', access: read-only }, { path: '@/mine/', access: read-write }";
    let narrow = [
        ("restrictions: ['@/mine/']".to_owned(), &["@/mine/"][..]),
        ("restrictions: ['@/*a']\ndeny: ['@/mine/a']".to_owned(), &["@/a", "@/mine2/", "@/read/"]),
        ("restrictions: ['@/mine/b/c', '@/a']".to_owned(), &["@/a", "@/mine/b/c"]),
        (format!("restrictions: [{reads}]"), &["@/mine/"]),
        (String::new(), &["@/"]),
    ];
    for (rules, shown) in &narrow {
        let view = trial.view(&format!("{ALL}\n{rules}"))?;
        for prefix in ["@/", "@/mine", "@/mine/", "@/mine/a", "@/m", "@/a", "@/nothing"] {
            let wanted = |path: &str| {
                path.starts_with(prefix) && shown.iter().any(|shown| path.starts_with(shown))
            };
            if !begun.iter().any(|(path, _)| wanted(path)) && !rules.is_empty() {
                // It may be one that is not to be asked for at all.
                continue;
            }
            let mut wanted: Vec<String> = begun
                .iter()
                .filter(|(path, _)| wanted(path))
                .map(|(path, id)| format!("{path} {}", id.as_str()))
                .collect();
            wanted.sort_unstable();
            for limit in [1, 2, 1_000] {
                let what = format!("uploads of {prefix} in pages of {limit}, {rules}");
                let came = done(&what, view.uploads(prefix, limit).await?)?;
                let mut came: Vec<String> =
                    came.iter().map(|(path, id)| format!("{path} {}", id.as_str())).collect();
                came.sort_unstable();
                same(&what, &came, &wanted)?;
            }
        }
    }
    passed()
}
