#!/bin/sh
# Installs the agent of Muster on this host and lets it join. The line that `muster token create` and the console show runs it:
#
#   curl -fsSL https://muster.example/api/v1/install.sh | sudo sh -s -- --server https://muster.example --token met_...
#
# The agent comes from that server, over TLS: it is trusted once. `--sha256` names the file that you mean, by what
# `muster release sign` told; `--trust-root` is the root of trust that decides about every release from then on.
# Nothing is done before the last line: a script that broke off on its way does nothing.
set -eu

usage() {
    cat <<'END'
Usage: install.sh --server URL --token TOKEN [options]
  --server URL        the server to join
  --token TOKEN       an enrollment token (met_...); or the variable MUSTER_TOKEN
  --trust-root FILE   the root of trust for releases: without one, no update is ever installed
  --sha256 DIGEST     refuse another agent than this one
  --prefix FOLDER     where the agent goes, as bin/muster-agent (/usr/local)
  --state FOLDER      where the agent keeps everything (/var/lib/muster)
  --no-service        install and join, and leave it to you to run it
END
}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# The agent for this machine, in a file of its own until it is known to be good.
fetch() {
    code=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl --config - --silent --show-error --location --output "$new" --write-out '%{http_code}' \
            "$server/api/v1/install/$platform") || fail "$server cannot be reached, or broke off"
    if [ "$code" != 200 ]; then
        detail=$(sed -n 's/.*"detail": *"\([^"]*\)".*/\1/p' "$new")
        fail "$server gave no agent for $platform (status $code)${detail:+: $detail}"
    fi
    if [ -n "$sha256" ]; then
        echo "$sha256  $new" | sha256sum --check --status || fail "the agent is another one than --sha256 names"
    fi
    chmod 755 "$new"
    "$new" --version || fail "the agent does not run on this machine"
}

unit() {
    cat <<END
[Unit]
Description=Muster agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=$agent run --state $state
Restart=always
RestartSec=5
# The agent ends what it has started; a job that takes too much memory ends alone.
KillMode=mixed
OOMPolicy=continue

[Install]
WantedBy=multi-user.target
END
}

start() {
    if [ "$service" = yes ] && [ -d /run/systemd/system ]; then
        unit >/etc/systemd/system/muster-agent.service
        systemctl daemon-reload
        systemctl enable --quiet muster-agent
        systemctl restart muster-agent
        echo "It runs: systemctl status muster-agent"
    else
        echo "To run it: $agent run --state $state"
    fi
    [ -e "$state/policy.toml" ] || echo "Until $state/policy.toml allows something, jobs are refused."
}

main() {
    server='' token=${MUSTER_TOKEN:-} trust_root='' sha256='' prefix=/usr/local state=/var/lib/muster service=yes
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit ;;
        --no-service) service=no && shift && continue ;;
        esac
        [ $# -ge 2 ] || { usage >&2 && fail "$1 is unknown, or lacks its value"; }
        case $1 in
        --server) server=${2%/} ;;
        --token) token=$2 ;;
        --trust-root) trust_root=$2 ;;
        --sha256) sha256=$2 ;;
        --prefix) prefix=$2 ;;
        --state) state=$2 ;;
        *) usage >&2 && fail "$1 is unknown" ;;
        esac
        shift 2
    done
    [ -n "$server" ] || fail "--server must name the server to join"
    [ -n "$token" ] || fail "--token must be an enrollment token"
    [ -z "$trust_root" ] || [ -r "$trust_root" ] || fail "--trust-root: $trust_root cannot be read"
    command -v curl >/dev/null || fail "curl is missing"
    case $(uname -s) in
    Linux) os=linux ;;
    *) fail "there is no agent for $(uname -s)" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64) platform=$os-x86_64 ;;
    aarch64 | arm64) platform=$os-aarch64 ;;
    *) platform=$os-$(uname -m) ;;
    esac
    agent=$prefix/bin/muster-agent new=$prefix/bin/muster-agent.new
    { mkdir -p "$prefix/bin" && [ -w "$prefix/bin" ]; } || fail "$prefix/bin cannot be written: this wants root"
    trap 'rm -f "$new"' EXIT
    fetch
    mv "$new" "$agent"
    MUSTER_TOKEN=$token "$agent" enroll --server "$server" ${trust_root:+--trust-root "$trust_root"} --state "$state"
    start
}

main "$@"
