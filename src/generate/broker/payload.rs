//! What a broker ZIP is sent for.

use crate::generate::batch::Batch;
use crate::generate::{Profile, content};

/// Names and contents of files, in the archive's order.
pub(super) type Payload = Vec<(&'static str, Vec<u8>)>;

/// The files of an archive, by the profile: a form, and with attachments a file in a folder whose name is not ASCII.
pub(super) fn of(batch: &Batch<'_>) -> Payload {
    let mut random = batch.chance(0);
    let service = Batch::service(0, None);
    let mut form = Vec::new();
    match batch.profile {
        Profile::Small | Profile::Attachment | Profile::Field => {
            content::form(&mut form, &mut random, service.form, 400)
        }
        Profile::Medium => content::form(&mut form, &mut random, service.form, 8_000),
        Profile::Escaped => {
            let mut inner = Vec::new();
            content::form(&mut inner, &mut random, service.form, 8_000);
            form.extend_from_slice(b"<konvolutt>");
            content::escaped(&mut form, &inner);
            form.extend_from_slice(b"</konvolutt>");
        }
    }
    let mut files = vec![("skjema.xml", form)];
    if batch.profile == Profile::Attachment {
        let bytes = usize::try_from(100_000 + random.below(900_000)).unwrap_or_default();
        let noise = std::iter::repeat_with(|| random.next().to_le_bytes()).flatten();
        files.push(("vedlegg/årsoppgave.pdf", noise.take(bytes).collect()));
    }
    files
}
