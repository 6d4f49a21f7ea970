//! The list of the numbers that are expected next: one small file in the receipts directory, renewed with each final
//! receipt of a route that asks for it.

use super::sheets::seal_whole;
use super::{forget, hand_over, take_back};
use crate::model::BlobId;
use crate::pipeline::{House, StepError};
use crate::ports::{NumbersFile, PlacedReceipt, Placing};
use crate::receipt;

/// Places a final receipt with the list beside it, in one transaction. Numbers that are taken meanwhile make the list
/// anew; without any number there is none.
pub(super) async fn place_with(house: &House, receipt: PlacedReceipt) -> Result<(), StepError> {
    let mut receipt = receipt;
    loop {
        receipt.numbers = match seal(house, &receipt).await {
            Ok(list) => list,
            Err(error) => {
                take_back(house, &receipt.files).await;
                return Err(error);
            }
        };
        let own = receipt.numbers.as_ref().map(|list| list.blob);
        match hand_over(house, &receipt).await {
            Ok(Placing::Placed(before)) => return let_go(house, before).await,
            Ok(Placing::Known) => return let_go(house, own).await,
            Ok(Placing::Outdated) => let_go(house, own).await?,
            Err(error) => {
                if let Some(blob) = own {
                    forget(house, blob).await;
                }
                return Err(error);
            }
        }
    }
}

async fn seal(house: &House, receipt: &PlacedReceipt) -> Result<Option<NumbersFile>, StepError> {
    let numbers = house.ledger.next_numbers(&receipt.partner).await?;
    if numbers.is_empty() {
        return Ok(None);
    }
    let (blob, size_bytes, _) = seal_whole(house, receipt::next_expected(&numbers)).await?;
    Ok(Some(NumbersFile { name: NAME.to_owned(), blob, size_bytes, numbers }))
}

async fn let_go(house: &House, blob: Option<BlobId>) -> Result<(), StepError> {
    match blob {
        Some(blob) => Ok(house.blobs.remove(blob).await?),
        None => Ok(()),
    }
}

/// No receipt's: those hold an id.
const NAME: &str = "next-expected.csv";
