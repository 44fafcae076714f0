//! Certificates are followed while they change: the server's own, however its files get their new contents, and the authorities
//! that an agent believes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use muster_agent::{
    config::Network,
    transport::{Http, Transport as _},
};
use muster_schemas::upstreams::FailureKind;
use muster_server::{
    api::identity::addresses::TrustedProxies,
    roles::{
        connections::{self, Limits, Service},
        tls::{Certificate, Look, Tls},
    },
};
use muster_tests::{
    processes::authority::{Authority, files},
    world::World,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};

/// A pair of files with a certificate that is in use, and a folder with the pair that shall take its place.
fn pairs(folder: &Path) -> (Certificate, [PathBuf; 2], [PathBuf; 2]) {
    let authority = Authority::new();
    let [live, new] = ["live", "new"].map(|name| {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let files = files(&folder);
        authority.vouch(&["127.0.0.1"], &files);
        files
    });
    (Certificate::read(&live[0], &live[1]).unwrap(), live, new)
}

fn dated(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// As `cp -p`, `rsync -a` and `tar` do.
fn copied_with_its_time(from: &Path, to: &Path) {
    let modified = fs::metadata(from).unwrap().modified().unwrap();
    fs::copy(from, to).unwrap();
    fs::File::options().write(true).open(to).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_renewed_pair_is_served_whose_key_is_older_than_its_certificate_and_was_copied_with_its_times() {
    let folder = TempDir::new().unwrap();
    let (mut certificate, live, new) = pairs(folder.path());
    dated(&new[0], 2_000_000_001);
    dated(&new[1], 2_000_000_000);
    assert_eq!(certificate.look(), Look::Same);
    copied_with_its_time(&new[0], &live[0]);
    assert!(matches!(certificate.look(), Look::Unusable(_)), "the key does not fit yet");
    assert_eq!(certificate.look(), Look::Same, "it is said once");
    copied_with_its_time(&new[1], &live[1]);
    assert_eq!(certificate.look(), Look::Renewed);
    assert_eq!(certificate.look(), Look::Same);
}

#[test]
fn a_pair_that_takes_the_place_of_another_of_the_same_times_and_sizes_is_served() {
    let folder = TempDir::new().unwrap();
    let (_, live, new) = pairs(folder.path());
    [&live, &new].into_iter().flatten().for_each(|path| dated(path, 1_000_000_000));
    let mut certificate = Certificate::read(&live[0], &live[1]).unwrap();
    for (from, to) in new.iter().zip(&live) {
        fs::rename(from, to).unwrap();
    }
    assert_eq!(certificate.look(), Look::Renewed);
}

#[test]
fn files_that_are_missing_for_a_while_are_read_as_soon_as_they_are_back_the_same_as_before() {
    let folder = TempDir::new().unwrap();
    let (mut certificate, live, new) = pairs(folder.path());
    fs::rename(&live[1], &new[1]).unwrap();
    assert!(matches!(certificate.look(), Look::Unusable(_)));
    fs::rename(&new[1], &live[1]).unwrap();
    assert_eq!(certificate.look(), Look::Renewed);
}

#[tokio::test]
async fn an_agent_believes_an_authority_from_the_moment_on_that_it_is_in_the_file_and_no_longer_than_that() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let [first, second] = [(), ()].map(|()| Authority::new());
    let files = files(folder.path());
    second.vouch(&["127.0.0.1"], &files);
    let tls = Tls::new(Certificate::read(&files[0], &files[1]).unwrap(), Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    let (_stop, told) = watch::channel(false);
    let service = Service {
        router: world.router(),
        held: world.app.held.clone(),
        limits: Limits::of(64),
        proxies: TrustedProxies::default(),
    };
    tokio::spawn(connections::serve(listener, Some(tls), service, told));

    let ca_file = folder.path().join("authorities.pem");
    fs::write(&ca_file, first.pem()).unwrap();
    let http = Http::new(&server, &Network { ca_file: Some(ca_file.clone()), ..Network::default() }).unwrap();
    let asks = async || {
        let request = http.requests().get(format!("{server}/api/v1/health")).build().unwrap();
        http.send(request).await.map(|answer| answer.status().as_u16()).map_err(|error| error.kind)
    };
    assert_eq!(asks().await, Err(FailureKind::Certificate));
    fs::write(&ca_file, first.pem() + &second.pem()).unwrap();
    // Nobody looks at the file in between: that the certificate was not believed is reason enough.
    assert_eq!(asks().await, Err(FailureKind::Certificate));
    assert_eq!(asks().await, Ok(200));
    fs::write(&ca_file, "-----BEGIN").unwrap();
    http.look();
    assert_eq!(asks().await, Ok(200), "a file that is being written takes nothing away");
    fs::write(&ca_file, first.pem()).unwrap();
    http.look();
    assert_eq!(asks().await, Err(FailureKind::Certificate));
}
