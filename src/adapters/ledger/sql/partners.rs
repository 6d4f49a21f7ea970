//! SQL texts of amended partners and of what operators did.

pub(in crate::adapters::ledger) const AMENDED: &str = "SELECT COALESCE(MAX(seq), 0) FROM audit";

pub(in crate::adapters::ledger) const PARTNERS: &str = "SELECT id, pattern, addresses FROM partners ORDER BY id";

pub(in crate::adapters::ledger) const DISABLED: &str = "SELECT id FROM partners_disabled ORDER BY id";

pub(in crate::adapters::ledger) const LOGINS: &str =
    "SELECT user, partner, password_hash, is_added, in_place_of FROM logins ORDER BY user, partner";

pub(in crate::adapters::ledger) const LOGIN_KEYS: &str =
    "SELECT partner, user, key, comment, until FROM login_keys ORDER BY partner, user, key";

pub(in crate::adapters::ledger) const ADD_PARTNER: &str =
    "INSERT INTO partners (id, pattern, addresses) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

pub(in crate::adapters::ledger) const DISABLE: &str =
    "INSERT INTO partners_disabled (id) VALUES ($1) ON CONFLICT DO NOTHING";

pub(in crate::adapters::ledger) const ENABLE: &str = "DELETE FROM partners_disabled WHERE id = $1";

/// A user that was added belongs to one partner. A password of before was a login's that the configuration has no more.
pub(in crate::adapters::ledger) const ADD_LOGIN: &str = "INSERT INTO logins (user, partner, is_added) SELECT $1, $2, 1 \
     WHERE NOT EXISTS (SELECT 1 FROM logins WHERE user = $1 AND partner <> $2 AND is_added = 1) \
     ON CONFLICT (partner, user) DO UPDATE SET is_added = 1, password_hash = NULL, in_place_of = NULL WHERE is_added = 0";

/// A login that is made anew is not opened by what opened one of its name before.
pub(in crate::adapters::ledger) const END_KEYS_OF: &str =
    "UPDATE login_keys SET until = $3 WHERE user = $1 AND partner = $2 AND (until IS NULL OR until > $3)";

/// Who owns the user is the configuration's to say: another partner's row stays as it is.
pub(in crate::adapters::ledger) const SET_PASSWORD: &str = "INSERT INTO logins (user, partner, password_hash, is_added, in_place_of) \
     VALUES ($1, $2, $3, 0, $4) ON CONFLICT (partner, user) \
     DO UPDATE SET password_hash = excluded.password_hash, in_place_of = excluded.in_place_of";

pub(in crate::adapters::ledger) const SET_KEY: &str = "INSERT INTO login_keys (partner, user, key, comment, until) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (partner, user, key) DO UPDATE SET comment = excluded.comment, until = excluded.until";

pub(in crate::adapters::ledger) const ADD_AUDIT: &str =
    "INSERT INTO audit (at, who, what, partner, detail, reason) VALUES ($1, $2, $3, $4, $5, $6)";

pub(in crate::adapters::ledger) const AUDIT: &str = "SELECT at, who, what, partner, detail, reason FROM audit \
     WHERE $1 IS NULL OR partner = $1 ORDER BY seq DESC LIMIT $2";
