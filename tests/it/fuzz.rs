//! The bodies of the fuzz targets, on mutants of the fixtures.

#[path = "../../fuzz/bodies.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own for the fuzz targets")]
mod bodies;

use crate::differential::chance::Chance;
use crate::differential::mutated_elements::{DOCUMENT, SCHEMA};
use crate::differential::{SEEDS, fixture, mutated_bytes, mutated_elements, rounds, seed};

/// Mutants of each seed.
const MUTANTS: usize = 150;

#[test]
fn any_bytes_are_heard_alike_in_any_pieces() {
    let mut chance = Chance::new(seed() + 11);
    for (_, document) in seeds() {
        for _ in 0..rounds(MUTANTS) {
            let mut data = vec![u8::try_from(chance.below(256)).unwrap()];
            data.extend(mutated_bytes::mutant(&document, &mut chance));
            bodies::xml_tokenizer(&data);
        }
    }
}

#[test]
fn any_bytes_are_a_schema_or_none() {
    let mut chance = Chance::new(seed() + 12);
    for (schema, _) in seeds() {
        for _ in 0..rounds(MUTANTS) {
            bodies::xsd_compile(&mutated_bytes::mutant(&schema, &mut chance));
            let text = String::from_utf8(schema.clone()).unwrap();
            bodies::xsd_compile(mutated_elements::mutant(&text, &SCHEMA, &mut chance).as_bytes());
        }
    }
}

#[test]
fn any_schema_judges_any_document() {
    let mut chance = Chance::new(seed() + 13);
    for (schema, document) in seeds() {
        let (schema, document) = (String::from_utf8(schema).unwrap(), String::from_utf8(document).unwrap());
        for _ in 0..rounds(MUTANTS) {
            let schema = if chance.once_in(2) {
                schema.clone()
            } else {
                mutated_elements::mutant(&schema, &SCHEMA, &mut chance)
            };
            let document = mutated_elements::mutant(&document, &DOCUMENT, &mut chance);
            bodies::xsd_validate(&[schema.as_bytes(), bodies::BETWEEN, document.as_bytes()].concat());
        }
    }
}

#[test]
fn any_pieces_give_the_same_findings() {
    let mut chance = Chance::new(seed() + 14);
    for (schema, document) in seeds() {
        let text = String::from_utf8(document.clone()).unwrap();
        for _ in 0..rounds(MUTANTS) {
            let cuts: Vec<u8> = (0..3).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
            let mutant = match chance.below(3) {
                0 => mutated_bytes::mutant(&document, &mut chance),
                _ => mutated_elements::mutant(&text, &DOCUMENT, &mut chance).into_bytes(),
            };
            bodies::chunking(&[&cuts, &schema[..], bodies::BETWEEN, &mutant].concat());
        }
    }
}

