//! What happened: every instance counted by its item's key, the latest ones with their facts.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::instance::TASKS;

/// Totals since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectCounts {
    /// Instances made.
    pub total: u64,
    /// Items they were made of.
    pub distinct: u64,
    /// Items with more than one instance, at most a hundred of them.
    pub repeated: Vec<Repeated>,
    /// Requests to make one, whatever became of them.
    pub instantiations: u64,
    /// Requests to list instances.
    pub look_ups: u64,
    /// Maskinporten tokens given.
    pub grants: u64,
    /// Tokens exchanged.
    pub exchanges: u64,
    /// Forms and attachments received with instances that were made.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests to put a form or an attachment in place of another.
    #[serde(default)]
    pub puts: u64,
    /// Instances deleted for good.
    #[serde(default)]
    pub deleted: u64,
    /// Instances deleted so that their owners may take them back.
    #[serde(default)]
    pub soft_deleted: u64,
}

/// An item with more than one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The item's key.
    pub key: Uuid,
    /// Its instances.
    pub count: u32,
}

/// What is kept about an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceFacts {
    /// `party/guid`.
    pub id: String,
    /// Hash of the owner's number; the number itself is not kept.
    pub owner: u64,
    /// `org/app`.
    pub app_id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When the owner may see it, where the template said so.
    pub visible_after: Option<Timestamp>,
    /// When it should be done, where the template said so.
    #[serde(default)]
    pub due_before: Option<Timestamp>,
    /// Its data values.
    pub data_values: BTreeMap<String, String>,
    /// Its forms and attachments, in order.
    pub parts: Vec<PartFacts>,
    /// Steps its process has gone on.
    #[serde(default)]
    pub steps: u32,
    /// It was deleted for good.
    #[serde(default)]
    pub is_deleted: bool,
    /// It was deleted, and its owner may take it back.
    #[serde(default)]
    pub is_soft_deleted: bool,
    /// Its owner has opened it.
    #[serde(default)]
    pub is_opened: bool,
    /// Its owner has changed it.
    #[serde(default)]
    pub is_edited: bool,
}

/// What is kept about a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFacts {
    /// Its id.
    #[serde(default)]
    pub id: Uuid,
    /// Its data type.
    pub name: String,
    /// Its content type.
    pub content_type: String,
    /// Its file name.
    pub file_name: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl InstanceFacts {
    /// The item's key; for items of other senders one made of their references, without these its own id.
    fn key(&self) -> Uuid {
        let value = |name: &str| self.data_values.get(name).map_or("", String::as_str);
        value(KEY_VALUE).parse().unwrap_or_else(|_| {
            let references = [value("ExternalShipmentReference"), value("SendersReference")].join("\n");
            let name = if references.len() > 1 { &references } else { &self.id };
            Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
        })
    }
}

/// What stays of an instance when its facts are let go: enough to find it by its owner and its item's key.
struct Brief {
    key: [u8; 16],
    guid: [u8; 16],
    created_ms: i64,
    party: u32,
    /// Index among the apps' names.
    app: u32,
}

/// Everything counted.
pub(super) struct Effects {
    pub(super) counts: EffectCounts,
    // Sixteen bytes for each of a million items; the few repeated ones are counted apart.
    seen: HashSet<[u8; 16]>,
    repeated: HashMap<[u8; 16], u32>,
    recent: VecDeque<InstanceFacts>,
    // By owner, oldest first; what a run of a million items looks up is not only its last instances.
    earlier: BTreeMap<(u64, u32), Brief>,
    apps: Vec<String>,
    keep: usize,
    journal: Option<File>,
}

impl Effects {
    /// Reads a journal back, if there is one, and goes on writing it.
    pub(super) fn open(keep: usize, journal: Option<&Path>) -> io::Result<Self> {
        let mut effects = Self {
            counts: EffectCounts::default(),
            seen: HashSet::new(),
            repeated: HashMap::new(),
            recent: VecDeque::new(),
            earlier: BTreeMap::new(),
            apps: Vec::new(),
            keep,
            journal: None,
        };
        if let Some(path) = journal {
            effects.journal = Some(effects.replay(path)?);
        }
        Ok(effects)
    }

    fn replay(&mut self, path: &Path) -> io::Result<File> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut whole = 0;
        let mut reader = BufReader::new(&mut file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            // A line without its end was being written when the process was killed: that effect was never answered.
            if length == 0 || !line.ends_with(b"\n") {
                break;
            }
            self.count(serde_json::from_slice(&line)?);
            whole += length as u64;
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }

    /// Makes an effect: in the journal first, so that no answer precedes it.
    pub(super) fn add(&mut self, instance: InstanceFacts) -> io::Result<()> {
        if let Some(journal) = &mut self.journal {
            let mut line = serde_json::to_vec(&instance)?;
            line.push(b'\n');
            journal.write_all(&line)?;
        }
        self.count(instance);
        Ok(())
    }

    fn count(&mut self, instance: InstanceFacts) {
        self.counts.total += 1;
        self.counts.parts += instance.parts.len() as u64;
        self.counts.bytes += instance.parts.iter().map(|part| part.size_bytes).sum::<u64>();
        let key = instance.key().into_bytes();
        if !self.seen.insert(key) {
            *self.repeated.entry(key).or_insert(1) += 1;
        }
        self.recent.push_back(instance);
        if self.recent.len() > self.keep
            && let Some(oldest) = self.recent.pop_front()
        {
            self.shorten(&oldest);
        }
    }

