//! The schemas we wrote, judged by documents: one that has everything, and the shapes that files have had.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sluse::xsd::{Finding, Kind, Limits, Plan, Schema, SchemaDocument, Validator};

/// One of our schemas.
pub(crate) struct Written {
    /// Its name under `schemas/`, without the extension.
    pub(crate) name: &'static str,
    /// A document with every element and attribute, under `fixtures/`.
    pub(crate) whole: &'static str,
    /// Published schemas to compare it with, and how it differs from each.
    pub(crate) published: &'static [(&'static str, Differences)],
}

/// Paths below the root element and what differs there.
pub(crate) type Differences = &'static [(&'static str, &'static str)];

/// Every schema of a batch format.
pub(crate) const WRITTEN: &[Written] = &[
    Written {
        name: "prefill/service-owner-2009-10",
        whole: "prefill/valid/both-parts.xml",
        published: &[("schemas.altinn.no.services.intermediary.serviceinitiation.2009.10", &[])],
    },
    Written {
        name: "databatch/generic-batch-2013-06",
        whole: "whole/databatch.xml",
        published: &[("genericbatch.2013.06", &[])],
    },
    Written {
        name: "correspondence/correspondences-2009-10",
        whole: "whole/correspondence.xml",
        published: &[
            (
                "schemas.altinn.no.services.intermediary.correspondence.2016.02",
                &[
                    ("/Correspondence/SdpOptions", "children"),
                    ("/Correspondence/Notifications/Notification", "children"),
                ],
            ),
            ("schemas.altinn.no.services.intermediary.correspondence.2022.08", &[]),
            ("schemas.altinn.no.services.intermediary.correspondence.2022.11", &[]),
        ],
    },
    Written {
        name: "confirmations/confirmations-2009-10",
        whole: "whole/confirmations-2009-10.xml",
        published: &[("correspondence.confirmations.2009.10", &[])],
    },
    Written {
        name: "confirmations/confirmations-2010-10",
        whole: "whole/confirmations-2010-10.xml",
        published: &[("correspondence.confirmations.2010.10", &[])],
    },
    Written { name: "usagedata/correspondence-usage-data-2009-10", whole: "whole/usagedata.xml", published: &[] },
    Written { name: "altut/gov-organ-6-0", whole: "whole/altut.xml", published: &[] },
    Written {
        name: "altut-confirmations/altut-confirmation-batch",
        whole: "whole/altut-confirmations.xml",
        published: &[("AltUtConfirmationBatch", &[])],
    },
    Written {
        name: "broker/manifest-2015-06",
        whole: "whole/manifest.xml",
        published: &[("BrokerServiceManifest", &[])],
    },
    Written {
        name: "broker/recipients-2015-06",
        whole: "whole/recipients.xml",
        published: &[("BrokerServiceRecipientList", &[])],
    },
    Written {
        name: "online-receipt/online-batch-receipt",
        whole: "whole/online-receipt.xml",
        published: &[("OnlineBatchReceipt", &[])],
    },
];

impl Written {
    /// The one of a name.
    pub(crate) fn named(name: &str) -> &'static Self {
        WRITTEN.iter().find(|written| written.name == name).unwrap()
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> PathBuf {
        repository(&format!("schemas/{}.xsd", self.name))
    }

    /// The document that has everything.
    pub(crate) fn whole(&self) -> String {
        std::fs::read_to_string(repository(&format!("fixtures/{}", self.whole))).unwrap()
    }

