//! Giving a file another name on servers that differ in what they do when it is taken.

use uuid::Uuid;

use super::packets::{Attributes, Kind};
use super::paths;
use super::session::Session;
use crate::ports::StoreError;

/// Renames; a name that is taken is refused. Version 3 leaves it to the server whether it overwrites, so the name is looked
/// at before, and what came of it after.
pub(super) async fn rename(session: &Session, from: &str, to: &str) -> Result<(), StoreError> {
    if session.lstat(to).await?.is_some() {
        return Err(StoreError::Exists);
    }
    let before = session.lstat(from).await?.ok_or(StoreError::NotFound)?;
    let renamed = session.rename(from, to).await;
    confirm(session, from, to, before, renamed).await
}

/// Renames over what is there, in one step where the server can.
pub(super) async fn replace(session: &Session, from: &str, to: &str) -> Result<(), StoreError> {
    let before = session.lstat(from).await?.ok_or(StoreError::NotFound)?;
    let there = session.lstat(to).await?;
    if there.is_some_and(|there| there.kind() == Some(Kind::Directory)) {
        return Err(StoreError::Exists);
    }
    let renamed = if session.offers.posix_rename {
        session.posix_rename(from, to).await
    } else {
        match session.rename(from, to).await {
            // Some servers do overwrite; of the others we learn it by asking.
            Err(StoreError::Failed(_) | StoreError::Exists) if there.is_some() => aside(session, from, to).await,
            renamed => renamed,
        }
    };
    confirm(session, from, to, before, renamed).await
}

/// Puts the old file aside before the new one takes its name, and back if it does not: at every moment one of them is
/// there.
async fn aside(session: &Session, from: &str, to: &str) -> Result<(), StoreError> {
    let old = paths::beside(to, |name| format!(".{name}.{}.old", Uuid::new_v4().simple()));
    session.rename(to, &old).await?;
    if let Err(error) = session.rename(from, to).await {
        // The first reason is told; should this fail too, the old file is there under its other name.
        if let Err(stuck) = session.rename(&old, to).await {
            tracing::error!(error = %stuck, "a file that was to be replaced keeps the name it was put aside under");
        }
        return Err(error);
    }
    // The new file has its name: one left over beside it does no harm but to tidiness.
    if let Err(error) = session.remove(&old).await {
        tracing::warn!(%error, "a file that was replaced could not be removed");
    }
    Ok(())
}

/// Looks what came of a rename, whatever the server said.
async fn confirm(
    session: &Session,
    from: &str,
    to: &str,
    before: Attributes,
    renamed: Result<(), StoreError>,
) -> Result<(), StoreError> {
    if let Err(StoreError::Silent(_) | StoreError::Unreachable(_) | StoreError::Nonsense(_)) = renamed {
        return renamed;
    }
    let (left, there) = (session.lstat(from).await?, session.lstat(to).await?);
    let arrived = there.is_some_and(|there| there.size_bytes == before.size_bytes);
    match (renamed, left, there) {
        (_, None, Some(_)) if arrived => Ok(()),
        // Taken away at once, by whom it is for.
        (Ok(()), None, None) => Ok(()),
        (Ok(()), _, _) => Err(StoreError::Nonsense("a file that is not where it was renamed to")),
        (Err(_), Some(_), Some(_)) => Err(StoreError::Exists),
        (Err(error), _, _) => Err(error),
    }
}

/// Makes a directory and those above it.
pub(super) async fn make_dirs(session: &Session, root: &str, path: &str) -> Result<(), StoreError> {
    let mut made = String::new();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        made = paths::joined(&made, name);
        let path = paths::below(root, &made)?;
        if is_dir(session, &path).await? {
            continue;
        }
        if let Err(error) = session.make_dir(&path).await {
            // Somebody else may have made it meanwhile.
            if !is_dir(session, &path).await? {
                return Err(error);
            }
        }
    }
    Ok(())
}

async fn is_dir(session: &Session, path: &str) -> Result<bool, StoreError> {
    match session.stat(path).await? {
        Some(found) if matches!(found.kind(), None | Some(Kind::Directory)) => Ok(true),
        Some(_) => Err(StoreError::Exists),
        None => Ok(false),
    }
}

/// Removes a file; one that is not there is no error.
pub(super) async fn remove(session: &Session, path: &str) -> Result<(), StoreError> {
    match session.remove(path).await {
        Err(StoreError::NotFound) => Ok(()),
        Err(StoreError::Failed(status)) => match session.lstat(path).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::Failed(status)),
        },
        removed => removed,
    }
}