    fn shorten(&mut self, instance: &InstanceFacts) {
        let (party, guid) = instance.id.split_once('/').unwrap_or_default();
        let app = self.apps.iter().position(|known| *known == instance.app_id).unwrap_or_else(|| {
            self.apps.push(instance.app_id.clone());
            self.apps.len() - 1
        });
        let brief = Brief {
            key: instance.key().into_bytes(),
            guid: guid.parse::<Uuid>().unwrap_or_default().into_bytes(),
            created_ms: instance.created.as_millisecond(),
            party: party.parse().unwrap_or_default(),
            app: u32::try_from(app).unwrap_or(u32::MAX),
        };
        let number = u32::try_from(self.earlier.len()).unwrap_or(u32::MAX);
        self.earlier.insert((instance.owner, number), brief);
    }

    fn reopened(&self, owner: u64, brief: &Brief) -> InstanceFacts {
        let app = usize::try_from(brief.app).ok().and_then(|app| self.apps.get(app));
        InstanceFacts {
            id: format!("{}/{}", brief.party, Uuid::from_bytes(brief.guid)),
            owner,
            app_id: app.cloned().unwrap_or_default(),
            created: Timestamp::from_millisecond(brief.created_ms).unwrap_or_default(),
            visible_after: None,
            due_before: None,
            data_values: [(KEY_VALUE.to_owned(), Uuid::from_bytes(brief.key).to_string())].into(),
            parts: Vec::new(),
            steps: 0,
            is_deleted: false,
            is_soft_deleted: false,
            is_opened: false,
            is_edited: false,
        }
    }

    pub(super) fn counts(&self) -> EffectCounts {
        let repeated = self.repeated.iter().map(|(key, count)| Repeated { key: Uuid::from_bytes(*key), count: *count });
        EffectCounts {
            distinct: self.seen.len() as u64,
            repeated: repeated.take(MOST_REPEATED).collect(),
            ..self.counts.clone()
        }
    }

    pub(super) fn recent(&self) -> Vec<InstanceFacts> {
        self.recent.iter().cloned().collect()
    }

    /// The instances of an owner, oldest first; of earlier ones only id, app, time and key.
    pub(super) fn of_owner(&self, owner: u64) -> impl Iterator<Item = InstanceFacts> {
        let earlier = self.earlier.range((owner, 0)..=(owner, u32::MAX));
        let earlier = earlier.map(move |(_, brief)| self.reopened(owner, brief));
        earlier.chain(self.recent.iter().filter(move |instance| instance.owner == owner).cloned())
    }

    /// One of the latest instances, to be changed; what is changed is not in the journal.
    pub(super) fn one(&mut self, id: &str) -> Option<&mut InstanceFacts> {
        self.recent.iter_mut().rev().find(|instance| instance.id == id)
    }

    /// Tells whether facts have been let go.
    pub(super) fn forgets(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// Notes what an owner has done with an instance; `false` where there is none, or nobody can do that.
    pub(super) fn used(&mut self, id: &str, how: &str) -> bool {
        let Some(instance) = self.one(id) else { return false };
        match how {
            "opened" => instance.is_opened = true,
            "edited" => (instance.is_opened, instance.is_edited) = (true, true),
            "submitted" => (instance.is_opened, instance.is_edited, instance.steps) = (true, true, TASKS),
            _ => return false,
        }
        true
    }

    pub(super) fn reset(&mut self) -> io::Result<()> {
        self.counts = EffectCounts::default();
        self.seen = HashSet::new();
        self.repeated = HashMap::new();
        self.recent = VecDeque::new();
        self.earlier = BTreeMap::new();
        match &self.journal {
            Some(journal) => journal.set_len(0),
            None => Ok(()),
        }
    }
}

/// The hash an owner is kept as.
pub(super) fn owner_hash(number: &str) -> u64 {
    digest(&SHA256, number.as_bytes()).as_ref().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The data value that holds the item's key.
const KEY_VALUE: &str = "SluseItemKey";
/// A list to look at, not to work through.
const MOST_REPEATED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(key: u128) -> InstanceFacts {
        InstanceFacts {
            id: format!("1/{}", Uuid::new_v4()),
            owner: 1,
            app_id: "ttd/app".into(),
            created: Timestamp::UNIX_EPOCH,
            visible_after: None,
            due_before: None,
            data_values: [("SluseItemKey".to_owned(), Uuid::from_u128(key).to_string())].into(),
            parts: Vec::new(),
            steps: 0,
            is_deleted: false,
            is_soft_deleted: false,
            is_opened: false,
            is_edited: false,
        }
    }

    #[test]
    fn effects_are_counted_by_key_and_survive_in_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut effects = Effects::open(2, Some(&path)).unwrap();
        for key in [1, 2, 3, 2] {
            effects.add(instance(key)).unwrap();
        }
        let counts = effects.counts();
        assert_eq!((counts.total, counts.distinct), (4, 3));
        assert_eq!(counts.repeated, [Repeated { key: Uuid::from_u128(2), count: 2 }]);
        assert_eq!(effects.recent().len(), 2);
        let (found, whole): (Vec<_>, Vec<_>) = (effects.of_owner(1).collect(), effects.recent());
        let keys: Vec<_> = found.iter().map(InstanceFacts::key).collect();
        assert_eq!(keys, [1, 2, 3, 2].map(Uuid::from_u128), "all are found, oldest first");
        assert_eq!((&found[2..], found[0].app_id.as_str()), (&whole[..], "ttd/app"));
        assert!(found[0].id.starts_with("1/") && found[0].id != "1/");
        drop(effects);

        // A line cut off by a kill is no effect.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\":").unwrap();
        let mut again = Effects::open(2, Some(&path)).unwrap();
        assert_eq!(again.counts(), counts);
        again.add(instance(4)).unwrap();
        assert_eq!(Effects::open(2, Some(&path)).unwrap().counts().total, 5);
        again.reset().unwrap();
        assert_eq!(Effects::open(2, Some(&path)).unwrap().counts().total, 0);
    }
}
