//! Uploads in parts: what they make, whose they are, and what makes nothing.

use bytes::Bytes;

use super::{
    objects::strings,
    reading::{OTHER, etag, metadata},
    report::{Done, Outcome, done, offered, passed, same},
    trial::{ALL, Trial},
    view::{View, number, part},
};
use crate::executor::{
    ExecuteError, InvalidParts, Metadata, Part, PartCopy, PartInfo, ReadConditions, UploadId,
    WriteConditions,
};

/// The least that a part has which is not the last.
pub(super) const LEAST: usize = 5 << 20;

pub(super) const NO_PARTS: Outcome =
    Ok(Done::Skipped("the executor does not offer uploads in parts"));

pub(super) fn filled(byte: u8, length: usize) -> Bytes {
    Bytes::from(vec![byte; length])
}

/// Parts make an object in the order of their numbers, with what was said when they began; until then there is
/// nothing of it, and what was there before is whole.
pub(super) async fn made(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let before = Bytes::from_static(b"what was there before");
    for path in ["@/old", "@/new"] {
        let begun = view.create_upload(path, metadata()).await?;
        let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
        let there = if path == "@/old" { vec!["@/old".to_owned()] } else { Vec::new() };
        if path == "@/old" {
            view.write("@/old", b"what was there before").await?;
        }
        let (first, second, last) = (filled(b'a', LEAST), filled(b'b', LEAST + 1), filled(b'c', 9));
        let last_part = view.stored_part(path, &id, 7, &last).await?;
        let first_part = view.stored_part(path, &id, 1, &first).await?;
        let second_part = view.stored_part(path, &id, 2, &second).await?;
        let parts = [first_part, second_part, last_part];
        let sizes = [first.len(), second.len(), last.len()];
        for limit in [1, 2, 1_000] {
            let what = format!("the parts of {path}, in pages of {limit}");
            let came = done(&what, view.parts(path, &id, limit).await?)?;
            same(&what, &named(&came)?, &parts.to_vec())?;
            let came: Vec<usize> = came.iter().map(|part| part.size as usize).collect();
            same(&format!("{what}, their sizes"), &came, &sizes.to_vec())?;
        }
        same("what is there before it is completed", &view.everything().await?, &there)?;
        if path == "@/old" {
            same("what is there before", &view.read(path).await?, &Ok(before.clone()))?;
        } else {
            same("read before", &view.read(path).await?, &Err(ExecuteError::Missing))?;
        }
        let made = done("complete", view.complete(path, &id, &parts).await?)?;
        let whole = [first, second, last].concat();
        let read = done("read", view.read(path).await?)?;
        same(&format!("{path} has the bytes of its parts"), &(read == whole), &true)?;
        let mut info = done("stat", view.stat(path).await?)?;
        same("its size", &info.size, &(whole.len() as u64))?;
        info.metadata.user.sort();
        same("what is kept with it", &info.metadata, &metadata())?;
        if made.etag.is_some() && info.etag.is_some() {
            same("its entity tag, as completing said", &info.etag, &made.etag)?;
        }
        let _ = view.delete(path).await?;
    }
    passed()
}

/// A part replaces the one that had its number.
pub(super) async fn replaced(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let begun = view.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    let first = view.stored_part("@/a", &id, 1, &filled(b'x', 10)).await?;
    let bytes = filled(b'a', 11);
    let second = view.stored_part("@/a", &id, 1, &bytes).await?;
    for limit in [1, 1_000] {
        let came = done("its parts", view.parts("@/a", &id, limit).await?)?;
        same("the parts that are there", &named(&came)?, &vec![second.clone()])?;
    }
    let gone = view.complete("@/a", &id, &[first]).await?.err();
    let missing = ExecuteError::InvalidParts(InvalidParts::Missing);
    same("complete with what was replaced", &gone, &Some(missing))?;
    done("complete", view.complete("@/a", &id, &[second]).await?)?;
    same("what it made", &view.read("@/a").await?, &Ok(bytes))?;
    passed()
}

/// What parts are called for completing.
fn named(parts: &[PartInfo]) -> Result<Vec<Part>, String> {
    let named = |part: &PartInfo| {
        let etag = part.etag.clone().ok_or_else(|| format!("part {} has no tag", part.number))?;
        Ok(Part { number: part.number, etag })
    };
    parts.iter().map(named).collect()
}

