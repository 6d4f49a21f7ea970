//! What people read, in bokmål, nynorsk and English: one table of texts, one of codes.

mod codes;

use crate::codes::{self as table};
use crate::model::{Code, Language, ReceiptKind, ReceiptStatus};

/// A text in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
}

impl Text {
    /// The text in a language.
    pub fn of(&self, language: Language) -> &'static str {
        match language {
            Language::Nb => self.nb,
            Language::Nn => self.nn,
            Language::En => self.en,
        }
    }
}

/// What a code means.
pub fn title(code: Code, language: Language) -> &'static str {
    match (codes::row(code), language) {
        (Some(row), Language::Nb) => row.nb.0,
        (Some(row), Language::Nn) => row.nn.0,
        // English is the code table's own; the tests see to it that the others have every code.
        (_, Language::En) | (None, _) => table::row(code).map_or("", |row| row.title),
    }
}

/// What the sender should do about a code.
pub fn action(code: Code, language: Language) -> &'static str {
    match (codes::row(code), language) {
        (Some(row), Language::Nb) => row.nb.1,
        (Some(row), Language::Nn) => row.nn.1,
        (_, Language::En) | (None, _) => table::row(code).map_or("", |row| row.action),
    }
}

/// What a receipt says in one line.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Which receipt.
    pub kind: ReceiptKind,
    /// Of the whole.
    pub status: ReceiptStatus,
    /// The shipment is refused as a whole.
    pub is_refused: bool,
    /// Nothing was sent.
    pub preflight: bool,
    /// Items delivered.
    pub delivered: u64,
}

/// The heading of a receipt.
pub fn heading(outcome: Outcome) -> Text {
    match (outcome.kind, outcome.status) {
        (ReceiptKind::Accepted, _) => IS_RECEIVED,
        (ReceiptKind::Supplement(_), ReceiptStatus::Ok) => GOOD_NEWS,
        (ReceiptKind::Supplement(_), _) => BAD_NEWS,
        (_, ReceiptStatus::Ok) if outcome.preflight => REHEARSED_WELL,
        (_, ReceiptStatus::Ok) => ALL_WELL,
        _ if outcome.is_refused => REFUSED,
        _ if outcome.preflight => REHEARSED_PARTLY,
        _ if outcome.delivered > 0 => PARTLY,
        _ => NOTHING,
    }
}

/// A status in words.
pub fn status(status: ReceiptStatus) -> Text {
    match status {
        ReceiptStatus::Ok => STATUS_OK,
        ReceiptStatus::ValidationFailed => STATUS_INVALID,
        ReceiptStatus::Rejected => STATUS_REJECTED,
        ReceiptStatus::UnExpectedError => STATUS_ERROR,
    }
}

