//! The configuration's partners as the ledger amends them, and the task that follows what operators change.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use super::settings;
use crate::adapters::sftp_server::{Doorkeeper, Login, PartnerAccess, PublicKeyLine, read_key};
use crate::config::Config;
use crate::intake::Routes;
use crate::model::{AddedPartner, AmendedLogin, Amendments, LoginKey, OwnedKey, PartnerId, Route};
use crate::pipeline::survived;
use crate::ports::{LedgerError, Partners};

/// A partner as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// What it has.
    pub(crate) access: PartnerAccess,
    /// The configured partner that it is like, when the ledger added it.
    pub(crate) like: Option<PartnerId>,
    /// Whether its logins are taken.
    pub(crate) disabled: bool,
}

/// Every partner, those of the configuration first.
pub(crate) fn standing(config: &Config, amendments: &Amendments) -> Vec<Standing> {
    let configured = config.partners.iter().map(|partner| (None, settings::access(partner, config)));
    let configured: Vec<_> = configured.collect();
    let added = amendments.partners.iter().filter_map(|added| {
        let is_known = configured.iter().any(|(_, access)| access.partner == added.id);
        let pattern = configured.iter().find(|(_, access)| access.partner == added.like);
        Some((Some(added.like.clone()), like(&pattern.filter(|_| !is_known)?.1, added)))
    });
    let mut partners: Vec<_> = configured.iter().cloned().chain(added).collect();
    amend_logins(&mut partners, &amendments.logins);
    for (_, access) in &mut partners {
        for login in &mut access.logins {
            amend_keys(&access.partner, login, &amendments.keys);
        }
    }
    let stands = |(like, access): (Option<PartnerId>, PartnerAccess)| {
        let disabled = amendments.disabled.contains(&access.partner);
        Standing { access, like, disabled }
    };
    partners.into_iter().map(stands).collect()
}

/// What the pattern has, under another name and with logins of its own.
fn like(pattern: &PartnerAccess, added: &AddedPartner) -> PartnerAccess {
    PartnerAccess {
        partner: added.id.clone(),
        logins: Vec::new(),
        // What cannot be read was refused when it was said; letting in from nowhere is the safe reading.
        addresses: added.addresses.iter().map(|text| text.parse().unwrap_or(NOWHERE)).collect(),
        older_algorithms: false,
        ..pattern.clone()
    }
}

fn amend_logins(partners: &mut [(Option<PartnerId>, PartnerAccess)], logins: &[AmendedLogin]) {
    for amended in logins {
        let AmendedLogin { user, partner, password_hash, is_added, .. } = amended;
        let owner = partners.iter().position(|(_, access)| access.logins.iter().any(|login| login.user == *user));
        let whose = partners.iter().position(|(_, access)| access.partner == *partner);
        // A user the configuration has since given to another partner is that one's.
        let Some((_, access)) =
            whose.filter(|whose| owner.is_none_or(|owner| owner == *whose)).and_then(|at| partners.get_mut(at))
        else {
            continue;
        };
        let hash = password_hash.clone().map(SecretString::from);
        match access.logins.iter_mut().find(|login| login.user == *user) {
            Some(login) if hash.is_some() && holds(amended, login) => login.password_hash = hash,
            // Without a command that made it there is no login where the configuration has none.
            None if *is_added => access.logins.push(new_login(user, hash)),
            Some(_) | None => {}
        }
    }
}

/// Tells whether the password an operator set still stands in the place of the configuration's.
fn holds(amended: &AmendedLogin, login: &Login) -> bool {
    let AmendedLogin { user, partner, in_place_of, .. } = amended;
    let Some(in_place_of) = in_place_of else {
        tracing::warn!(%partner, user, "the password set with `partner rotate` opens, whatever the configuration says since: set it once more to change that");
        return true;
    };
    let holds = *in_place_of == mark(login.password_hash.as_ref());
    if !holds {
        tracing::warn!(%partner, user, "the configuration's password was changed after `partner rotate`: it opens, the other does not");
    }
    holds
}

