//! What follows an instantiation: large attachments, and the instance's way through its process as far as the row says.
//!
//! Every step begins with how the instance stands, so that it can be taken up again: after an answer that was lost the
//! instance is found by its key, and what is missing is done. Nothing here may say that nothing happened.

use std::fmt::Write as _;

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::client::Client;
use super::instance::{base_name, content_type, is_large};
use crate::adapters::http::Answer;
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{AppTarget, Code, Note};
use crate::ports::{Consignment, Content, ContentPart, Delivered, DeliveryError, PartMeta};

/// An instance as the platform shows it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    #[serde(default)]
    data: Option<Vec<DataElement>>,
    #[serde(default)]
    process: Option<Process>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataElement {
    #[serde(default)]
    data_type: Option<String>,
    #[serde(default)]
    filename: Option<String>,
}

/// Where its process is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process {
    #[serde(default)]
    current_task: Option<Task>,
    #[serde(default)]
    ended: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(default)]
    element_id: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    is_hard_deleted: bool,
}

impl Standing {
    /// Tells whether it was deleted for good.
    pub(super) fn is_gone(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.is_hard_deleted)
    }
}

/// How it ended.
pub(super) enum Finished {
    /// All of it is there.
    Done(Vec<Note>),
    /// It is gone again, for this reason.
    TakenBack(Code),
}

/// An instance that is to be finished.
pub(super) struct Finishing<'a> {
    pub(super) client: &'a Client,
    pub(super) app: &'a AppTarget,
    pub(super) item: &'a Consignment,
    /// Its address, with a slash at the end.
    pub(super) address: Url,
}

impl<'a> Finishing<'a> {
    /// Of an instance that was made; `None` where nothing follows.
    pub(super) fn of(
        client: &'a Client,
        (app, instances): (&'a AppTarget, &Url),
        item: &'a Consignment,
        made: &Delivered,
    ) -> Option<Self> {
        let follows = app.finish.drive_to.is_some() || item.parts.iter().any(|part| is_large(part, app));
        let address = follows.then(|| format!("{instances}/{}/", made.receivers_reference).parse().ok()).flatten()?;
        Some(Self { client, app, item, address })
    }

    /// Does what is missing.
    pub(super) async fn run(&self, standing: Option<Standing>) -> Result<Finished, DeliveryError> {
        let standing = match standing.filter(|standing| standing.process.is_some() && standing.data.is_some()) {
            Some(standing) => standing,
            None => self.standing().await?,
        };
        let missing = self.missing(&standing);
        if standing.is_gone() {
            // What its owner has thrown away has taken effect; one that we took back was never whole.
            let taken_back = Finished::TakenBack(codes::ATTACHMENT_REFUSED);
            return Ok(if missing.is_empty() { Finished::Done(Vec::new()) } else { taken_back });
        }
        for part in missing {
            if let Some(refusal) = self.upload(part).await? {
                return self.take_back(refusal).await;
            }
        }
        Ok(Finished::Done(self.drive(standing.process).await?))
    }

    async fn standing(&self) -> Result<Standing, DeliveryError> {
        let url = self.address.as_str().trim_end_matches('/').parse().map_err(|_| unknown())?;
        let answer = self.client.get(&url).await?;
        if answer.status() == 200 { answer.json().ok_or_else(unknown) } else { Err(unknown()) }
    }

    /// Large attachments that are not there yet, told by data type and name; of several alike the first ones are.
    fn missing(&self, standing: &Standing) -> Vec<&'a ContentPart> {
        let mut there: Vec<_> = standing.data.iter().flatten().collect();
        let mut missing = Vec::new();
        for part in self.item.parts.iter().filter(|part| is_large(part, self.app)) {
            let PartMeta::Attachment { file_name, .. } = &part.meta else { continue };
            let is_it = |element: &&DataElement| {
                element.data_type == self.app.attachment_type
                    && element.filename.as_deref() == Some(base_name(file_name))
            };
            match there.iter().position(is_it) {
                Some(position) => drop(there.swap_remove(position)),
                None => missing.push(part),
            }
        }
        missing
    }

    /// Uploads an attachment; why it was refused, if it was.
    async fn upload(&self, part: &ContentPart) -> Result<Option<Code>, DeliveryError> {
        let PartMeta::Attachment { file_name, attachment_type } = &part.meta else { return Ok(None) };
        let data_type = self.app.attachment_type.as_deref().unwrap_or_default();
        let url = self.join(&format!("data/type/{data_type}"))?;
        let headers = [
            (CONTENT_TYPE, content_type(attachment_type, file_name).to_owned()),
            (CONTENT_DISPOSITION, disposition(base_name(file_name))),
        ];
        kill_point("altinn.data.before");
        let answer = self.client.change(Method::POST, &url, &headers, &part.content).await?;
        kill_point("altinn.data.after");
        match answer.status() {
            200 | 201 => Ok(None),
            413 => Ok(Some(codes::PAYLOAD_TOO_LARGE)),
            // Nothing is said of the attachment: it is the token, the instance, or the time.
            401 | 403 | 404 | 407 | 408 | 429 => Err(of(&answer)),
            400..500 => Ok(Some(codes::ATTACHMENT_REFUSED)),
            _ => Err(of(&answer)),
        }
    }

