//! Every receipt code, one table. A code is never reused or renumbered; `docs/receipt-codes.md` is made from here.
//!
//! The first letters name where it comes from: `IN` the file as received, `XM` XML, `XS` the schema, `FM` the format's
//! rules, `ZP` a ZIP archive, `RT` the route, `FW` forwarding, `LN` late news after the final receipt.

use crate::model::{Code, LateEvent, ReceiptStatus};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct CodeRow {
    /// The code.
    pub code: Code,
    /// The status of a receipt or sub-receipt that carries it.
    pub status: ReceiptStatus,
    /// What happened, in one line.
    pub title: &'static str,
    /// What the sender should do.
    pub action: &'static str,
    /// What an item that failed with it has done at its receiver.
    pub effect: Effect,
}

/// What an item that failed has done at its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Surely nothing: it may be offered to the sender again.
    Nothing,
    /// Nobody can be sure of that.
    Perhaps,
}

impl Effect {
    /// What a status says of it where the code says nothing else: a refusal comes before the effect, a failure of ours or of
    /// the receiver's may come behind it.
    const fn usual(status: ReceiptStatus) -> Self {
        match status {
            ReceiptStatus::UnExpectedError => Self::Perhaps,
            ReceiptStatus::Ok | ReceiptStatus::Rejected | ReceiptStatus::ValidationFailed => Self::Nothing,
        }
    }
}

/// The row of a code.
pub fn row(code: Code) -> Option<&'static CodeRow> {
    TABLE.iter().find(|row| row.code == code)
}

/// The code of a name, as read back from the ledger.
pub fn by_name(name: &str) -> Option<Code> {
    TABLE.iter().map(|row| row.code).find(|code| code.0 == name)
}

/// The status that goes with a code.
pub fn status(code: Code) -> ReceiptStatus {
    row(code).map_or(ReceiptStatus::UnExpectedError, |row| row.status)
}

/// What an item that failed with a code has done; what is not in the table nobody knows.
pub fn effect(code: Code) -> Effect {
    row(code).map_or(Effect::Perhaps, |row| row.effect)
}

/// The code of late news.
pub fn late(event: LateEvent) -> Code {
    match event {
        LateEvent::PublishFailed => PUBLISH_FAILED,
        LateEvent::MalwareFound => MALWARE_FOUND,
        LateEvent::Read => READ,
        LateEvent::Confirmed => CONFIRMED,
        LateEvent::Downloaded => DOWNLOADED,
        LateEvent::Delivered => DELIVERED_LATE,
        LateEvent::Published => PUBLISHED,
        LateEvent::Reserved => RESERVED_LATE,
        LateEvent::Expired => EXPIRED,
        LateEvent::Instantiated => INSTANTIATED,
        LateEvent::NotInstantiated => NOT_INSTANTIATED,
        LateEvent::Replaced => REPLACED,
        LateEvent::Lapsed => LAPSED,
        LateEvent::Overwritten => OVERWRITTEN,
        LateEvent::Deleted => DELETED_UNUSED,
        LateEvent::NotDeleted => NOT_DELETED,
    }
}

/// A code's title with what was found in this case, as one sentence a clerk can read.
pub fn explain(code: Code, text: &str) -> String {
    let title = row(code).map_or("", |row| row.title);
    let stem = title.trim_end_matches('.');
    if text.is_empty() || text.trim_end_matches('.') == stem {
        return title.to_owned();
    }
    format!("{stem}: {text}")
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident $($effect:ident)?, $title:literal, $action:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*

        /// Every code, in order.
        pub const TABLE: &[CodeRow] = &[
            $(CodeRow {
                code: $name,
                status: ReceiptStatus::$status,
                title: $title,
                action: $action,
                effect: effect_of!($status $($effect)?),
            },)*
        ];
    };
}

macro_rules! effect_of {
    ($status:ident) => {
        Effect::usual(ReceiptStatus::$status)
    };
    ($status:ident $effect:ident) => {
        Effect::$effect
    };
}

