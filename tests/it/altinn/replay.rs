//! Every call that is described, as it was made and broken, at Prism: a judge by other hands beside ours.
//!
//! On what is wrong both must be of one mind, but for what Prism does not look at: see `is_beyond_prism` here, and
//! `descriptions::for_prism`. It has no opinion of bytes in a body, as the descriptions have none.

use std::collections::BTreeMap;

use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use super::descriptions::{MESSAGE_FORM, UNDESCRIBED, for_prism, read};
use super::openapi::{Description, Taken, essence, is_form, segments, variable};
use super::operations::{OPERATIONS, Operation, Wrong, first, number};
use super::rehearsal::rehearsal;
use crate::needs::reference;
use crate::support::prism::Prism;

/// A description and a path there.
type Place = (&'static str, &'static str);

#[tokio::test]
async fn prism_takes_every_call_and_refuses_broken_ones() {
    let Some(folder) = reference() else { return };
    if !Prism::is_installed() {
        return;
    }
    let descriptions = read(&folder);
    let prisms = Prisms::start(&descriptions);
    let calls = rehearsal().await;
    let replayed = prisms.take_all(&calls).await;
    let mut refused = BTreeMap::new();
    for (number, operation) in OPERATIONS.iter().enumerate() {
        let right = first(number, &calls);
        for place in at_prism(operation) {
            let count = prisms.refuse_broken(&descriptions, operation, right, place).await;
            refused.insert((number, place), count);
        }
    }
    let described: usize = OPERATIONS.iter().map(|operation| at_prism(operation).count()).sum();
    assert!(described >= 39, "{described}");
    assert_eq!((replayed.len(), refused.len()), (described, described), "{replayed:#?}");
    let vain: Vec<_> = refused.iter().filter(|(_, count)| **count == 0).collect();
    assert!(vain.is_empty(), "nothing was refused: {vain:?}");
}

/// One Prism for each description.
struct Prisms {
    running: BTreeMap<&'static str, Prism>,
    base_urls: BTreeMap<&'static str, String>,
    client: Client,
}

/// A call's changing parts as they are sent.
struct Sent {
    query: String,
    body: Vec<u8>,
}

