//! Known devices: a cookie that a browser keeps after a sign-in (proof of possession). It opens nothing. It only gives the
//! browser tries of its own at that name's next sign-in, so that whoever guesses at the name does not lock its owner out.

use axum::{extract::FromRequestParts, http::request::Parts};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use muster_domain::times::after;
use serde::{Deserialize, Serialize};

use super::sessions::cookie;
use crate::{
    api::{problem::Failure, route::Argument},
    app::App,
};

/// The cookie.
const COOKIE: &str = "__Host-muster-device";
/// How long it is believed after a sign-in, in seconds.
const KNOWN_SECONDS: u32 = 90 * 86_400;
/// Tells it from other tokens that are signed with the same secret.
const AUDIENCE: &str = "muster-sign-in";

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The name that has signed in.
    sub: String,
    /// The device.
    jti: String,
    aud: String,
    exp: i64,
}

/// The device that a request shows, if it shows one.
pub struct Device(Option<Claims>);

impl Argument for Device {}

impl Device {
    /// Which device it is, if this name has signed in there.
    pub fn of(&self, username: &str) -> Option<&str> {
        self.0.as_ref().filter(|claims| claims.sub == username).map(|claims| claims.jti.as_str())
    }
}

impl FromRequestParts<App> for Device {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Ok(Self(cookie(&parts.headers, COOKIE).and_then(|text| claims(app, text))))
    }
}

fn claims(app: &App, text: &str) -> Option<Claims> {
    let key = DecodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    // The server's own clock decides, and a test moves it.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Claims>(text, &key, &validation).ok()?.claims;
    (app.now() < Timestamp::from_second(claims.exp).ok()?).then_some(claims)
}

/// The cookie by which a browser is known from now on.
pub fn remember(app: &App, username: &str) -> Result<String, Failure> {
    let exp = after(app.now(), KNOWN_SECONDS).as_second();
    let jti = format!("{:032x}", rand::random::<u128>());
    let claims = Claims { sub: username.into(), jti, aud: AUDIENCE.into(), exp };
    let key = EncodingKey::from_secret(app.settings.token_secret.reveal().as_bytes());
    let text = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(Failure::broken)?;
    Ok(format!("{COOKIE}={text}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={KNOWN_SECONDS}"))
}
