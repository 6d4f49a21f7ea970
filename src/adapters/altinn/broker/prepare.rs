//! From an archive to a recipient to a transfer, and whether it can be one.

use super::transfer::{NewTransfer, urn};
use crate::adapters::altinn::message::attachments::clean;
use crate::codes;
use crate::model::{Note, Reportee, TransferContent, TransferTarget};
use crate::ports::{Consignment, Content, DeliveryError, Parcel};

/// A transfer that can be begun.
pub(super) struct Prepared {
    /// What is asked for, but for its checksum.
    pub(super) request: NewTransfer,
    pub(super) content: Content,
    pub(super) size_bytes: u64,
}

/// Maps an item; an error says why it cannot be sent. Judging has said most of this before, by the rules of then.
pub(super) fn prepare(item: &Consignment, target: &TransferTarget) -> Result<Prepared, DeliveryError> {
    let refused = |code| DeliveryError::Refused { code };
    let parcel = item.parcel.as_ref().ok_or(refused(codes::NO_RECEIVER_FOR_KIND))?;
    let recipient = item.reportee.as_ref().ok_or(refused(codes::REPORTEE_UNKNOWN))?;
    let parties = [&parcel.sender, recipient];
    if !parties.into_iter().all(TransferTarget::takes) {
        return Err(refused(codes::ORGANISATIONS_ONLY));
    }
    let properties = || parcel.properties.iter();
    if let Some(misfit) = TransferTarget::misfit(properties().map(|(key, value)| (key.as_str(), value.as_str()))) {
        let notes = vec![Note::new(codes::PROPERTIES_DO_NOT_FIT, misfit)];
        return Err(DeliveryError::RefusedFor { code: codes::PROPERTIES_DO_NOT_FIT, notes });
    }
    let (file_name, content, size_bytes) = file(item, parcel, target).ok_or(refused(codes::NO_SINGLE_PAYLOAD))?;
    let [sender, recipient] = parties.map(Reportee::expose).map(urn);
    let request = NewTransfer {
        file_name,
        resource_id: target.resource.clone(),
        senders_file_transfer_reference: item.senders_reference.clone(),
        sender,
        recipients: vec![recipient],
        property_list: properties().cloned().collect(),
        checksum: None,
        disable_virus_scan: !target.is_scanned,
    };
    Ok(Prepared { request, content, size_bytes })
}

/// The file: its name, its bytes, how many.
fn file(item: &Consignment, parcel: &Parcel, target: &TransferTarget) -> Option<(String, Content, u64)> {
    match target.content {
        TransferContent::Archive => {
            let mut name = clean(&parcel.file_name);
            if !name.to_ascii_lowercase().ends_with(".zip") {
                name.push_str(".zip");
            }
            Some((name, item.batch.clone(), parcel.size_bytes))
        }
        TransferContent::Payload => {
            let payload = parcel.payload.as_ref()?;
            Some((clean(&payload.file_name), payload.content.clone(), payload.size_bytes))
        }
    }
}
