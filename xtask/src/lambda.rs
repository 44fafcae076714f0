//! `lambda`: the artifact of the functions, a zip with the server in it as `bootstrap`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    Result,
    commands::{cargo, output, run, say, short, target},
    zig,
};

/// The C library of `provided.al2023`: a program that wants a newer one does not start there.
const GLIBC: (u32, u32) = (2, 34);

/// The server as the functions want it: small, and without a store of its own.
const SERVER: [&str; 6] =
    ["--profile", "function", "--package", "muster-server", "--no-default-features", "--features=services"];
/// The cryptography gathers entropy from the processor's jitter when it starts, for 20 ms and more. In a function the
/// kernel's and the processor's own are there already, and the start is waited for.
const NO_JITTER: &str = "AWS_LC_SYS_NO_JITTER_ENTROPY";

/// What the zip may have: each MB is some 8 ms of a cold start's download.
const MAX_ZIP_BYTES: u64 = 6 << 20;
/// How many starts are measured.
const STARTS: &str = "50";
/// Where systems keep the certificates of all authorities in one file, as Amazon Linux does.
const BUNDLES: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

/// What the functions run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Architecture {
    /// Graviton: a fifth cheaper.
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// This machine's.
    pub fn own() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::X86_64 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// Builds it, and says how large it is.
pub fn build(architecture: Architecture) -> Result<PathBuf> {
    let program = if architecture == Architecture::own() { native()? } else { cross(architecture)? };
    let wanted = newest_glibc(&program)?;
    if wanted > GLIBC {
        let reason = "it was built on a newer system than Amazon Linux 2023; build it there, or in a container of it";
        return Err(format!("{} wants glibc {}.{}: {reason}", short(&program), wanted.0, wanted.1));
    }
    let path = artifact(architecture);
    zip(&program, &path).map_err(|error| format!("cannot write {}: {error}", short(&path)))?;
    for file in [&program, &path] {
        let size = fs::metadata(file).map_err(|error| format!("{}: {error}", short(file)))?.len();
        let tenths = size * 10 / (1 << 20);
        say(&format!("{:>4}.{} MiB  {}", tenths / 10, tenths % 10, short(file)));
        if *file == path && size > MAX_ZIP_BYTES {
            return Err(format!("{} is too large: {size} bytes, {MAX_ZIP_BYTES} are allowed", short(&path)));
        }
    }
    Ok(path)
}

/// Builds it for this machine, and prints how long processes of it take from their start to their first `next`. Nothing
/// is asked of a service until then, so none is needed.
pub fn measure() -> Result {
    build(Architecture::own())?;
    let program = target().join("function/muster-server");
    run(&mut cargo(["build", "--quiet", "--workspace", "--bin", "muster-function-host"]))?;
    let mut host = Command::new(target().join("debug/muster-function-host"));
    host.args(["--measure", STARTS, "--binary"]).arg(program);
    let secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let told = [
        "AWS_REGION=eu-central-1",
        "AWS_ACCESS_KEY_ID=nobody",
        "AWS_SECRET_ACCESS_KEY=none",
        "MUSTER_TABLE=muster",
        "MUSTER_BUCKET=muster",
        "MUSTER_PUBLIC_URL=https://muster.example",
    ];
    host.args(told.iter().flat_map(|told| ["--env", told])).args(["--env", &format!("MUSTER_TOKEN_SECRET={secret}")]);
    if let Some(bundle) = BUNDLES.iter().find(|bundle| Path::new(bundle).exists()) {
        host.args(["--env", &format!("SSL_CERT_FILE={bundle}"), "--env", "SSL_CERT_DIR=/nowhere"]);
    }
    say(&output(&mut host)?);
    Ok(())
}

/// Where it is, once it was built.
pub fn artifact(architecture: Architecture) -> PathBuf {
    target().join("lambda").join(architecture.name()).join("muster.zip")
}

fn native() -> Result<PathBuf> {
    run(cargo(["build"].into_iter().chain(SERVER)).env(NO_JITTER, "1"))?;
    Ok(target().join("function/muster-server"))
}

/// For the other architecture.
fn cross(architecture: Architecture) -> Result<PathBuf> {
    let triple = architecture.triple();
    run(zig::build(&format!("{triple}.{}.{}", GLIBC.0, GLIBC.1), &SERVER)?.env(NO_JITTER, "1"))?;
    Ok(target().join(triple).join("function/muster-server"))
}

/// The newest version of the C library that a program names.
fn newest_glibc(program: &Path) -> Result<(u32, u32)> {
    let bytes = fs::read(program).map_err(|error| format!("{}: {error}", short(program)))?;
    let text = String::from_utf8_lossy(&bytes);
    let versions = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        let (major, rest) = rest.split_once('.')?;
        Some((number(major)?, number(rest)?))
    });
    Ok(versions.max().unwrap_or_default())
}

fn zip(program: &Path, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut zip = ZipWriter::new(File::create(path)?);
    // The same bytes from the same program: no times in it.
    let options = SimpleFileOptions::default().unix_permissions(0o755).compression_level(Some(9));
    zip.start_file("bootstrap", options)?;
    zip.write_all(&fs::read(program)?)?;
    zip.finish()?;
    Ok(())
}
