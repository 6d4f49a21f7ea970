//! The files of one receipt, written side by side from the same pages.

use std::sync::Arc;

use super::Manner;
use super::draft::{Draft, Pen};
use crate::blocking::Lost;
use crate::model::{BlobId, Finding, FindingGroup, Item, News, ReceiptForm};
use crate::pipeline::{House, StepError};
use crate::ports::ReceiptFile;
use crate::receipt::{Account, Rendering};

/// The files being written.
pub(super) struct Sheets(Vec<Sheet>);

struct Sheet {
    form: ReceiptForm,
    draft: Draft,
    /// Away while a thread writes with it.
    rendering: Option<Box<dyn Rendering>>,
}

/// What is written next.
pub(super) enum Page {
    Groups(Vec<FindingGroup>),
    Findings(Vec<Finding>),
    Items(Vec<(Item, Vec<Finding>)>),
    News(Vec<(Item, News)>),
    End,
}

impl Sheets {
    /// Begins a file for each form, with its head.
    pub(super) async fn begin(house: &House, forms: Vec<(ReceiptForm, Box<dyn Rendering>)>) -> Result<Self, StepError> {
        let mut sheets = Self(Vec::with_capacity(forms.len()));
        for (form, rendering) in forms {
            match Sheet::begin(house, form, rendering).await {
                Ok(sheet) => sheets.0.push(sheet),
                Err(error) => {
                    sheets.abandon(house).await;
                    return Err(error);
                }
            }
        }
        Ok(sheets)
    }

    /// Writes a page into each.
    pub(super) async fn write(&mut self, house: &House, page: Page) -> Result<(), StepError> {
        let page = Arc::new(page);
        for sheet in &mut self.0 {
            sheet.write(house, Arc::clone(&page)).await?;
        }
        Ok(())
    }

    /// Makes them the receipt's files, and signs the document where that is asked for; gives the room back when they were
    /// not written or cannot be.
    pub(super) async fn seal(
        mut self,
        house: &House,
        account: &Account,
        manner: &Manner,
        written: Result<(), StepError>,
    ) -> Result<Vec<ReceiptFile>, StepError> {
        let mut files = Vec::with_capacity(self.0.len() + 1);
        let sealed = match written {
            Ok(()) => self.seal_each(house, account, manner, &mut files).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sealed {
            self.abandon(house).await;
            super::take_back(house, &files).await;
            return Err(error);
        }
        Ok(files)
    }

    async fn seal_each(
        &mut self,
        house: &House,
        account: &Account,
        manner: &Manner,
        files: &mut Vec<ReceiptFile>,
    ) -> Result<(), StepError> {
        for sheet in &mut self.0 {
            let (name, blob) = (manner.name(&account.shipment, account.kind, extension(sheet.form)), BlobId::new());
            let (size_bytes, sha256) = sheet.draft.seal(house, blob).await?;
            files.push(ReceiptFile { form: sheet.form, name, blob, size_bytes, sha256 });
        }
        if let (Some(signer), Some(document)) = (&manner.signer, files.first()) {
            let (name, signature) = (format!("{}.sig", document.name), signer.sign(&document.sha256));
            files.push(write_signature(house, name, signature).await?);
        }
        Ok(())
    }

    async fn abandon(self, house: &House) {
        for sheet in self.0 {
            sheet.draft.abandon(house).await;
        }
    }
}

impl Sheet {
    async fn begin(house: &House, form: ReceiptForm, mut rendering: Box<dyn Rendering>) -> Result<Self, StepError> {
        let mut draft = Draft::begin(house).await?;
        let begun = draft.write(house, move |pen| {
            rendering.begin(&mut pen.out);
            Ok(rendering)
        });
        match begun.await {
            Ok(rendering) => Ok(Self { form, draft, rendering: Some(rendering) }),
            Err(error) => {
                draft.abandon(house).await;
                Err(error)
            }
        }
    }

    async fn write(&mut self, house: &House, page: Arc<Page>) -> Result<(), StepError> {
        let mut rendering = self.rendering.take().ok_or(Lost)?;
        let written = self.draft.write(house, move |pen| {
            page.write(rendering.as_mut(), pen)?;
            Ok(rendering)
        });
        self.rendering = Some(written.await?);
        Ok(())
    }
}

impl Page {
    fn write(&self, rendering: &mut dyn Rendering, pen: &mut Pen) -> std::io::Result<()> {
        match self {
            Self::Groups(groups) => groups.iter().try_for_each(|group| {
                rendering.group(group, &mut pen.out);
                pen.turn()
            }),
            Self::Findings(findings) => findings.iter().try_for_each(|finding| {
                rendering.finding(finding, &mut pen.out);
                pen.turn()
            }),
            Self::Items(items) => items.iter().try_for_each(|(item, own)| {
                rendering.item(item, own, &mut pen.out);
                pen.turn()
            }),
            Self::News(all) => all.iter().try_for_each(|(item, news)| {
                rendering.news(item, news, &mut pen.out);
                pen.turn()
            }),
            Self::End => {
                rendering.finish(&mut pen.out);
                pen.turn()
            }
        }
    }
}

async fn write_signature(house: &House, name: String, signature: Vec<u8>) -> Result<ReceiptFile, StepError> {
    let (blob, size_bytes, sha256) = seal_whole(house, signature).await?;
    Ok(ReceiptFile { form: ReceiptForm::Signature, name, blob, size_bytes, sha256 })
}

/// Makes a few bytes a blob; its size and SHA-256.
pub(super) async fn seal_whole(house: &House, bytes: Vec<u8>) -> Result<(BlobId, u64, [u8; 32]), StepError> {
    let (mut draft, blob) = (Draft::begin(house).await?, BlobId::new());
    let add = move |pen: &mut Pen| {
        pen.out = bytes;
        Ok(())
    };
    let sealed = match draft.write(house, add).await {
        Ok(()) => draft.seal(house, blob).await,
        Err(error) => Err(error),
    };
    if sealed.is_err() {
        draft.abandon(house).await;
    }
    let (size_bytes, sha256) = sealed?;
    Ok((blob, size_bytes, sha256))
}

/// What the names of a form's files end with.
fn extension(form: ReceiptForm) -> &'static str {
    match form {
        ReceiptForm::Document => "xml",
        ReceiptForm::Page => "html",
        ReceiptForm::List => "csv",
        ReceiptForm::Signature => "sig",
    }
}
