use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use muster_schemas::envelopes::sha256_hex;
use muster_server::blobs::{BlobError, BlobId, Blobs, Piece, UploadLink, s3::Bucket};
use muster_tests::world::Service;
use reqwest::{Client, StatusCode, header::RANGE};
use tokio::io::AsyncReadExt as _;

fn id(bytes: &[u8]) -> BlobId {
    BlobId { sha256: sha256_hex(bytes), size: bytes.len() as u64 }
}

fn pieces(bytes: &[u8]) -> BoxStream<'static, Piece> {
    let pieces = bytes.chunks(1000).map(|piece| Ok(piece.to_vec())).collect::<Vec<_>>();
    stream::iter(pieces).boxed()
}

async fn read(bucket: &Bucket, sha256: &str, offset: u64) -> Option<(u64, Vec<u8>)> {
    let mut found = bucket.open(sha256, offset).await.unwrap()?;
    let mut bytes = Vec::new();
    found.reader.read_to_end(&mut bytes).await.unwrap();
    Some((found.size, bytes))
}

/// As a program that knows nothing but the link.
fn anybody() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

async fn put(link: &UploadLink, bytes: &[u8]) -> StatusCode {
    let request = anybody().put(&link.url).body(bytes.to_vec());
    let request = link.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_blob_in_a_bucket_is_read_as_it_was_put_from_any_offset() {
    let Some(emulator) = Service::emulator() else { return };
    let bucket = emulator.new_bucket().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let id = id(&bytes);
    assert!(!bucket.has(&id).await.unwrap());
    bucket.put(&id, pieces(&bytes)).await.unwrap();
    bucket.put(&id, pieces(&bytes)).await.unwrap();
    assert!(bucket.has(&id).await.unwrap());
    assert!(!bucket.has(&BlobId { size: 1, ..id.clone() }).await.unwrap());
    for offset in [0, 1, 299_999, 300_000] {
        let left = bytes[usize::try_from(offset).unwrap()..].to_vec();
        assert_eq!(read(&bucket, &id.sha256, offset).await, Some((300_000, left)), "from {offset}");
    }
    assert_eq!(read(&bucket, &id.sha256, 300_001).await, None, "past its end");
    for name in [sha256_hex(b"other"), String::new(), "../secret".into(), id.sha256.to_uppercase()] {
        assert_eq!(read(&bucket, &name, 0).await, None, "{name}");
    }
}

#[tokio::test]
async fn other_bytes_than_announced_never_become_an_object() {
    let Some(emulator) = Service::emulator() else { return };
    let bucket = emulator.new_bucket().await;
    let announced = id(b"these bytes");
    let short = bucket.put(&announced, pieces(b"these")).await;
    assert!(matches!(short, Err(BlobError::WrongSize { found: 5, announced: 11 })), "{short:?}");
    let long = bucket.put(&announced, pieces(b"these bytes and more")).await;
    assert!(matches!(long, Err(BlobError::WrongSize { found: 20, .. })), "{long:?}");
    let other = bucket.put(&announced, pieces(b"those bytes")).await;
    assert!(matches!(other, Err(BlobError::WrongDigest { .. })), "{other:?}");
    let broken = stream::iter([Ok(b"these".to_vec()), Err(std::io::Error::other("hung up"))]).boxed();
    let broken = bucket.put(&announced, broken).await;
    assert!(matches!(broken, Err(BlobError::BrokenOff(_))), "{broken:?}");
    assert_eq!(read(&bucket, &announced.sha256, 0).await, None);
}

#[tokio::test]
async fn a_link_is_good_for_these_bytes_alone() {
    let Some(emulator) = Service::emulator() else { return };
    let bucket = emulator.new_bucket().await;
    let announced = id(b"these bytes");
    let link = bucket.upload_link(&announced).await.unwrap().unwrap();
    let url = reqwest::Url::parse(&link.url).unwrap();
    let parameter =
        |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let signed = parameter("X-Amz-SignedHeaders").unwrap();
    assert!(signed.split(';').any(|name| name == "content-length"), "the size is signed: {signed}");
    let digest = |name: &str| name == "x-amz-checksum-sha256";
    let in_the_url = parameter("x-amz-checksum-sha256").is_some();
    assert!(in_the_url || signed.split(';').any(digest), "the digest is signed: {signed}");

    assert_eq!(put(&link, b"those bytes").await, StatusCode::BAD_REQUEST, "another digest");
    assert!(!bucket.has(&announced).await.unwrap());
    assert_eq!(put(&link, b"these bytes").await, StatusCode::OK);
    assert!(bucket.has(&announced).await.unwrap());

    let url = bucket.download_url(&announced.sha256).await.unwrap().unwrap();
    let found = anybody().get(&url).header(RANGE, "bytes=6-").send().await.unwrap();
    assert_eq!(found.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(found.text().await.unwrap(), "bytes");
    assert_eq!(bucket.download_url("../secret").await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let Some(emulator) = Service::emulator() else { return };
    let bucket = Bucket::new(&emulator.configuration(), "nobody-made-this");
    let error = bucket.put(&id(b"these"), pieces(b"these")).await.unwrap_err();
    let BlobError::Fault { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "the bucket nobody-made-this in eu-central-1 does not exist");
}