impl Prisms {
    fn start(descriptions: &BTreeMap<&'static str, Description>) -> Self {
        let known = descriptions.iter().filter(|(file, _)| has_prism(file));
        let start = |(file, description): (&&'static str, &Description)| {
            (*file, Prism::start(&for_prism(description).to_string()))
        };
        let mut running: BTreeMap<_, _> = known.map(start).collect();
        let base_urls = running.iter_mut().map(|(file, prism)| (*file, prism.base_url())).collect();
        Self { running, base_urls, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// Replays all calls as they came, and counts them.
    async fn take_all(&self, calls: &[Taken]) -> BTreeMap<(usize, Place), usize> {
        let mut replayed = BTreeMap::new();
        for call in calls {
            let number = number(call);
            for place in at_prism(&OPERATIONS[number]) {
                for call in ways(call) {
                    let status = self.status(place, &OPERATIONS[number], &call, Sent::as_it_came(&call)).await;
                    assert!((200..300).contains(&status), "{status} {} {place:?}\n{}", call.method, self.log(place));
                }
                *replayed.entry((number, place)).or_insert(0) += 1;
            }
        }
        replayed
    }

    /// Sends a call with one thing changed at a time, and counts what was refused.
    async fn refuse_broken(
        &self,
        descriptions: &BTreeMap<&str, Description>,
        operation: &Operation,
        right: &Taken,
        place: Place,
    ) -> usize {
        let status = self.status(place, operation, right, Sent::written(right)).await;
        assert!((200..300).contains(&status), "{status} {} {place:?} told again\n{}", right.method, self.log(place));
        let (mut refused, (file, path)) = (0, place);
        for wrong in operation.wrong {
            let (broken, what) = wrong.made_of(right, operation.path());
            for call in ways(&broken) {
                let is_wrong = !descriptions[file].faults(path, &call.values(operation.path()), &call).is_empty();
                let is_seen = is_wrong
                    && !is_beyond_prism(wrong, &call, |name| {
                        descriptions[file].knows_in_query(path, &call.method, name)
                    });
                let wanted = if is_seen { 400..500 } else { 200..300 };
                let status = self.status(place, operation, &call, Sent::written(&call)).await;
                let told = format!("{status} {} {place:?} with {what}, wrong: {is_wrong}", call.method);
                assert!(wanted.contains(&status), "{told}\n{}", self.log(place));
                refused += usize::from(is_seen);
            }
        }
        refused
    }

    async fn status(&self, (file, path): Place, operation: &Operation, call: &Taken, sent: Sent) -> u16 {
        let values = call.values(operation.path());
        let filled =
            segments(path).into_iter().map(|step| variable(&step).map_or(step.clone(), |name| values[name].clone()));
        let path = filled.collect::<Vec<_>>().join("/");
        let mut url: Url = format!("{}/{path}", self.base_urls[file]).parse().unwrap();
        url.set_query(Some(&sent.query).filter(|query| !query.is_empty()).map(String::as_str));
        let mut request = self.client.request(call.method.parse::<Method>().unwrap(), url);
        for (name, value) in call.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
            request = request.header(name, value.as_str().unwrap());
        }
        let request = if sent.body.is_empty() { request } else { request.body(sent.body) };
        request.send().await.unwrap().status().as_u16()
    }

    /// The end of what the Prism of a place said.
    fn log(&self, (file, _): Place) -> String {
        let log = self.running[file].log();
        let lines: Vec<_> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Sent {
    fn as_it_came(call: &Taken) -> Self {
        let query = call.came.target.split_once('?').map_or("", |(_, query)| query);
        Self { query: query.to_owned(), body: call.came.body.clone() }
    }

    /// Anew from what a call was taken apart to.
    fn written(call: &Taken) -> Self {
        let query = pairs(call.query.iter());
        let Some(body) = &call.body else { return Self { query, body: Vec::new() } };
        // What it was written as is not what a broken header says.
        let kind = call.came.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, kind)| kind);
        let body = match essence(kind) {
            "application/json" => body.to_string(),
            "application/x-www-form-urlencoded" => pairs(body.as_object().unwrap().iter()),
            "multipart/form-data" => form(call, body, kind.split_once("boundary=").unwrap().1),
            _ => text(body),
        };
        Self { query, body: body.into_bytes() }
    }
}

fn form(call: &Taken, fields: &Value, boundary: &str) -> String {
    let mut form = String::new();
    for (name, value) in fields.as_object().unwrap() {
        let kind = call.parts.iter().find(|(part, _)| part == name).map_or("text/plain", |(_, kind)| kind);
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {kind}");
        form += &format!("{head}\r\n\r\n{}\r\n", text(value));
    }
    form + &format!("--{boundary}--\r\n")
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let mut url: Url = "http://localhost/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(pairs.map(|(name, value)| (name, text(value))));
    url.query().unwrap().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A call, and with a form of an instance and its data the instance alone, which is another way to make the same call:
/// Prism reads no JSON in a form.
fn ways(call: &Taken) -> Vec<Taken> {
    let mut ways = vec![call.clone()];
    if is_form(call) && call.path.last().is_some_and(|step| step == "instances") {
        let instance = &call.body.as_ref().unwrap()["instance"];
        assert!(instance.is_object());
        let mut alone = call.clone();
        alone.body = Some(instance.clone());
        alone.parts.clear();
        alone.headers.insert("content-type".to_owned(), json!("application/json"));
        alone.came.headers.retain(|(name, _)| name != "content-type");
        alone.came.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        alone.came.body = instance.to_string().into_bytes();
        ways.push(alone);
    }
    ways
}

/// What is wrong by a description and passes Prism nevertheless.
fn is_beyond_prism(wrong: &Wrong, call: &Taken, is_in_query: impl Fn(&str) -> bool) -> bool {
    match wrong {
        // In a query it looks for what is described, not for more.
        Wrong::Query(name, _) => !is_in_query(name),
        // Of a form it knows neither the kinds of parts nor JSON, and passes by parts that nobody described.
        Wrong::Part(..) => true,
        Wrong::Body(..) => is_form(call),
        // The end of a kind is enough for it: of `application/offset+octet-stream` the last word.
        Wrong::Header(_, value) => *value == "application/octet-stream",
        // A body of no kind is of the first that is described; for files there is but one.
        Wrong::NoHeader(name) => *name == "content-type" && call.headers.contains_key("content-disposition"),
        Wrong::Path(..) | Wrong::NoQuery(_) | Wrong::Without(_) | Wrong::NoBody => false,
    }
}

/// Where Prism is asked of an operation.
fn at_prism(operation: &'static Operation) -> impl Iterator<Item = Place> {
    operation.described.iter().copied().filter(|(file, _)| has_prism(file))
}

/// Of fields of a form whose names are places Prism knows nothing, and what is not described it refuses.
fn has_prism(file: &str) -> bool {
    !matches!(file, UNDESCRIBED | MESSAGE_FORM)
}

/// Headers that the client here sets itself.
const OF_THE_CONNECTION: [&str; 4] = ["accept-encoding", "content-length", "host", "transfer-encoding"];
