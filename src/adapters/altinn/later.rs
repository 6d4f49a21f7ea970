//! What becomes of an instance after it was made: a later form set is put into it, or it is deleted; either only while nobody
//! has touched it.
//!
//! Untouched is what stands where we left it: its reportee has not opened it, it is neither submitted nor deleted, and it and
//! all its data were last changed by who made them. Putting the same there again is no second effect.

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use reqwest::{Method, Url};
use serde::Deserialize;
use uuid::Uuid;

use super::client::{Client, without_effect};
use super::finish::{Finishing, Process, disposition, of, unknown};
use super::instance::content_part;
use super::look_up::Listing;
use crate::adapters::http::{Answer, FormPart};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{AppTarget, Code};
use crate::ports::{Changed, Consignment, Content, DeliveryError};

/// An instance as the platform shows it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shown {
    created_by: Option<String>,
    last_changed_by: Option<String>,
    status: Option<Status>,
    process: Option<Process>,
    data: Option<Vec<Element>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    is_archived: bool,
    is_soft_deleted: bool,
    is_hard_deleted: bool,
    read_status: Option<u8>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Element {
    id: Option<Uuid>,
    data_type: Option<String>,
    filename: Option<String>,
    created_by: Option<String>,
    last_changed_by: Option<String>,
    locked: bool,
}

/// What became of one piece of data.
enum Piece {
    Done,
    /// The app does not let it be changed any more.
    Shut,
    Refused(Code),
}

impl<'a> Finishing<'a> {
    /// Of an instance that was made some time ago.
    pub(super) fn later(
        client: &'a Client,
        (app, instances): (&'a AppTarget, &Url),
        item: &'a Consignment,
        reference: &str,
    ) -> Result<Self, DeliveryError> {
        let address = format!("{instances}/{reference}/").parse().map_err(|_| unknown())?;
        Ok(Self { client, app, item, address })
    }

    /// Puts the item there in place of what is there.
    pub(super) async fn put(&self) -> Result<Changed, DeliveryError> {
        let parts = self.item.parts.iter().map(|part| content_part(part, self.app)).collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|code| DeliveryError::Refused { code })?;
        // By looking nothing is sent. Whether an earlier attempt sent something is known without us.
        let shown = self.shown().await.map_err(without_effect)?;
        let Some(shown) = shown.filter(Shown::is_untouched) else { return Ok(Changed::Touched) };
        let mut left = shown.data.unwrap_or_default();
        left.retain(|element| self.is_ours(element));
        let mut has_begun = false;
        for part in &parts {
            let place = left.iter().position(|element| element.holds(part));
            let element = place.map(|place| left.remove(place));
            if let Some(end) = end(self.put_part(part, element.as_ref()).await, has_begun)? {
                return Ok(end);
            }
            has_begun = true;
        }
        for element in &left {
            if let Some(end) = end(self.drop_part(element).await, has_begun)? {
                return Ok(end);
            }
            has_begun = true;
        }
        self.drive(shown.process)
            .await
            .map(Changed::Done)
            .map_err(|error| if has_begun { halfway(error) } else { error })
    }

    /// Deletes the instance so that its reportee may take it back.
    pub(super) async fn remove(&self) -> Result<Changed, DeliveryError> {
        if self.shown().await?.is_none_or(|shown| !shown.is_untouched()) {
            return Ok(Changed::Touched);
        }
        let mut url = self.instance()?;
        url.set_query(Some("hard=false"));
        kill_point("altinn.delete.before");
        let answer = self.client.change(Method::DELETE, &url, &[], &Content::from_bytes("")).await?;
        kill_point("altinn.delete.after");
        match answer.status() {
            200 | 204 => Ok(Changed::Done(Vec::new())),
            409 => Ok(Changed::Touched),
            403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
            _ => Err(of(&answer)),
        }
    }

    /// Tells whether it is deleted.
    pub(super) async fn is_removed(&self) -> Result<bool, DeliveryError> {
        Ok(self.shown().await?.is_none_or(|shown| shown.is_deleted()))
    }

