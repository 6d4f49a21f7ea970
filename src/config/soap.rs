//! SOAP receivers: a service owner's service as the old platform called it.

use secrecy::SecretString;

use super::files;
use super::http::{self, HttpConfig};
use super::reader::Section;
use super::receiver;
use crate::model::{CredentialPlace, SoapVersion};

/// A SOAP service.
#[derive(Debug, Clone)]
pub struct SoapConfig {
    /// Where it is, what it knows us by, and how large batches it takes.
    pub service: HttpConfig,
    /// The version of the envelope.
    pub version: SoapVersion,
    /// Attachments go in a part of their own.
    pub mtom: bool,
    /// The user and the password that were agreed, if any.
    pub user: Option<(String, SecretString)>,
    /// Where a request carries them.
    pub credential_place: CredentialPlace,
}

/// Reads the section of a SOAP receiver.
pub(super) fn read(section: &Section<'_>) -> Option<SoapConfig> {
    if section.text("take").is_some_and(|take| take != "batches") {
        section.fault("take", "must be \"batches\": a SOAP service takes nothing else");
    }
    let batches = Some(receiver::batch_limits(section));
    let version = version(section);
    let mtom = section.flag("mtom", true);
    let credential_place = credential_place(section);
    let service = http::service(section, section.has("username"));
    let user = user(section);
    Some(SoapConfig { service: HttpConfig { batches, ..service? }, version, mtom, user, credential_place })
}

fn version(section: &Section<'_>) -> SoapVersion {
    match section.text("version").as_deref().unwrap_or("1.1") {
        "1.1" => SoapVersion::V11,
        "1.2" => SoapVersion::V12,
        _ => {
            section.fault("version", "must be \"1.1\" or \"1.2\"");
            SoapVersion::V11
        }
    }
}

fn credential_place(section: &Section<'_>) -> CredentialPlace {
    match section.text("username_in").as_deref().unwrap_or("body") {
        "body" => CredentialPlace::Body,
        "header" => CredentialPlace::Header,
        _ => {
            section.fault("username_in", "must be \"body\" or \"header\"");
            CredentialPlace::Body
        }
    }
}

/// The user and the password, which go together.
fn user(section: &Section<'_>) -> Option<(String, SecretString)> {
    let (name, password) = (section.text("username"), files::secret(section, "password_file"));
    if name.is_some() != section.has("password_file") {
        section.fault("username", "username and password_file go together");
    }
    if name.is_none() && section.has("username_in") {
        section.fault("username_in", "needs username");
    }
    let name = name?;
    if name.is_empty() || name.chars().any(char::is_control) {
        section.fault("username", "must be one line of visible characters");
    }
    Some((name, password?))
}