macro_rules! texts {
    ($($name:ident = $nb:literal, $nn:literal, $en:literal;)*) => {
        $(#[doc = $en] pub const $name: Text = Text { nb: $nb, nn: $nn, en: $en };)*

        /// Every text.
        pub const TEXTS: &[(&str, Text)] = &[$((stringify!($name), $name)),*];
    };
}

texts! {
    RECEIPT = "Kvittering", "Kvittering", "Receipt";
    SUPPLEMENT = "Tilleggskvittering", "Tilleggskvittering", "Supplement";
    ALL_WELL = "Alt er levert", "Alt er levert", "Everything was delivered";
    REHEARSED_WELL = "Prøven gikk bra; ingenting er sendt", "Prøva gjekk bra; ingenting er sendt", "The rehearsal went well; nothing was sent";
    PARTLY = "Noe er ikke levert", "Noko er ikkje levert", "Some items were not delivered";
    REHEARSED_PARTLY = "Prøven fant feil; ingenting er sendt", "Prøva fann feil; ingenting er sendt", "The rehearsal found errors; nothing was sent";
    NOTHING = "Ingenting er levert", "Ingenting er levert", "Nothing was delivered";
    REFUSED = "Forsendelsen er avvist", "Forsendinga er avvist", "The shipment was refused";
    IS_RECEIVED = "Filen er mottatt", "Fila er motteken", "The file is received";
    GOOD_NEWS = "Nytt om forsendelsen", "Nytt om forsendinga", "News of the shipment";
    BAD_NEWS = "Noe gikk galt etter leveringen", "Noko gjekk gale etter leveringa", "Something went wrong after delivery";
    REHEARSAL = "Dette er en prøve: filen lå i testmappen.", "Dette er ei prøve: fila låg i testmappa.", "This is a rehearsal: the file was dropped in the test directory.";
    WHAT_TO_DO = "Hva du gjør", "Kva du gjer", "What to do";
    MEND_REST = "Rett elementene i restfilen og legg den inn på nytt:", "Rett elementa i restfila og legg ho inn på nytt:", "Correct the items in the rest file and drop it again:";
    THE_FILE = "Filen", "Fila", "The file";
    FILE_NAME = "Navn", "Namn", "Name";
    DIRECTORY = "Mappe", "Mappe", "Directory";
    SIZE = "Størrelse", "Storleik", "Size";
    BYTES = "byte", "byte", "bytes";
    RECEIVED = "Mottatt", "Motteken", "Received";
    WRITTEN = "Kvittering skrevet", "Kvittering skriven", "Receipt written";
    SHIPMENT_ID = "Forsendelsens id", "Id-en til forsendinga", "Shipment id";
    REFERENCE = "Referanse", "Referanse", "Reference";
    SHA256 = "SHA-256", "SHA-256", "SHA-256";
    COUNTS = "Antall", "Tal", "Counts";
    ITEMS = "Elementer", "Element", "Items";
    DELIVERED = "Levert", "Levert", "Delivered";
    WOULD_BE_SENT = "Ville blitt sendt", "Ville blitt sende", "Would have been sent";
    REFUSED_ITEMS = "Avvist", "Avvist", "Refused";
    IGNORED = "Utelatt med vilje", "Utelatne med vilje", "Left out on purpose";
    FAILED = "Ikke levert", "Ikkje levert", "Not delivered";
    FINDINGS = "Feil funnet", "Feil funne", "Errors found";
    OUTCOMES = "Hvordan det gikk", "Korleis det gjekk", "What became of the items";
    RECEIVERS = "Mottakere", "Mottakarar", "Receivers";
    RECEIVER = "Mottaker", "Mottakar", "Receiver";
    CODE = "Kode", "Kode", "Code";
    NUMBER_OF = "Antall", "Tal på", "Count";
    MEANING = "Betydning", "Tyding", "Meaning";
    ERRORS = "Feil i filen", "Feil i fila", "Errors in the file";
    TIMES = "ganger", "gonger", "times";
    ONCE = "én gang", "éin gong", "once";
    DETAIL = "Nærmere", "Nærare", "In detail";
    PATH = "Sted i filen", "Stad i fila", "Path";
    RULE = "Regel", "Regel", "Rule";
    PLACES = "Steder (linje:kolonne)", "Stader (linje:kolonne)", "Places (line:column)";
    FIRST_PLACES = "De første stedene (linje:kolonne)", "Dei første stadene (linje:kolonne)", "The first places (line:column)";
    OTHER_ERRORS = "I tillegg finnes det feil av andre slag:", "I tillegg finst det feil av andre slag:", "There are also errors of other kinds:";
    ITEM_LIST = "Elementene", "Elementa", "The items";
    TROUBLED_LIST = "Elementene som ikke ble levert", "Elementa som ikkje vart leverte", "The items that were not delivered";
    NUMBER = "Nr.", "Nr.", "No.";
    STATUS = "Status", "Status", "Status";
    LINE = "Linje", "Linje", "Line";
    RECEIVERS_ID = "Mottakerens id", "Id-en til mottakaren", "Receiver's id";
    MORE_ITEMS = "Flere elementer enn disse vises ikke her; XML-kvitteringen har alle.", "Fleire element enn desse er ikkje viste her; XML-kvitteringa har alle.", "More items than these are not shown here; the XML receipt has all of them.";
    WHEN = "Når", "Når", "When";
    NEWS = "Hva som har skjedd", "Kva som har hendt", "What happened";
    CAN_PRINT = "Siden gjengir XML-kvitteringen ved siden av, som er den som gjelder.", "Sida gjev att XML-kvitteringa ved sida av, som er den som gjeld.", "This page shows the XML receipt beside it, which is the one that counts.";
    STATUS_OK = "I orden", "I orden", "OK";
    STATUS_INVALID = "Ugyldig innhold", "Ugyldig innhald", "Invalid content";
    STATUS_REJECTED = "Avvist", "Avvist", "Rejected";
    STATUS_ERROR = "Teknisk feil", "Teknisk feil", "Unexpected error";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_every_language() {
        for (name, text) in TEXTS {
            for language in Language::ALL {
                assert!(!text.of(language).trim().is_empty(), "{name} in {language:?}");
            }
        }
    }

    #[test]
    fn every_code_is_there_in_every_language_in_whole_sentences() {
        for row in table::TABLE {
            for language in Language::ALL {
                for text in [title(row.code, language), action(row.code, language)] {
                    assert!(text.ends_with('.') && text.len() > 5, "{} in {language:?}: {text:?}", row.code);
                }
            }
            let own = codes::row(row.code).unwrap_or_else(|| panic!("{} has no translation", row.code));
            assert_ne!(own.nb.0, row.title, "{} is not translated", row.code);
        }
    }

    #[test]
    fn no_code_is_translated_twice_or_for_nothing() {
        let mut seen = std::collections::HashSet::new();
        for row in codes::TABLE {
            assert!(seen.insert(row.code) && table::row(row.code).is_some(), "{}", row.code);
        }
    }
}
