//! Workers: work that goes on after a commit, step by step, until there is nothing left to do. One file per noun.
//!
//! Each step is one commit and may run twice or on two machines at once; the next worker continues where another one stopped.

pub mod fleet_updates;

use muster_domain::changes::Work;

use crate::{
    app::App,
    commit::{Cause, CommitError, FollowUp},
};

/// Does the next step; the answer asks for another one while there may be more.
pub(crate) async fn go_on(app: &App, cause: &Cause, work: Work) -> Result<Vec<FollowUp>, CommitError> {
    match work {
        Work::FleetUpdate(id) => fleet_updates::go_on(app, cause, id).await,
    }
}
