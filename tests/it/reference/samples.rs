//! The samples of the reference folder, and what each is by which schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sluse::xsd::Kind;

use crate::needs::reference;
use crate::schemas::{Written, judged, plan};

/// What a sample is by a schema.
#[derive(Debug, PartialEq)]
enum Outcome {
    Valid,
    /// Well-formed, and not what the schema asks for.
    Invalid,
    NotWellFormed,
}

use Outcome::{Invalid, NotWellFormed, Valid};

/// Every sample, with one schema or more.
const OUTCOMES: &[(&str, &str, Outcome)] = &[
    ("DataBatch.from-soapui-1.xml", "databatch/generic-batch-2013-06", Valid),
    ("data_batch_im.xml", "databatch/generic-batch-2013-06", Valid),
    ("CorrespondenceConfirmationsEksempel.xml", "confirmations/confirmations-2010-10", Valid),
    ("CorrespondenceConfirmationsEksempel.xml", "confirmations/confirmations-2009-10", Invalid),
    ("AltUtConfirmationBatchExample.xml", "altut-confirmations/altut-confirmation-batch", Valid),
    ("BrokenAltUtConfirmationBatchExample.xml", "altut-confirmations/altut-confirmation-batch", NotWellFormed),
    ("manifest.efm-feature.xml", "broker/manifest-2015-06", Valid),
    ("recipients.efm-feature.xml", "broker/recipients-2015-06", Valid),
    ("CorrespondenceUsageData_docs-skeleton.xml", "usagedata/correspondence-usage-data-2009-10", Valid),
    ("OnlineBatchReceipt_ok.xml", "online-receipt/online-batch-receipt", Valid),
    ("correspondences_2022.11.xml", "correspondence/correspondences-2009-10", Valid),
    ("serviceinitiation_prefill_and_subscription.xml", "prefill/service-owner-2009-10", Valid),
];

#[test]
fn samples_are_what_they_are_known_to_be() {
    let Some(reference) = reference() else { return };
    let samples = files(&reference);
    for (name, schema, known) in OUTCOMES {
        let document = std::fs::read(&samples[*name]).unwrap();
        let found = judged(&plan(&Written::named(schema).path()), &document);
        let outcome = match found.as_slice() {
            [] => Valid,
            found if found.iter().any(|one| one.kind == Kind::NotWellFormed) => NotWellFormed,
            _ => Invalid,
        };
        assert_eq!(outcome, *known, "{name} by {schema}: {found:?}");
    }
    let unlisted: Vec<&String> =
        samples.keys().filter(|name| !OUTCOMES.iter().any(|(listed, _, _)| listed == name)).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

/// The samples by name.
pub(super) fn files(reference: &Path) -> BTreeMap<String, PathBuf> {
    let folders = ["altinn2/samples", "altinn2/samples/synthetic"].map(|folder| reference.join(folder));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let xml = paths.filter(|path| path.extension().is_some_and(|extension| extension == "xml"));
    xml.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path)).collect()
}
