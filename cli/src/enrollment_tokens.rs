//! `token`: enrollment tokens, with which hosts join.

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
    tables::Table,
    times,
};

/// What to do about enrollment tokens.
#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make a token; its text is shown once
    Create {
        /// How many hosts may join with it (1 unless said otherwise)
        #[arg(long)]
        seats: Option<u32>,
        /// How long it is valid, such as 1h (the default) or 7d
        #[arg(long, value_name = "SPAN", value_parser = times::seconds)]
        valid_for: Option<u32>,
        /// A label for every host that joins with it
        #[arg(long, value_name = "KEY=VALUE")]
        label: Vec<Pair>,
        /// What it is for
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List tokens, without their texts
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Take a token back
    Revoke {
        /// The token's id (tok_…)
        id: EnrollmentTokenId,
    },
}

/// Does it.
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
            context.done(&answer, &format!("Revoked {id}: no further host joins with it."))?;
        }
    }
    Ok(Exit::Succeeded)
}

fn how_to_join(created: &EnrollmentTokenCreated, server: &str) -> String {
    let EnrollmentTokenCreated { token, install_command, view } = created;
    format!(
        "{id}: {seats} seats, until {until}. The token is shown only now; on each host, to install the agent and join:\n\n  \
         {install}\n\n\
         (with --trust-root root.json at its end it takes updates as well) or, with an agent that is there already:\n\n  \
         muster-agent enroll --server {server} --token {token} --state /var/lib/muster\n",
        id = view.id,
        seats = view.seats,
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
    table.render("No enrollment tokens.")
}

fn state(state: EnrollmentTokenState) -> &'static str {
    match state {
        EnrollmentTokenState::Open => "open",
        EnrollmentTokenState::UsedUp => "used up",
        EnrollmentTokenState::Expired => "expired",
        EnrollmentTokenState::Revoked => "revoked",
    }
}