/// What is asked of an upload that is none of this path says so, and does nothing.
async fn is_none(view: &View<'_>, path: &str, id: &UploadId, what: &str) -> Result<(), String> {
    let none = Some(ExecuteError::NoSuchUpload);
    let is = |does: &str, came| same(&format!("{what}: {does}"), &came, &none);
    is("upload a part", view.upload_part(path, id, part(1, filled(b'x', 9))?).await?.err())?;
    let copy = PartCopy { number: number(1)?, range: None, conditions: ReadConditions::default() };
    is("copy a part", view.copy_part("@/source", path, id, copy).await?.err())?;
    is("list the parts", view.parts(path, id, 10).await?.err())?;
    is("abort", view.abort(path, id).await?.err())
}

/// Nothing is made of an upload that is none of this path, and nothing said to be. Some servers do not see why they
/// fail, or look at the parts first.
async fn is_not_completed(
    view: &View<'_>,
    path: &str,
    id: &UploadId,
    parts: &[Part],
    what: &str,
) -> Result<(), String> {
    match view.complete(path, id, parts).await? {
        Err(
            ExecuteError::NoSuchUpload
            | ExecuteError::InvalidParts(_)
            | ExecuteError::Failed { .. },
        ) => Ok(()),
        came => Err(format!("{what}: complete: {came:?}")),
    }
}

