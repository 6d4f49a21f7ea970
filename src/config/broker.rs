//! Broker ZIPs: what an archive may ask, and the register of who may send and receive.

use jiff::civil::Date;

use super::reader::Section;
use crate::formats;
use crate::formats::broker::{Limits, Rules, UnknownChecksums};
use crate::model::{Access, Right, Rights};

/// Reads `[broker]` and `[[right]]`.
pub(super) fn read(root: &Section<'_>) -> Rules {
    let section = root.section("broker");
    let rights: Vec<Right> = root.list("right").iter().filter_map(right).collect();
    Rules {
        limits: limits(&section),
        unknown_checksums: unknown_checksums(&section),
        rights: is_asked(&section, root.has("right")).then(|| Rights::new(rights)),
    }
}

fn limits(section: &Section<'_>) -> Limits {
    let default = Limits::default();
    let count =
        |key, default: usize, most| usize::try_from(section.number(key, default as u64, 1..=most)).unwrap_or(default);
    let nesting = section.number("max_nesting", u64::from(default.nesting), 0..=100);
    Limits {
        entries: section.number("max_entries", default.entries, 2..=100_000_000),
        unpacked_bytes: section.number("max_unpacked_bytes", default.unpacked_bytes, 1..=u64::MAX >> 1),
        entry_ratio: section.number("max_entry_ratio", default.entry_ratio, 1..=1_000_000),
        total_ratio: section.number("max_ratio", default.total_ratio, 1..=1_000_000),
        nesting: u32::try_from(nesting).unwrap_or(default.nesting),
        name_bytes: count("max_name_bytes", default.name_bytes, 65_535),
        control_bytes: section.number("max_control_bytes", default.control_bytes, 1..=u64::MAX >> 1),
        listed: count("max_listed", default.listed, 10_000_000),
    }
}

fn unknown_checksums(section: &Section<'_>) -> UnknownChecksums {
    match section.text("unknown_checksums").as_deref() {
        None | Some("tell") => UnknownChecksums::Tell,
        Some("refuse") => UnknownChecksums::Refuse,
        Some(_) => {
            section.fault("unknown_checksums", "must be \"tell\" or \"refuse\"");
            UnknownChecksums::default()
        }
    }
}

/// Whether the register is asked: when it has rows, unless the setting says otherwise.
fn is_asked(section: &Section<'_>, has_rows: bool) -> bool {
    match section.text("rights").as_deref() {
        None => has_rows,
        Some("register") => true,
        Some("none") => {
            if has_rows {
                let place = section.place("rights");
                section.source().warn(format!("{place}: the rows of [[right]] are not asked"));
            }
            false
        }
        Some(_) => {
            section.fault("rights", "must be \"register\" or \"none\"");
            has_rows
        }
    }
}

fn right(section: &Section<'_>) -> Option<Right> {
    let code = section.required("service");
    let edition = section.text("edition");
    let party = section.required("party").and_then(|text| match formats::reportee(&text) {
        Ok(party) => Some(party.expose().to_owned()),
        Err(_) => {
            // Without the number: it may be a person's.
            section.fault("party", "must be an organisasjonsnummer or a fødselsnummer with right check digits");
            None
        }
    });
    let access = access(section);
    let given = section.has("valid_to");
    let valid_to: Option<Date> = section.parsed("valid_to");
    if given && valid_to.is_none() {
        return None;
    }
    Some(Right { code: code?, edition, party: party?, access: access?, valid_to })
}

