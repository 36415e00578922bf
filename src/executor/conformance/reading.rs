//! Some of an object's bytes, conditions, and what is kept beside the bytes.

use bytes::Bytes;

use super::{
    report::{Outcome, passed, same},
    trial::{ALL, Trial},
    view::View,
};
use crate::executor::{
    Algorithm, Body, BodyError, ByteRange, Checksum, ExecuteError, Metadata, ReadConditions,
    ReadOptions, Sum, Upload, WriteConditions,
};

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
/// An entity tag that no object of a check has.
pub(super) const OTHER: &str = "\"00000000000000000000000000000000\"";

/// A range is the bytes that were asked for, or all of them where the server knows no ranges.
pub(super) async fn ranges(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write("@/alphabet", ALPHABET).await?;
    let etag = etag(&view, "@/alphabet").await?;
    for range in [
        ByteRange::Between(0, 0),
        ByteRange::Between(2, 4),
        ByteRange::Between(24, 99),
        ByteRange::From(13),
        ByteRange::Last(3),
        ByteRange::Last(99),
    ] {
        for if_range in [None, Some(etag.clone())] {
            let what = format!("{range}, if it is {if_range:?}");
            let options = ReadOptions { range: Some(range), if_range, ..ReadOptions::default() };
            let read = view.read_with("@/alphabet", options).await?;
            let (bytes, said) = read.map_err(|error| format!("{what}: {error}"))?;
            match said {
                None => same(&what, &bytes, &Bytes::from_static(ALPHABET))?,
                Some(said) => {
                    same(&what, &Some(said), &range.of(ALPHABET.len() as u64))?;
                    let (first, last) = (said.0 as usize, said.1 as usize);
                    same(&what, &&*bytes, &&ALPHABET[first..=last])?;
                }
            }
        }
    }
    for range in [ByteRange::From(26), ByteRange::Between(30, 40)] {
        let options = ReadOptions { range: Some(range), ..ReadOptions::default() };
        match view.read_with("@/alphabet", options).await? {
            Err(ExecuteError::RangeNotSatisfiable { size }) => {
                same(&format!("the size that comes with {range}"), &size, &Some(26))?;
            }
            // A server that knows no ranges.
            Ok((bytes, None)) => same("all of it", &&*bytes, &ALPHABET)?,
            other => return Err(format!("{range}: {other:?}")),
        }
    }
    // Of another object all bytes, and never some.
    view.write("@/alphabet", b"ZYXWVUTSRQPONMLKJIHGFEDCBA").await?;
    let options = ReadOptions {
        range: Some(ByteRange::From(13)),
        if_range: Some(etag),
        ..ReadOptions::default()
    };
    let read = view.read_with("@/alphabet", options).await?;
    let whole = Bytes::from_static(b"ZYXWVUTSRQPONMLKJIHGFEDCBA");
    same("the rest of what was there before", &read, &Ok((whole, None)))?;
    passed()
}

/// What is read on a condition is read if that is met, and not else.
pub(super) async fn conditional(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write("@/a", b"what is there").await?;
    let etag = etag(&view, "@/a").await?;
    let only = |tags: &str| ReadConditions {
        if_match: Some(tags.to_owned()),
        ..ReadConditions::default()
    };
    let but = |tags: &str| ReadConditions {
        if_none_match: Some(tags.to_owned()),
        ..ReadConditions::default()
    };
    let list = format!("{OTHER}, {etag}");
    for (conditions, is_met) in [
        (only(&etag), true),
        (only(&list), true),
        (only(OTHER), false),
        (but(OTHER), true),
        (but(&etag), false),
        (but(&list), false),
    ] {
        let what = format!("{conditions:?}");
        let is_cached = conditions.if_none_match.is_some();
        let options = ReadOptions { conditions: conditions.clone(), ..ReadOptions::default() };
        let read = view.read_with("@/a", options).await?.map(drop);
        let stat = view.stat_on("@/a", conditions).await?.map(drop);
        for (kind, answer) in [("read", read), ("stat", stat)] {
            let is_right = match (&answer, is_met) {
                (Ok(()), true) => true,
                (Err(ExecuteError::PreconditionFailed), false) => !is_cached,
                (Err(ExecuteError::NotModified { etag: said, .. }), false) => {
                    is_cached && said.as_deref() == Some(&*etag)
                }
                _ => false,
            };
            same(&format!("{kind} on {what}: {answer:?}"), &is_right, &true)?;
        }
    }
    passed()
}

