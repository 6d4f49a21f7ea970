//! Maskinporten's token endpoint and the token exchange.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, DATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{SimulatorError, SimulatorOptions, World};

/// What a grant that was taken looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// Key id, where the header had one.
    pub key_id: Option<String>,
    /// Certificates in the header.
    pub certificates: usize,
    /// Client id.
    pub client_id: String,
    /// Scopes.
    pub scope: String,
    /// The organisation a supplier acts for.
    pub consumer_org: Option<String>,
    /// Resource indicators.
    pub resources: Vec<String>,
    /// The organisation and the reference of a system user.
    pub system_user: Option<(String, Option<String>)>,
}

/// Tokens given out, and grants seen.
pub(super) struct Issued {
    key: Option<DecodingKey>,
    audience: String,
    grants: HashMap<String, i64>,
    maskinporten: HashMap<String, Token>,
    altinn: HashMap<String, Token>,
    last: Option<GrantFacts>,
    ahead: SignedDuration,
}

/// A token that was given.
struct Token {
    expires: i64,
    client: String,
}

/// The claims Maskinporten knows; any other refuses the grant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    iss: String,
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
    consumer_org: Option<String>,
    #[serde(default)]
    resource: Vec<String>,
    #[serde(default)]
    authorization_details: Vec<SystemUser>,
}

/// Of what may be asked for, all that this knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemUser {
    r#type: String,
    systemuser_org: Party,
    #[serde(rename = "externalRef")]
    external_ref: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    authority: String,
    #[serde(rename = "ID")]
    id: String,
}

impl SystemUser {
    fn facts(&self) -> Option<(String, Option<String>)> {
        let known = self.r#type == "urn:altinn:systemuser" && self.systemuser_org.authority == "iso6523-actorid-upis";
        let organisation = self.systemuser_org.id.strip_prefix("0192:").filter(|_| known)?;
        Some((organisation.to_owned(), self.external_ref.clone()))
    }
}

impl Issued {
    pub(super) fn new(options: &SimulatorOptions, base_url: &str) -> Result<Self, SimulatorError> {
        let key = options.public_key.as_deref().map(|pem| DecodingKey::from_rsa_pem(pem.as_bytes())).transpose();
        Ok(Self {
            key: key.map_err(|_| SimulatorError::BadKey)?,
            audience: options.audience.clone().unwrap_or_else(|| format!("{base_url}/")),
            grants: HashMap::new(),
            maskinporten: HashMap::new(),
            altinn: HashMap::new(),
            last: None,
            ahead: SignedDuration::ZERO,
        })
    }

    /// Sets how far its clock is ahead of the machine's.
    pub(super) fn set_ahead(&mut self, ahead: SignedDuration) {
        self.ahead = ahead;
    }

    fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn last_grant(&self) -> Option<GrantFacts> {
        self.last.clone()
    }

    pub(super) fn revoke(&mut self) {
        self.maskinporten.clear();
        self.altinn.clear();
    }

    /// Tells whether a request carries an exchanged token that is still good.
    pub(super) fn accepts(&self, headers: &HeaderMap) -> bool {
        let now = self.now().as_second();
        bearer(headers).and_then(|token| self.altinn.get(token)).is_some_and(|token| token.expires > now)
    }

    /// The client whose token a request carries, of either kind.
    pub(super) fn client(&self, headers: &HeaderMap) -> Option<String> {
        let token = bearer(headers)?;
        let given = self.altinn.get(token).or_else(|| self.maskinporten.get(token))?;
        Some(given.client.clone())
    }

