//! How many durable commits a second the embedded table makes in a directory, alone and with 128 writers, beside the
//! plain loop of write and fdatasync there. `cargo run -p muster-server --example store_bench -- DIRECTORY`
//!
//! Each figure is the median of five blocks; the blocks take turns, so that a slow moment of the disk hits all alike.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people, and it may stop at anything")]

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use muster_server::store::{Expect, Index, IndexEntry, Item, Key, Table, Write, sqlite::SqliteTable};

const BLOCKS: usize = 5;
const BLOCK: Duration = Duration::from_secs(1);
const WRITERS: u64 = 128;

#[tokio::main]
async fn main() {
    let directory = env::args_os().nth(1).expect("the argument is a directory");
    let directory = Path::new(&directory).join("store_bench");
    fs::create_dir_all(&directory).unwrap();
    let table = Arc::new(SqliteTable::open(&directory.join("bench.db")).unwrap());

    let (mut raw, mut one, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        raw.push(raw_loop(&directory));
        one.push(commits(&table, 1).await);
        many.push(commits(&table, WRITERS).await);
    }
    drop(table);
    fs::remove_dir_all(&directory).unwrap();

    let (raw, one, many) = (median(raw), median(one), median(many));
    println!("write and fdatasync   {raw:>8} a second");
    println!("commits, 1 writer     {one:>8} a second");
    let times = as_float(many) / as_float(one);
    println!("commits, {WRITERS} writers {many:>8} a second, {times:.1} times as many");
    // For `xtask`, which judges it.
    println!("figure\tP12\tcommits of {WRITERS} writers for one of one\t{times:.3}\t×\t>= 50");
}

/// What the disk can do: one page a time.
fn raw_loop(directory: &Path) -> u64 {
    let mut file = File::create(directory.join("raw")).unwrap();
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < BLOCK {
        file.write_all(&[0x5a; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    per_second(count, start)
}

/// Each commit makes one job, waits until it is durable, and goes on: half a kilobyte, newest last, of any of 1000 hosts.
async fn commits(table: &Arc<SqliteTable>, writers: u64) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let writers = (0..writers).map(|_| {
        let table = Arc::clone(table);
        tokio::spawn(async move {
            let mut count = 0;
            while start.elapsed() < BLOCK {
                let n = NEXT.fetch_add(1, Ordering::Relaxed);
                table.commit(vec![record(n)], scattered(n).into()).await.unwrap();
                count += 1;
            }
            count
        })
    });
    let mut count = 0;
    for writer in writers.collect::<Vec<_>>() {
        count += writer.await.unwrap();
    }
    per_second(count, start)
}

fn record(n: u64) -> Write {
    let entry = |index, partition: String| IndexEntry { index, partition, sort: format!("{n:020}") };
    let item = Item {
        key: Key::new(format!("job#{n:020}"), "state"),
        revision: 1,
        expires_at: None,
        indexes: vec![entry(Index::List, "jobs".into()), entry(Index::Owner, format!("host#{}", scattered(n) % 1000))],
        body: format!("{{\"padding\":\"{}\"}}", "x".repeat(500)).into(),
    };
    Write::Put { item, expect: Expect::Absent }
}

/// Like a random number, but the same in every run.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn per_second(count: u64, start: Instant) -> u64 {
    u64::try_from(u128::from(count) * 1_000_000 / start.elapsed().as_micros()).unwrap()
}

fn median(mut blocks: Vec<u64>) -> u64 {
    blocks.sort_unstable();
    blocks[blocks.len() / 2]
}

fn as_float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
