//! Commands in documents: blocks are run, or shown to their programs; so are commands in the text.

use std::{
    collections::BTreeSet,
    env, fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use muster_tests::processes::{
    binaries::{AGENT_1, AGENT_2, CLI, SERVER, binary},
    patience::until_within,
    process::{Process, sweep},
};
use tempfile::TempDir;

use super::{
    pages::{Block, Page, pages},
    programs, shell,
};

/// What a block may require, and why it is not run here.
const REQUIREMENTS: [(&str, &str); 5] = [
    ("aws", "it changes an AWS account"),
    ("domain", "it listens beyond this machine, or speaks to a server that does"),
    ("node", "it builds or serves the console, which its own tests do"),
    ("root", "it changes the machine"),
    ("toolchain", "it builds for minutes"),
];
/// Where the server of the documents listens.
const ADDRESS: &str = "127.0.0.1:8080";
/// How long the story of one page may take; only a test that fails takes so long.
const PATIENCE: Duration = Duration::from_mins(3);
/// What people type, in the text of a page.
const TYPED: [&str; 4] = ["muster ", "muster-server ", "muster-agent ", "cargo xtask "];

#[test]
fn every_block_of_shell_without_a_mark_runs() {
    let mut stories = 0;
    for page in pages() {
        let blocks = shell_blocks(&page).into_iter().filter(|block| block.requires.is_none());
        let story = blocks.map(|block| block.text).collect::<Vec<_>>().join("\n");
        if !story.is_empty() {
            runs(&page.path, &story);
            stories += 1;
        }
    }
    assert!(stories >= 2, "only {stories} pages have anything to run: is the README's story marked?");
}

#[test]
fn every_block_of_shell_with_a_mark_holds_commands_that_can_be_typed() {
    let mut marks = BTreeSet::new();
    for page in pages() {
        for block in shell_blocks(&page) {
            let Some(mark) = &block.requires else { continue };
            marks.insert(mark.clone());
            assert!(is_shell(&block.text), "{}: it is not shell", block.place);
            for command in shell::commands(&block.text) {
                programs::check(&command).unwrap_or_else(|why| panic!("{}: {}\n{why}", block.place, command.join(" ")));
            }
        }
    }
    let known = REQUIREMENTS.map(|(mark, _)| mark.to_owned());
    assert_eq!(marks, known.into(), "a block is run unless there is a reason that is known here");
}

#[test]
fn every_command_in_the_text_of_a_page_can_be_typed() {
    let mut found = 0;
    for page in pages() {
        for span in page.spans() {
            let typed = if span.starts_with("serve --") { format!("muster-server {span}") } else { span.clone() };
            if !TYPED.iter().any(|beginning| typed.starts_with(beginning)) {
                continue;
            }
            for command in shell::commands(&typed) {
                // A text may name a flag without its value.
                if let Err(why) = programs::check(&command)
                    && !why.contains("a value is required for")
                {
                    panic!("{}: `{span}`\n{why}", page.path);
                }
                found += 1;
            }
        }
    }
    assert!(found > 20, "only {found} commands are named");
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    for wrong in [
        "muster hosts show",
        "muster host shwo",
        "muster jobs run --everywhere -- /bin/true",
        "muster host update host_1 --version 1.0.0",
        "muster fleet-update start --offline sometimes",
        "muster-server serve --port 80",
        "muster-agent join",
        "cargo xtask tests",
        "cargo tset",
        "infra/deploy --undo",
        "npm run everything",
        "mustre hosts",
        "sudo muster-agent unroll",
    ] {
        let commands = shell::commands(wrong);
        assert!(commands.iter().any(|command| programs::check(command).is_err()), "{wrong}");
    }
}

fn shell_blocks(page: &Page) -> Vec<Block> {
    page.blocks()
        .into_iter()
        .filter(|block| matches!(block.language.as_str(), "sh" | "bash" | "shell" | "console"))
        .collect()
}

fn is_shell(text: &str) -> bool {
    Command::new("sh").args(["-n", "-c", text]).stdin(Stdio::null()).status().unwrap().success()
}

/// Runs the story of a page in a folder of its own, with the programs in its path, and ends whatever it has left running.
fn runs(page: &str, story: &str) {
    let folder = TempDir::new().unwrap();
    let (path, log) = (folder.path().join("bin"), folder.path().join("story.log"));
    fs::create_dir(&path).unwrap();
    for (name, from) in [("muster", CLI), ("muster-server", SERVER), ("muster-agent", AGENT_1)] {
        std::os::unix::fs::symlink(binary(from), path.join(name)).unwrap();
    }
    // A newer agent, to be released.
    fs::copy(binary(AGENT_2), folder.path().join("muster-agent")).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fs::write(folder.path().join("story.sh"), story.replace(ADDRESS, &address)).unwrap();
    let path = format!("{}:{}", path.display(), env::var("PATH").unwrap());
    let home = folder.path().to_str().unwrap();
    let environment = [
        ("PATH", path.as_str()),
        ("HOME", home),
        ("XDG_CONFIG_HOME", ""),
        ("MUSTER_LISTEN", &address),
        // Quick to prove itself: nobody waits for a minute here.
        ("MUSTER_AGENT_PROBATION_SECONDS", "1"),
    ];
    let mut process = Process::start(Path::new("/bin/sh"), &["-eux", "story.sh"], folder.path(), &log, &environment);
    let ended = until_within(PATIENCE, &format!("the end of the story of {page}"), || process.has_ended());
    sweep(folder.path());
    let said = fs::read_to_string(&log).unwrap();
    assert!(ended.success(), "{page}: a command failed\n{said}");
}