/// An upload is that of its path and no other, and until it ends.
pub(super) async fn owned(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write("@/source", b"some bytes").await?;
    let begun = view.create_upload("@/mine", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    let bytes = filled(b'a', 12);
    let parts = [view.stored_part("@/mine", &id, 1, &bytes).await?];
    for path in ["@/other", "@/min", "@/mine/x", "@/source"] {
        let what = format!("the upload of @/mine, as that of {path}");
        is_none(&view, path, &id, &what).await?;
        is_not_completed(&view, path, &id, &parts, &what).await?;
    }
    let left = done("its parts", view.parts("@/mine", &id, 10).await?)?;
    same("its parts after that", &named(&left)?, &parts.to_vec())?;
    done("complete", view.complete("@/mine", &id, &parts).await?)?;
    is_none(&view, "@/mine", &id, "an upload that was completed").await?;
    // Whoever did not hear that it is completed asks again, and some servers say what they said before.
    match view.complete("@/mine", &id, &parts).await? {
        Err(ExecuteError::NoSuchUpload) => {}
        again => {
            let said = done("complete again", again)?.etag;
            let tag = etag(&view, "@/mine").await?;
            same("complete again", &said.unwrap_or_else(|| tag.clone()), &tag)?;
        }
    }
    let wrong = [Part { number: number(1)?, etag: OTHER.into() }];
    is_not_completed(&view, "@/mine", &id, &wrong, "what was completed, with a wrong tag").await?;
    same("what it made", &view.read("@/mine").await?, &Ok(bytes.clone()))?;
    let id = view.begun("@/gone").await?;
    view.stored_part("@/gone", &id, 1, &bytes).await?;
    done("abort", view.abort("@/gone", &id).await?)?;
    is_none(&view, "@/gone", &id, "an upload that was aborted").await?;
    is_not_completed(&view, "@/gone", &id, &parts, "an upload that was aborted").await?;
    let left = view.everything().await?;
    same("what is there", &left, &strings(&["@/mine", "@/source"]))?;
    passed()
}

/// Parts of which no object can be made make none, and leave the upload as it was.
pub(super) async fn refused(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    let begun = view.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    view.write("@/a", b"what was there before").await?;
    let (first, second, last) = (filled(b'a', LEAST), filled(b'b', LEAST), filled(b'c', 11));
    let one = view.stored_part("@/a", &id, 1, &first).await?;
    let small = view.stored_part("@/a", &id, 2, &filled(b'x', 10)).await?;
    let three = view.stored_part("@/a", &id, 3, &last).await?;
    let all = [one, small, three];
    is_refused(&view, &id, &all, "one that is too small", &all, InvalidParts::TooSmall).await?;
    done("abort", view.abort("@/a", &id).await?)?;
    let id = view.begun("@/a").await?;
    let one = view.stored_part("@/a", &id, 1, &first).await?;
    let two = view.stored_part("@/a", &id, 2, &second).await?;
    let three = view.stored_part("@/a", &id, 5, &last).await?;
    let all = [one.clone(), two.clone(), three.clone()];
    let wrong = Part { number: two.number, etag: OTHER.into() };
    let swapped = Part { number: two.number, etag: one.etag.clone() };
    let absent = Part { number: number(4)?, etag: three.etag.clone() };
    // All but what is wrong is right: some servers want all parts that are there to be named, and say so first.
    let cases: [(&str, &[&Part], InvalidParts); 7] = [
        ("none", &[], InvalidParts::Order),
        ("a wrong tag", &[&one, &wrong, &three], InvalidParts::Missing),
        ("another part's tag", &[&one, &swapped, &three], InvalidParts::Missing),
        ("one that is not there", &[&one, &two, &absent, &three], InvalidParts::Missing),
        ("nothing but one that is not there", &[&absent], InvalidParts::Missing),
        ("another order", &[&two, &one, &three], InvalidParts::Order),
        ("one twice", &[&one, &two, &two, &three], InvalidParts::Order),
    ];
    for (what, parts, why) in cases {
        let parts: Vec<Part> = parts.iter().map(|&part| part.clone()).collect();
        is_refused(&view, &id, &all, what, &parts, why).await?;
    }
    // Those that are not named are none of the object, where they need not be.
    let whole = match view.complete("@/a", &id, &[one, three]).await? {
        Err(ExecuteError::InvalidParts(InvalidParts::Missing)) => {
            is_unchanged(&view, &id, &all, "two of three").await?;
            done("complete", view.complete("@/a", &id, &all).await?)?;
            [first, second, last].concat()
        }
        completed => {
            done("complete with two of three", completed)?;
            [first, last].concat()
        }
    };
    let read = done("read", view.read("@/a").await?)?;
    same("it has the bytes of its parts", &(read == whole), &true)?;
    passed()
}

/// Completing with these parts is refused, and changes nothing.
async fn is_refused(
    view: &View<'_>,
    id: &UploadId,
    all: &[Part],
    what: &str,
    parts: &[Part],
    why: InvalidParts,
) -> Result<(), String> {
    let completed = view.complete("@/a", id, parts).await?;
    let refused = Some(ExecuteError::InvalidParts(why));
    same(&format!("complete with {what}"), &completed.err(), &refused)?;
    is_unchanged(view, id, all, what).await
}

/// The object is the one from before, and the upload has these parts.
async fn is_unchanged(
    view: &View<'_>,
    id: &UploadId,
    parts: &[Part],
    what: &str,
) -> Result<(), String> {
    let before = Bytes::from_static(b"what was there before");
    same(&format!("what is there, after {what}"), &view.read("@/a").await?, &Ok(before))?;
    let left = done("its parts", view.parts("@/a", id, 10).await?)?;
    same(&format!("its parts, after {what}"), &named(&left)?, &parts.to_vec())
}

/// An upload is completed on a condition if that is met, and not else; over a server that may ignore conditions,
/// never.
pub(super) async fn completed(trial: &Trial<'_>) -> Outcome {
    let unsure = trial.view(&format!("{ALL}\nconditions: none"))?;
    let begun = unsure.create_upload("@/a", Metadata::default()).await?;
    let Some(id) = offered("begin an upload", begun)? else { return NO_PARTS };
    unsure.write("@/a", b"what is there").await?;
    let tag = etag(&unsure, "@/a").await?;
    let bytes = filled(b'a', 12);
    let parts = [unsure.stored_part("@/a", &id, 1, &bytes).await?];
    let new = WriteConditions { if_none: true, if_match: None };
    let of = |tag: &str| WriteConditions { if_match: Some(tag.to_owned()), if_none: false };
    let old = || Ok(Bytes::from_static(b"what is there"));
    let not_met = async |view: &View<'_>, conditions: WriteConditions, why: ExecuteError| {
        let what = format!("completed on {conditions:?}");
        let completed = view.complete_on("@/a", &id, &parts, conditions).await?.err();
        same(&what, &completed, &Some(why))?;
        same(&what, &view.read("@/a").await?, &old())?;
        let left = done("its parts", view.parts("@/a", &id, 10).await?)?;
        same(&format!("its parts, {what}"), &named(&left)?, &parts.to_vec())
    };
    for conditions in [new.clone(), of(&tag)] {
        not_met(&unsure, conditions, ExecuteError::ConditionsNotHonoured).await?;
    }
    if !trial.honours_conditions() {
        done("complete", unsure.complete("@/a", &id, &parts).await?)?;
        return passed();
    }
    let sure = trial.view(ALL)?;
    for conditions in [new.clone(), of(OTHER)] {
        not_met(&sure, conditions, ExecuteError::PreconditionFailed).await?;
    }
    done("in place of what is there", sure.complete_on("@/a", &id, &parts, of(&tag)).await?)?;
    same("what is there", &sure.read("@/a").await?, &Ok(bytes.clone()))?;
    let id = sure.begun("@/new").await?;
    let parts = [sure.stored_part("@/new", &id, 1, &bytes).await?];
    done("where nothing is", sure.complete_on("@/new", &id, &parts, new).await?)?;
    same("what is there", &sure.read("@/new").await?, &Ok(bytes))?;
    passed()
}
