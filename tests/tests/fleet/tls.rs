//! TLS: a server that speaks it itself, a private authority, and what an agent refuses to say in clear.

use std::{fs, path::Path};

use muster_schemas::jobs::JobState;
use muster_tests::processes::authority::{Authority, files};
use reqwest::Certificate;
use tempfile::TempDir;

use crate::harness::{
    api::Api,
    body::Body,
    fleet::Fleet,
    host::{Setup, enroll},
    patience::until_so,
    server::{Server, free_address},
};

/// Somebody who believes this authority alone.
fn believer(authority: &Authority, address: &str) -> Api {
    let believed = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([believed]).build().unwrap();
    Api::with(&format!("https://{address}"), http)
}

#[test]
fn a_server_speaks_tls_to_those_who_believe_its_authority_and_renews_its_certificate_while_it_runs() {
    if Body::Functions.is_skipped("TLS ends at the gateway before functions") {
        return;
    }
    let [first, second] = [(), ()].map(|()| Authority::new());
    let (address, folder) = (free_address(), TempDir::new().unwrap());
    let files = files(folder.path());
    first.vouch(&["127.0.0.1"], &files);
    let more = ["--tls-certificate", files[0].to_str().unwrap(), "--tls-key", files[1].to_str().unwrap()];
    let start = |folder: &Path| Server::start_with(folder, &address, believer(&first, &address), &more);
    let Some(fleet) = Fleet::start_with(start) else { return };
    let ca_file = folder.path().join("authorities.pem");
    fs::write(&ca_file, first.pem() + &second.pem()).unwrap();
    let url = format!("https://{address}");
    let host = fleet.host_with("one", &Setup { ca_file: Some(ca_file), ..Setup::of(&url) });
    fleet.works(&host);
    let anew = believer(&second, &address);
    assert!(anew.health().unwrap_err().is_connect());
    second.vouch(&["127.0.0.1"], &files);
    until_so("the new certificate is served", || anew.is_healthy());
    assert!(believer(&first, &address).health().unwrap_err().is_connect());
    // Who has spoken over a connection before goes on doing so; a new one believes the new certificate.
    let job = fleet.run(&host, "true");
    fleet.job_in(job, JobState::Succeeded);
}

#[test]
fn an_agent_says_nothing_in_clear_to_another_machine() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    for server in ["http://192.0.2.1:8080", "http://fleet.example"] {
        let arguments = ["--server", server, "--token", "secret", "--state", state.to_str().unwrap()];
        let complaint = enroll(&arguments, folder.path()).unwrap_err();
        assert!(complaint.contains("must begin with https://"), "{complaint}");
    }
    assert!(!state.exists());
}