#[test]
fn any_pattern_is_compiled_or_refused() {
    const SEEDS: &[&str] = &[
        "[a-z-[aeiou]]{2,5}\nbcd",
        "(a|b*){3}\nab",
        "\\p{Lu}\\P{IsGreek}+\nAb",
        "\\i\\c*\nab",
        "((((a?)*)+){0,9})\naaaa",
        "[^\\s\\d-[x]]\ny",
        "a{1000}\na",
        "(a{100}){100}\na",
    ];
    let mut chance = Chance::new(seed() + 15);
    for seed in SEEDS {
        bodies::xsd_pattern(seed.as_bytes());
        for _ in 0..rounds(MUTANTS) {
            bodies::xsd_pattern(&mutated_bytes::mutant(seed.as_bytes(), &mut chance));
        }
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_archive_is_judged_alike_in_any_pieces() {
    use crate::support::archive::{Archive, Entry, Trailer};

    const NAMESPACE: &str = "http://schema.altinn.no/services/ServiceEngine/Broker/2015/06";
    let manifest = format!(
        "<BrokerServiceManifest xmlns='{NAMESPACE}'><ExternalServiceCode>4752</ExternalServiceCode>\
         <ExternalServiceEditionCode>1</ExternalServiceEditionCode><SendersReference>S</SendersReference>\
         <Reportee>910000004</Reportee><FileList><File><FileName>a.txt</FileName>\
         <CheckSum>900150983cd24fb0d6963f7d28e17f72</CheckSum></File></FileList></BrokerServiceManifest>"
    );
    let recipients = format!(
        "<BrokerServiceRecipientList xmlns='{NAMESPACE}'><Recipient><PartyNumber>910000012</PartyNumber></Recipient>\
         </BrokerServiceRecipientList>"
    );
    let entries = [
        Entry::deflated("manifest.xml", manifest.as_bytes()),
        Entry::stored("a.txt", b"abc").with(Trailer::Signed),
        Entry::stored("recipients.xml", recipients.as_bytes()),
    ];
    let mut chance = Chance::new(seed() + 16);
    for archive in [Archive::of(entries.clone()), Archive::of(entries).wide()] {
        let bytes = archive.bytes();
        bodies::broker_archive(&[&[0], &bytes[..]].concat());
        for _ in 0..rounds(MUTANTS) {
            let size = u8::try_from(chance.below(256)).unwrap();
            let mut mutant = bytes.clone();
            for _ in 0..=chance.below(3) {
                let at = chance.below(mutant.len());
                mutant[at] = u8::try_from(chance.below(256)).unwrap();
            }
            bodies::broker_archive(&[&[size], &mutant[..]].concat());
            bodies::broker_archive(&[&[size], &mutated_bytes::mutant(&bytes, &mut chance)[..]].concat());
        }
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_bytes_on_a_channel_are_the_same_requests_in_any_pieces() {
    use russh_sftp::protocol::{Close, FileAttributes, Init, Open, OpenFlags, Packet, Read, Rename, Write};

    let handle = || "1".to_owned();
    let attrs = FileAttributes { size: Some(7), mtime: Some(1), atime: Some(1), ..FileAttributes::empty() };
    let packets: [Packet; 6] = [
        Init { version: 3, extensions: std::iter::once(("a@b".to_owned(), "1".to_owned())).collect() }.into(),
        Open { id: 1, filename: "/inbox/a.xml".to_owned(), pflags: OpenFlags::WRITE, attrs }.into(),
        Write { id: 2, handle: handle(), offset: 0, data: vec![7; 300] }.into(),
        Read { id: 3, handle: handle(), offset: 9, len: 32_768 }.into(),
        Rename { id: 4, oldpath: "/inbox/a".to_owned(), newpath: "/inbox/b".to_owned() }.into(),
        Close { id: 5, handle: handle() }.into(),
    ];
    let stream: Vec<u8> = packets.into_iter().flat_map(|packet| bytes::Bytes::try_from(packet).unwrap()).collect();
    assert_eq!(sluse::adapters::sftp_server::wire::hear(&stream, 7).0.requests.len(), 6);
    let mut chance = Chance::new(seed() + 17);
    for _ in 0..rounds(MUTANTS * 10) {
        let mut mutant = mutated_bytes::mutant(&stream, &mut chance);
        if chance.once_in(2) {
            // Lengths stand anywhere: one of them lies.
            let lie = [u32::MAX, 1 << 31, 256 * 1024, 256 * 1024 + 1, 0][chance.below(5)].to_be_bytes();
            let at = chance.below(mutant.len().max(1));
            mutant.splice(at..(at + 4).min(mutant.len()), lie);
        }
        mutant.insert(0, u8::try_from(chance.below(256)).unwrap());
        bodies::sftp_packets(&mutant);
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_bytes_are_an_answer_of_a_soap_receiver_or_none() {
    use sluse::adapters::soap::{Reply, reply};

    let namespace = "http://schemas.xmlsoap.org/soap/envelope/";
    let envelope = |body: &str| format!("<s:Envelope xmlns:s='{namespace}'><s:Body>{body}</s:Body></s:Envelope>");
    let operation = "ReceiveOnlineBatchExternalAttachment";
    let receipt = envelope(&format!(
        "<{operation}Response xmlns='http://AltInn.no/webservices/'><{operation}Result>&lt;OnlineBatchReceipt>&lt;Result \
         resultCode='OK'/>&lt;/OnlineBatchReceipt></{operation}Result></{operation}Response>"
    ));
    let fault = envelope("<s:Fault><faultcode>s:Server</faultcode></s:Fault>");
    let part = format!("--b\r\nContent-ID: <r>\r\n\r\n{receipt}\r\n--b--");
    assert_eq!(reply("text/xml", receipt.as_bytes()), Reply::Ok);
    assert_eq!(reply("text/xml", fault.as_bytes()), Reply::Fault);
    let mut chance = Chance::new(seed() + 20);
    for answer in [receipt, fault, part] {
        bodies::soap_reply(answer.as_bytes());
        for _ in 0..rounds(MUTANTS * 5) {
            bodies::soap_reply(&mutated_bytes::mutant(answer.as_bytes(), &mut chance));
        }
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_bytes_before_a_connection_are_a_header_or_none() {
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second.extend([192, 0, 2, 8, 192, 0, 2, 1, 0x12, 0x67, 0, 22]);
    let first = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 22\r\n".to_vec();
    let sixth = b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 22\r\nSSH-2.0-x\r\n".to_vec();
    let mut chance = Chance::new(seed() + 18);
    for header in [first, second, sixth] {
        assert!(sluse::adapters::sftp_server::wire::proxied(&header).is_some());
        for _ in 0..rounds(MUTANTS * 10) {
            bodies::proxy_header(&mutated_bytes::mutant(&header, &mut chance));
        }
    }
}

#[cfg(feature = "gateway")]
#[test]
fn any_bytes_in_place_of_a_greeting_are_answered_and_ended() {
    // A key exchange that offers little, in a packet with four bytes of padding.
    let mut exchange = vec![20];
    exchange.extend([9; 16]);
    for names in [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes256-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "",
        "",
        "none",
        "none",
        "",
        "",
    ] {
        exchange.extend(u32::try_from(names.len()).unwrap().to_be_bytes());
        exchange.extend(names.as_bytes());
    }
    exchange.extend([0; 5]);
    let padding = 4 + (8 - (exchange.len() + 9) % 8) % 8;
    let mut packet = u32::try_from(exchange.len() + padding + 1).unwrap().to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(exchange);
    packet.extend(vec![0; padding]);
    let greeting = [b"SSH-2.0-OpenSSH_9.2\r\n", &packet[..]].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answered = runtime.block_on(sluse::adapters::sftp_server::wire::greet(&greeting));
    assert!(answered > 300, "it answers with a key exchange of its own: {answered}");
    let mut chance = Chance::new(seed() + 19);
    for seed in [&greeting[..], b"SSH-1.5-old\n", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x0c\x0a\x14", &[0xff; 400]] {
        bodies::ssh_greeting(seed);
        for _ in 0..rounds(MUTANTS / 3) {
            bodies::ssh_greeting(&mutated_bytes::mutant(seed, &mut chance));
        }
    }
}

/// Schemas, each with a document of it.
fn seeds() -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    SEEDS
        .iter()
        .map(|name| (fixture(&format!("differential/{name}.xsd")), fixture(&format!("differential/{name}.xml"))))
}
