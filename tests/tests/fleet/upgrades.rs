//! Upgrade tests: programs of the release before and programs of today work together, through a whole fleet update.
//!
//! ```text
//! agents of before    on today's server         an older fleet after its server was upgraded
//! today's agents      on the server of before   hosts that were upgraded first, or a server that was put back
//! agents of before    on data of before         that a server of today takes over, with a fleet update half way
//! ```
//!
//! Where the history of the clone does not go back so far, these tests are skipped, and say so.

mod installation;
mod taken_over;
mod work;

use crate::harness::{
    before::Before,
    binaries::{CLI, SERVER, binary},
    fleet::Fleet,
    host::Setup,
    server::Server,
};

#[test]
fn agents_of_before_work_on_the_server_of_today_and_are_updated_to_the_agent_of_today() {
    let Some(before) = Before::found() else { return };
    let Some(fleet) = Fleet::start() else { return };
    let url = fleet.server.url();
    let setup = Setup { agent: before.agent(), ..Setup::of(&url) };
    let hosts = ["one", "two", "three"].map(|name| fleet.host_with(name, &setup));
    work::goes_on_through_a_fleet_update(&fleet, &hosts, "0.9.0");
}

#[test]
fn agents_of_today_work_on_the_server_of_before_and_are_updated_by_it() {
    let Some(before) = Before::found() else { return };
    let Some(fleet) = Fleet::start_with(|folder| Server::start_by(&before.server(), folder)) else { return };
    let hosts = ["one", "two", "three"].map(|name| fleet.host(name));
    work::goes_on_through_a_fleet_update(&fleet, &hosts, "1.0.0");
}

#[test]
fn the_command_line_of_before_and_that_of_today_work_on_either_server() {
    let Some(before) = Before::found() else { return };
    for (server, command_line) in [(binary(SERVER), before.command_line()), (before.server(), binary(CLI))] {
        let Some(fleet) = Fleet::start_with(|folder| Server::start_by(&server, folder)) else { return };
        let host = fleet.host("one");
        work::is_done_by_command_line(&fleet, &host, &command_line);
    }
}
