//! Judges a recorded call by a description of calls (OpenAPI 3): path, query, headers, kind of body, body.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use sluse::simulator::RecordedCall;

/// A description of calls.
pub(super) struct Description(pub(super) Value);

/// A call, taken apart so that one thing of it can be changed.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) method: String,
    pub(super) path: Vec<String>,
    pub(super) query: Map<String, Value>,
    /// Names in lower case.
    pub(super) headers: Map<String, Value>,
    /// The body; of a form its fields, of bytes a text.
    pub(super) body: Option<Value>,
    /// The names of a form's parts and the kind of each.
    pub(super) parts: Vec<(String, String)>,
    /// The same as it came.
    pub(super) came: RecordedCall,
}

impl Description {
    pub(super) fn read(folder: &Path, name: &str) -> Self {
        let text = fs::read_to_string(folder.join("altinn3/openapi").join(name)).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// What is wrong with a call of this path with these values, as the description has it.
    pub(super) fn faults(&self, path: &str, values: &BTreeMap<String, String>, call: &Taken) -> Vec<String> {
        let parameters = self.parameters(path, &call.method);
        let mut faults = self.path_faults(&parameters, path, values);
        faults.extend(self.parameter_faults(&parameters, "query", &call.query));
        faults.extend(self.parameter_faults(&parameters, "header", &call.headers));
        for name in call.query.keys() {
            if !self.knows_in_query(path, &call.method, name) {
                faults.push(format!("nobody knows {name} in the query"));
            }
        }
        faults.extend(self.body_faults(self.meant(&self.operation(path, &call.method)["requestBody"]), call));
        faults
    }

    /// Tells whether a call may have this in its query.
    pub(super) fn knows_in_query(&self, path: &str, method: &str, name: &str) -> bool {
        let parameters = self.parameters(path, method);
        parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == name)
    }

    fn parameters(&self, path: &str, method: &str) -> Vec<&Value> {
        let described = [&self.0["paths"][path]["parameters"], &self.operation(path, method)["parameters"]];
        let described = described.iter().filter_map(|list| list.as_array()).flatten();
        described.map(|parameter| self.meant(parameter)).collect()
    }

