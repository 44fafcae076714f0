#!/bin/sh
# Installs the agent of Muster on this host and lets it join. The line that `muster token create` and the console show runs it,
# as root, with a line before it that sets MUSTER_ENROLLMENT_TOKEN to an enrollment token
# (met_...):
#
#   sh -s -- --server https://muster.example
#
# The agent comes from that server, over TLS: it is trusted once. `--sha256` refuses another file than the one that you mean;
# `--trust-root` is the root of trust that decides about every release from then on. Nothing is done before the last line: a
# script that broke off on its way does nothing.
set -eu

usage() {
    cat <<'END'
Usage: MUSTER_ENROLLMENT_TOKEN=met_... install.sh --server URL [options]
  --server URL        the server to join
  --token TOKEN       the enrollment token, for who does not mind that others on this machine see it
  --trust-root FILE   the root of trust for releases: without one, no update is ever installed
  --sha256 DIGEST     refuse another agent than the file with this SHA-256
  --proxy URL         the proxy on the way to the server: sudo drops HTTPS_PROXY. The agent keeps either in agent.toml
  --prefix FOLDER     where the agent goes, as bin/muster-agent (/usr/local)
  --state FOLDER      where the agent keeps everything (/var/lib/muster)
  --no-service        install and join, and leave it to you to run it
END
}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

# Both go into the service's unit, and come out of it, as they are.
check_folder() {
    case $2 in
    /*) ;;
    *) fail "$1 must be an absolute path" ;;
    esac
    case $2 in
    *[!A-Za-z0-9/._-]*) fail "$1 may have letters, digits, / . _ and - in it" ;;
    esac
}

# As the agent itself will want it: what comes is run as root.
check_server() {
    case $1 in
    *@*) fail "--server may not have credentials in it" ;;
    https://*) protocol='=https' ;;
    http://localhost | http://localhost[:/]* | http://127.0.0.1 | http://127.0.0.1[:/]* | 'http://[::1]' | 'http://[::1]'[:/]*)
        protocol='=http,https'
        ;;
    *) fail "--server must begin with https://, unless it is this very machine" ;;
    esac
}

get() {
    curl --silent --show-error --proto "$protocol" "$@"
}

# The agent for this machine, in a file of its own until it is known to be good.
fetch() {
    answer=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
        get --config - --output "$new" --write-out '%{http_code} %{redirect_url}' "$server/api/v1/install/$platform") ||
        fail "$server cannot be reached, or broke off"
    case $answer in
    200*) ;;
    # Without the token: it is the server's business alone.
    30?\ *) get --fail --output "$new" "${answer#* }" || fail "the agent is kept elsewhere, and cannot be fetched from there" ;;
    *)
        detail=$(sed -n 's/.*"detail": *"\([^"]*\)".*/\1/p' "$new")
        fail "$server gave no agent for $platform (status ${answer%% *})${detail:+: $detail}"
        ;;
    esac
    if [ -n "$sha256" ]; then
        found=$(sha256sum <"$new")
        [ "${found%% *}" = "$sha256" ] || fail "the agent is another one than --sha256 names"
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
# Its files are read again within seconds anyway; this reads them now.
ExecReload=/bin/kill -HUP \$MAINPID
# It ends well when it is asked to, and when the server has retired this host.
Restart=on-failure
RestartSec=5
# The agent ends what it has started, each job in a control group of its own; a job that takes too much memory ends alone.
KillMode=mixed
OOMPolicy=continue
Delegate=yes

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
        sleep 2
        systemctl is-active --quiet muster-agent || fail "it does not stay up: journalctl -u muster-agent says why"
        echo "It runs: systemctl status muster-agent"
    else
        echo "To run it: $agent run --state $state"
    fi
    [ -e "$state/policy.toml" ] || echo "Until $state/policy.toml allows something, jobs are refused. A change needs no restart."
    [ -e "$state/trust" ] || echo "Until $agent trust-root --state $state FILE has told whose releases to believe, no update is installed."
}

main() {
    server='' token=${MUSTER_ENROLLMENT_TOKEN:-} trust_root='' sha256='' prefix=/usr/local state=/var/lib/muster service=yes
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit ;;
        --no-service) service=no && shift && continue ;;
        --*) [ -n "${2:-}" ] || fail "$1 is unknown, or lacks its value" ;;
        *) fail "$1 is unknown" ;;
        esac
        case $1 in
        --server) server=${2%/} ;;
        --token) token=$2 ;;
        --trust-root) trust_root=$2 ;;
        --sha256) sha256=$2 ;;
        --prefix) prefix=$2 ;;
        --state) state=$2 ;;
        --proxy) export HTTPS_PROXY="$2" https_proxy="$2" ;;
        *) fail "$1 is unknown; --help tells what there is" ;;
        esac
        shift 2
    done
    check_server "$server"
    check_folder --prefix "$prefix"
    check_folder --state "$state"
    # The name that it had, which means an API key as well.
    case $token:${MUSTER_TOKEN:-} in
    :met_*)
        token=$MUSTER_TOKEN
        echo "MUSTER_TOKEN is called MUSTER_ENROLLMENT_TOKEN now; set that" >&2
        ;;
    esac
    [ -n "$token" ] || fail "MUSTER_ENROLLMENT_TOKEN must be an enrollment token"
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
    # Before it takes its place: a host of another server keeps the agent that it has.
    # An agent of before knows the token by its old name alone.
    MUSTER_ENROLLMENT_TOKEN=$token MUSTER_TOKEN=$token "$new" enroll --server "$server" ${trust_root:+--trust-root "$trust_root"} --state "$state"
    mv "$new" "$agent"
    start
}

main "$@"
