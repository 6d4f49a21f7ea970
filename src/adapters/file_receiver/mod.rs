//! A receiver that is a directory of a [`FileStore`], such as one of an SFTP server.
//!
//! Names are those of the directory receiver: `<key>.xml` for an item or a batch, `<key>.zip` for a recipient's archive, the
//! same for every attempt. A file is written under a temporary name, as far as an attempt that broke off came not again,
//! and gets its own name when its size is right. That is looked at, whatever the server said.
//!
//! Invariants:
//! - A name that is taken is never written over, unless the operator says so.
//! - A failure before the rename has had no effect; one in it is unknown and is looked up by name and size.
//!
//! [`FileStore`]: crate::ports::FileStore

mod outcomes;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use futures::stream::{BoxStream, StreamExt as _};

use super::directory::{batch_name, file_name};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::ItemKind;
use crate::ports::{
    BatchConsignment, Consignment, Content, Delivered, DeliveryError, FileSeen, FileStore, Receiver, StoreError,
};

/// Where in the store files go, and how.
#[derive(Debug, Clone)]
pub struct FileReceiverSettings {
    /// The name a file has until it is whole, with `{name}` where its own goes.
    pub temporary: String,
    /// Whether a file of the name is replaced.
    pub replace: bool,
}

/// Writes each item, or each batch, as a file of a store.
pub struct FileReceiver {
    store: Arc<dyn FileStore>,
    settings: FileReceiverSettings,
}

impl FileReceiver {
    /// Files go to the store's root.
    pub fn new(store: Arc<dyn FileStore>, settings: FileReceiverSettings) -> Self {
        Self { store, settings }
    }

    /// Puts a file there under its name.
    async fn place(&self, name: &str, content: &Content) -> Result<(), DeliveryError> {
        let there = self.store.stat(name).await.map_err(outcomes::before)?;
        if let Some(there) = there.filter(|_| !self.settings.replace) {
            return same(&there, content).await?.then_some(()).ok_or(CONFLICT);
        }
        let temporary = self.settings.temporary.replace(NAME_PLACE, name);
        self.write(&temporary, content).await?;
        kill_point("push.rename.before");
        let renamed = self.store.rename(&temporary, name, self.settings.replace).await;
        kill_point("push.rename.after");
        match renamed {
            Err(StoreError::Exists) => self.met(&temporary, name, content).await,
            renamed => renamed.map_err(outcomes::in_rename),
        }
    }

    /// Writes what is missing of a file, or all of it where that is refused.
    async fn write(&self, temporary: &str, content: &Content) -> Result<(), DeliveryError> {
        let (offset, is_whole) = self.already_there(temporary, content).await?;
        kill_point("push.write.before");
        if offset > 0 {
            // With nothing missing it is brought to disk.
            match self.store.write(temporary, offset, behind(content.stream(), offset)).await {
                Ok(_) => return Ok(()),
                // All of it was read back: it has only not been opened once more.
                Err(StoreError::Failed(_) | StoreError::Denied) if is_whole => return Ok(()),
                // Not every server lets one go on with a file.
                Err(
                    error @ (StoreError::Failed(_)
                    | StoreError::Denied
                    | StoreError::Nonsense(_)
                    | StoreError::NotFound),
                ) => tracing::debug!(%error, "an upload cannot be gone on with and begins anew"),
                Err(error) => return Err(outcomes::before(error)),
            }
        }
        self.store.write(temporary, 0, content.stream()).await.map_err(outcomes::before)?;
        Ok(())
    }

    /// The name was taken while we wrote: by ourselves, in an attempt whose answer was lost, or by somebody else.
    async fn met(&self, temporary: &str, name: &str, content: &Content) -> Result<(), DeliveryError> {
        match self.look(name, content).await {
            Ok(Some(_)) => {}
            // Ours lies under its temporary name still: what has the name is another's.
            Ok(None) | Err(DeliveryError::Unclear) => return Err(CONFLICT),
            Err(error) => return Err(error),
        }
        // One left over does no harm but to tidiness.
        if let Err(error) = self.store.remove(temporary).await {
            tracing::debug!(%error, "a temporary file of a receiver could not be removed");
        }
        Ok(())
    }

    /// How many of our bytes an attempt that broke off has left there, and whether they are all. Fewer than are worth
    /// looking at are none.
    async fn already_there(&self, temporary: &str, content: &Content) -> Result<(u64, bool), DeliveryError> {
        let there = self.store.stat(temporary).await.map_err(outcomes::before)?;
        let Some(there) = there.filter(|there| there.size_bytes >= WORTH_RESUMING_BYTES) else { return Ok((0, false)) };
        let theirs = match self.store.read(temporary, 0).await {
            Ok(theirs) => theirs,
            // What cannot be read back is written anew: who may write there need not be let read.
            Err(StoreError::Denied | StoreError::NotFound | StoreError::Failed(_) | StoreError::Nonsense(_)) => {
                return Ok((0, false));
            }
            Err(error) => return Err(outcomes::before(error)),
        };
        Ok(match compared(content.stream(), theirs).await? {
            Compared::Other => (0, false),
            Compared::Begun => (there.size_bytes, false),
            Compared::Whole => (there.size_bytes, true),
        })
    }

