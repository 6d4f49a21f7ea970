//! Random batches with planted faults: the judgement names those and no others, however the batch arrives.

use std::path::Path;

use proptest::prelude::*;
use sluse::codes;
use sluse::formats::take_form_schema;
use sluse::model::{Code, FormSchemaRow, Route, ServiceRow, Strictness};

use crate::support::judged::{fixed, judged, judged_by, judging, prefill, prefill_route};

/// What an item of a batch is like.
#[derive(Debug, Clone, Copy)]
struct Plant {
    /// Its service.
    service: &'static str,
    /// Its last valid day.
    to: &'static str,
    /// Its reference; `~` stands for its number.
    reference: &'static str,
    /// The form that its second form belongs to.
    parent: &'static str,
    /// The second form's data.
    data: &'static str,
    /// What it is refused for.
    code: Option<Code>,
}

const RIGHT: Plant = Plant {
    service: "MT0001",
    to: "2098-12-31",
    reference: "R-~",
    parent: "F1",
    data: "<![CDATA[<Melding><Belop>1</Belop></Melding>]]>",
    code: None,
};

const PLANTS: [Plant; 14] = [
    RIGHT,
    Plant { parent: "0", ..RIGHT },
    Plant { data: "&lt;Melding>&lt;Belop&gt;&#49;&lt;/Belop>&lt;/Melding>", ..RIGHT },
    Plant { data: "MDEyMzQ1Njc4OWFiY2RlZg==", ..RIGHT },
    Plant { data: "<![CDATA[<e:EncryptedData xmlns:e='http://www.w3.org/2001/04/xmlenc#'/>]]>", ..RIGHT },
    Plant { to: "2025-12-31", code: Some(codes::VALIDITY_REVERSED), ..RIGHT },
    Plant { to: "2026-02-30", code: Some(codes::BAD_VALUE), ..RIGHT },
    Plant { reference: " ", code: Some(codes::NO_REFERENCE), ..RIGHT },
    Plant { parent: "F9", code: Some(codes::NO_PARENT), ..RIGHT },
    Plant { service: "OTHER", code: Some(codes::UNKNOWN_SERVICE), ..RIGHT },
    Plant { service: "IGN0001", to: "2025-12-31", code: Some(codes::IGNORED_SERVICE), ..RIGHT },
    Plant { data: "<![CDATA[<Melding><Belop>1</Melding>]]>", code: Some(codes::FORM_DATA_NOT_XML), ..RIGHT },
    Plant { data: "", code: Some(codes::FORM_DATA_NOT_XML), ..RIGHT },
    Plant {
        data: "<![CDATA[<Melding>\n<Belop>mye</Belop></Melding>]]>",
        code: Some(codes::FORM_DATA_BREAKS_SCHEMA),
        ..RIGHT
    },
];

fn batch(plants: &[usize]) -> String {
    let items: String = plants
        .iter()
        .enumerate()
        .map(|(number, plant)| {
            let Plant { service, to, reference, parent, data, .. } = PLANTS[*plant];
            let reference = reference.replace('~', &number.to_string());
            let form = |own: &str, parent: &str, data: &str| {
                format!(
                    "<Form><DataFormatId>5001</DataFormatId><DataFormatVersion>1</DataFormatVersion>\
                     <SendersReference>{own}</SendersReference>{parent}<FormData>{data}</FormData></Form>\n"
                )
            };
            let forms =
                [form("F1", "", RIGHT.data), form("F2", &format!("<ParentReference>{parent}</ParentReference>"), data)]
                    .concat();
            format!(
                "<FormTask><ExternalServiceCode>{service}</ExternalServiceCode>\
                 <ExternalServiceEditionCode>12311</ExternalServiceEditionCode><ValidFrom>2026-01-01</ValidFrom>\
                 <ValidTo>{to}</ValidTo><SendersReference>{reference}</SendersReference>{forms}</FormTask>\n"
            )
        })
        .collect();
    format!(
        "<ServiceOwner xmlns='{}'><ServiceOwnerName>TTD</ServiceOwnerName><Prefill>\
         <ExternalShipmentReference>P</ExternalShipmentReference><Reportee><Id>910000004</Id>{items}</Reportee></Prefill>\
         </ServiceOwner>",
        prefill().namespace
    )
}

fn route(form_data: Strictness) -> Route {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules/form-data-schema-refused/melding.xsd");
    take_form_schema(&schema).unwrap();
    let row = FormSchemaRow { format_id: "5001".into(), format_version: None, schema };
    let mut route = prefill_route();
    let rows = &mut route.services.rows;
    rows.iter_mut().for_each(|ServiceRow { schemas, .. }| schemas.push(row.clone()));
    route.rules.form_data = form_data;
    route
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn what_was_planted_is_found_and_nothing_else(
        plants in prop::collection::vec(0..PLANTS.len(), 1..15),
        piece in 1_usize..400,
    ) {
        let batch = batch(&plants);
        let routes = [route(Strictness::Refuse)];
        let whole = judged(batch.as_bytes(), &routes);
        prop_assert_eq!(whole.judgement.refusal, None);
        let refused: Vec<_> = whole.items.iter().map(|item| item.refused).collect();
        prop_assert_eq!(refused, plants.iter().map(|plant| PLANTS[*plant].code).collect::<Vec<_>>());
        let told = |code: &Code| *code != codes::IGNORED_SERVICE;
        let planted = plants.iter().enumerate().filter_map(|(at, plant)| Some((at as u64 + 1, PLANTS[*plant].code?)));
        let planted: Vec<_> = planted.filter(|(_, code)| told(code)).collect();
        let found: Vec<_> = whole.findings.iter().map(|finding| (finding.item.unwrap(), finding.code)).collect();
        prop_assert_eq!(found, planted);
        prop_assert_eq!(judged_by(batch.as_bytes(), &judging(batch.as_bytes(), &routes), piece), whole);
    }

    #[test]
    fn a_warning_about_form_data_refuses_nothing(plants in prop::collection::vec(0..PLANTS.len(), 1..15)) {
        let batch = batch(&plants);
        let of_forms = |code: Code| [codes::FORM_DATA_NOT_XML, codes::FORM_DATA_BREAKS_SCHEMA].contains(&code);
        let planted = plants.iter().filter(|plant| PLANTS[**plant].code.is_some_and(of_forms)).count();
        for (strictness, told) in [(Strictness::Warn, planted), (Strictness::Off, 0)] {
            let judged = judged(batch.as_bytes(), &[route(strictness)]);
            prop_assert_eq!(judged.findings.iter().filter(|finding| of_forms(finding.code)).count(), told);
            prop_assert!(judged.items.iter().all(|item| !item.refused.is_some_and(of_forms)));
        }
    }
}
