//! A message as a form: fields whose names are paths, and files.

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::multipart::{Field, Multipart};
use serde_json::{Map, Value};

/// A request that was received whole.
pub(super) struct Received {
    /// What its fields stand for.
    pub(super) content: Value,
    /// Its files: name, size, SHA-256.
    pub(super) files: Vec<(String, u64, String)>,
}

/// Reads a form; `None` when it breaks off.
pub(super) async fn receive(mut form: Multipart) -> Option<Received> {
    let mut received = Received { content: Value::Object(Map::new()), files: Vec::new() };
    while let Some(field) = form.next_field().await.ok()? {
        if field.name() == Some("attachments") && field.file_name().is_some() {
            received.files.push(file(field).await?);
            continue;
        }
        let name = field.name()?.to_owned();
        let text = field.text().await.ok()?;
        put(&mut received.content, &name, typed(&name, text));
    }
    Some(received)
}

async fn file(mut field: Field<'_>) -> Option<(String, u64, String)> {
    let name = field.file_name()?.to_owned();
    let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0);
    while let Some(chunk) = field.chunk().await.ok()? {
        hash.update(&chunk);
        size_bytes += chunk.len() as u64;
    }
    let sha256 = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Some((name, size_bytes, sha256))
}

/// Fields of a form are text; these are yes or no.
fn typed(name: &str, text: String) -> Value {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_flag = ["is", "send", "override", "allow", "ignore"].iter().any(|start| last.starts_with(start));
    match text.parse::<bool>() {
        Ok(flag) if is_flag => Value::Bool(flag),
        _ => Value::String(text),
    }
}

/// Puts a value at a path such as `a.b[0].c`; a list grows by one element at a time.
fn put(whole: &mut Value, path: &str, value: Value) {
    let mut place = whole;
    for step in path.split('.') {
        let (name, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (step, None),
        };
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(members) = place.as_object_mut() else { return };
        place = members.entry(name).or_insert(Value::Null);
        let Some(index) = index else { continue };
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        let Some(elements) = place.as_array_mut() else { return };
        if index == elements.len() {
            elements.push(Value::Null);
        }
        let Some(element) = elements.get_mut(index) else { return };
        place = element;
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_paths() {
        let mut whole = Value::Null;
        for (name, text) in [("a.b", "1"), ("a.list[0].isIt", "true"), ("a.list[1].title", "true"), ("list[0]", "x")] {
            put(&mut whole, name, typed(name, text.to_owned()));
        }
        let expected = json!({"a": {"b": "1", "list": [{"isIt": true}, {"title": "true"}]}, "list": ["x"]});
        assert_eq!(whole, expected);
        put(&mut whole, "list[9]", Value::Null);
        assert_eq!(whole, expected);
    }
}