    fn judged(&self, document: &[u8]) -> Vec<Finding> {
        judged(&plan(&self.path()), document)
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A schema of one document, ready to judge by.
pub(crate) fn plan(schema: &Path) -> Plan {
    let bytes = std::fs::read(schema).unwrap();
    let schema = Schema::compile(&[SchemaDocument { name: "schema.xsd", bytes: &bytes }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

/// Everything the engine finds in a document.
pub(crate) fn judged(plan: &Plan, document: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut validator = Validator::new(plan, Limits::default());
    validator.feed(document, &mut findings);
    validator.finish(&mut findings);
    findings
}

#[test]
fn every_schema_is_in_the_table() {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(repository("schemas")).unwrap().map(|entry| entry.unwrap().path()) {
        // Receipts are our own, with nothing to compare them with.
        if !folder.ends_with("receipt") {
            files.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    files.sort();
    let mut listed: Vec<PathBuf> = WRITTEN.iter().map(Written::path).collect();
    listed.sort();
    assert_eq!(files, listed);
}

#[test]
fn whole_documents_have_every_element_and_attribute_and_are_valid() {
    for written in WRITTEN {
        let (schema, whole) = (std::fs::read_to_string(written.path()).unwrap(), written.whole());
        let declared = |kind: &str| -> Vec<String> {
            let start = format!("<xs:{kind} name=\"");
            schema.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        for name in declared("element") {
            let there = [">", "/>", " "].iter().any(|end| whole.contains(&format!("<{name}{end}")));
            assert!(there, "{}: no {name}", written.whole);
        }
        for name in declared("attribute") {
            assert!(whole.contains(&format!(" {name}=\"")), "{}: no {name}", written.whole);
        }
        assert_eq!(written.judged(whole.as_bytes()), [], "{}", written.whole);
    }
}

#[test]
fn a_mark_without_a_declaration_and_blanks_at_the_end_are_taken() {
    for written in WRITTEN {
        let whole = written.whole();
        let (_, body) = whole.split_once("?>").unwrap();
        assert_eq!(written.judged(format!("\u{feff}{}  \r\n\n", body.trim()).as_bytes()), [], "{}", written.name);
    }
}

#[test]
fn both_orders_of_utf_16_are_taken() {
    for written in WRITTEN {
        let text = written.whole().replacen("utf-8", "utf-16", 1);
        let units: Vec<u16> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!((written.judged(&big), written.judged(&little)), (vec![], vec![]), "{}", written.name);
    }
}

#[test]
fn empty_reports_are_valid_and_an_empty_data_batch_is_not() {
    let emptied = |name: &str, item: &str| {
        let written = Written::named(name);
        let whole = written.whole();
        let (start, end) = (format!("<{item}>"), format!("</{item}>"));
        let (start, end) = match whole.find(&start) {
            Some(at) => (at, whole.rfind(&end).unwrap() + end.len()),
            None => (whole.find(&format!("<{item} ")).unwrap(), whole.rfind(&end).unwrap() + end.len()),
        };
        written.judged(format!("{}{}", &whole[..start], &whole[end..]).as_bytes()).len()
    };
    assert_eq!(emptied("confirmations/confirmations-2009-10", "Confirmation"), 0);
    assert_eq!(emptied("confirmations/confirmations-2010-10", "Confirmation"), 0);
    assert_eq!(emptied("altut-confirmations/altut-confirmation-batch", "Confirmation"), 0);
    assert_eq!(emptied("correspondence/correspondences-2009-10", "Correspondence"), 0);
    assert_eq!(emptied("usagedata/correspondence-usage-data-2009-10", "Correspondence"), 0);
    assert_eq!(emptied("usagedata/correspondence-usage-data-2009-10", "CorrespondenceUsage"), 0);
    assert_eq!(emptied("altut/gov-organ-6-0", "Message"), 0);
    assert_eq!(emptied("databatch/generic-batch-2013-06", "DataUnit"), 1);
    assert_eq!(emptied("broker/recipients-2015-06", "Recipient"), 1);
}

#[test]
fn a_stray_attribute_is_all_that_is_wrong_with_an_empty_altut_report() {
    let report = "\u{feff}<AltUtConfirmationBatch batchReference=\"735\" previousReference=\"734\" receiverReference=\"\" \
        timeStamp=\"2026-02-02T03:21:03\" confirmationsInBatch=\"0\" xsi=\"file:///rapport.xsd\"><AltUtConfirmations/>\
        </AltUtConfirmationBatch>";
    let written = Written::named("altut-confirmations/altut-confirmation-batch");
    let found = written.judged(report.as_bytes());
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.kind, one.path.as_str()), (Kind::UnexpectedAttribute, "/AltUtConfirmationBatch"));
    assert!(one.text.contains("xsi"), "{}", one.text);
    let without = report.replace(" xsi=\"file:///rapport.xsd\"", "");
    assert_eq!(written.judged(without.as_bytes()), []);
}

#[test]
fn the_two_namespaces_of_confirmations_are_told_apart() {
    let names = ["confirmations/confirmations-2009-10", "confirmations/confirmations-2010-10"];
    let [first, second] = names.map(Written::named);
    assert_eq!(first.judged(second.whole().as_bytes()).len(), 1);
    assert_eq!(second.judged(first.whole().as_bytes()).len(), 1);
}

#[test]
fn batches_of_older_versions_are_valid_by_the_newest() {
    let written = Written::named("databatch/generic-batch-2013-06");
    let whole = written.whole();
    let (start, end) = (whole.find("<MetadataList>").unwrap(), whole.find("<Approvers>").unwrap());
    let older = format!("{}{}", &whole[..start], &whole[end..])
        .replace(" checksum=\"cd2f0b6c\" attachmentTypeName=\"Kvittering\"", "")
        .replace("schemaVersion=\"2013.06\"", "schemaVersion=\"2010.10\"");
    assert!(!older.contains("checksum") && !older.contains("Metadata"));
    assert_eq!(written.judged(older.as_bytes()), []);
}

#[test]
fn a_data_batch_that_only_names_its_units_lacks_what_the_schema_asks_for() {
    let batch = "<DataBatch><DataUnits><DataUnit archiveReference='AR1'><FormTask><ServiceCode>5001</ServiceCode>\
        <ServiceEditionCode>1</ServiceEditionCode><Form><DataFormatId>1</DataFormatId></Form></FormTask></DataUnit>\
        </DataUnits></DataBatch>";
    let found = Written::named("databatch/generic-batch-2013-06").judged(batch.as_bytes());
    let of = |kind| found.iter().filter(|one| one.kind == kind).count();
    // Six of the batch and two of the unit; the form ends too early.
    assert_eq!((of(Kind::MissingAttribute), of(Kind::MissingElement), found.len()), (8, 1, 9), "{found:?}");
}

#[test]
fn altut_is_lenient_where_the_field_table_is_silent_and_strict_where_it_is_not() {
    let written = Written::named("altut/gov-organ-6-0");
    let message = |message: &str| {
        let document = format!("<GovOrgan><AltUt>{message}</AltUt></GovOrgan>");
        written.judged(document.as_bytes()).into_iter().map(|found| found.kind).collect::<Vec<_>>()
    };
    for right in [
        "",
        "<Message shortName='1_1'><Participant id='1'/></Message>",
        "<Message shortName='1_1'><ReplyMessages/><Participant id='1'><Year/><VisibleDate/></Participant><RoleReqRead/>\
            </Message>",
        "<Message shortName='1_1' b:c='d' xmlns:b='urn:b'><b:x/><Participant id='1'><b:x/></Participant></Message>",
        "<Message shortName='1_1'><Participant id='1'/><Participant id='2'/><NotificationMessages/></Message>",
    ] {
        assert_eq!(message(right), [], "{right}");
    }
    for wrong in [
        "<Message><Participant id='1'/></Message>",
        "<Message shortName='1_1'/>",
        "<Message shortName='1_1'><Participant/></Message>",
        "<Message shortName='1_1' shortname=''><Participant id='1'/></Message>",
        "<Message shortName='1_1'><Participant id='1'><Visible/></Participant></Message>",
        "<Message shortName='1_1'><Participant id='1'><VisibleDate>i dag</VisibleDate></Participant></Message>",
        "<Message shortName='1_1'><Participant id='1'><Content><Attachments><Attachment>=</Attachment></Attachments>\
            </Content></Participant></Message>",
    ] {
        assert_eq!(message(wrong).len(), 1, "{wrong}");
    }
}
