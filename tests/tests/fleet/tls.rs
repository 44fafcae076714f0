//! TLS: a server that speaks it itself, a private authority, and what an agent refuses to say in clear.

use std::{
    fs,
    path::{Path, PathBuf},
};

use muster_schemas::jobs::JobState;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
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

/// Who vouches for servers.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate for this machine, with its key: the certificate last, so that both fit when it is seen to change.
    fn vouch(&self, files: &[PathBuf; 2]) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".into()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(&files[1], key.serialize_pem()).unwrap();
        fs::write(&files[0], certificate.pem()).unwrap();
    }

    /// Somebody who believes this authority alone.
    fn believer(&self, address: &str) -> Api {
        let believed = Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([believed]).build().unwrap();
        Api::with(&format!("https://{address}"), http)
    }
}

#[test]
fn a_server_speaks_tls_to_those_who_believe_its_authority_and_renews_its_certificate_while_it_runs() {
    if Body::Functions.is_skipped("TLS ends at the gateway before functions") {
        return;
    }
    let [first, second] = [(), ()].map(|()| Authority::new());
    let (address, folder) = (free_address(), TempDir::new().unwrap());
    let files = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    first.vouch(&files);
    let more = ["--tls-certificate", files[0].to_str().unwrap(), "--tls-key", files[1].to_str().unwrap()];
    let start = |folder: &Path| Server::start_with(folder, &address, first.believer(&address), &more);
    let Some(fleet) = Fleet::start_with(start) else { return };
    let ca_file = folder.path().join("authorities.pem");
    fs::write(&ca_file, first.0.pem() + &second.0.pem()).unwrap();
    let url = format!("https://{address}");
    let host = fleet.host_with("one", &Setup { ca_file: Some(ca_file), ..Setup::of(&url) });
    fleet.works(&host);
    let believer = second.believer(&address);
    assert!(believer.health().unwrap_err().is_connect());
    second.vouch(&files);
    until_so("the new certificate is served", || believer.is_healthy());
    assert!(first.believer(&address).health().unwrap_err().is_connect());
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
