//! What the receiver answers: receipts, faults, and what goes wrong on the way.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use super::request::namespace;
use crate::model::SoapVersion;
use crate::simulator::control::answer_fault;
use crate::simulator::faults::Fault;
use crate::simulator::tcp::Line;

/// The answer to a batch that something goes wrong with; whether it was taken was settled before.
pub(super) fn answered(fault: Fault, version: SoapVersion, line: &Line) -> Response {
    if matches!(fault, Fault::Down | Fault::DownAfter) {
        return down(version);
    }
    if matches!(fault, Fault::Failed | Fault::FailedForGood) {
        return receipt(version, if fault == Fault::Failed { "FAILED" } else { "FAILED_DO_NOT_RETRY" });
    }
    answer_fault(fault, line)
}

/// A receipt of the reception, which is a document of its own, as text.
pub(super) fn receipt(version: SoapVersion, code: &str) -> Response {
    let body = format!(
        "<ReceiveOnlineBatchExternalAttachmentResponse xmlns=\"http://AltInn.no/webservices/\">\
         <ReceiveOnlineBatchExternalAttachmentResult>&lt;OnlineBatchReceipt&gt;&lt;Result resultCode=\"{code}\"&gt;\
         &lt;/Result&gt;&lt;/OnlineBatchReceipt&gt;</ReceiveOnlineBatchExternalAttachmentResult>\
         </ReceiveOnlineBatchExternalAttachmentResponse>"
    );
    envelope(version, StatusCode::OK, &body)
}

fn down(version: SoapVersion) -> Response {
    let fault = match version {
        SoapVersion::V11 => "<faultcode>s:Server</faultcode><faultstring>Nede</faultstring>",
        SoapVersion::V12 => {
            "<s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"nb\">Nede</s:Text></s:Reason>"
        }
    };
    envelope(version, StatusCode::INTERNAL_SERVER_ERROR, &format!("<s:Fault>{fault}</s:Fault>"))
}

fn envelope(version: SoapVersion, status: StatusCode, body: &str) -> Response {
    let content_type = match version {
        SoapVersion::V11 => "text/xml; charset=utf-8",
        SoapVersion::V12 => "application/soap+xml; charset=utf-8",
    };
    let namespace = namespace(version);
    let text = format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body>{body}</s:Body></s:Envelope>");
    (status, [(CONTENT_TYPE, content_type)], text).into_response()
}