fn access(section: &Section<'_>) -> Option<Access> {
    let right = section.required("right")?;
    let condition = section.text("condition");
    match (right.as_str(), condition.as_deref()) {
        ("write", None) => Some(Access::Write),
        ("write", Some("recipient")) => Some(Access::WriteToRecipient),
        ("read", None) => Some(Access::Read),
        ("read", Some("sender")) => Some(Access::ReadFromSender),
        ("write", Some(_)) => {
            section.fault("condition", "of the right to write can only be \"recipient\"");
            None
        }
        ("read", Some(_)) => {
            section.fault("condition", "of the right to read can only be \"sender\"");
            None
        }
        _ => {
            section.fault("right", "must be \"read\" or \"write\"");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::config::Config;
    use crate::model::{Denied, Service};

    const MINIMAL: &str = "data_dir = \"d\"\n[partner.a.login.a]\n\
        public_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxs a@b\"]\n\
        [receiver.f]\nkind = \"directory\"\npath = \"o\"\n\
        [route.p]\npartner = \"a\"\nformat = \"prefill\"\nreceiver = \"f\"\n";

    fn parse(text: &str) -> Result<Config, String> {
        let base = std::path::Path::new("/tmp");
        Config::parse(&format!("{MINIMAL}{text}"), base, []).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_make_a_register() {
        let config = parse(
            "[[right]]\nservice = \"4752\"\nparty = \"910000004\"\nright = \"write\"\n\
             [[right]]\nservice = \"4752\"\nedition = \"2\"\nparty = \"910000012\"\nright = \"read\"\n\
             condition = \"sender\"\nvalid_to = \"2026-12-31\"\n",
        )
        .unwrap();
        let rights = config.broker.rights.unwrap();
        let allows = |edition: &str, day| {
            let service = Service { code: "4752".into(), edition: edition.into() };
            rights.allows(&service, "910000004", "910000012", day)
        };
        assert_eq!(allows("2", date(2026, 12, 31)), Ok(()));
        assert_eq!(allows("2", date(2027, 1, 1)), Err(Denied::Recipient));
        assert_eq!(allows("1", date(2026, 12, 31)), Err(Denied::Recipient));
    }

    #[test]
    fn without_rows_nobody_is_asked_unless_it_is_said() {
        assert_eq!(parse("").unwrap().broker.rights, None);
        assert!(parse("[broker]\nrights = \"register\"\n").unwrap().broker.rights.unwrap().is_empty());
        let row = "[[right]]\nservice = \"1\"\nparty = \"910000004\"\nright = \"read\"\n";
        let config = parse(&format!("[broker]\nrights = \"none\"\n{row}")).unwrap();
        assert_eq!((config.broker.rights, config.warnings.len()), (None, 1));
    }

    #[test]
    fn archives_do_not_go_to_apps() {
        let receiver = "[receiver.apps]\nkind = \"altinn-app\"\nenvironment = \"tt02\"\napps_url = \"https://ttd.apps.tt02.altinn.no\"\n\
                        client_id = \"c\"\nkid = \"k\"\n";
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.pem");
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        let key = format!("key_file = {file:?}\n");
        let route = "[route.b]\npartner = \"a\"\nformat = \"broker\"\ninbox = \"b\"\ntest = \"t\"\n";
        let to = |name: &str| parse(&format!("{receiver}{key}{route}receiver = \"{name}\"\n"));
        let told = |name: &str| to(name).err().is_some_and(|text| text.contains("takes no broker ZIPs"));
        assert!(!told("f"));
        assert!(told("apps"), "{:?}", to("apps"));
    }

    #[test]
    fn every_fault_is_told_and_no_party() {
        let faults = parse(
            "[broker]\nmax_entries = 1\nunknown_checksums = \"x\"\nrights = \"x\"\n\
             [[right]]\nservice = \"1\"\nparty = \"910000005\"\nright = \"read\"\ncondition = \"recipient\"\n\
             [[right]]\nparty = \"910000004\"\nright = \"own\"\nvalid_to = \"soon\"\nextra = 1\n",
        )
        .unwrap_err();
        for fault in [
            "broker.max_entries: must be",
            "broker.unknown_checksums: must be",
            "broker.rights: must be",
            "right[1].party: must be",
            "right[1].condition: of the right to read",
            "right[2].service: is missing",
            "right[2].right: must be",
            "right[2].valid_to: ",
            "right[2].extra: is not a setting",
        ] {
            assert!(faults.contains(fault), "{fault}\n{faults}");
        }
        assert!(!faults.contains("910000005"));
    }
}