/// What a password's hash, or the lack of one, is known by later.
pub(crate) fn mark(hash: Option<&SecretString>) -> [u8; 32] {
    let digest = digest(&SHA256, hash.map_or("", |hash| hash.expose_secret()).as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn new_login(user: &str, password_hash: Option<SecretString>) -> Login {
    let user = user.to_owned();
    Login { user, public_keys: vec![], authorities: vec![], principals: vec![], needs_both: false, password_hash }
}

/// Gives the login its further keys, and all of them their last moments.
fn amend_keys(partner: &PartnerId, login: &mut Login, keys: &[OwnedKey]) {
    let of_user = keys.iter().filter(|owned| owned.key.user == login.user);
    let (own, others): (Vec<_>, Vec<_>) = of_user.partition(|owned| owned.partner == *partner);
    // What was said of another partner's login opens nothing here. A key that was ended then stays ended where the
    // configuration gives user and key to this one, until this one's is said anew.
    for OwnedKey { key, .. } in others {
        if let Some(known) = login.public_keys.iter_mut().find(|known| is_key(known, key)) {
            known.until = known.until.into_iter().chain(key.until).min();
        }
    }
    for OwnedKey { key, .. } in own {
        match login.public_keys.iter_mut().find(|known| is_key(known, key)) {
            Some(known) => known.until = key.until,
            None => {
                let line = format!("{} {}", key.key, key.comment);
                login.public_keys.push(PublicKeyLine { line, until: key.until });
            }
        }
    }
}

fn is_key(known: &PublicKeyLine, key: &LoginKey) -> bool {
    read_key(&key.user, &known.line).is_ok_and(|(known, _fingerprint)| known.key == key.key)
}

/// Every route: an added partner has those of its pattern.
pub(crate) fn routes(config: &Config, partners: &[Standing]) -> Vec<Route> {
    let configured = config.routes.iter().map(|route| route.route.clone());
    let added = partners.iter().filter_map(|partner| Some((&partner.access.partner, partner.like.as_ref()?)));
    let of_added = added.flat_map(|(id, like)| {
        let of_pattern = config.routes.iter().filter(move |route| route.route.partner == *like);
        of_pattern.map(|route| Route { partner: id.clone(), ..route.route.clone() })
    });
    configured.chain(of_added).collect()
}

/// Those who may log in.
pub(crate) fn admitted(partners: &[Standing]) -> Vec<PartnerAccess> {
    partners.iter().filter(|partner| !partner.disabled).map(|partner| partner.access.clone()).collect()
}

/// Who may log in and whose files are taken, while the gateway runs.
pub(super) struct Following {
    pub(super) config: Config,
    pub(super) ledger: Arc<dyn Partners>,
    pub(super) door: Doorkeeper,
    pub(super) routes: Arc<Routes>,
    /// How many changes are known.
    pub(super) amended: u64,
    /// Pause between looks.
    pub(super) look: Duration,
}

impl Following {
    /// Follows until told to stop.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.look) => {}
            }
            match survived(self.look_once()).await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "the ledger's changes of partners cannot be read; what was known stands");
                }
                None => tracing::error!("an operator's change of partners cannot be followed: it panicked"),
            }
        }
    }

    async fn look_once(&mut self) -> Result<(), LedgerError> {
        let amended = self.ledger.amended().await?;
        if amended == self.amended {
            return Ok(());
        }
        let partners = standing(&self.config, &self.ledger.amendments().await?);
        // Whoever is let in finds routes.
        self.routes.replace(routes(&self.config, &partners));
        match self.door.admit(&admitted(&partners)) {
            Ok(()) => tracing::info!(partners = partners.len(), "partners follow what an operator changed"),
            Err(error) => tracing::error!(%error, "an operator's change of partners cannot be followed"),
        }
        self.amended = amended;
        Ok(())
    }
}