    fn operation(&self, path: &str, method: &str) -> &Value {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "there is no {method} {path}");
        operation
    }

    fn path_faults(&self, parameters: &[&Value], path: &str, values: &BTreeMap<String, String>) -> Vec<String> {
        let mut faults = Vec::new();
        for wanted in segments(path) {
            let Some(name) = variable(&wanted) else { continue };
            let known = parameters.iter().find(|parameter| parameter["in"] == "path" && parameter["name"] == *name);
            let known = known.unwrap_or_else(|| panic!("{path} does not describe {name}"));
            faults.extend(self.value_faults(&known["schema"], &json!(values[name])));
        }
        faults
    }

    fn parameter_faults(&self, parameters: &[&Value], place: &str, found: &Map<String, Value>) -> Vec<String> {
        let mut faults = Vec::new();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == place) {
            let name = parameter["name"].as_str().unwrap();
            let key = if place == "header" { name.to_lowercase() } else { name.to_owned() };
            match found.get(&key) {
                Some(value) => faults.extend(self.value_faults(&parameter["schema"], value)),
                None if parameter["required"] == true => faults.push(format!("{name} is missing")),
                None => {}
            }
        }
        faults
    }

    fn body_faults(&self, described: &Value, call: &Taken) -> Vec<String> {
        let Some(kinds) = described["content"].as_object() else { return Vec::new() };
        let Some(body) = &call.body else {
            return if described["required"] == true { vec!["there is no body".to_owned()] } else { Vec::new() };
        };
        let kind = essence(call.headers.get("content-type").and_then(Value::as_str).unwrap_or_default());
        let Some(content) = kinds.iter().find(|(known, _)| essence(known) == kind).map(|(_, content)| content) else {
            return vec![format!("a body of kind {kind:?}")];
        };
        let mut faults = Vec::new();
        for (name, kind) in &call.parts {
            let wanted = content["encoding"][name]["contentType"].as_str();
            if wanted.is_some_and(|wanted| essence(wanted) != essence(kind)) {
                faults.push(format!("{name} of kind {kind:?}"));
            }
        }
        let schema = &content["schema"];
        if schema.is_object() {
            let placed = if is_form(call) { self.typed(schema, &placed(body)) } else { body.clone() };
            faults.extend(self.schema_faults(schema, &placed));
        }
        faults
    }

    /// Of a text that stands for a value.
    fn value_faults(&self, schema: &Value, text: &Value) -> Vec<String> {
        self.schema_faults(schema, &self.typed(schema, text))
    }

    /// Texts as the values they stand for.
    fn typed(&self, schema: &Value, value: &Value) -> Value {
        let schema = self.meant(schema);
        match (schema["type"].as_str(), value) {
            (Some("integer"), Value::String(text)) => text.parse::<i64>().map_or(json!(text), |number| json!(number)),
            (Some("boolean"), Value::String(text)) => text.parse::<bool>().map_or(json!(text), |flag| json!(flag)),
            (Some("array"), Value::Array(values)) => {
                values.iter().map(|value| self.typed(&schema["items"], value)).collect()
            }
            (_, Value::Object(members)) => {
                let known =
                    |(name, value): (&String, &Value)| (name.clone(), self.typed(&schema["properties"][name], value));
                Value::Object(members.iter().map(known).collect())
            }
            _ => value.clone(),
        }
    }

    fn schema_faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let root = json!({"allOf": [schema], "components": self.0["components"]});
        let judge = jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap();
        judge.iter_errors(value).map(|error| error.to_string()).collect()
    }

    /// What a reference leads to.
    fn meant<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(place) => self.0.pointer(place.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

impl Taken {
    pub(super) fn of(call: &RecordedCall) -> Self {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let headers: Map<String, Value> =
            call.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let kind = headers.get("content-type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (body, parts) = match essence(&kind) {
            _ if call.body.is_empty() => (None, Vec::new()),
            "application/json" => (Some(serde_json::from_slice(&call.body).unwrap()), Vec::new()),
            "application/x-www-form-urlencoded" => (Some(Value::Object(pairs(&text(&call.body)))), Vec::new()),
            "multipart/form-data" => {
                let (fields, parts) = form(&call.body, kind.split_once("boundary=").unwrap().1);
                (Some(Value::Object(fields)), parts)
            }
            _ => (Some(json!("bytes")), Vec::new()),
        };
        Self {
            method: call.method.clone(),
            path: segments(path),
            query: pairs(query),
            headers,
            body,
            parts,
            came: call.clone(),
        }
    }

    /// The values of a path's variables.
    pub(super) fn values(&self, path: &str) -> BTreeMap<String, String> {
        let pairs = segments(path).into_iter().zip(&self.path);
        pairs.filter_map(|(wanted, found)| Some((variable(&wanted)?.to_owned(), found.clone()))).collect()
    }

    /// Tells whether it is a call of a path.
    pub(super) fn is_of(&self, method: &str, path: &str) -> bool {
        let wanted = segments(path);
        let same = |(wanted, found): (&String, &String)| variable(wanted).is_some() || wanted == found;
        self.method == method && wanted.len() == self.path.len() && wanted.iter().zip(&self.path).all(same)
    }
}

pub(super) fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/').split('/').map(ToOwned::to_owned).collect()
}

/// The name of a segment that stands for many.
pub(super) fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

pub(super) fn is_form(call: &Taken) -> bool {
    call.headers.get("content-type").and_then(Value::as_str).is_some_and(|kind| essence(kind) == "multipart/form-data")
}

pub(super) fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap().trim()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn pairs(query: &str) -> Map<String, Value> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{query}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect()
}

/// The fields of a form, and the kinds of its parts.
fn form(body: &[u8], boundary: &str) -> (Map<String, Value>, Vec<(String, String)>) {
    let (mut fields, mut parts) = (Map::new(), Vec::new());
    for part in text(body).split(&format!("--{boundary}")) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else { continue };
        let name = head.split_once("name=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let kind = head.to_lowercase().split_once("content-type: ").unwrap().1.lines().next().unwrap().to_owned();
        let content = content.trim_end_matches("\r\n");
        let value = match essence(&kind) {
            "application/json" => serde_json::from_str(content).unwrap(),
            _ => json!(content),
        };
        fields.insert(name.clone(), value);
        parts.push((name, kind));
    }
    (fields, parts)
}

/// A form's fields as what their names are places in: `content.title`, `recipients[0]`.
fn placed(fields: &Value) -> Value {
    let mut whole = json!({});
    for (name, value) in fields.as_object().unwrap() {
        let mut place = &mut whole;
        for step in name.replace('[', ".[").split('.') {
            place = &mut place[step];
        }
        *place = value.clone();
    }
    with_arrays(whole)
}

/// Objects whose members are numbered as the arrays they are.
fn with_arrays(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    if !members.is_empty() && members.keys().all(|name| name.starts_with('[')) {
        return members.into_iter().map(|(_, value)| with_arrays(value)).collect();
    }
    Value::Object(members.into_iter().map(|(name, value)| (name, with_arrays(value))).collect())
}