    /// The instance as it stands; `None` where it is gone.
    async fn shown(&self) -> Result<Option<Shown>, DeliveryError> {
        let answer = self.client.get(&self.instance()?).await?;
        match answer.status() {
            200 => answer.json().map(Some).ok_or_else(unknown),
            401 | 407 => Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED }),
            404 | 410 => Ok(None),
            403 if !self.is_listed().await? => Ok(None),
            403 => Err(DeliveryError::Credentials { code: codes::NOT_PERMITTED }),
            _ => Err(of(&answer)),
        }
    }

    /// Tells whether the platform lists it: what is gone, and what we have no right to, it answers alike.
    async fn is_listed(&self) -> Result<bool, DeliveryError> {
        let address = self.address.as_str().trim_end_matches('/');
        let id = address.split_once("/instances/").map_or(address, |(_, id)| id);
        let mut listed = Listing::all(self.client, self.app, self.item)?;
        while let Some(page) = listed.page().await? {
            if page.holds(id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn instance(&self) -> Result<Url, DeliveryError> {
        self.address.as_str().trim_end_matches('/').parse().map_err(|_| unknown())
    }

    /// Of the data that are there those which sets have: an app adds others by itself.
    fn is_ours(&self, element: &Element) -> bool {
        let forms = self.app.data_types.iter().map(|row| row.data_type.as_str());
        forms.chain(self.app.attachment_type.as_deref()).any(|known| element.data_type.as_deref() == Some(known))
    }

    async fn put_part(&self, part: &FormPart, element: Option<&Element>) -> Result<Piece, DeliveryError> {
        let mut headers: Vec<(HeaderName, String)> = vec![(CONTENT_TYPE, part.content_type.to_owned())];
        headers.extend(part.file_name.as_deref().map(|name| (CONTENT_DISPOSITION, disposition(name))));
        let (method, path) = match element {
            Some(element) => (Method::PUT, element.path()?),
            None => (Method::POST, format!("data/type/{}", part.name)),
        };
        kill_point("altinn.put.before");
        let answer = self.client.change(method, &self.join(&path)?, &headers, &part.content).await?;
        kill_point("altinn.put.after");
        let refusal = if part.file_name.is_some() { codes::ATTACHMENT_REFUSED } else { codes::RECEIVER_REFUSED };
        changed(&answer, refusal)
    }

    async fn drop_part(&self, element: &Element) -> Result<Piece, DeliveryError> {
        let url = self.join(&element.path()?)?;
        let answer = self.client.change(Method::DELETE, &url, &[], &Content::from_bytes("")).await?;
        // One that is gone already is dropped.
        if answer.status() == 404 { Ok(Piece::Done) } else { changed(&answer, codes::RECEIVER_REFUSED) }
    }
}

impl Shown {
    fn is_untouched(&self) -> bool {
        let status = self.status.clone().unwrap_or_default();
        let stands = !(status.is_archived || self.is_deleted()) && status.read_status == Some(UNREAD);
        let has_ended = self.process.as_ref().is_some_and(Process::has_ended);
        let untouched = |element: &Element| element.created_by == element.last_changed_by && !element.locked;
        stands
            && !has_ended
            && self.created_by == self.last_changed_by
            && self.data.as_ref().is_some_and(|data| data.iter().all(untouched))
    }

    fn is_deleted(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.is_soft_deleted || status.is_hard_deleted)
    }
}

impl Element {
    fn path(&self) -> Result<String, DeliveryError> {
        self.id.map(|id| format!("data/{id}")).ok_or_else(unknown)
    }

    fn holds(&self, part: &FormPart) -> bool {
        self.data_type.as_deref() == Some(&part.name) && (part.file_name.is_none() || part.file_name == self.filename)
    }
}

/// How a piece ends the whole; `None` where it does not. What has begun is in the instance: nothing that comes behind it may
/// be taken for a change that never was.
fn end(piece: Result<Piece, DeliveryError>, has_begun: bool) -> Result<Option<Changed>, DeliveryError> {
    match piece {
        Ok(Piece::Done) => Ok(None),
        Ok(Piece::Shut) if has_begun => Ok(Some(Changed::Partly(None))),
        Ok(Piece::Shut) => Ok(Some(Changed::Touched)),
        Ok(Piece::Refused(code)) if has_begun => Ok(Some(Changed::Partly(Some(code)))),
        Ok(Piece::Refused(code)) => Err(DeliveryError::Refused { code }),
        Err(error) if has_begun => Err(halfway(error)),
        Err(error) => Err(error),
    }
}

/// What keeps us from the rest: all of it is put again.
fn halfway(error: DeliveryError) -> DeliveryError {
    DeliveryError::Unknown { code: error.outcome().0 }
}

/// The answer to a change of one piece of data.
fn changed(answer: &Answer, refusal: Code) -> Result<Piece, DeliveryError> {
    Ok(match answer.status() {
        200 | 201 | 204 => Piece::Done,
        404 | 409 => Piece::Shut,
        413 => Piece::Refused(codes::PAYLOAD_TOO_LARGE),
        401 | 403 | 407 | 408 | 429 => return Err(of(answer)),
        400..500 => Piece::Refused(refusal),
        _ => return Err(of(answer)),
    })
}

/// The platform's number of an instance that its reportee has not opened.
const UNREAD: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn untouched(change: &str) -> bool {
        let shown = r#"{"createdBy":"ttd","lastChangedBy":"ttd","status":{"readStatus":0,"isArchived":false},
            "process":{"currentTask":{"elementId":"Task_1"}},
            "data":[{"id":"2f1c6b1e-8d0c-4a1e-9b5e-0c0a7b4d9f10","createdBy":"ttd","lastChangedBy":"ttd","locked":false}]}"#;
        let (from, to) = change.split_once(" -> ").unwrap();
        assert!(shown.contains(from), "{from}");
        serde_json::from_str::<Shown>(&shown.replace(from, to)).unwrap().is_untouched()
    }

    #[test]
    fn only_what_stands_as_it_was_made_is_untouched() {
        assert!(untouched("{ -> {"));
        let touched = [
            "\"readStatus\":0 -> \"readStatus\":1",
            "\"readStatus\":0, -> ",
            "\"lastChangedBy\":\"ttd\",\"status\" -> \"lastChangedBy\":\"1337\",\"status\"",
            "\"lastChangedBy\":\"ttd\",\"locked\" -> \"lastChangedBy\":\"1337\",\"locked\"",
            "\"locked\":false -> \"locked\":true",
            "\"isArchived\":false -> \"isArchived\":true",
            "\"isArchived\":false -> \"isSoftDeleted\":true",
            "\"isArchived\":false -> \"isHardDeleted\":true",
            "{\"currentTask\":{\"elementId\":\"Task_1\"}} -> {\"ended\":\"2027-01-01T00:00:00Z\"}",
            "\"data\": -> \"other\":",
        ];
        for change in touched {
            assert!(!untouched(change), "{change}");
        }
    }
}