codes! {
    // The file as received.
    RECEIVED = "IN-000", Ok, "The file is received and kept.", "Nothing; a final receipt follows.";
    PREFLIGHT = "IN-001", Ok, "Judged in the test directory; nothing was sent.", "Drop the file in the inbox to have it sent.";
    EMPTY_FILE = "IN-101", Rejected, "The file is empty.", "Check the job that writes it and drop it again.";
    FILE_TOO_LARGE = "IN-102", Rejected, "The file is larger than the route takes.", "Split the batch, or ask the operator to raise the limit.";
    CHECKSUM_DIFFERS = "IN-103", Rejected, "The file is not the one its checksum is of.", "Write the file and its checksum anew and drop both again.";
    STAGED_UNREADABLE = "IN-901", UnExpectedError, "Our copy of the file cannot be read.", "Nothing; the operator has been told.";
    // XML.
    NOT_XML = "XM-101", ValidationFailed, "The file does not begin as an XML document.", "Check that the right file was dropped, and that it is not compressed or encrypted.";
    NOT_WELL_FORMED = "XM-102", ValidationFailed, "The XML is not well-formed.", "Correct the place named and drop the file again.";
    TRUNCATED = "XM-103", ValidationFailed, "The file ends before its root element does.", "The file was cut off; write it anew and drop it again.";
    BAD_ENCODING = "XM-104", ValidationFailed, "The bytes do not fit the encoding.", "Write the file in the encoding its XML declaration names.";
    UNSUPPORTED_ENCODING = "XM-105", ValidationFailed, "The encoding is not supported.", "Write the file in UTF-8, or in UTF-16, ISO-8859-1, ISO-8859-15, windows-1252 or US-ASCII.";
    DTD_REFUSED = "XM-106", ValidationFailed, "The file has a DOCTYPE, which is never accepted.", "Leave the DOCTYPE and its entities out.";
    UNDECLARED_PREFIX = "XM-107", ValidationFailed, "A namespace prefix is not declared.", "Declare the prefix, or drop it.";
    ENCODING_CONTRADICTED = "XM-108", ValidationFailed, "The XML declaration names another encoding than the file is in.", "Have the job that writes the file declare the encoding it writes.";
    TOO_DEEP = "XM-201", ValidationFailed, "Elements are nested too deeply.", "Check the job that writes the file.";
    TAG_TOO_LONG = "XM-202", ValidationFailed, "A tag is too long.", "Check the job that writes the file.";
    TOO_MANY_ATTRIBUTES = "XM-203", ValidationFailed, "An element has too many attributes.", "Check the job that writes the file.";
    NAME_TOO_LONG = "XM-204", ValidationFailed, "A name is too long.", "Check the job that writes the file.";
    ATTRIBUTE_TOO_LONG = "XM-205", ValidationFailed, "The value of an attribute is too long.", "Check the job that writes the file.";
    TOO_MANY_NAMESPACES = "XM-206", ValidationFailed, "Too many namespace declarations are in force at once.", "Check the job that writes the file.";
    DECLARATION_TOO_LONG = "XM-207", ValidationFailed, "The XML declaration is too long.", "Check the job that writes the file.";
    // The schema.
    UNKNOWN_ROOT = "XS-101", ValidationFailed, "The root element is not one of the format's.", "Check that the file is of the agreed format and namespace.";
    UNEXPECTED_ELEMENT = "XS-102", ValidationFailed, "An element stands where it may not.", "Compare the order and names of elements with the format.";
    MISSING_ELEMENT = "XS-103", ValidationFailed, "A required element is missing.", "Add the element named.";
    UNEXPECTED_ATTRIBUTE = "XS-104", ValidationFailed, "An attribute is not allowed here.", "Remove the attribute named.";
    MISSING_ATTRIBUTE = "XS-105", ValidationFailed, "A required attribute is missing.", "Add the attribute named.";
    UNEXPECTED_TEXT = "XS-106", ValidationFailed, "Text stands where only elements may.", "Remove the text.";
    BAD_VALUE = "XS-107", ValidationFailed, "A value is not of its type.", "Write the value in the form the type asks, such as 2026-01-31 for a date.";
    BAD_LENGTH = "XS-108", ValidationFailed, "A value is too short or too long.", "Keep to the length named.";
    NOT_IN_LIST = "XS-109", ValidationFailed, "A value is not one of those allowed.", "Use one of the values the format lists.";
    OUT_OF_RANGE = "XS-110", ValidationFailed, "A number or date is outside its range.", "Keep to the range named.";
    BAD_PATTERN = "XS-111", ValidationFailed, "A value does not fit its pattern.", "Write the value in the form named.";
    BAD_NIL = "XS-112", ValidationFailed, "xsi:nil is used wrongly.", "Leave xsi:nil out, or leave the element empty.";
    DUPLICATE_KEY = "XS-113", ValidationFailed, "A value that must be unique is there twice.", "Give each its own value.";
    MISSING_KEY = "XS-114", ValidationFailed, "A part of a key is missing.", "Add the part named.";
    UNKNOWN_KEY = "XS-115", ValidationFailed, "A reference leads to nothing in the file.", "Add what it refers to, or correct the reference.";
    SCHEMA_OTHER = "XS-190", ValidationFailed, "A rule of the schema is broken.", "See the rule named.";
    TOO_MANY_KEYS = "XS-201", ValidationFailed, "There are more keys than can be compared.", "Split the file.";
    VALUE_TOO_LONG = "XS-202", ValidationFailed, "A value is too long to be judged.", "Shorten the value, or send what it holds as an attachment.";
    // The format's rules.
    BAD_REPORTEE_FORM = "FM-101", ValidationFailed, "The reportee is neither eleven nor nine digits.", "Give a fødselsnummer, a D-number or an organisasjonsnummer.";
    BAD_PERSON_NUMBER = "FM-102", ValidationFailed, "The check digits of the fødselsnummer are wrong.", "Correct the number.";
    BAD_ORGANISATION_NUMBER = "FM-103", ValidationFailed, "The check digit of the organisasjonsnummer is wrong.", "Correct the number.";
    NO_REFERENCE = "FM-104", ValidationFailed, "A required reference is empty.", "Give every item a reference of its own.";
    REPEATED_ITEM = "FM-105", Rejected, "An earlier item of the same file has the same reference.", "Give every item a reference of its own.";
    VALIDITY_REVERSED = "FM-106", ValidationFailed, "ValidTo lies before ValidFrom.", "Correct the dates.";
    REFERENCE_TOO_LONG = "FM-107", ValidationFailed, "A reference is too long.", "Keep references to 256 characters.";
    ITEM_TOO_LARGE = "FM-108", ValidationFailed, "The item has more forms, attachments or text than one item may.", "Split it into several items.";
    NO_PARENT = "FM-109", ValidationFailed, "A form refers to a parent that is not in the item.", "Correct ParentReference, or leave it out for the main form.";
    FORM_DATA_NOT_XML = "FM-110", ValidationFailed, "A form's data is not well-formed XML.", "Correct the form's data, and write it as CDATA or escape it once.";
    FORM_DATA_BREAKS_SCHEMA = "FM-111", ValidationFailed, "A form's data breaks its schema.", "Correct the form's data by the schema of its DataFormatId and DataFormatVersion.";
    REPEATED_SHIPMENT = "FM-201", Rejected, "A shipment with this reference was accepted before.", "If this is a new shipment, give it a new ExternalShipmentReference.";
    WRONG_SENDER = "FM-202", Rejected, "The batch names another sender than the route's.", "Check the sender's name in the header.";
    NO_ITEMS = "FM-203", Rejected, "The batch holds no items.", "Check the job that writes the file.";
    TOO_MANY_REFUSED = "FM-204", Rejected, "So many items are wrong that the whole shipment is refused.", "Correct the items listed and drop the whole file again.";
    SHIPMENT_REFUSED = "FM-205", Rejected, "The item was not sent because the whole shipment is refused.", "Correct what refused the shipment and drop the whole file again.";
    HEAD_TOO_LARGE = "FM-206", ValidationFailed, "What stands before the items takes more room than it may.", "Leave out long comments and blanks before and between the headers.";
    COUNT_MISMATCH = "FM-207", Rejected, "A control count does not agree with what the batch holds.", "Check that the whole batch was written, and drop it again.";
    BAD_SEQUENCE = "FM-208", Rejected, "The sequence number is not a number, or contradicts the one before it.", "Number batches one after the other.";
    SEQUENCE_GAP = "FM-209", Rejected, "A batch with a lower sequence number is missing.", "Drop the missing batch first; the receipt names the number that is expected.";
    SEQUENCE_REPEATED = "FM-210", Rejected, "A batch with this sequence number was accepted before.", "If this is a new batch, give it the number that the receipt names as expected.";
    LOOSE_ATTACHMENT = "FM-211", Rejected, "An attachment belongs to no item of the batch.", "Check the attachment's archiveReference.";
    // A ZIP archive: how it is built, then what it may ask of us, then what must lie in it.
    NOT_ZIP = "ZP-101", ValidationFailed, "The file is not a ZIP archive.", "Check that the right file was dropped.";
    ZIP_DAMAGED = "ZP-102", ValidationFailed, "The ZIP archive is damaged.", "Write the archive anew and drop it again.";
    ZIP_MULTI_DISK = "ZP-103", ValidationFailed, "The ZIP archive is one of several parts.", "Write it as one file.";
    ZIP_HEADERS_DISAGREE = "ZP-104", ValidationFailed, "An entry's own header says something else than the archive's directory.", "Write the archive anew with another program.";
    ZIP_OVERLAP = "ZP-105", ValidationFailed, "Entries of the archive share bytes.", "Write the archive anew with another program.";
    ZIP_HIDDEN_BYTES = "ZP-106", ValidationFailed, "The archive has bytes that belong to no entry.", "Write the archive anew, with nothing before, between or behind its entries.";
    ZIP_LINK = "ZP-107", ValidationFailed, "An entry is a link or a special file.", "Put the file itself into the archive.";
    ZIP_UNSAFE_NAME = "ZP-108", ValidationFailed, "An entry's name is not safe to unpack.", "Use plain relative names with / between folders.";
    ZIP_NAME_NOT_UTF8 = "ZP-109", ValidationFailed, "An entry's name is not in UTF-8.", "Have the job that writes the archive write names in UTF-8.";
    ZIP_REPEATED_NAME = "ZP-110", ValidationFailed, "Two entries have the same name.", "Give each file its own name; upper and lower case are not told apart.";
    ZIP_NAME_TOO_LONG = "ZP-111", ValidationFailed, "An entry's name is too long.", "Use shorter names.";
    ZIP_ENCRYPTED = "ZP-112", ValidationFailed, "The manifest or the list of recipients is encrypted.", "Leave these two files unencrypted.";
    ZIP_METHOD = "ZP-113", ValidationFailed, "The manifest or the list of recipients is compressed in a way that is not supported.", "Store these two files, or compress them with deflate.";
    ZIP_CONTENT_DAMAGED = "ZP-114", ValidationFailed, "A file in the archive cannot be unpacked.", "Write the archive anew and drop it again.";
    ZIP_TOO_MANY_ENTRIES = "ZP-201", Rejected, "The archive has too many entries.", "Split it, or ask the operator to raise the limit.";
    ZIP_TOO_LARGE_UNPACKED = "ZP-202", Rejected, "The archive would be too large unpacked.", "Split it, or ask the operator to raise the limit.";
    ZIP_ENTRY_RATIO = "ZP-203", Rejected, "An entry would be too many times as large unpacked.", "Check the file, or ask the operator to raise the limit.";
    ZIP_TOTAL_RATIO = "ZP-204", Rejected, "The archive would be too many times as large unpacked.", "Check its files, or ask the operator to raise the limit.";
    ZIP_NESTED = "ZP-205", Rejected, "Archives lie too deep inside the archive.", "Put the files themselves into the archive.";
    ZIP_SCATTERED = "ZP-206", Rejected, "The archive's directory is too far from the order of its entries.", "Write the archive anew with another program.";
    ZIP_CONTROL_FILE_TOO_LARGE = "ZP-207", Rejected, "The manifest or the list of recipients is too large.", "Split the shipment.";
    ZIP_LISTS_TOO_LONG = "ZP-208", Rejected, "The manifest lists more files or properties than are taken.", "Shorten FileList or PropertyList.";
    NO_MANIFEST = "ZP-301", ValidationFailed, "The archive has no manifest.xml.", "Put manifest.xml at the top of the archive.";
    NO_RECIPIENTS = "ZP-302", ValidationFailed, "The archive has no recipients.xml.", "Put recipients.xml at the top of the archive.";
    LISTED_FILE_MISSING = "ZP-303", ValidationFailed, "A file that the manifest lists is not in the archive.", "Put the file in, or take it out of FileList.";
    LISTED_TWICE = "ZP-304", ValidationFailed, "The manifest lists a file twice.", "List each file once.";
    CHECKSUM_WRONG = "ZP-305", ValidationFailed, "A file's checksum is not the one in the manifest.", "Write the manifest after the files, or drop the archive again if it was changed on the way.";
    CHECKSUM_NOT_CHECKED = "ZP-306", Ok, "A checksum in the manifest could not be checked.", "Nothing; to have it checked, give MD5, SHA-1 or SHA-256 as hexadecimal digits or base64.";
    CHECKSUM_UNKNOWN = "ZP-307", ValidationFailed, "A checksum in the manifest could not be checked, and the route demands it.", "Give MD5, SHA-1 or SHA-256 as hexadecimal digits or base64, of a file that is not encrypted.";
    // The route.
    NO_ROUTE = "RT-101", Rejected, "No route takes this format in this directory.", "Check the directory and the format, or ask the operator for a route.";
    UNKNOWN_SERVICE = "RT-102", Rejected, "The route does not know this service code and edition.", "Check ExternalServiceCode and ExternalServiceEditionCode, or ask the operator to add it.";
    IGNORED_SERVICE = "RT-103", Ok, "The route ignores this service code.", "Nothing.";
    NO_RECEIVER_FOR_KIND = "RT-104", Rejected, "The route's receiver does not take this kind of item.", "Send such items on a route whose receiver takes them.";
    UNKNOWN_DATA_FORMAT = "RT-105", Rejected, "The route does not know this DataFormatId and version.", "Check the form's ids, or ask the operator to add them.";
    NO_ATTACHMENTS_TAKEN = "RT-106", Rejected, "The service takes no attachments.", "Leave the attachments out, or ask the operator to name a data type for them.";
    SENDER_NOT_AUTHORISED = "RT-201", Rejected, "The sender may not send for this service.", "Ask the service's owner for the right to write.";
    RECIPIENT_NOT_AUTHORISED = "RT-202", Rejected, "The recipient may not receive for this service.", "Leave the recipient out, or ask the service's owner for the right to read.";
    RECIPIENT_NOT_FOR_SENDER = "RT-203", Rejected, "The sender may not send to this recipient.", "Leave the recipient out, or ask the service's owner.";
    // Forwarding.
    DELIVERED = "FW-000", Ok, "The receiver has it.", "Nothing.";
    PARTS_DROPPED = "FW-101", Ok, "Parts of the message have no place in Altinn 3.", "Nothing, if they can be done without.";
    HTML_SIMPLIFIED = "FW-102", Ok, "The message's HTML lost some of its form.", "Nothing, if it can be done without; or attach the message as a file.";
    HTML_ATTACHED = "FW-103", Ok, "The message's text is too long for Altinn 3, or its HTML hides it; it is attached in full.", "Nothing; or write shorter messages, and end every element.";
    ATTACHMENT_PACKED = "FW-104", Ok, "An attachment of a type that Altinn 3 does not take went as a ZIP archive.", "Nothing.";
    NOTIFICATION_GENERAL = "FW-105", Ok, "The notification has Altinn's own text, since there is no template for its type and language.", "Ask the operator for a template.";
    NOTIFICATION_NOT_ORDERED = "FW-106", Ok, "The message is sent, and a notification beside it could not be ordered.", "Check the recipient's address, or tell him in another way.";
    KEPT_FOR_DAY = "FW-151", Ok, "The form set is kept, and becomes an instance on its first day.", "Nothing; a supplement follows.";
    KEPT_FOR_SUBSCRIPTION = "FW-152", Ok, "The form set is kept, and becomes an instance when a subscription comes round.", "See that the subscription is there, with the same identifying fields.";
    KEPT_FOR_APP = "FW-153", Ok, "The form set is kept, and given to the app when it asks for it.", "Nothing.";
    FIELD_KEPT = "FW-154", Ok, "The field is kept, and put into the reportee's next forms.", "Nothing.";
    FIELD_UNUSED = "FW-155", Ok, "The field is kept, and no form of the route has a place for it.", "Ask the operator to name one, or leave the field out.";
    SUBSCRIPTION_KEPT = "FW-156", Ok, "The subscription is in force.", "Nothing; a supplement follows each time it comes round.";
    SUBSCRIPTION_OVER = "FW-157", Ok, "The subscription is over already: it has no date left.", "Check ExpirationDate and NextScheduledDate.";
    NOT_DRIVEN = "FW-158", Ok, "The instance was made, and the app did not let it go on as far as it should.", "Ask the operator.";
    NOT_VALID_IN_APP = "FW-159", Ok, "The instance was made and was not driven on, since the app finds errors in it.", "Check the form's content against the service's new model.";
    PUT_INTO_INSTANCE = "FW-160", Ok, "It has taken the place of an earlier form set in an instance that was there.", "Nothing.";
    OUTDATED = "FW-161", Ok, "A form set of a later shipment is in its instance already, and stays there.", "Nothing.";
    RECEIVER_REFUSED = "FW-201", Rejected, "The receiver refused the item.", "Check the form's content against the service's new model.";
    REPORTEE_UNKNOWN = "FW-202", Rejected, "The receiver does not know the reportee.", "Check the number.";
    RECEIVER_CONFLICT = "FW-203", Rejected, "The receiver says the item conflicts with one it has.", "Ask the operator.";
    PAYLOAD_TOO_LARGE = "FW-204", Rejected, "The item is larger than the receiver takes.", "Make the attachments smaller.";
    BATCH_NOT_VALID = "FW-205", Rejected, "The batch that the item was to go in would not be valid.", "Nothing of it was sent: drop the rest file, or ask the operator.";
    CANCELLED = "FW-206", Rejected, "The operator cancelled the shipment before it was sent.", "Ask the operator; drop it again if it is to be sent.";
    RECIPIENT_RESERVED = "FW-207", Rejected, "The recipient takes nothing in digital form.", "Send it by other means.";
    NO_READER = "FW-208", Rejected, "Nobody at the recipient may read it.", "Send it by other means, or ask the recipient to fill the role.";
    MESSAGE_TEXT_LENGTH = "FW-209", Rejected, "A text of the message is longer than Altinn 3 takes, or missing.", "Write a title and a summary of at most 255 characters.";
    DUE_DATE_PAST = "FW-210", Rejected, "The message's due date is past.", "Give a later due date.";
    ATTACHMENT_TYPE = "FW-211", Rejected, "An attachment is of a type that Altinn 3 does not take.", "Send it as PDF, or in a ZIP archive.";
    ATTACHMENT_REFUSED = "FW-212", Rejected, "The receiver found malware in an attachment, or could not take it in.", "Clean the file where it comes from, and send the item again.";
    NOTIFICATION_UNKNOWN = "FW-213", Rejected, "The message's notification is of a kind the route does not know.", "Check TransportType and NotificationType, or ask the operator for a template.";
    MESSAGE_TIME = "FW-214", Rejected, "A time of the message is none that Altinn 3 could have.", "Give times between the years 1 and 9999.";
    ORGANISATIONS_ONLY = "FW-221", Rejected, "Altinn 3 Broker brings files from organisations to organisations only, and this is a person.", "Send it to the person by other means.";
    PROPERTIES_DO_NOT_FIT = "FW-222", Rejected, "The manifest's properties are more, or longer, than Altinn 3 takes.", "Give at most 10 properties, each once, with keys of up to 50 and values of up to 3000 characters.";
    NO_SINGLE_PAYLOAD = "FW-223", Rejected, "The service sends the file in the archive alone, and there is not exactly one that can be unpacked.", "Put one file beside manifest.xml and recipients.xml, stored or deflated and not encrypted.";
    TRANSFER_FAILED = "FW-224", Rejected, "Altinn could not take the file in; it may hold malware.", "Check the file where it comes from, and send it again under a new reference.";
    REPEAT_REFUSED = "FW-230", Rejected Perhaps, "The receiver refused the item when it was sent again after an attempt without a clear answer: it may have it.", "Ask the receiver by its reference before you drop the item again.";
    PARTLY_DELIVERED = "FW-231", Rejected Perhaps, "The receiver refused the item for one of its recipients, and others have it.", "Send it to that recipient alone, in an item of its own.";
    VALIDITY_OVER = "FW-251", Rejected, "The last day of what is prefilled is past.", "Give a later ValidTo.";
    SUBSCRIPTION_TERMS = "FW-252", Rejected, "The subscription's period or one of its dates cannot be read.", "Use one of the periods the format has, and dates of the calendar.";
    FORM_NOT_FILLED = "FW-253", Rejected, "Fields and elements have places in the form, and the form is no XML document.", "Send forms that are not encrypted.";
    INSTANCE_IN_USE = "FW-254", Rejected, "The instance of the earlier form set is in use, or gone, and is left as it is.", "Ask the reportee, or send it under other identifying fields.";
    INSTANCE_IN_DOUBT = "FW-255", Rejected Perhaps, "The instance of the earlier form set came into use while this one was put there: nobody can tell which of them it holds.", "Ask the reportee before you send it again.";
    UNREACHABLE = "FW-301", UnExpectedError Nothing, "The receiver could not be reached.", "Nothing; it is tried again until the time limit.";
    THROTTLED = "FW-302", UnExpectedError, "The receiver asked for patience.", "Nothing; it is tried again.";
    RECEIVER_FAULT = "FW-303", UnExpectedError, "The receiver failed while handling the item.", "Nothing; it is looked up, then tried again.";
    OUTCOME_UNKNOWN = "FW-304", UnExpectedError, "The receiver's answer did not arrive.", "Nothing; it is looked up, then tried again.";
    RECEIVER_DOWN = "FW-310", UnExpectedError, "The receiver says that it is down.", "Nothing; it is tried again, before anything else that goes there.";
    CREDENTIALS_REFUSED = "FW-401", UnExpectedError, "The receiver does not accept our credentials.", "Nothing; the operator has been told.";
    NOT_PERMITTED = "FW-402", UnExpectedError, "The receiver does not let us do this.", "Nothing; the operator has been told.";
    TOKEN_REFUSED = "FW-403", UnExpectedError, "Maskinporten does not give us a token.", "Nothing; the operator has been told.";
    CLOCK_OFF = "FW-404", UnExpectedError, "Our clock differs too much from the token service's.", "Nothing; the operator has been told.";
    RECEIVER_NOT_KNOWN = "FW-405", UnExpectedError, "The receiver's server shows another key than the one that is known.", "Nothing; the operator has been told.";
    // Late news.
    READ = "LN-001", Ok, "It was read.", "Nothing.";
    CONFIRMED = "LN-002", Ok, "Its reading was confirmed.", "Nothing.";
    DOWNLOADED = "LN-003", Ok, "It was downloaded.", "Nothing.";
    DELIVERED_LATE = "LN-004", Ok, "It was sent again, and the receiver has it.", "Nothing; do not drop it again.";
    PUBLISHED = "LN-005", Ok, "The recipient can see it.", "Nothing.";
    INSTANTIATED = "LN-021", Ok, "It was kept until now, and has become an instance.", "Nothing.";
    REPLACED = "LN-022", Ok, "It was kept, and a later one has taken its place.", "Nothing.";
    OVERWRITTEN = "LN-023", Ok, "A later form set has taken its place in its instance.", "Nothing.";
    PUBLISH_FAILED = "LN-201", UnExpectedError, "The receiver took it, and could not make it visible afterwards.", "Ask the receiver, or send the item again under a new reference.";
    MALWARE_FOUND = "LN-202", Rejected, "The receiver found malware in it afterwards.", "Clean the file where it comes from, and send the item again under a new reference.";
    RESERVED_LATE = "LN-203", Rejected, "The recipient takes nothing in digital form.", "Send it by other means.";
    EXPIRED = "LN-204", Rejected, "It was removed before the recipient downloaded it.", "Ask the recipient, and send it again under a new reference.";
    NOT_INSTANTIATED = "LN-221", UnExpectedError, "It was kept until now, and could not become an instance.", "Ask the operator, or send it again under a new reference.";
    LAPSED = "LN-222", Rejected, "It was kept, and its last day has passed without it being used.", "Send it again with a later ValidTo if it is still wanted.";
    DELETED_UNUSED = "LN-223", Rejected, "Its last day has passed, and its instance was deleted: nobody had touched it.", "Send it again with a later ValidTo if it is still wanted.";
    NOT_DELETED = "LN-224", UnExpectedError, "Its last day has passed, and its instance could not be deleted.", "Ask the operator.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_case_is_explained_once() {
        assert_eq!(explain(EMPTY_FILE, ""), "The file is empty.");
        assert_eq!(explain(EMPTY_FILE, "The file is empty."), "The file is empty.");
        assert_eq!(explain(EMPTY_FILE, "0 bytes"), "The file is empty: 0 bytes");
    }

    #[test]
    fn what_may_be_at_its_receiver_is_not_taken_for_a_refusal() {
        for code in [REPEAT_REFUSED, PARTLY_DELIVERED, INSTANCE_IN_DOUBT] {
            assert_eq!((status(code), effect(code)), (ReceiptStatus::Rejected, Effect::Perhaps), "{code}");
        }
        for code in [OUTCOME_UNKNOWN, RECEIVER_FAULT, RECEIVER_DOWN, STAGED_UNREADABLE, Code("FW-999")] {
            assert_eq!(effect(code), Effect::Perhaps, "{code}");
        }
        for code in [UNREACHABLE, RECEIVER_REFUSED, CANCELLED, INSTANCE_IN_USE, BAD_VALUE] {
            assert_eq!(effect(code), Effect::Nothing, "{code}");
        }
    }

    #[test]
    fn the_page_on_receipts_tells_of_all_late_news() {
        let page = include_str!("../docs/receipts.md");
        let table = page.split("## News after the final receipt").nth(1).unwrap().split("\n## ").next().unwrap();
        let told: Vec<_> = table.lines().filter_map(|line| line.split("| `").nth(1)?.strip_suffix("` |")).collect();
        let mut made = LateEvent::ALL.map(|event| late(event).0);
        made.sort_unstable();
        assert_eq!(told, made);
    }

    #[test]
    fn codes_are_unique_and_shaped_alike() {
        let mut seen = HashSet::new();
        for row in TABLE {
            assert!(seen.insert(row.code), "{} twice", row.code);
            let (room, number) = row.code.0.split_once('-').unwrap();
            assert!(room.len() == 2 && number.len() == 3 && number.parse::<u16>().is_ok(), "{}", row.code);
            assert_eq!(by_name(row.code.0), Some(row.code));
        }
    }
}
