//! Sessions: the `login`, `logout`, `whoami` and `version` commands.

use jiff::Timestamp;
use muster_schemas::{
    PROTOCOL,
    access::{LoginRequest, SessionKind, SessionView},
    health::Version,
};
use serde_json::json;

use crate::{
    client::Client,
    config::{self, Config},
    exits::Exit,
    failures::Failure,
    output::{self, Context},
    prompts::{self, FromStdin},
    roles, tables, times,
};

/// Arguments of `login`.
#[derive(Debug, clap::Args)]
pub struct LoginArguments {
    /// Name of the account; if absent, the terminal asks for it
    #[arg(long, env = "MUSTER_USERNAME")]
    username: Option<String>,
    #[command(flatten)]
    from_stdin: FromStdin,
}

/// Opens a session and stores its token.
pub async fn login(context: &Context, arguments: LoginArguments) -> Result<Exit, Failure> {
    let server = config::server(context.server.as_deref(), Config::load)?;
    let username = match arguments.username {
        Some(username) => username,
        None => prompts::line("username", "--username NAME")?,
    };
    let question = format!("Password for {username} at {server}");
    let password = prompts::password(&question, "MUSTER_PASSWORD", arguments.from_stdin)?;
    let request = LoginRequest { username, password, kind: SessionKind::Bearer };
    let answer = Client::new(&server, None)?.act(&["session"], &request).await?;
    let session: SessionView = answer.read()?;
    let missing = || Failure::Unreadable { what: "the answer to the login".into(), why: "it has no token".into() };
    let token = session.token.clone().ok_or_else(missing)?;
    let (username, expires_at) = (session.username.clone(), session.expires_at);
    Config { server: server.clone(), username, token, expires_at }.save()?;
    // The token is stored in the file and never printed.
    let shown = SessionView { token: None, ..session };
    if context.json {
        output::line(&serde_json::to_string(&shown).expect("a session is JSON"))?;
    } else {
        output::line(&format!("Logged in to {server} as {}.", who(&shown, Timestamp::now())))?;
    }
    Ok(Exit::Succeeded)
}

/// Ends the session and deletes its token. The stored token is deleted even if the server cannot be reached.
pub async fn logout(context: &Context) -> Result<Exit, Failure> {
    let Some(config) = Config::load()? else {
        context.remark("You are not logged in.");
        return Ok(Exit::Succeeded);
    };
    let server = config::checked(&config.server)?;
    Config::remove()?;
    let client = Client::new(&server, Some(config.token))?;
    match client.delete(&["session"], &[]).await {
        Ok(_) => context.remark(&format!("Logged out from {server}.")),
        Err(Failure::Refused { problem, .. }) if problem.status == 401 => {
            context.remark(&format!("The session at {server} had already ended."));
        }
        Err(failure) => {
            output::warn("The token is deleted here, but the server was not told: the session ends when it expires.");
            return Err(failure);
        }
    }
    Ok(Exit::Succeeded)
}

/// Prints the account, its role and the server.
pub async fn whoami(context: &Context) -> Result<Exit, Failure> {
    let client = context.client()?;
    let answer = client.get(&["session"], &[]).await?;
    context.show(&answer, |session: &SessionView| {
        format!("{} at {}\n", who(session, Timestamp::now()), client.server())
    })?;
    Ok(Exit::Succeeded)
}

/// Prints the version of this client and, if a server is configured, of the server.
pub async fn version(context: &Context) -> Result<Exit, Failure> {
    let own = option_env!("MUSTER_VERSION").unwrap_or(env!("CARGO_PKG_VERSION"));
    let server = config::server(context.server.as_deref(), Config::load);
    let theirs = match server {
        Err(Failure::NoServer) => None,
        server => {
            let answer = Client::new(&server?, None)?.get(&["version"], &[]).await?;
            Some(answer.read::<Version>()?)
        }
    };
    if context.json {
        output::line(&json!({ "client": { "version": own, "protocol": PROTOCOL }, "server": theirs }).to_string())?;
    } else {
        let server = theirs.map_or_else(String::new, |server| format!("{} ({})", server.version, server.commit));
        output::text(&tables::facts(&[("muster", own.into()), ("server", server)]))?;
    }
    Ok(Exit::Succeeded)
}

fn who(session: &SessionView, now: Timestamp) -> String {
    let ends = times::ago(session.expires_at, now);
    format!("{} ({}; the session ends {ends})", tables::printable(&session.username), roles::text(session.role))
}
