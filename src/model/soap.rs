//! How a service owner's SOAP service is spoken to.

/// The version of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoapVersion {
    /// SOAP 1.1.
    V11,
    /// SOAP 1.2.
    V12,
}

/// Where a request carries the user and the password that were agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialPlace {
    /// In the operation's own elements `username` and `passwd`.
    Body,
    /// In the envelope's header, as a UsernameToken of WS-Security.
    Header,
}
