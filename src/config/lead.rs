//! Where a route leads: to one receiver, or to several that each get every item.

use super::flow::FlowConfig;
use super::reader::Section;
use super::receiver::{Named, ReceiverConfig};

/// A receiver that a route leads to.
#[derive(Debug, Clone)]
pub struct Lead {
    /// Its name; routes that name it share it.
    pub name: String,
    /// The receiver.
    pub receiver: ReceiverConfig,
    /// How fast it may be given items.
    pub flow: FlowConfig,
}

/// The receivers a route names, as far as they are sound.
pub(super) struct Leads {
    /// The setting that names them.
    pub(super) key: &'static str,
    /// The one of Altinn 3 first, where there is one: what is kept and followed is the first one's.
    pub(super) all: Vec<Lead>,
    /// Whether none is missing.
    pub(super) is_whole: bool,
}

impl Leads {
    /// Reads `receiver`, or `receivers`.
    pub(super) fn read(section: &Section<'_>, receivers: &[Named]) -> Self {
        let several = section.has("receivers");
        let key = if several { "receivers" } else { "receiver" };
        let names = if several { names(section) } else { section.required("receiver").into_iter().collect() };
        let all: Vec<Lead> = names.iter().filter_map(|name| lead(section, (key, name), receivers)).collect();
        let is_whole = !all.is_empty() && all.len() == names.len();
        let (mut all, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|lead| is_altinn(&lead.receiver));
        if all.len() > 1 {
            section.fault(key, "only one of them may be of Altinn 3, whose services the route's rows name");
        }
        all.extend(others);
        Self { key, all, is_whole }
    }

    /// The receiver that the route's rows are for; `None` when what is wrong with them is told already.
    pub(super) fn first(&self) -> Option<&ReceiverConfig> {
        self.all.first().filter(|_| self.is_whole).map(|lead| &lead.receiver)
    }
}

fn is_altinn(receiver: &ReceiverConfig) -> bool {
    match receiver {
        ReceiverConfig::AltinnApp(_) | ReceiverConfig::AltinnMessages(_) | ReceiverConfig::AltinnBroker(_) => true,
        ReceiverConfig::Http(_) | ReceiverConfig::Soap(_) | ReceiverConfig::Directory(_) | ReceiverConfig::Sftp(_) => {
            false
        }
    }
}

/// Several names, each once.
fn names(section: &Section<'_>) -> Vec<String> {
    if section.text("receiver").is_some() {
        section.fault("receivers", "stands beside receiver: name one in receiver, or all of them in receivers");
    }
    let names = section.texts("receivers");
    if names.is_empty() {
        section.fault("receivers", "names none");
    }
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            section.fault("receivers", format!("names {name} twice"));
        }
    }
    names
}

fn lead(section: &Section<'_>, (key, name): (&'static str, &str), receivers: &[Named]) -> Option<Lead> {
    let Some((_, found)) = receivers.iter().find(|(known, _)| known == name) else {
        section.fault(key, format!("there is no [receiver.{name}]"));
        return None;
    };
    let (receiver, flow) = found.clone()?;
    Some(Lead { name: name.to_owned(), receiver, flow })
}