/// A network nobody connects from.
const NOWHERE: IpNet = IpNet::new_assert(IpAddr::V4(Ipv4Addr::BROADCAST), 32);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn config(other: &str) -> Config {
        let text = format!(
            "data_dir = \"data\"\n[partner.etat]\nolder_algorithms = true\naddresses = [\"192.0.2.0/24\"]\n\
             [partner.etat.login.etat]\npublic_keys = [\"{KEY} nightly\"]\n{other}[receiver.files]\nkind = \"directory\"\n\
             path = \"out\"\n[route.prefill]\npartner = \"etat\"\nformat = \"prefill\"\nreceiver = \"files\"\n"
        );
        Config::parse(&text, Path::new("/"), []).unwrap()
    }

    fn amendments() -> Amendments {
        let lovisa: PartnerId = "lovisa".parse().unwrap();
        let login = |user: &str| AmendedLogin { user: user.into(), ..login("lovisa") };
        Amendments {
            partners: vec![AddedPartner { id: lovisa.clone(), like: "etat".parse().unwrap(), addresses: vec![] }],
            logins: vec![login("lovisa"), login("etat")],
            keys: vec![],
            disabled: vec![lovisa.clone()],
        }
    }

    #[test]
    fn an_added_partner_has_what_its_pattern_has_but_for_its_addresses() {
        let config = config("");
        let partners = standing(&config, &amendments());
        let [etat, lovisa] = partners.as_slice() else { panic!("{partners:?}") };
        assert_eq!(lovisa.access.inboxes, etat.access.inboxes);
        assert!(lovisa.access.addresses.is_empty() && !lovisa.access.older_algorithms && lovisa.disabled);
        assert_eq!(admitted(&partners).len(), 1);
        let owners: Vec<_> = routes(&config, &partners).into_iter().map(|route| route.partner.to_string()).collect();
        assert_eq!(owners, ["etat", "lovisa"], "a disabled partner's files are worked on");
    }

    #[test]
    fn the_configuration_holds_where_both_name_one() {
        let users = |partner: &Standing| -> Vec<String> {
            partner.access.logins.iter().map(|login| login.user.clone()).collect()
        };
        let partners = standing(&config(""), &amendments());
        assert_eq!(
            partners.iter().map(users).collect::<Vec<_>>(),
            [["etat"], ["lovisa"]],
            "etat is no login of lovisa"
        );
        let named = format!("[partner.lovisa.login.weekly]\npublic_keys = [\"{KEY}\"]\n");
        let partners = standing(&config(&named), &amendments());
        let lovisa = partners.iter().find(|partner| partner.access.partner.as_str() == "lovisa").unwrap();
        assert!(lovisa.like.is_none());
        assert_eq!((partners.len(), users(lovisa)), (2, vec!["weekly".to_owned(), "lovisa".to_owned()]));
    }

    #[test]
    fn a_keys_last_moment_holds_for_a_key_of_the_configuration() {
        let until = Some("2026-12-01T00:00:00Z".parse().unwrap());
        let keys = vec![owned("etat", KEY, until), owned("etat", &other_key(), None)];
        let partners = standing(&config(""), &Amendments { keys, ..Amendments::default() });
        let lines = &partners[0].access.logins[0].public_keys;
        assert_eq!(lines.iter().map(|key| key.until).collect::<Vec<_>>(), [until, None]);
    }

    /// The login `etat`, said of a partner.
    fn login(partner: &str) -> AmendedLogin {
        let partner = partner.parse().unwrap();
        AmendedLogin { user: "etat".into(), partner, password_hash: None, is_added: true, in_place_of: None }
    }

    /// A key of the login `etat`, said of a partner.
    fn owned(partner: &str, key: &str, until: Option<jiff::Timestamp>) -> OwnedKey {
        let key = LoginKey { user: "etat".into(), key: key.into(), comment: "c".into(), until };
        OwnedKey { partner: partner.parse().unwrap(), key }
    }

    fn other_key() -> String {
        KEY.replace("IJdD", "IJdE")
    }

    #[test]
    fn a_key_of_one_partner_opens_no_other() {
        let lines = |keys: Vec<OwnedKey>| {
            let amendments = Amendments { keys, ..amendments() };
            let mut partners = standing(&config(""), &amendments);
            partners.remove(0).access.logins.remove(0).public_keys
        };
        let moved = lines(vec![owned("lovisa", &other_key(), None)]);
        assert_eq!(moved.len(), 1, "the configuration gave the user to etat since: {moved:?}");
        assert!(moved[0].line.contains("IJdD"));
        let (ended, later) = ("2026-01-01T00:00:00Z".parse().ok(), "2026-12-01T00:00:00Z".parse().ok());
        assert_eq!(lines(vec![owned("lovisa", KEY, ended)])[0].until, ended, "what was ended stays ended");
        let anew = lines(vec![owned("lovisa", KEY, ended), owned("etat", KEY, later)]);
        assert_eq!((anew.len(), anew[0].until), (1, later), "until it is said anew of its new owner");
    }

    #[test]
    fn a_password_of_one_partner_opens_no_other() {
        let mut amendments = amendments();
        amendments.logins[1].password_hash = Some("$argon2id$".into());
        let partners = standing(&config(""), &amendments);
        assert!(partners[0].access.logins[0].password_hash.is_none(), "etat was lovisa's when it was said");
    }

    #[test]
    fn a_login_that_the_configuration_takes_away_does_not_go_on() {
        let users = |user: &str, is_added: bool| -> Vec<String> {
            let hash = Some("$argon2id$".to_owned());
            let row = AmendedLogin { user: user.into(), password_hash: hash, is_added, ..login("etat") };
            let partners = standing(&config(""), &Amendments { logins: vec![row], ..Amendments::default() });
            partners[0].access.logins.iter().map(|login| login.user.clone()).collect()
        };
        assert_eq!(users("weekly", false), ["etat"], "its password was replaced while the configuration had it");
        assert_eq!(users("weekly", true), ["etat", "weekly"], "a command made it");
    }

    #[test]
    fn a_password_that_the_configuration_changes_afterwards_is_the_configurations() {
        let opened_by = |configured: &str, in_place_of: Option<[u8; 32]>| {
            let text = format!("[partner.lovisa.login.weekly]\npublic_keys = [\"{KEY}\"]\n{configured}");
            let hash = Some("$argon2id$set".to_owned());
            let row = AmendedLogin { user: "weekly".into(), password_hash: hash, in_place_of, ..login("lovisa") };
            let partners = standing(&config(&text), &Amendments { logins: vec![row], ..Amendments::default() });
            let hash = partners[1].access.logins[0].password_hash.as_ref();
            hash.map(|hash| hash.expose_secret().to_owned())
        };
        let (set, first) = (
            Some("$argon2id$set".to_owned()),
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
        );
        let line = format!("password_hash = \"{first}\"\n");
        let [of_none, of_first] = [None, Some(first)].map(|hash| Some(mark(hash.map(SecretString::from).as_ref())));
        assert_eq!(opened_by(&line, of_first), set);
        assert_eq!(opened_by("", of_none), set);
        assert_eq!(opened_by("", None), set, "a ledger of before does not tell");
        assert_eq!(opened_by(&line, of_none).as_deref(), Some(first), "the configuration has one since");
        assert_eq!(opened_by("", of_first), None, "only keys open since");
    }
}