/// What is stored or deleted on a condition is, if that is met, and not else; over a server that may ignore
/// conditions, never.
pub(super) async fn changed(trial: &Trial<'_>) -> Outcome {
    let new = WriteConditions { if_none: true, if_match: None };
    let of = |tag: &str| WriteConditions { if_match: Some(tag.to_owned()), if_none: false };
    let unsure = trial.view(&format!("{ALL}\nconditions: none"))?;
    unsure.write("@/a", b"what is there").await?;
    let etag = etag(&unsure, "@/a").await?;
    for conditions in [new.clone(), of(&etag)] {
        let stored = unsure.write_on("@/a", b"other", conditions).await?;
        same("stored over an unsure server", &stored, &Err(ExecuteError::ConditionsNotHonoured))?;
    }
    let deleted = unsure.delete_on("@/a", of(&etag)).await?;
    same("deleted over an unsure server", &deleted, &Err(ExecuteError::ConditionsNotHonoured))?;
    let is = async |bytes: &'static [u8]| {
        same("what is there", &unsure.read("@/a").await?, &Ok(Bytes::from_static(bytes)))
    };
    is(b"what is there").await?;
    if !trial.honours_conditions() {
        return passed();
    }
    let sure = trial.view(ALL)?;
    let not_met = Err(ExecuteError::PreconditionFailed);
    for conditions in [new.clone(), of(OTHER)] {
        let what = format!("stored on {conditions:?}");
        same(&what, &sure.write_on("@/a", b"other", conditions).await?, &not_met)?;
        is(b"what is there").await?;
    }
    same(
        "deleted on another",
        &sure.delete_on("@/a", of(OTHER)).await?,
        &Err(ExecuteError::PreconditionFailed),
    )?;
    is(b"what is there").await?;
    let stored = sure.write_on("@/a", b"what came", of(&etag)).await?;
    same("stored in place of what is there", &stored, &Ok(9))?;
    is(b"what came").await?;
    let now = self::etag(&sure, "@/a").await?;
    same("deleted on what is there", &sure.delete_on("@/a", of(&now)).await?, &Ok(()))?;
    same("stored where nothing is", &sure.write_on("@/a", b"first", new).await?, &Ok(5))?;
    is(b"first").await?;
    passed()
}

/// What is kept with an object comes back with it, whether it was stored whole or in parts; and a body that is not
/// the one that its MD5 is of is not stored.
pub(super) async fn kept(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let metadata = metadata();
    for length in [Some(4), None] {
        let body = Body::from_bytes(Bytes::from_static(b"kept"));
        let upload = Upload { metadata: metadata.clone(), ..Upload::new(body, length) };
        same("stored", &view.upload("@/kept", upload).await?, &Ok(4))?;
        let mut info = view.stat("@/kept").await?.map_err(|error| error.to_string())?;
        info.metadata.user.sort();
        same("what is kept", &info.metadata, &metadata)?;
    }
    view.write("@/there", b"before").await?;
    for algorithm in Algorithm::ALL {
        for length in [Some(5), None] {
            let body = || Body::from_bytes(Bytes::from_static(b"after"));
            let checksums = vec![checksum(algorithm, b"other")];
            let upload = Upload { checksums, ..Upload::new(body(), length) };
            let stored = view.upload("@/there", upload).await?;
            let mismatch = Err(ExecuteError::Body(BodyError::Mismatch));
            same(&format!("a body of another {algorithm:?}"), &stored, &mismatch)?;
            let there = view.read("@/there").await?;
            same("what is there", &there, &Ok(Bytes::from_static(b"before")))?;
            let checksums = vec![checksum(algorithm, b"after")];
            let upload = Upload { checksums, ..Upload::new(body(), length) };
            let what = format!("a body of its own {algorithm:?}");
            same(&what, &view.upload("@/summed", upload).await?, &Ok(5))?;
        }
    }
    passed()
}

/// Something of all that is kept with an object, users' names sorted.
pub(super) fn metadata() -> Metadata {
    let text = |text: &str| Some(text.to_owned());
    Metadata {
        content_type: text("text/x-kept; charset=utf-8"),
        content_encoding: text("gzip"),
        content_disposition: text("attachment; filename=\"a b.txt\""),
        content_language: text("de"),
        cache_control: text("max-age=60"),
        // Not every server keeps it.
        expires: None,
        user: vec![("mine".into(), "a value".into()), ("other".into(), "1".into())],
    }
}

pub(super) fn checksum(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
    let mut sum = Sum::new(algorithm);
    sum.update(bytes);
    sum.finish()
}

pub(super) async fn etag(view: &View<'_>, path: &str) -> Result<String, String> {
    let info = view.stat(path).await?.map_err(|error| error.to_string())?;
    info.etag.ok_or_else(|| format!("{path} has no entity tag"))
}
