//! Generated broker ZIPs, opened by another reader than the gateway's.

use std::io::{Cursor, Read as _};

use aws_lc_rs::digest::{SHA256, digest};
use sluse::generate::{Format, Mistake, Options, Profile, planted};
use zip::ZipArchive;

use super::{batch, identities, is_synthetic};
use crate::schemas::{Written, judged, plan};

/// The files of an archive by name, in order.
fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// A manifest as text, whatever it is encoded in.
fn decoded(bytes: &[u8]) -> String {
    let units =
        |unit: fn([u8; 2]) -> u16| -> Vec<u16> { bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect() };
    match bytes {
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes)).unwrap(),
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes)).unwrap(),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

#[test]
fn archives_hold_a_valid_manifest_valid_recipients_and_what_the_manifest_lists() {
    let [manifest_plan, recipients_plan] =
        ["broker/manifest-2015-06", "broker/recipients-2015-06"].map(|name| plan(&Written::named(name).path()));
    let mut marks = Vec::new();
    for profile in Profile::ALL {
        for seed in 1..=4 {
            let options = Options::of(Format::Broker, 40, profile, seed);
            let (archive, summary) = batch(&options);
            assert_eq!(batch(&options).0, archive);
            let files = files(&archive);
            let [(manifest_name, manifest), (recipients_name, recipients), payload @ ..] = files.as_slice() else {
                panic!("{} files", files.len())
            };
            assert_eq!(manifest_name.to_lowercase(), "manifest.xml");
            assert_eq!(recipients_name.to_lowercase(), "recipients.xml");
            assert_eq!(judged(&manifest_plan, manifest), []);
            assert_eq!(judged(&recipients_plan, recipients), []);
            let (manifest_text, recipients_text) = (decoded(manifest), decoded(recipients));
            assert!(manifest_text.contains(&format!("<SendersReference>{}<", summary.reference)));
            assert_eq!(payload.len(), if profile == Profile::Attachment { 2 } else { 1 });
            for (name, content) in payload {
                let sum: String = digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(manifest_text.contains(&format!("<FileName>{name}</FileName>\n      <CheckSum>{sum}<")));
            }
            let ids = identities(&format!("{manifest_text}{recipients_text}"));
            assert_eq!(ids.len(), 41);
            assert!(ids.iter().all(|id| is_synthetic(id)));
            marks.push(manifest[0]);
        }
    }
    marks.sort_unstable();
    marks.dedup();
    assert_eq!(marks, [b'<', 0xfe, 0xff], "a manifest in each encoding");
}

#[test]
fn wrong_recipients_are_those_that_were_planted() {
    let options = Options { errors: "10%".parse().unwrap(), ..Options::of(Format::Broker, 90, Profile::Small, 4) };
    let (archive, summary) = batch(&options);
    let files = files(&archive);
    let found = judged(&plan(&Written::named("broker/recipients-2015-06").path()), &files[1].1);
    let of = |mistake| planted(&options).filter(move |(_, planted)| *planted == mistake).map(|(item, _)| item);
    let places: Vec<String> = found.into_iter().map(|found| found.path).collect();
    let known: Vec<String> =
        of(Mistake::MissingElement).map(|item| format!("/BrokerServiceRecipientList/Recipient[{item}]")).collect();
    assert_eq!((places, summary.wrong), (known, 9));
    let text = decoded(&files[1].1);
    let parties: Vec<&str> = text.split("<Recipient>").skip(1).collect();
    for item in of(Mistake::RepeatedReference) {
        let item = item as usize;
        assert_eq!(parties[item - 1], parties[item - 2]);
    }
    for item in of(Mistake::BadCheckDigit) {
        let ids = identities(parties[item as usize - 1]);
        assert!(ids.len() == 1 && ids.iter().all(|id| !is_synthetic(id)));
    }
}
