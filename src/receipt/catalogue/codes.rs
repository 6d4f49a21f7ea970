//! Titles and advice of the receipt codes in bokmål and nynorsk; English is in the code table itself.

use crate::codes::*;
use crate::model::Code;

/// A code's texts: title and what to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) code: Code,
    pub(super) nb: (&'static str, &'static str),
    pub(super) nn: (&'static str, &'static str),
}

/// The row of a code.
pub(super) fn row(code: Code) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code == code)
}

macro_rules! rows {
    ($($code:ident: $nb:literal, $nb_action:literal; $nn:literal, $nn_action:literal;)*) => {
        /// Every code.
        pub(super) const TABLE: &[Row] =
            &[$(Row { code: $code, nb: ($nb, $nb_action), nn: ($nn, $nn_action) },)*];
    };
}

rows! {
    // The file as received.
    RECEIVED: "Filen er mottatt og tatt vare på.", "Ingenting; en endelig kvittering følger.";
        "Fila er motteken og teken vare på.", "Ingenting; ei endeleg kvittering følgjer.";
    PREFLIGHT: "Vurdert i testmappen; ingenting er sendt.", "Legg filen i innboksen for å få den sendt.";
        "Vurdert i testmappa; ingenting er sendt.", "Legg fila i innboksen for å få henne send.";
    EMPTY_FILE: "Filen er tom.", "Se på jobben som skriver filen, og legg den inn på nytt.";
        "Fila er tom.", "Sjå på jobben som skriv fila, og legg ho inn på nytt.";
    FILE_TOO_LARGE: "Filen er større enn ruten tar imot.", "Del opp forsendelsen, eller be driften heve grensen.";
        "Fila er større enn ruta tek imot.", "Del opp forsendinga, eller be drifta heve grensa.";
    CHECKSUM_DIFFERS: "Filen er ikke den som sjekksummen gjelder.", "Skriv filen og sjekksummen på nytt, og legg inn begge igjen.";
        "Fila er ikkje den som sjekksummen gjeld.", "Skriv fila og sjekksummen på nytt, og legg inn begge igjen.";
    STAGED_UNREADABLE: "Vår kopi av filen kan ikke leses.", "Ingenting; driften har fått beskjed.";
        "Kopien vår av fila kan ikkje lesast.", "Ingenting; drifta har fått beskjed.";
    // XML.
    NOT_XML: "Filen begynner ikke som et XML-dokument.", "Sjekk at det er riktig fil, og at den ikke er pakket eller kryptert.";
        "Fila byrjar ikkje som eit XML-dokument.", "Sjekk at det er rett fil, og at ho ikkje er pakka eller kryptert.";
    NOT_WELL_FORMED: "XML-en er ikke velformet.", "Rett stedet som er nevnt, og legg filen inn på nytt.";
        "XML-en er ikkje velforma.", "Rett staden som er nemnd, og legg fila inn på nytt.";
    TRUNCATED: "Filen slutter før rotelementet gjør det.", "Filen er kuttet; skriv den på nytt og legg den inn igjen.";
        "Fila sluttar før rotelementet gjer det.", "Fila er kutta; skriv ho på nytt og legg ho inn att.";
    BAD_ENCODING: "Bytene passer ikke med tegnkodingen.", "Skriv filen i tegnkodingen som XML-deklarasjonen nevner.";
        "Bytane passar ikkje med teiknkodinga.", "Skriv fila i teiknkodinga som XML-deklarasjonen nemner.";
    UNSUPPORTED_ENCODING: "Tegnkodingen støttes ikke.", "Skriv filen i UTF-8, eller i UTF-16, ISO-8859-1, ISO-8859-15, windows-1252 eller US-ASCII.";
        "Teiknkodinga er ikkje støtta.", "Skriv fila i UTF-8, eller i UTF-16, ISO-8859-1, ISO-8859-15, windows-1252 eller US-ASCII.";
    DTD_REFUSED: "Filen har en DOCTYPE, som aldri godtas.", "Ta bort DOCTYPE og entitetene i den.";
        "Fila har ein DOCTYPE, som aldri vert godteken.", "Ta bort DOCTYPE og entitetane i han.";
    UNDECLARED_PREFIX: "Et navneromsprefiks er ikke deklarert.", "Deklarer prefikset, eller ta det bort.";
        "Eit namneromsprefiks er ikkje deklarert.", "Deklarer prefikset, eller ta det bort.";
    ENCODING_CONTRADICTED: "XML-deklarasjonen nevner en annen tegnkoding enn filen er i.", "La jobben som skriver filen, deklarere tegnkodingen den skriver.";
        "XML-deklarasjonen nemner ei anna teiknkoding enn fila er i.", "La jobben som skriv fila, deklarere teiknkodinga han skriv.";
    TOO_DEEP: "Elementer ligger for dypt i hverandre.", "Se på jobben som skriver filen.";
        "Element ligg for djupt i kvarandre.", "Sjå på jobben som skriv fila.";
    TAG_TOO_LONG: "En tagg er for lang.", "Se på jobben som skriver filen.";
        "Ein tagg er for lang.", "Sjå på jobben som skriv fila.";
    TOO_MANY_ATTRIBUTES: "Et element har for mange attributter.", "Se på jobben som skriver filen.";
        "Eit element har for mange attributt.", "Sjå på jobben som skriv fila.";
    NAME_TOO_LONG: "Et navn er for langt.", "Se på jobben som skriver filen.";
        "Eit namn er for langt.", "Sjå på jobben som skriv fila.";
    ATTRIBUTE_TOO_LONG: "Verdien til et attributt er for lang.", "Se på jobben som skriver filen.";
        "Verdien til eit attributt er for lang.", "Sjå på jobben som skriv fila.";
    TOO_MANY_NAMESPACES: "For mange navneromsdeklarasjoner gjelder samtidig.", "Se på jobben som skriver filen.";
        "For mange namneromsdeklarasjonar gjeld samstundes.", "Sjå på jobben som skriv fila.";
    DECLARATION_TOO_LONG: "XML-deklarasjonen er for lang.", "Se på jobben som skriver filen.";
        "XML-deklarasjonen er for lang.", "Sjå på jobben som skriv fila.";
    // The schema.
    UNKNOWN_ROOT: "Rotelementet er ikke et av formatets.", "Sjekk at filen er i det avtalte formatet og navnerommet.";
        "Rotelementet er ikkje eitt av dei i formatet.", "Sjekk at fila er i det avtalte formatet og namnerommet.";
    UNEXPECTED_ELEMENT: "Et element står der det ikke kan stå.", "Sammenlign elementenes rekkefølge og navn med formatet.";
        "Eit element står der det ikkje kan stå.", "Jamfør rekkjefølgja og namna på elementa med formatet.";
    MISSING_ELEMENT: "Et påkrevd element mangler.", "Legg til elementet som er nevnt.";
        "Eit påkravd element manglar.", "Legg til elementet som er nemnt.";
    UNEXPECTED_ATTRIBUTE: "Et attributt er ikke tillatt her.", "Ta bort attributtet som er nevnt.";
        "Eit attributt er ikkje tillate her.", "Ta bort attributtet som er nemnt.";
    MISSING_ATTRIBUTE: "Et påkrevd attributt mangler.", "Legg til attributtet som er nevnt.";
        "Eit påkravd attributt manglar.", "Legg til attributtet som er nemnt.";
    UNEXPECTED_TEXT: "Det står tekst der bare elementer kan stå.", "Ta bort teksten.";
        "Det står tekst der berre element kan stå.", "Ta bort teksten.";
    BAD_VALUE: "En verdi er ikke av sin type.", "Skriv verdien slik typen krever, for eksempel 2026-01-31 for en dato.";
        "Ein verdi er ikkje av typen sin.", "Skriv verdien slik typen krev, til dømes 2026-01-31 for ein dato.";
    BAD_LENGTH: "En verdi er for kort eller for lang.", "Hold lengden som er nevnt.";
        "Ein verdi er for kort eller for lang.", "Hald lengda som er nemnd.";
    NOT_IN_LIST: "En verdi er ikke en av de tillatte.", "Bruk en av verdiene som formatet lister opp.";
        "Ein verdi er ikkje ein av dei tillatne.", "Bruk ein av verdiane som formatet listar opp.";
    OUT_OF_RANGE: "Et tall eller en dato er utenfor sitt område.", "Hold deg innenfor området som er nevnt.";
        "Eit tal eller ein dato er utanfor området sitt.", "Hald deg innanfor området som er nemnt.";
    BAD_PATTERN: "En verdi passer ikke med mønsteret.", "Skriv verdien i formen som er nevnt.";
        "Ein verdi passar ikkje med mønsteret.", "Skriv verdien i forma som er nemnd.";
    BAD_NIL: "xsi:nil er brukt galt.", "Ta bort xsi:nil, eller la elementet være tomt.";
        "xsi:nil er brukt gale.", "Ta bort xsi:nil, eller lat elementet vere tomt.";
    DUPLICATE_KEY: "En verdi som skal være entydig, finnes to ganger.", "Gi hver sin egen verdi.";
        "Ein verdi som skal vere eintydig, finst to gonger.", "Gje kvar sin eigen verdi.";
    MISSING_KEY: "En del av en nøkkel mangler.", "Legg til delen som er nevnt.";
        "Ein del av ein nøkkel manglar.", "Legg til delen som er nemnd.";
    UNKNOWN_KEY: "En referanse fører ikke til noe i filen.", "Legg til det den viser til, eller rett referansen.";
        "Ein referanse fører ikkje til noko i fila.", "Legg til det han viser til, eller rett referansen.";
    SCHEMA_OTHER: "En regel i skjemaet er brutt.", "Se regelen som er nevnt.";
        "Ein regel i skjemaet er broten.", "Sjå regelen som er nemnd.";
    TOO_MANY_KEYS: "Det er flere nøkler enn vi kan sammenligne.", "Del opp filen.";
        "Det er fleire nøklar enn vi kan jamføre.", "Del opp fila.";
    // The format's rules.
    BAD_REPORTEE_FORM: "Avgiveren er verken elleve eller ni siffer.", "Oppgi et fødselsnummer, et D-nummer eller et organisasjonsnummer.";
        "Avgjevaren er verken elleve eller ni siffer.", "Oppgje eit fødselsnummer, eit D-nummer eller eit organisasjonsnummer.";
    BAD_PERSON_NUMBER: "Kontrollsifrene i fødselsnummeret er feil.", "Rett nummeret.";
        "Kontrollsiffera i fødselsnummeret er feil.", "Rett nummeret.";
    BAD_ORGANISATION_NUMBER: "Kontrollsifferet i organisasjonsnummeret er feil.", "Rett nummeret.";
        "Kontrollsifferet i organisasjonsnummeret er feil.", "Rett nummeret.";
    NO_REFERENCE: "En påkrevd referanse er tom.", "Gi hvert element en egen referanse.";
        "Ein påkravd referanse er tom.", "Gje kvart element ein eigen referanse.";
    REPEATED_ITEM: "Et tidligere element i samme fil har samme referanse.", "Gi hvert element en egen referanse.";
        "Eit tidlegare element i same fil har same referanse.", "Gje kvart element ein eigen referanse.";
    VALIDITY_REVERSED: "ValidTo ligger før ValidFrom.", "Rett datoene.";
        "ValidTo ligg før ValidFrom.", "Rett datoane.";
    REFERENCE_TOO_LONG: "En referanse er for lang.", "Hold referanser innenfor 256 tegn.";
        "Ein referanse er for lang.", "Hald referansar innanfor 256 teikn.";
    ITEM_TOO_LARGE: "Elementet har flere skjemaer, vedlegg eller mer tekst enn ett element kan ha.", "Del det opp i flere elementer.";
        "Elementet har fleire skjema, vedlegg eller meir tekst enn eitt element kan ha.", "Del det opp i fleire element.";
    NO_PARENT: "Et skjema viser til et overordnet skjema som ikke er i elementet.", "Rett ParentReference, eller utelat den for hovedskjemaet.";
        "Eit skjema viser til eit overordna skjema som ikkje er i elementet.", "Rett ParentReference, eller utelat han for hovudskjemaet.";
    FORM_DATA_NOT_XML: "Dataene i et skjema er ikke velformet XML.", "Rett dataene i skjemaet, og skriv dem som CDATA eller med tegnene erstattet én gang.";
        "Dataa i eit skjema er ikkje velforma XML.", "Rett dataa i skjemaet, og skriv dei som CDATA eller med teikna bytte ut éin gong.";
    FORM_DATA_BREAKS_SCHEMA: "Dataene i et skjema bryter med sitt XML-skjema.", "Rett dataene etter XML-skjemaet for DataFormatId og DataFormatVersion.";
        "Dataa i eit skjema bryt med sitt XML-skjema.", "Rett dataa etter XML-skjemaet for DataFormatId og DataFormatVersion.";
    REPEATED_SHIPMENT: "En forsendelse med denne referansen er godtatt før.", "Er dette en ny forsendelse, så gi den en ny ExternalShipmentReference.";
        "Ei forsending med denne referansen er godteken før.", "Er dette ei ny forsending, så gje henne ein ny ExternalShipmentReference.";
    WRONG_SENDER: "Forsendelsen nevner en annen avsender enn rutens.", "Sjekk avsenderens navn i hodet.";
        "Forsendinga nemner ein annan avsendar enn den ruta har.", "Sjekk namnet på avsendaren i hovudet.";
    NO_ITEMS: "Forsendelsen har ingen elementer.", "Se på jobben som skriver filen.";
        "Forsendinga har ingen element.", "Sjå på jobben som skriv fila.";
    TOO_MANY_REFUSED: "Så mange elementer er feil at hele forsendelsen er avvist.", "Rett elementene i listen og legg hele filen inn på nytt.";
        "Så mange element er feil at heile forsendinga er avvist.", "Rett elementa i lista og legg heile fila inn på nytt.";
    SHIPMENT_REFUSED: "Elementet er ikke sendt fordi hele forsendelsen er avvist.", "Rett det som avviste forsendelsen, og legg hele filen inn på nytt.";
        "Elementet er ikkje sendt fordi heile forsendinga er avvist.", "Rett det som avviste forsendinga, og legg heile fila inn på nytt.";
    HEAD_TOO_LARGE: "Det som står før elementene, tar mer plass enn det kan.", "Ta bort lange kommentarer og mellomrom før og mellom hodene.";
        "Det som står før elementa, tek meir plass enn det kan.", "Ta bort lange kommentarar og mellomrom før og mellom hovuda.";
    COUNT_MISMATCH: "Et kontrolltall stemmer ikke med innholdet i forsendelsen.", "Sjekk at hele forsendelsen ble skrevet, og legg den inn på nytt.";
        "Eit kontrolltal stemmer ikkje med innhaldet i forsendinga.", "Sjekk at heile forsendinga vart skriven, og legg henne inn på nytt.";
    BAD_SEQUENCE: "Løpenummeret er ikke et tall, eller strider mot det forrige.", "Nummerer forsendelsene etter hverandre.";
        "Løpenummeret er ikkje eit tal, eller strir mot det førre.", "Nummerer forsendingane etter kvarandre.";
    SEQUENCE_GAP: "En forsendelse med lavere løpenummer mangler.", "Legg inn den som mangler først; kvitteringen nevner nummeret som ventes.";
        "Ei forsending med lågare løpenummer manglar.", "Legg inn den som manglar først; kvitteringa nemner nummeret som er venta.";
    SEQUENCE_REPEATED: "En forsendelse med dette løpenummeret er godtatt før.", "Er dette en ny forsendelse, så gi den nummeret som kvitteringen sier ventes.";
        "Ei forsending med dette løpenummeret er godteken før.", "Er dette ei ny forsending, så gje henne nummeret som kvitteringa seier er venta.";
    LOOSE_ATTACHMENT: "Et vedlegg hører ikke til noe element i forsendelsen.", "Sjekk vedleggets archiveReference.";
        "Eit vedlegg høyrer ikkje til noko element i forsendinga.", "Sjekk archiveReference for vedlegget.";
    // A ZIP archive.
    NOT_ZIP: "Filen er ikke et ZIP-arkiv.", "Sjekk at riktig fil ble lagt inn.";
        "Fila er ikkje eit ZIP-arkiv.", "Sjekk at rett fil vart lagd inn.";
    ZIP_DAMAGED: "ZIP-arkivet er skadet.", "Skriv arkivet på nytt og legg det inn igjen.";
        "ZIP-arkivet er skadd.", "Skriv arkivet på nytt og legg det inn att.";
    ZIP_MULTI_DISK: "ZIP-arkivet er én av flere deler.", "Skriv det som én fil.";
        "ZIP-arkivet er éin av fleire delar.", "Skriv det som éi fil.";
    ZIP_HEADERS_DISAGREE: "En oppføring sier selv noe annet enn arkivets katalog.", "Skriv arkivet på nytt med et annet program.";
        "Ei oppføring seier sjølv noko anna enn katalogen i arkivet.", "Skriv arkivet på nytt med eit anna program.";
    ZIP_OVERLAP: "Oppføringer i arkivet deler de samme bytene.", "Skriv arkivet på nytt med et annet program.";
        "Oppføringar i arkivet deler dei same bytane.", "Skriv arkivet på nytt med eit anna program.";
    ZIP_HIDDEN_BYTES: "Arkivet har byte som ikke hører til noen oppføring.", "Skriv arkivet på nytt, uten noe før, mellom eller etter oppføringene.";
        "Arkivet har byte som ikkje høyrer til noka oppføring.", "Skriv arkivet på nytt, utan noko før, mellom eller etter oppføringane.";
    ZIP_LINK: "En oppføring er en lenke eller en spesialfil.", "Legg selve filen i arkivet.";
        "Ei oppføring er ei lenkje eller ei spesialfil.", "Legg sjølve fila i arkivet.";
    ZIP_UNSAFE_NAME: "Navnet på en oppføring er ikke trygt å pakke ut.", "Bruk enkle relative navn med / mellom mapper.";
        "Namnet på ei oppføring er ikkje trygt å pakke ut.", "Bruk enkle relative namn med / mellom mapper.";
    ZIP_NAME_NOT_UTF8: "Navnet på en oppføring er ikke i UTF-8.", "La jobben som skriver arkivet, skrive navn i UTF-8.";
        "Namnet på ei oppføring er ikkje i UTF-8.", "La jobben som skriv arkivet, skrive namn i UTF-8.";
    ZIP_REPEATED_NAME: "To oppføringer har samme navn.", "Gi hver fil sitt eget navn; det skilles ikke mellom store og små bokstaver.";
        "To oppføringar har same namn.", "Gje kvar fil sitt eige namn; det blir ikkje skilt mellom store og små bokstavar.";
    ZIP_NAME_TOO_LONG: "Navnet på en oppføring er for langt.", "Bruk kortere navn.";
        "Namnet på ei oppføring er for langt.", "Bruk kortare namn.";
    ZIP_ENCRYPTED: "Manifestet eller mottakerlisten er kryptert.", "La disse to filene være ukrypterte.";
        "Manifestet eller mottakarlista er kryptert.", "La desse to filene vere ukrypterte.";
    ZIP_METHOD: "Manifestet eller mottakerlisten er komprimert på en måte som ikke støttes.", "Lagre disse to filene ukomprimert, eller bruk deflate.";
        "Manifestet eller mottakarlista er komprimert på ein måte som ikkje er støtta.", "Lagre desse to filene ukomprimert, eller bruk deflate.";
    ZIP_CONTENT_DAMAGED: "En fil i arkivet kan ikke pakkes ut.", "Skriv arkivet på nytt og legg det inn igjen.";
        "Ei fil i arkivet kan ikkje pakkast ut.", "Skriv arkivet på nytt og legg det inn att.";
    ZIP_TOO_MANY_ENTRIES: "Arkivet har for mange oppføringer.", "Del det opp, eller be driften heve grensen.";
        "Arkivet har for mange oppføringar.", "Del det opp, eller be drifta heve grensa.";
    ZIP_TOO_LARGE_UNPACKED: "Arkivet ville blitt for stort utpakket.", "Del det opp, eller be driften heve grensen.";
        "Arkivet ville vorte for stort utpakka.", "Del det opp, eller be drifta heve grensa.";
    ZIP_ENTRY_RATIO: "En oppføring ville blitt for mange ganger større utpakket.", "Sjekk filen, eller be driften heve grensen.";
        "Ei oppføring ville vorte for mange gonger større utpakka.", "Sjekk fila, eller be drifta heve grensa.";
    ZIP_TOTAL_RATIO: "Arkivet ville blitt for mange ganger større utpakket.", "Sjekk filene i det, eller be driften heve grensen.";
        "Arkivet ville vorte for mange gonger større utpakka.", "Sjekk filene i det, eller be drifta heve grensa.";
    ZIP_NESTED: "Arkiver ligger for dypt inne i arkivet.", "Legg selve filene i arkivet.";
        "Arkiv ligg for djupt inne i arkivet.", "Legg sjølve filene i arkivet.";
    ZIP_SCATTERED: "Arkivets katalog er for langt fra rekkefølgen til oppføringene.", "Skriv arkivet på nytt med et annet program.";
        "Katalogen i arkivet er for langt frå rekkjefølgja til oppføringane.", "Skriv arkivet på nytt med eit anna program.";
    ZIP_CONTROL_FILE_TOO_LARGE: "Manifestet eller mottakerlisten er for stor.", "Del opp forsendelsen.";
        "Manifestet eller mottakarlista er for stor.", "Del opp forsendinga.";
    ZIP_LISTS_TOO_LONG: "Manifestet lister flere filer eller egenskaper enn det tas imot.", "Gjør FileList eller PropertyList kortere.";
        "Manifestet listar fleire filer eller eigenskapar enn det blir teke imot.", "Gjer FileList eller PropertyList kortare.";
    NO_MANIFEST: "Arkivet har ingen manifest.xml.", "Legg manifest.xml øverst i arkivet.";
        "Arkivet har ingen manifest.xml.", "Legg manifest.xml øvst i arkivet.";
    NO_RECIPIENTS: "Arkivet har ingen recipients.xml.", "Legg recipients.xml øverst i arkivet.";
        "Arkivet har ingen recipients.xml.", "Legg recipients.xml øvst i arkivet.";
    LISTED_FILE_MISSING: "En fil som manifestet lister, er ikke i arkivet.", "Legg filen i arkivet, eller ta den ut av FileList.";
        "Ei fil som manifestet listar, er ikkje i arkivet.", "Legg fila i arkivet, eller ta henne ut av FileList.";
    LISTED_TWICE: "Manifestet lister en fil to ganger.", "List hver fil én gang.";
        "Manifestet listar ei fil to gonger.", "List kvar fil éin gong.";
    CHECKSUM_WRONG: "Kontrollsummen til en fil er ikke den i manifestet.", "Skriv manifestet etter filene, eller legg inn arkivet på nytt hvis det ble endret underveis.";
        "Kontrollsummen til ei fil er ikkje den i manifestet.", "Skriv manifestet etter filene, eller legg inn arkivet på nytt om det vart endra undervegs.";
    CHECKSUM_NOT_CHECKED: "En kontrollsum i manifestet kunne ikke sjekkes.", "Ingenting; oppgi MD5, SHA-1 eller SHA-256 heksadesimalt eller i base64 for å få den sjekket.";
        "Ein kontrollsum i manifestet kunne ikkje sjekkast.", "Ingenting; gje opp MD5, SHA-1 eller SHA-256 heksadesimalt eller i base64 for å få han sjekka.";
    CHECKSUM_UNKNOWN: "En kontrollsum i manifestet kunne ikke sjekkes, og ruten krever det.", "Oppgi MD5, SHA-1 eller SHA-256 heksadesimalt eller i base64, for en fil som ikke er kryptert.";
        "Ein kontrollsum i manifestet kunne ikkje sjekkast, og ruta krev det.", "Gje opp MD5, SHA-1 eller SHA-256 heksadesimalt eller i base64, for ei fil som ikkje er kryptert.";
    // The route.
    NO_ROUTE: "Ingen rute tar imot dette formatet i denne mappen.", "Sjekk mappen og formatet, eller be driften om en rute.";
        "Inga rute tek imot dette formatet i denne mappa.", "Sjekk mappa og formatet, eller be drifta om ei rute.";
    UNKNOWN_SERVICE: "Ruten kjenner ikke denne tjenestekoden og utgaven.", "Sjekk ExternalServiceCode og ExternalServiceEditionCode, eller be driften legge den til.";
        "Ruta kjenner ikkje denne tenestekoden og utgåva.", "Sjekk ExternalServiceCode og ExternalServiceEditionCode, eller be drifta leggje ho til.";
    IGNORED_SERVICE: "Ruten utelater denne tjenestekoden.", "Ingenting.";
        "Ruta utelèt denne tenestekoden.", "Ingenting.";
    NO_RECEIVER_FOR_KIND: "Rutens mottaker tar ikke imot elementer av dette slaget.", "Send slike elementer på en rute med en mottaker som tar imot dem.";
        "Mottakaren til ruta tek ikkje imot element av dette slaget.", "Send slike element på ei rute med ein mottakar som tek imot dei.";
    UNKNOWN_DATA_FORMAT: "Ruten kjenner ikke denne DataFormatId og versjonen.", "Sjekk skjemaets id-er, eller be driften legge dem til.";
        "Ruta kjenner ikkje denne DataFormatId og versjonen.", "Sjekk id-ane til skjemaet, eller be drifta leggje dei til.";
    NO_ATTACHMENTS_TAKEN: "Tjenesten tar ikke imot vedlegg.", "Ta bort vedleggene, eller be driften angi en datatype for dem.";
        "Tenesta tek ikkje imot vedlegg.", "Ta bort vedlegga, eller be drifta oppgje ein datatype for dei.";
    SENDER_NOT_AUTHORISED: "Avsenderen har ikke lov til å sende for denne tjenesten.", "Be tjenesteeieren om skriverett.";
        "Avsendaren har ikkje lov til å sende for denne tenesta.", "Be tenesteeigaren om skriverett.";
    RECIPIENT_NOT_AUTHORISED: "Mottakeren har ikke lov til å ta imot for denne tjenesten.", "Utelat mottakeren, eller be tjenesteeieren om leserett.";
        "Mottakaren har ikkje lov til å ta imot for denne tenesta.", "Utelat mottakaren, eller be tenesteeigaren om leserett.";
    RECIPIENT_NOT_FOR_SENDER: "Avsenderen har ikke lov til å sende til denne mottakeren.", "Utelat mottakeren, eller spør tjenesteeieren.";
        "Avsendaren har ikkje lov til å sende til denne mottakaren.", "Utelat mottakaren, eller spør tenesteeigaren.";
    // Forwarding.
    DELIVERED: "Mottakeren har det.", "Ingenting.";
        "Mottakaren har det.", "Ingenting.";
    PARTS_DROPPED: "Deler av meldingen har ingen plass i Altinn 3.", "Ingenting, hvis de kan unnværes.";
        "Delar av meldinga har ingen plass i Altinn 3.", "Ingenting, om ein kan greie seg utan.";
    HTML_SIMPLIFIED: "HTML-en i meldingen mistet noe av formen.", "Ingenting, hvis den kan unnværes; ellers legg meldingen ved som fil.";
        "HTML-en i meldinga mista noko av forma.", "Ingenting, om ein kan greie seg utan; elles legg meldinga ved som fil.";
    HTML_ATTACHED: "Meldingsteksten er for lang for Altinn 3; den er lagt ved i sin helhet.", "Ingenting, eller skriv kortere meldinger.";
        "Meldingsteksten er for lang for Altinn 3; han er lagd ved i det heile.", "Ingenting, eller skriv kortare meldingar.";
    ATTACHMENT_PACKED: "Et vedlegg av en type som Altinn 3 ikke tar imot, ble sendt som ZIP-arkiv.", "Ingenting.";
        "Eit vedlegg av ein type som Altinn 3 ikkje tek imot, vart sendt som ZIP-arkiv.", "Ingenting.";
    NOTIFICATION_GENERAL: "Varselet har Altinns egen tekst, siden det ikke finnes noen mal for typen og språket.", "Be driften om en mal.";
        "Varselet har Altinn sin eigen tekst, sidan det ikkje finst nokon mal for typen og språket.", "Be drifta om ein mal.";
    NOTIFICATION_NOT_ORDERED: "Meldingen er sendt, men et varsel ved siden av den kunne ikke bestilles.", "Sjekk mottakerens adresse, eller varsle på en annen måte.";
        "Meldinga er send, men eit varsel ved sida av henne kunne ikkje bestillast.", "Sjekk adressa til mottakaren, eller varsle på ein annan måte.";
    RECEIVER_REFUSED: "Mottakeren avviste elementet.", "Sjekk innholdet i skjemaet mot tjenestens nye modell.";
        "Mottakaren avviste elementet.", "Sjekk innhaldet i skjemaet mot den nye modellen til tenesta.";
    REPORTEE_UNKNOWN: "Mottakeren kjenner ikke avgiveren.", "Sjekk nummeret.";
        "Mottakaren kjenner ikkje avgjevaren.", "Sjekk nummeret.";
    RECEIVER_CONFLICT: "Mottakeren sier at elementet er i strid med et den har.", "Spør driften.";
        "Mottakaren seier at elementet er i strid med eit han har.", "Spør drifta.";
    PAYLOAD_TOO_LARGE: "Elementet er større enn mottakeren tar imot.", "Gjør vedleggene mindre.";
        "Elementet er større enn mottakaren tek imot.", "Gjer vedlegga mindre.";
    BATCH_NOT_VALID: "Delbunten som elementet skulle sendes i, ville ikke vært gyldig.", "Ingenting av den er sendt: legg inn restfilen, eller spør driften.";
        "Delbunten som elementet skulle sendast i, ville ikkje vore gyldig.", "Ingenting av han er sendt: legg inn restfila, eller spør drifta.";
    CANCELLED: "Driften stanset forsendelsen før dette ble sendt.", "Spør driften; legg det inn på nytt hvis det skal sendes.";
        "Drifta stansa sendinga før dette vart sendt.", "Spør drifta; legg det inn på nytt om det skal sendast.";
    RECIPIENT_RESERVED: "Mottakeren har reservert seg mot digital post.", "Send det på en annen måte.";
        "Mottakaren har reservert seg mot digital post.", "Send det på ein annan måte.";
    NO_READER: "Ingen hos mottakeren har rett til å lese det.", "Send det på en annen måte, eller be mottakeren fylle rollen.";
        "Ingen hos mottakaren har rett til å lese det.", "Send det på ein annan måte, eller be mottakaren fylle rolla.";
    MESSAGE_TEXT_LENGTH: "En tekst i meldingen er lengre enn Altinn 3 tar imot, eller mangler.", "Skriv tittel og sammendrag på høyst 255 tegn.";
        "Ein tekst i meldinga er lengre enn Altinn 3 tek imot, eller manglar.", "Skriv tittel og samandrag på høgst 255 teikn.";
    DUE_DATE_PAST: "Meldingens frist er passert.", "Gi en senere frist.";
        "Fristen til meldinga er passert.", "Gje ein seinare frist.";
    ATTACHMENT_TYPE: "Et vedlegg er av en type som Altinn 3 ikke tar imot.", "Send det som PDF eller i et ZIP-arkiv.";
        "Eit vedlegg er av ein type som Altinn 3 ikkje tek imot.", "Send det som PDF eller i eit ZIP-arkiv.";
    ATTACHMENT_REFUSED: "Mottakeren fant skadevare i et vedlegg, eller kunne ikke ta det imot.", "Rens filen der den kommer fra, og send elementet på nytt.";
        "Mottakaren fann skadevare i eit vedlegg, eller kunne ikkje ta det imot.", "Reins fila der ho kjem frå, og send elementet på nytt.";
    NOTIFICATION_UNKNOWN: "Meldingens varsel er av et slag ruten ikke kjenner.", "Sjekk TransportType og NotificationType, eller be driften om en mal.";
        "Varselet til meldinga er av eit slag ruta ikkje kjenner.", "Sjekk TransportType og NotificationType, eller be drifta om ein mal.";
    ORGANISATIONS_ONLY: "Altinn 3 Formidling går bare mellom organisasjoner, og dette er en person.", "Send det til personen på en annen måte.";
        "Altinn 3 Formidling går berre mellom organisasjonar, og dette er ein person.", "Send det til personen på ein annan måte.";
    PROPERTIES_DO_NOT_FIT: "Manifestets egenskaper er flere eller lengre enn Altinn 3 tar imot.", "Gi høyst 10 egenskaper, hver én gang, med nøkler på inntil 50 og verdier på inntil 3000 tegn.";
        "Eigenskapane i manifestet er fleire eller lengre enn Altinn 3 tek imot.", "Gje høgst 10 eigenskapar, kvar éin gong, med nøklar på inntil 50 og verdiar på inntil 3000 teikn.";
    NO_SINGLE_PAYLOAD: "Tjenesten sender filen i arkivet alene, og det er ikke nøyaktig én som kan pakkes ut.", "Legg én fil ved siden av manifest.xml og recipients.xml, lagret eller komprimert med deflate og ukryptert.";
        "Tenesta sender fila i arkivet åleine, og det er ikkje nøyaktig éi som kan pakkast ut.", "Legg éi fil ved sida av manifest.xml og recipients.xml, lagra eller komprimert med deflate og ukryptert.";
    TRANSFER_FAILED: "Altinn kunne ikke ta filen imot; den kan inneholde skadevare.", "Sjekk filen der den kommer fra, og send den på nytt med en ny referanse.";
        "Altinn kunne ikkje ta fila imot; ho kan innehalde skadevare.", "Sjekk fila der ho kjem frå, og send ho på nytt med ein ny referanse.";
    REPEAT_REFUSED: "Mottakeren avviste elementet da det ble sendt på nytt etter et forsøk uten klart svar: den kan ha det.", "Spør mottakeren med referansen dens før elementet legges inn igjen.";
        "Mottakaren avviste elementet då det vart sendt på nytt etter eit forsøk utan klårt svar: han kan ha det.", "Spør mottakaren med referansen hans før elementet vert lagt inn att.";
    UNREACHABLE: "Mottakeren kunne ikke nås.", "Ingenting; det prøves igjen til tidsfristen.";
        "Mottakaren kunne ikkje nåast.", "Ingenting; det vert prøvd att til tidsfristen.";
    THROTTLED: "Mottakeren ba om tålmodighet.", "Ingenting; det prøves igjen.";
        "Mottakaren bad om tolmod.", "Ingenting; det vert prøvd att.";
    RECEIVER_FAULT: "Mottakeren feilet mens den behandlet elementet.", "Ingenting; det slås opp, og prøves så igjen.";
        "Mottakaren feila medan han handsama elementet.", "Ingenting; det vert slått opp, og så prøvd att.";
    OUTCOME_UNKNOWN: "Svaret fra mottakeren kom ikke fram.", "Ingenting; det slås opp, og prøves så igjen.";
        "Svaret frå mottakaren kom ikkje fram.", "Ingenting; det vert slått opp, og så prøvd att.";
    RECEIVER_DOWN: "Mottakeren sier at den er ute av drift.", "Ingenting; det prøves igjen, før noe annet som skal dit.";
        "Mottakaren seier at han er ute av drift.", "Ingenting; det vert prøvd att, før noko anna som skal dit.";
    CREDENTIALS_REFUSED: "Mottakeren godtar ikke påloggingen vår.", "Ingenting; driften har fått beskjed.";
        "Mottakaren godtek ikkje pålogginga vår.", "Ingenting; drifta har fått beskjed.";
    NOT_PERMITTED: "Mottakeren lar oss ikke gjøre dette.", "Ingenting; driften har fått beskjed.";
        "Mottakaren lèt oss ikkje gjere dette.", "Ingenting; drifta har fått beskjed.";
    TOKEN_REFUSED: "Maskinporten gir oss ikke noe token.", "Ingenting; driften har fått beskjed.";
        "Maskinporten gjev oss ikkje noko token.", "Ingenting; drifta har fått beskjed.";
    CLOCK_OFF: "Klokka vår avviker for mye fra klokka til tokentjenesten.", "Ingenting; driften har fått beskjed.";
        "Klokka vår avvik for mykje frå klokka til tokentenesta.", "Ingenting; drifta har fått beskjed.";
    RECEIVER_NOT_KNOWN: "Mottakerens server viser en annen nøkkel enn den som er kjent.", "Ingenting; driften har fått beskjed.";
        "Tenaren til mottakaren viser ein annan nøkkel enn den som er kjend.", "Ingenting; drifta har fått beskjed.";
    // Late news.
    READ: "Det er lest.", "Ingenting.";
        "Det er lese.", "Ingenting.";
    CONFIRMED: "Lesingen er bekreftet.", "Ingenting.";
        "Lesinga er stadfesta.", "Ingenting.";
    DOWNLOADED: "Det er lastet ned.", "Ingenting.";
        "Det er lasta ned.", "Ingenting.";
    DELIVERED_LATE: "Det ble sendt på nytt, og mottakeren har det.", "Ingenting; ikke legg det inn på nytt.";
        "Det vart sendt på nytt, og mottakaren har det.", "Ingenting; ikkje legg det inn på nytt.";
    PUBLISHED: "Mottakeren kan se det.", "Ingenting.";
        "Mottakaren kan sjå det.", "Ingenting.";
    PUBLISH_FAILED: "Mottakeren tok imot det, men kunne ikke gjøre det synlig etterpå.", "Spør mottakeren, eller send elementet på nytt med en ny referanse.";
        "Mottakaren tok imot det, men kunne ikkje gjere det synleg etterpå.", "Spør mottakaren, eller send elementet på nytt med ein ny referanse.";
    MALWARE_FOUND: "Mottakeren fant skadevare i det etterpå.", "Rens filen der den kommer fra, og send elementet på nytt med en ny referanse.";
        "Mottakaren fann skadevare i det etterpå.", "Reins fila der ho kjem frå, og send elementet på nytt med ein ny referanse.";
    RESERVED_LATE: "Mottakeren har reservert seg mot digital post.", "Send det på en annen måte.";
        "Mottakaren har reservert seg mot digital post.", "Send det på ein annan måte.";
    EXPIRED: "Det ble fjernet før mottakeren lastet det ned.", "Spør mottakeren, og send det på nytt med en ny referanse.";
        "Det vart fjerna før mottakaren lasta det ned.", "Spør mottakaren, og send det på nytt med ein ny referanse.";
}
