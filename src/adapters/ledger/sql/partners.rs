//! SQL texts of amended partners and of what operators did.

pub(in crate::adapters::ledger) const AMENDED: &str = "SELECT COALESCE(MAX(seq), 0) FROM audit";

pub(in crate::adapters::ledger) const PARTNERS: &str = "SELECT id, pattern, addresses FROM partners ORDER BY id";

pub(in crate::adapters::ledger) const DISABLED: &str = "SELECT id FROM partners_disabled ORDER BY id";

pub(in crate::adapters::ledger) const LOGINS: &str = "SELECT user, partner, password_hash FROM logins ORDER BY user";

pub(in crate::adapters::ledger) const LOGIN_KEYS: &str =
    "SELECT partner, user, key, comment, until FROM login_keys ORDER BY partner, user, key";

pub(in crate::adapters::ledger) const ADD_PARTNER: &str =
    "INSERT INTO partners (id, pattern, addresses) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

pub(in crate::adapters::ledger) const DISABLE: &str =
    "INSERT INTO partners_disabled (id) VALUES ($1) ON CONFLICT DO NOTHING";

pub(in crate::adapters::ledger) const ENABLE: &str = "DELETE FROM partners_disabled WHERE id = $1";

pub(in crate::adapters::ledger) const ADD_LOGIN: &str =
    "INSERT INTO logins (user, partner) VALUES ($1, $2) ON CONFLICT DO NOTHING";

/// A user belongs to one partner.
pub(in crate::adapters::ledger) const SET_PASSWORD: &str = "INSERT INTO logins (user, partner, password_hash) VALUES ($1, $2, $3) \
     ON CONFLICT (user) DO UPDATE SET password_hash = excluded.password_hash WHERE partner = excluded.partner";

pub(in crate::adapters::ledger) const SET_KEY: &str = "INSERT INTO login_keys (partner, user, key, comment, until) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (partner, user, key) DO UPDATE SET comment = excluded.comment, until = excluded.until";

pub(in crate::adapters::ledger) const ADD_AUDIT: &str =
    "INSERT INTO audit (at, who, what, partner, detail, reason) VALUES ($1, $2, $3, $4, $5, $6)";

pub(in crate::adapters::ledger) const AUDIT: &str = "SELECT at, who, what, partner, detail, reason FROM audit \
     WHERE $1 IS NULL OR partner = $1 ORDER BY seq DESC LIMIT $2";