    /// Tells whether a file is there as it should be. One of another size may be another's, or ours and begun to be eaten.
    async fn look(&self, name: &str, content: &Content) -> Result<Option<Delivered>, DeliveryError> {
        let Some(there) = self.store.stat(name).await.map_err(outcomes::of_look_up)? else { return Ok(None) };
        if !same(&there, content).await? {
            tracing::warn!("a receiver has a file of an item's name and of another size");
            return Err(DeliveryError::Unclear);
        }
        Ok(Some(Delivered::of(name)))
    }
}

#[async_trait]
impl Receiver for FileReceiver {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let name = file_name(item);
        // For who sorts without looking into archives, which name their recipient too.
        if let Some(number) = item.organisation().filter(|_| item.kind == ItemKind::Recipient) {
            let content = Content::from_bytes(number.as_bytes().to_vec());
            // Without it nothing has been delivered, whatever became of it.
            let placed = self.place(&format!("{}.recipient", item.key), &content).await;
            placed.map_err(outcomes::of_companion)?;
        }
        self.place(&name, &item.batch).await?;
        Ok(Delivered::of(name))
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(&file_name(item), &item.batch).await
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        let name = batch_name(batch);
        self.place(&name, &batch.content).await?;
        Ok(Delivered::of(name))
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.look(&batch_name(batch), &batch.content).await
    }
}

/// Tells whether a file has the size of a content. Its name is the item's key, and it has it only since it was whole.
async fn same(there: &FileSeen, content: &Content) -> Result<bool, DeliveryError> {
    let (mut size_bytes, mut chunks) = (0, content.stream());
    while let Some(chunk) = chunks.next().await {
        size_bytes += chunk?.len() as u64;
    }
    Ok(size_bytes == there.size_bytes)
}

/// What theirs is of our bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// Something else.
    Other,
    /// How they begin.
    Begun,
    /// All of them.
    Whole,
}

/// Holds their bytes against ours.
async fn compared(
    mut ours: BoxStream<'static, io::Result<Bytes>>,
    mut theirs: BoxStream<'static, io::Result<Bytes>>,
) -> Result<Compared, DeliveryError> {
    let mut left = Bytes::new();
    while let Some(piece) = theirs.next().await {
        // What cannot be read back is written anew.
        let Ok(mut piece) = piece else { return Ok(Compared::Other) };
        while !piece.is_empty() {
            if left.is_empty() {
                let Some(more) = ours.next().await else { return Ok(Compared::Other) };
                left = more?;
                continue;
            }
            let length = left.len().min(piece.len());
            if left.split_to(length) != piece.split_to(length) {
                return Ok(Compared::Other);
            }
        }
    }
    while left.is_empty() {
        let Some(more) = ours.next().await else { return Ok(Compared::Whole) };
        left = more?;
    }
    Ok(Compared::Begun)
}

/// The bytes behind an offset.
fn behind(bytes: BoxStream<'static, io::Result<Bytes>>, offset: u64) -> BoxStream<'static, io::Result<Bytes>> {
    if offset == 0 {
        return bytes;
    }
    let skipping = bytes.scan(offset, |left, piece| {
        let piece = piece.map(|mut piece| {
            let skipped = piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= skipped as u64;
            piece.advance(skipped);
            piece
        });
        std::future::ready(Some(piece))
    });
    skipping.filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty))).boxed()
}

const CONFLICT: DeliveryError = DeliveryError::Refused { code: codes::RECEIVER_CONFLICT };
/// Where in a temporary name the file's own goes.
pub const NAME_PLACE: &str = "{name}";
/// Fewer bytes are sooner written again than read back.
const WORTH_RESUMING_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use futures::stream;

    use super::*;

    fn pieces(bytes: &[u8], length: usize) -> BoxStream<'static, io::Result<Bytes>> {
        let pieces: Vec<_> = bytes.chunks(length).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        stream::iter(pieces).boxed()
    }

    proptest! {
        #[test]
        fn what_is_behind_an_offset_and_what_begins_with_it_do_not_depend_on_pieces(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), ours in 1_usize..30, theirs in 1_usize..30,
            offset in 0_usize..220,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let rest: Vec<_> = behind(pieces(&bytes, ours), offset as u64).map(Result::unwrap).collect().await;
                assert_eq!(rest.concat(), bytes.get(offset..).unwrap_or_default());
                let begun = &bytes[..offset.min(bytes.len())];
                let expected = if begun.len() == bytes.len() { Compared::Whole } else { Compared::Begun };
                assert_eq!(compared(pieces(&bytes, ours), pieces(begun, theirs)).await.unwrap(), expected);
                let mut other = begun.to_vec();
                other.push(bytes.get(begun.len()).map_or(0, |next| next ^ 1));
                assert_eq!(compared(pieces(&bytes, ours), pieces(&other, theirs)).await.unwrap(), Compared::Other);
            });
        }
    }
}