    /// An instance without one of its attachments is not what was sent: it goes, and the item with it.
    async fn take_back(&self, refusal: Code) -> Result<Finished, DeliveryError> {
        let mut url: Url = self.address.as_str().trim_end_matches('/').parse().map_err(|_| unknown())?;
        url.set_query(Some("hard=true"));
        let answer = self.client.change(Method::DELETE, &url, &[], &Content::from_bytes("")).await?;
        if matches!(answer.status(), 200 | 204 | 404) { Ok(Finished::TakenBack(refusal)) } else { Err(of(&answer)) }
    }

    /// Drives the instance on until it has come where the row says, or the app does not let it.
    pub(super) async fn drive(&self, mut process: Option<Process>) -> Result<Vec<Note>, DeliveryError> {
        let Some(goal) = self.app.finish.drive_to.as_deref() else { return Ok(Vec::new()) };
        for step in 0..MOST_STEPS {
            if process.as_ref().is_some_and(|process| process.has_reached(goal)) {
                return Ok(Vec::new());
            }
            if step == 0
                && self.app.finish.validates
                && let Some(note) = self.faults().await?
            {
                return Ok(vec![note]);
            }
            let url = self.join("process/next")?;
            let headers = [(CONTENT_TYPE, "application/json".to_owned())];
            kill_point("altinn.next.before");
            let answer = self.client.change(Method::PUT, &url, &headers, &Content::from_bytes("{}")).await?;
            kill_point("altinn.next.after");
            match answer.status() {
                200 => process = answer.json(),
                403 | 409 => return Ok(vec![Note::new(codes::NOT_DRIVEN, "")]),
                _ => return Err(of(&answer)),
            }
        }
        Ok(vec![Note::new(codes::NOT_DRIVEN, "")])
    }

    /// What the app finds wrong with the instance; texts and values of it are not told.
    async fn faults(&self) -> Result<Option<Note>, DeliveryError> {
        #[derive(Deserialize)]
        struct Issue {
            severity: u8,
        }
        let answer = self.client.get(&self.join("validate")?).await?;
        if answer.status() != 200 {
            return Err(of(&answer));
        }
        let issues: Vec<Issue> = answer.json().ok_or_else(unknown)?;
        let errors = issues.iter().filter(|issue| issue.severity == ERROR).count();
        Ok((errors > 0).then(|| Note::new(codes::NOT_VALID_IN_APP, format!("{errors} errors"))))
    }

    pub(super) fn join(&self, path: &str) -> Result<Url, DeliveryError> {
        self.address.join(path).map_err(|_| unknown())
    }
}

impl Process {
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    fn has_reached(&self, goal: &str) -> bool {
        let task = self.current_task.as_ref().and_then(|task| task.element_id.as_deref());
        self.ended.is_some() || task == Some(goal)
    }
}

/// The file's name, as old and as new servers read it.
pub(super) fn disposition(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        // RFC 8187 section 3.2.1; writing to a text cannot fail.
        let _ = match byte {
            b'-' | b'.' | b'_' | b'~' => write!(encoded, "{}", char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => write!(encoded, "{}", char::from(byte)),
            _ => write!(encoded, "%{byte:02X}"),
        };
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// What an answer that is no clear one means: the instance is there, and the rest is not known.
pub(super) fn of(answer: &Answer) -> DeliveryError {
    let code = match answer.status() {
        401 | 407 => codes::CREDENTIALS_REFUSED,
        403 => codes::NOT_PERMITTED,
        429 => codes::THROTTLED,
        _ => codes::RECEIVER_FAULT,
    };
    DeliveryError::Unknown { code }
}

pub(super) fn unknown() -> DeliveryError {
    DeliveryError::Unknown { code: codes::RECEIVER_FAULT }
}

/// A process has no more steps than this, or goes in a circle.
const MOST_STEPS: usize = 20;
/// The platform's number of an error among its issues.
const ERROR: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_twice() {
        assert_eq!(
            disposition("søk \"1\".pdf"),
            "attachment; filename=\"s_k__1_.pdf\"; filename*=UTF-8''s%C3%B8k%20%221%22.pdf"
        );
    }

    #[test]
    fn a_goal_is_a_task_or_the_end() {
        let process = |text: &str| serde_json::from_str::<Process>(text).unwrap();
        assert!(process(r#"{"currentTask":{"elementId":"Task_2"}}"#).has_reached("Task_2"));
        assert!(!process(r#"{"currentTask":{"elementId":"Task_1"}}"#).has_reached("Task_2"));
        assert!(process(r#"{"ended":"2027-01-01T00:00:00Z"}"#).has_reached("Task_2"));
        assert!(!process(r#"{"currentTask":{"elementId":"Task_1"}}"#).has_reached("end"));
    }
}
