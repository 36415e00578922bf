//! Deletions: what was asked for, whole, and nothing beside it.

use super::{
    listing::{ALIASES, NO_ALIASES, has_aliases},
    objects::strings,
    report::{Outcome, passed, same},
    trial::{ALL, Trial},
};
use crate::executor::{DirectoryDeletion, ExecuteError, TreeError};

/// A directory goes when nothing is in it.
pub(super) async fn directory(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.create_directory("@/d/").await?;
    view.write_all(&["@/d/x", "@/d2/x", "@/file"]).await?;
    let cases = [("@/d/", DirectoryDeletion::NotEmpty), ("@/file/", DirectoryDeletion::Missing)];
    for (path, outcome) in cases {
        same(&format!("delete {path}"), &view.delete_directory(path).await?, &Ok(outcome))?;
    }
    same("delete @/d/x", &view.delete("@/d/x").await?, &Ok(()))?;
    for outcome in [DirectoryDeletion::Deleted, DirectoryDeletion::Missing] {
        same("delete @/d/", &view.delete_directory("@/d/").await?, &Ok(outcome))?;
    }
    same("what is left", &view.everything().await?, &strings(&["@/d2/x", "@/file"]))?;
    passed()
}

/// What a connection does not reach keeps no directory of it, and is not told of.
pub(super) async fn hidden(trial: &Trial<'_>) -> Outcome {
    let everything = trial.view(ALL)?;
    let view = trial.view(&format!("{ALL}\nrestrictions: ['@/d/']\ndeny: ['@/d/hidden*']"))?;
    for hidden in [false, true] {
        if hidden {
            everything.write_all(&["@/d/hidden-1", "@/d/hidden/2"]).await?;
        }
        let what = format!("delete @/d/, something hidden in it: {hidden}");
        same(&what, &view.delete_directory("@/d/").await?, &Ok(DirectoryDeletion::Missing))?;
        everything.create_directory("@/d/").await?;
        view.write("@/d/mine", b"").await?;
        same(&what, &view.delete_directory("@/d/").await?, &Ok(DirectoryDeletion::NotEmpty))?;
        same("delete @/d/mine", &view.delete("@/d/mine").await?, &Ok(()))?;
        same(&what, &view.delete_directory("@/d/").await?, &Ok(DirectoryDeletion::Deleted))?;
    }
    let left = everything.everything().await?;
    same("what is left", &left, &strings(&["@/d/hidden-1", "@/d/hidden/2"]))?;
    passed()
}

/// A tree goes with all that is in it, and nothing that only begins with its name.
pub(super) async fn tree(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.create_directory("@/d/").await?;
    view.write_all(&["@/d/a", "@/d/b/c", "@/d/b/d/e", "@/d2/x", "@/d.", "@/d"]).await?;
    same("delete the tree @/d/", &view.delete_tree("@/d/").await?, &Ok(4))?;
    same("delete it again", &view.delete_tree("@/d/").await?, &Ok(0))?;
    let left = view.everything().await?;
    same("what is left", &left, &strings(&["@/d", "@/d.", "@/d2/x"]))?;
    passed()
}

/// With `keys: plain` some names are none: a tree that has one is not deleted, and nothing of it.
pub(super) async fn unnamable(trial: &Trial<'_>) -> Outcome {
    let exact = trial.view(ALL)?;
    exact.write_all(&["@/d/a", "@/d/z"]).await?;
    if !has_aliases(&exact).await? {
        return NO_ALIASES;
    }
    let plain = trial.view("access: read-write\nkeys: plain")?;
    let refused = Err(TreeError { deleted: 0, error: ExecuteError::Unnamable });
    same("delete the tree @/d/", &plain.delete_tree("@/d/").await?, &refused)?;
    for path in ["@/d/a", "@/d/z"].iter().chain(&ALIASES) {
        same(&format!("{path} is there still"), &exact.read(path).await?.is_ok(), &true)?;
    }
    // Where such names are names, it goes.
    same("with `keys: exact`", &exact.delete_tree("@/d/").await?, &Ok(4))?;
    passed()
}

/// Each of many has a result at its own place, and one that is not there is deleted.
pub(super) async fn many(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write_all(&["@/a", "@/b", "@/b/c", "@/stays"]).await?;
    let results = view.delete_many(&["@/b", "@/none", "@/a", "@/b/c", "@/a"]).await?;
    same("delete many", &results, &vec![Ok(()); 5])?;
    same("what is left", &view.everything().await?, &strings(&["@/stays"]))?;
    passed()
}