    /// Takes a grant, and tells whose it is.
    fn judge(&mut self, assertion: &str, now: i64, tolerance_s: i64) -> Result<String, &'static str> {
        let header = jsonwebtoken::decode_header(assertion).map_err(|_| "MP-011 Invalid assertion")?;
        let claims = self.claims(assertion)?;
        check(&header, &claims, &self.audience, now, tolerance_s)?;
        let system_users: Option<Vec<_>> = claims.authorization_details.iter().map(SystemUser::facts).collect();
        let system_user = system_users.ok_or("MP-011 Unknown authorization details")?.pop();
        self.grants.retain(|_, expires| *expires > now - tolerance_s);
        if self.grants.insert(claims.jti, claims.exp).is_some() {
            return Err("MP-012 Grant is used before");
        }
        let client = claims.iss.clone();
        self.last = Some(GrantFacts {
            key_id: header.kid,
            certificates: header.x5c.map_or(0, |chain| chain.len()),
            client_id: claims.iss,
            scope: claims.scope,
            consumer_org: claims.consumer_org,
            resources: claims.resource,
            system_user,
        });
        Ok(client)
    }

    /// A token that the platform takes, for a client.
    pub(super) fn issue(&mut self, client: String, now: i64, lifetime_s: i64) -> String {
        let expires = now + lifetime_s;
        let token = jwt(&json!({"jti": Uuid::new_v4(), "exp": expires, "urn:altinn:org": "ttd"}));
        self.altinn.retain(|_, token| token.expires > now);
        self.altinn.insert(token.clone(), Token { expires, client });
        token
    }

    fn claims(&self, assertion: &str) -> Result<Claims, &'static str> {
        let Some(key) = &self.key else {
            let unchecked = jsonwebtoken::dangerous::insecure_decode::<Claims>(assertion);
            return unchecked.map(|token| token.claims).map_err(|_| "MP-011 Invalid assertion");
        };
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_aud = false;
        validation.validate_exp = false;
        let checked = jsonwebtoken::decode::<Claims>(assertion, key, &validation);
        checked.map(|token| token.claims).map_err(|_| "MP-120 Invalid signature or claims")
    }
}

fn check(header: &Header, claims: &Claims, audience: &str, now: i64, tolerance_s: i64) -> Result<(), &'static str> {
    if header.alg != Algorithm::RS256 || header.kid.is_some() == header.x5c.is_some() {
        return Err("MP-100 Needs RS256 and exactly one of kid and x5c");
    }
    if claims.aud != audience || claims.iss.is_empty() || claims.scope.is_empty() || claims.jti.is_empty() {
        return Err("MP-110 Wrong audience, or an empty claim");
    }
    if (claims.iat - now).abs() > tolerance_s || claims.exp <= now - tolerance_s || claims.exp - claims.iat > 120 {
        return Err("MP-130 Issued at the wrong time, or valid for too long");
    }
    Ok(())
}

#[derive(Deserialize)]
struct GrantForm {
    grant_type: String,
    assertion: String,
}

/// `POST /token`
pub(super) async fn grant(State(world): State<Arc<World>>, form: String) -> Response {
    // A form has the syntax of a query.
    let form = format!("/?{form}").parse::<Uri>().ok().and_then(|uri| Query::<GrantForm>::try_from_uri(&uri).ok());
    let Some(Query(form)) = form.filter(|form| form.grant_type == GRANT_TYPE) else {
        return refused("invalid_request", "MP-011 Not a JWT bearer grant");
    };
    let mut issued = world.issued();
    let now = issued.now().as_second();
    let client = match issued.judge(&form.assertion, now, world.options.clock_tolerance_s) {
        Ok(client) => client,
        Err(why) => return refused("invalid_grant", why),
    };
    let expires = now + world.options.grant_lifetime_s;
    let token = jwt(&json!({"jti": Uuid::new_v4(), "exp": expires}));
    issued.maskinporten.retain(|_, token| token.expires > now);
    issued.maskinporten.insert(token.clone(), Token { expires, client });
    drop(issued);
    world.effects().counts.grants += 1;
    let expires_in = world.options.grant_lifetime_s;
    Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})).into_response()
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn metadata(State(world): State<Arc<World>>) -> Json<serde_json::Value> {
    let issuer = world.issued().audience.clone();
    Json(json!({"issuer": issuer, "token_endpoint": format!("{}/token", world.base_url)}))
}

/// An answer with the stand-in's own time.
pub(super) async fn dated(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let now = world.issued().now();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    if let Some(date) = date.ok().and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// `GET /authentication/api/v1/exchange/maskinporten`
pub(super) async fn exchange(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let mut issued = world.issued();
    let now = issued.now().as_second();
    let given = bearer(&headers).and_then(|token| issued.maskinporten.get(token)).filter(|token| token.expires > now);
    let Some(client) = given.map(|token| token.client.clone()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let token = issued.issue(client, now, world.options.token_lifetime_s);
    drop(issued);
    world.effects().counts.exchanges += 1;
    token.into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn refused(error: &'static str, description: &'static str) -> Response {
    #[derive(Serialize)]
    struct Refusal {
        error: &'static str,
        error_description: &'static str,
    }
    (StatusCode::BAD_REQUEST, Json(Refusal { error, error_description: description })).into_response()
}

/// A token of the right shape; nobody but the stand-in itself has to believe it.
fn jwt(claims: &serde_json::Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(&claims.to_string()), part("simulated"))
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
