//! `multipart/form-data`, streamed part by part.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::ports::Content;

/// One part of a form.
pub(in crate::adapters) struct FormPart {
    /// Field name.
    pub(in crate::adapters) name: String,
    /// File name, for what is one.
    pub(in crate::adapters) file_name: Option<String>,
    /// Content type.
    pub(in crate::adapters) content_type: &'static str,
    /// Bytes.
    pub(in crate::adapters) content: Content,
}

/// Makes the body of a form and its content type. Only one chunk is in memory at a time.
pub(in crate::adapters) fn form(parts: Vec<FormPart>) -> (String, BoxStream<'static, io::Result<Bytes>>) {
    let boundary = format!("sluse-{}", uuid::Uuid::new_v4().simple());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let end = Bytes::from(format!("--{boundary}--\r\n"));
    let body = stream::iter(parts).flat_map(move |part| {
        let head = Bytes::from(head(&boundary, &part));
        ready(head).chain(part.content.stream()).chain(ready(Bytes::from_static(b"\r\n")))
    });
    (content_type, body.chain(ready(end)).boxed())
}

fn ready(bytes: Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    stream::iter([Ok(bytes)]).boxed()
}

fn head(boundary: &str, part: &FormPart) -> String {
    let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name));
    if let Some(name) = &part.file_name {
        head.push_str(&format!("; filename=\"{}\"", quoted(name)));
    }
    head.push_str(&format!("\r\nContent-Type: {}\r\n\r\n", part.content_type));
    head
}

/// What may stand between quotes in a header: a line break in a name would let a sender write headers of their own.
fn quoted(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).map(|c| if c == '"' || c == '\\' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_quotes(name in "\\PC*|.*|[\r\n\"\\\\:a-]*") {
            let content = Content::from_bytes("");
            let part = FormPart { name: "a".into(), file_name: Some(name), content_type: "text/plain", content };
            let head = head("b", &part);
            let lines: Vec<_> = head.split("\r\n").collect();
            prop_assert_eq!(lines.len(), 5);
            prop_assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
            prop_assert_eq!(lines[1].matches('"').count(), 4);
        }
    }

    #[tokio::test]
    async fn a_form_has_its_parts_in_order() {
        let part = |name: &str, file: Option<&str>, text: &'static str| FormPart {
            name: name.into(),
            file_name: file.map(Into::into),
            content_type: "text/plain",
            content: Content::from_bytes(text),
        };
        let (content_type, body) = form(vec![part("a", None, "1"), part("b", Some("å\r\n\"x\".pdf"), "2")]);
        let boundary = content_type.split_once("boundary=").unwrap().1;
        let body = body.try_collect::<Vec<_>>().await.unwrap().concat();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain\r\n\r\n1\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"b\"; filename=\"å_x_.pdf\"\r\nContent-Type: text/plain\r\n\r\n2\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
