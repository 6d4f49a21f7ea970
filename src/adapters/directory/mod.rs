//! A receiver that is a local directory.
//!
//! Each item becomes `<key>.xml`, a valid batch of its own, or each batch of items where the receiver takes batches; a
//! broker ZIP becomes `<key>.zip` for each recipient, and for an organisation `<key>.recipient` with its number, which is
//! there first. The name appears when the bytes are on disk, and is the same for every attempt. Who takes files away must
//! remember their names: a file taken between our crash and our restart comes again under the same name.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures::StreamExt;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use crate::adapters::durable;
use crate::codes;
use crate::model::ItemKind;
use crate::ports::{BatchConsignment, Consignment, Content, Delivered, DeliveryError, Receiver};

/// Writes each item as a file.
pub struct DirectoryReceiver {
    dir: PathBuf,
}

impl DirectoryReceiver {
    /// Takes a directory that is there and can be listed; anything else is told at once.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        std::fs::read_dir(&dir)?;
        Ok(Self { dir })
    }

    /// Puts a file there under its name, which appears when the bytes are on disk.
    async fn place(&self, name: &str, content: &Content) -> Result<(), DeliveryError> {
        let tmp = self.dir.join(format!(".{name}.tmp"));
        let written = write(&tmp, content).await;
        if let Err(error) = written {
            // The name is never seen and the next attempt writes it anew; a failure here hides nothing.
            let _ = fs::remove_file(&tmp).await;
            return Err(error);
        }
        let to = self.dir.join(name);
        let renamed = tokio::task::spawn_blocking(move || durable::rename(&tmp, &to)).await;
        match renamed {
            Ok(Ok(())) => Ok(()),
            // Whether the name is there is seen by looking.
            Ok(Err(_)) | Err(_) => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
        }
    }
}

#[async_trait]
impl Receiver for DirectoryReceiver {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let name = file_name(item);
        // For who sorts without looking into archives, which name their recipient too.
        if let Some(number) = item.organisation().filter(|_| item.kind == ItemKind::Recipient) {
            let content = Content::from_bytes(number.as_bytes().to_vec());
            self.place(&format!("{}.recipient", item.key), &content).await?;
        }
        self.place(&name, &item.batch).await?;
        Ok(Delivered::of(name))
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(file_name(item)).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        let name = batch_name(batch);
        self.place(&name, &batch.content).await?;
        Ok(Delivered::of(name))
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(batch_name(batch)).await
    }
}

impl DirectoryReceiver {
    /// Tells whether a name is there, on disk.
    async fn look(&self, name: String) -> Result<Option<Delivered>, DeliveryError> {
        let unknown = |_| DeliveryError::Unknown { code: codes::UNREACHABLE };
        if !fs::try_exists(self.dir.join(&name)).await.map_err(unknown)? {
            return Ok(None);
        }
        // The attempt may have ended between the rename and its sync.
        let dir = self.dir.clone();
        let synced = tokio::task::spawn_blocking(move || durable::sync_dir(&dir)).await;
        synced.map_err(io::Error::other).flatten().map_err(unknown)?;
        Ok(Some(Delivered::of(name)))
    }
}

/// The name of an item's file.
pub(super) fn file_name(item: &Consignment) -> String {
    let extension = if item.kind == ItemKind::Recipient { "zip" } else { "xml" };
    format!("{}.{extension}", item.key)
}

/// The name of a batch's file.
pub(super) fn batch_name(batch: &BatchConsignment) -> String {
    format!("{}.xml", batch.key)
}

/// Writes all of it to a file of its own.
async fn write(path: &Path, content: &Content) -> Result<(), DeliveryError> {
    let mut file = File::create(path).await.map_err(|error| not_written(&error))?;
    let mut chunks = content.stream();
    while let Some(chunk) = chunks.next().await {
        file.write_all(&chunk?).await.map_err(|error| not_written(&error))?;
    }
    file.flush().await.map_err(|error| not_written(&error))
}

/// What it means that the file is not there: nothing happened, and either rights or space are missing.
fn not_written(error: &io::Error) -> DeliveryError {
    if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) {
        DeliveryError::Credentials { code: codes::NOT_PERMITTED }
    } else {
        DeliveryError::Later { code: codes::UNREACHABLE, after: None }
    }
}
