#!/bin/sh
# Makes sure that the Debian packages of the given targets (see packages.txt; "all" for every one) are there.
#
#   tools/setup.sh build test     says what is missing and why, then installs it
#   tools/setup.sh --check all    only says; exit 3 when something is missing
#
# Touches no network when nothing is missing. Root installs directly, others through sudo when that works
# without a question; else it prints the one command to run and exits 3.
set -eu
here=$(dirname "$0")
table=${PACKAGES_TABLE:-$here/packages.txt}
check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
[ $# -gt 0 ] || { echo "usage: tools/setup.sh [--check] TARGET...|all" >&2; exit 2; }

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: this is no Debian; please have these yourself (see tools/packages.txt): $*" >&2
    exit 0
fi

# The rows that one of the targets needs: "package why...".
wanted=$(awk -v targets="$*" '
    BEGIN { n = split(targets, want, " ") }
    /^#/ || NF == 0 { next }
    {
        hit = 0
        for (i = 1; i <= n; i++)
            if (want[i] == "all" || index("," $2 ",", "," want[i] ",")) hit = 1
        if (!hit) next
        name = $1
        sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "")
        print name, $0
    }' "$table")
[ -n "$wanted" ] || { echo "setup: no package is listed for: $*" >&2; exit 2; }

# One question to dpkg for all of them; a package that dpkg never heard of is simply absent from the answer.
# shellcheck disable=SC2046  # package names are words
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
    $(echo "$wanted" | cut -d' ' -f1) 2>/dev/null | awk '$2 == "installed" { print $1 }') || true
missing=$(echo "$wanted" | awk -v present="$present" '
    BEGIN { n = split(present, p, "\n"); for (i = 1; i <= n; i++) have[p[i]] = 1 }
    !($1 in have)')
[ -n "$missing" ] || exit 0

echo "setup: missing packages (for: $*):" >&2
echo "$missing" | awk '{ name = $1; sub(/^[^ ]+ /, ""); printf "  %-20s %s\n", name, $0 }' >&2
names=$(echo "$missing" | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//')
quietly=
case " $names" in
*' postgresql'* | *' pgbouncer'*) quietly="$here/quietly.sh " ;;
esac
install="apt-get update -qq && ${quietly}apt-get install -y -qq --no-install-recommends $names"
[ "$check" = no ] || exit 3

if [ "$(id -u)" = 0 ]; then
    become=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    become='sudo -n'
else
    echo "setup: installing them needs root. Please run this one command, then try again:" >&2
    if command -v sudo >/dev/null 2>&1; then
        echo "  sudo sh -c '$install'" >&2
    else
        echo "  su -c '$install'" >&2
    fi
    exit 3
fi

echo "setup: ${become:+$become }$install" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # $become is a command and its option, or nothing
if ! $become env DEBIAN_FRONTEND=noninteractive sh -c "$install" >"$log" 2>&1; then
    cat "$log" >&2
    echo "setup: apt-get failed" >&2
    exit 3
fi

# Build directories that were configured without these packages must look again.
[ ! -f "$here/../meson.build" ] || touch "$here/../meson.build" 2>/dev/null || true
