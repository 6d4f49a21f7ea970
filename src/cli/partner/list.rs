//! `sluse partner list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::Office;
use super::key::keys;
use crate::adapters::sftp_server::Login;
use crate::app::partners::Standing;
use crate::cli::table::json_lines;
use crate::cli::{ConfigArgs, print};

/// How to list them.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object per partner
    #[arg(long)]
    pub json: bool,
}

/// One partner; `docs/operating.md` promises its shape.
#[derive(Serialize)]
struct PartnerLine {
    partner: String,
    like: Option<String>,
    disabled: bool,
    addresses: Vec<String>,
    routes: Vec<String>,
    logins: Vec<LoginLine>,
}

#[derive(Serialize)]
struct LoginLine {
    user: String,
    password: bool,
    key_and_password: bool,
    certificate_authorities: usize,
    keys: Vec<KeyLine>,
}

#[derive(Serialize)]
struct KeyLine {
    fingerprint: String,
    kind: String,
    comment: String,
    until: Option<String>,
}

/// Lists them on standard output.
pub(super) async fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let office = Office::open(&args.config).await?;
    let lines = office.partners.iter().map(|partner| line(partner, &office));
    if args.json {
        return print(&json_lines(lines)?);
    }
    let mut text = String::new();
    for line in lines {
        show(&mut text, &line)?;
    }
    print(&text)
}

fn line(partner: &Standing, office: &Office) -> PartnerLine {
    let pattern = partner.like.as_ref().unwrap_or(&partner.access.partner);
    let routes = office.config.routes.iter().filter(|route| route.route.partner == *pattern);
    PartnerLine {
        partner: partner.access.partner.to_string(),
        like: partner.like.as_ref().map(ToString::to_string),
        disabled: partner.disabled,
        addresses: partner.access.addresses.iter().map(ToString::to_string).collect(),
        routes: routes.map(|route| route.route.name.to_string()).collect(),
        logins: partner.access.logins.iter().map(login_line).collect(),
    }
}

fn login_line(login: &Login) -> LoginLine {
    let key_line = |(key, fingerprint): (crate::model::LoginKey, String)| KeyLine {
        fingerprint,
        kind: key.key.split(' ').next().unwrap_or_default().to_owned(),
        comment: key.comment.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
        until: key.until.map(|until| format!("{until:.0}")),
    };
    LoginLine {
        user: login.user.clone(),
        password: login.password_hash.is_some(),
        key_and_password: login.needs_both,
        certificate_authorities: login.authorities.len(),
        keys: keys(login).map(key_line).collect(),
    }
}

fn show(text: &mut String, line: &PartnerLine) -> std::fmt::Result {
    let like = line.like.as_ref().map(|like| format!(" (like {like})")).unwrap_or_default();
    let disabled = if line.disabled { ", disabled" } else { "" };
    writeln!(text, "{}{like}{disabled}", line.partner)?;
    writeln!(text, "  routes: {}", line.routes.join(", "))?;
    if !line.addresses.is_empty() {
        writeln!(text, "  from: {}", line.addresses.join(", "))?;
    }
    for login in &line.logins {
        let ways = [(login.password, "password"), (login.certificate_authorities > 0, "certificate")];
        let ways: Vec<_> = ways.into_iter().filter_map(|(has, name)| has.then_some(name)).collect();
        let ways = if ways.is_empty() { String::new() } else { format!(": {}", ways.join(", ")) };
        let both = if login.key_and_password { " (key and password)" } else { "" };
        writeln!(text, "  login {}{both}{ways}", login.user)?;
        for key in &login.keys {
            let until = key.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            writeln!(text, "    {} {} {}{until}", key.kind, key.fingerprint, key.comment)?;
        }
    }
    Ok(())
}
