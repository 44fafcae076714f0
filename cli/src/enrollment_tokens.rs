//! Enrollment tokens, which let hosts join the fleet: the `token` commands.

use jiff::Timestamp;
use muster_schemas::{
    enrollment::{EnrollmentTokenCreated, EnrollmentTokenRequest, EnrollmentTokenState, EnrollmentTokenView},
    ids::EnrollmentTokenId,
};

use crate::{
    exits::Exit,
    failures::Failure,
    output::{Context, Paging},
    pairs::{self, Pair},
    tables::{self, Table},
    times,
};

/// The `token` commands.
#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Create an enrollment token; its secret is shown only once
    Create {
        /// How many hosts may join with the token (default: 1)
        #[arg(long)]
        seats: Option<u32>,
        /// How long the token is valid, such as 7d (default: 1h)
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        valid_for: Option<u32>,
        /// Label to set on every host that joins with the token (repeatable)
        #[arg(long, value_name = "KEY=VALUE")]
        label: Vec<Pair>,
        /// Note that tells people what the token is for
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List enrollment tokens, without their secrets
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Revoke an enrollment token
    Revoke {
        /// Id of the token (tok_…)
        id: EnrollmentTokenId,
    },
}

/// Runs a `token` command.
pub async fn run(context: &Context, command: TokenCommand) -> Result<Exit, Failure> {
    let path = ["enrollment-tokens"];
    match command {
        TokenCommand::Create { seats, valid_for, label, note } => {
            let labels = pairs::map(&label);
            let request = EnrollmentTokenRequest { seats, valid_for_seconds: valid_for, labels, note };
            let client = context.client()?;
            let answer = client.create(&path, &request).await?;
            context.show(&answer, |created| how_to_join(created, client.server()))?;
        }
        TokenCommand::List { paging } => {
            let render = |tokens: &[EnrollmentTokenView]| table(tokens, Timestamp::now());
            paging.list(context, (&path, Vec::new()), render).await?;
        }
        TokenCommand::Revoke { id } => {
            let answer = context.client()?.delete(&["enrollment-tokens", &id.to_string()], &[]).await?;
            context.done(&answer, &format!("Revoked {id}. No more hosts can join with it."))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn how_to_join(created: &EnrollmentTokenCreated, server: &str) -> String {
    let EnrollmentTokenCreated { token, install_command, view } = created;
    format!(
        "Created {id} for {hosts}, valid until {until}. The token is not shown again.\n\n\
         To install the agent on a host and let it join, run there:\n\n  \
         {install}\n\n\
         Add --trust-root root.json to let the host install signed updates.\n\n\
         If the agent is installed already, run:\n\n  \
         muster-agent enroll --server {server} --token {token} --state /var/lib/muster\n",
        id = view.id,
        hosts = tables::count(view.seats.into(), "host"),
        until = view.expires_at,
        install = install_command.reveal(),
        token = token.reveal(),
    )
}

fn table(tokens: &[EnrollmentTokenView], now: Timestamp) -> String {
    let mut table = Table::new(["ID", "STATE", "SEATS", "LABELS", "EXPIRES", "NOTE"]);
    for token in tokens {
        table.row([
            token.id.to_string(),
            state(token.state).into(),
            format!("{}/{}", token.used, token.seats),
            pairs::text(&token.labels),
            times::ago(token.expires_at, now),
            token.note.clone(),
        ]);
    }
    table.render("There are no enrollment tokens.")
}

fn state(state: EnrollmentTokenState) -> &'static str {
    match state {
        EnrollmentTokenState::Open => "open",
        EnrollmentTokenState::UsedUp => "used up",
        EnrollmentTokenState::Expired => "expired",
        EnrollmentTokenState::Revoked => "revoked",
    }
}
