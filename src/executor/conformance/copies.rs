//! Copies: what is kept with them, and when they are made.

use bytes::Bytes;

use super::{
    parts::{LEAST, NO_PARTS, filled},
    reading::{OTHER, etag, metadata},
    report::{Outcome, done, offered, passed, same},
    trial::{ALL, Trial},
    view::{View, number},
};
use crate::executor::{
    Body, CopyOptions, ExecuteError, Metadata, PartCopy, ReadConditions, Upload,
};

/// A copy has what is kept with its source, or what was said in its place and nothing else.
pub(super) async fn kept(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let body = Body::from_bytes(Bytes::from_static(b"to be copied"));
    let upload = Upload { metadata: metadata(), ..Upload::new(body, Some(12)) };
    same("write", &view.upload("@/source", upload).await?, &Ok(12))?;
    let other = Metadata {
        content_type: Some("text/x-other".into()),
        user: vec![("another".into(), "a name and a value".into())],
        ..Metadata::default()
    };
    for (to, said, wanted) in [
        ("@/kept", None, metadata()),
        ("@/replaced", Some(other.clone()), other.clone()),
        ("@/kept", Some(other.clone()), other.clone()),
        ("@/replaced", None, metadata()),
        // In its own place, too.
        ("@/source", Some(other.clone()), other.clone()),
    ] {
        let what = format!("a copy to {to}, with {said:?}");
        let options = CopyOptions { metadata: said, ..CopyOptions::default() };
        let made = done(&what, view.copy_with("@/source", to, options).await?)?;
        let mut info = done(&what, view.stat(to).await?)?;
        info.metadata.user.sort();
        same(&what, &info.metadata, &wanted)?;
        let bytes = view.read(to).await?;
        same(&what, &bytes, &Ok(Bytes::from_static(b"to be copied")))?;
        if made.etag.is_some() && info.etag.is_some() {
            same(&format!("{what}, its entity tag"), &info.etag, &made.etag)?;
        }
    }
    passed()
}

/// Conditions on a source of this entity tag, and whether they are met.
fn conditions(tag: &str) -> [(ReadConditions, bool); 4] {
    let only =
        |tag: &str| ReadConditions { if_match: Some(tag.to_owned()), ..ReadConditions::default() };
    let but = |tag: &str| ReadConditions {
        if_none_match: Some(tag.to_owned()),
        ..ReadConditions::default()
    };
    [(only(tag), true), (only(OTHER), false), (but(OTHER), true), (but(tag), false)]
}

/// What is copied on a condition is if its source meets it, and not else; over a server that may ignore conditions,
/// never.
pub(super) async fn conditional(trial: &Trial<'_>) -> Outcome {
    let unsure = trial.view(&format!("{ALL}\nconditions: none"))?;
    unsure.write("@/source", b"to be copied").await?;
    let tag = etag(&unsure, "@/source").await?;
    let copied = async |view: &View<'_>, conditions: &ReadConditions| {
        unsure.write("@/there", b"to be replaced").await?;
        let options = CopyOptions { conditions: conditions.clone(), ..CopyOptions::default() };
        let copied = view.copy_with("@/source", "@/there", options).await?;
        let wanted: &[u8] = if copied.is_ok() { b"to be copied" } else { b"to be replaced" };
        let there = done("read", unsure.read("@/there").await?)?;
        same(&format!("what is there, copied on {conditions:?}"), &&*there, &wanted)?;
        Ok::<_, String>(copied.err())
    };
    for (conditions, _) in conditions(&tag) {
        let error = copied(&unsure, &conditions).await?;
        let what = format!("copied over an unsure server on {conditions:?}");
        same(&what, &error, &Some(ExecuteError::ConditionsNotHonoured))?;
    }
    if !trial.honours_conditions() {
        return passed();
    }
    let sure = trial.view(ALL)?;
    for (conditions, is_met) in conditions(&tag) {
        let error = copied(&sure, &conditions).await?;
        let wanted = (!is_met).then_some(ExecuteError::PreconditionFailed);
        same(&format!("copied on {conditions:?}"), &error, &wanted)?;
    }
    passed()
}

/// A part is a copy of an object, or of those of its bytes that were asked for, and made on conditions as copies
/// are.
pub(super) async fn part(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let begun = view.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    let source: Bytes = [b"begin ", &*filled(b'm', LEAST), b" ending"].concat().into();
    let body = Body::from_bytes(source.clone());
    let length = source.len() as u64;
    let stored = view.upload("@/source", Upload::new(body, Some(length))).await?;
    same("write the source", &stored, &Ok(length))?;
    let (from, to) = (3_u64, LEAST as u64 + 8);
    let mut parts = vec![view.copied_part("@/source", "@/a", &id, 1, Some((from, to))).await?];
    parts.push(view.copied_part("@/source", "@/a", &id, 2, None).await?);
    parts.push(view.copied_part("@/source", "@/a", &id, 3, Some((1, 4))).await?);
    let sizes: Vec<u64> = done("its parts", view.parts("@/a", &id, 10).await?)?
        .iter()
        .map(|part| part.size)
        .collect();
    same("the sizes of the parts", &sizes, &vec![to - from + 1, length, 4])?;
    let number = number(3)?;
    let gone = PartCopy { number, range: None, conditions: ReadConditions::default() };
    let gone = view.copy_part("@/none", "@/a", &id, gone).await?.err();
    same("a part of what is not there", &gone, &Some(ExecuteError::Missing))?;
    let unsure = trial.view(&format!("{ALL}\nconditions: none"))?;
    let tag = etag(&view, "@/source").await?;
    for (conditions, is_met) in conditions(&tag) {
        let what = format!("a part that is copied on {conditions:?}");
        // As it is already, so that it may be made.
        let copy = PartCopy { number, range: Some((1, 4)), conditions };
        let error = unsure.copy_part("@/source", "@/a", &id, copy.clone()).await?.err();
        same(&what, &error, &Some(ExecuteError::ConditionsNotHonoured))?;
        if trial.honours_conditions() {
            let copied = view.copy_part("@/source", "@/a", &id, copy).await?;
            let wanted = (!is_met).then_some(ExecuteError::PreconditionFailed);
            same(&what, &copied.err(), &wanted)?;
        }
    }
    parts.truncate(2);
    parts.push(view.copied_part("@/source", "@/a", &id, 3, Some((1, 4))).await?);
    done("complete", view.complete("@/a", &id, &parts).await?)?;
    let read = done("read", view.read("@/a").await?)?;
    let whole = [&source[from as usize..=to as usize], &source[..], &source[1..=4]].concat();
    same("it has the bytes of its parts", &(read == whole), &true)?;
    passed()
}
