# Sourced by every test here. Gives $ds (the program), an empty directory of its own as the current one, and checks.
# A check that fails prints what it saw; finish ends the script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
ds=${DATASURFACE:-$root/build/datasurface}
[ -x "$ds" ] || { echo "Bail out! no program at $ds"; exit 1; }
unset DATASURFACE_ENV DATASURFACE_LOG NO_COLOR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XDG_CACHE_HOME=$work/.cache
# What ThreadSanitizer says of any process fails the test, also of one whose end nobody looks at.
export TSAN_OPTIONS="${TSAN_OPTIONS:-}:log_path=$work/.race"
count=0
failed=0
out=$work/.stdout
err=$work/.stderr

ok()
{
    count=$((count + 1))
    echo "ok $count - $1"
}

not_ok()
{
    count=$((count + 1))
    failed=1
    echo "not ok $count - $1"
    sed 's/^/# stdout: /' "$out" | head -40
    sed 's/^/# stderr: /' "$err" | head -40
}

# ds ARGS...: runs the program, keeps its streams in $out and $err and its exit code in $code
ds()
{
    code=0
    "$ds" "$@" >"$out" 2>"$err" </dev/null || code=$?
}

# expect WHAT CODE ARGS...: the exit code; on success nothing may stand on stderr
expect()
{
    what=$1
    wanted=$2
    shift 2
    ds "$@"
    if [ "$code" != "$wanted" ]; then
        not_ok "$what: exit $code, wanted $wanted"
    elif [ "$wanted" = 0 ] && [ -s "$err" ]; then
        not_ok "$what: something on stderr"
    else
        ok "$what"
    fi
}

# says WHAT PATTERN: a line of the last stdout matches the extended regular expression
says()
{
    if grep -Eq -e "$2" "$out"; then ok "$1"; else not_ok "$1: no line of stdout matches /$2/"; fi
}

# silent WHAT PATTERN: no line of the last stdout matches
silent()
{
    if grep -Eq -e "$2" "$out"; then not_ok "$1: a line of stdout matches /$2/"; else ok "$1"; fi
}

# complains WHAT PATTERN: the same for stderr
complains()
{
    if grep -Eq -e "$2" "$err"; then ok "$1"; else not_ok "$1: no line of stderr matches /$2/"; fi
}

# refuses WHAT CODE PATTERN ARGS...: exit code and message, reported once and in the usual form
refuses()
{
    what=$1
    wanted=$2
    pattern=$3
    shift 3
    ds "$@"
    errors=$(grep -c '^datasurface: error: ' "$err" || true)
    if [ "$code" != "$wanted" ]; then
        not_ok "$what: exit $code, wanted $wanted"
    elif [ "$errors" != 1 ]; then
        not_ok "$what: $errors errors on stderr, wanted one"
    elif ! grep -Eq -e "$pattern" "$err"; then
        not_ok "$what: no line of stderr matches /$pattern/"
    else
        ok "$what"
    fi
}

# same WHAT EXPECTED ACTUAL
same()
{
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1: wanted \"$2\", got \"$3\""
    fi
}

# sql FILE STATEMENT; it waits for who is writing there
sql()
{
    sqlite3 -batch -noheader -cmd '.timeout 10000' "$1" "$2"
}

# shop_head: the first documents of a model: an ecosystem with one zone Z, one team Z/T and the platform service Svc
shop_head()
{
    cat <<'MODEL'
kind: Ecosystem
name: Shop
repository: acme/model@central
live: acme/model@main
zones: [{name: Z, repository: acme/model@zone}]
platform_services: [{name: Svc, repository: acme/model@infra}]
---
kind: GovernanceZone
name: Z
teams: [{name: T, repository: acme/model@team}]
---
MODEL
}

need()
{
    command -v "$1" >/dev/null || { echo "1..0 # SKIP $1 is missing"; exit 0; }
}

finish()
{
    for report in "$work"/.race.*; do
        [ ! -e "$report" ] || { : >"$out"; cp "$report" "$err"; not_ok "no data race"; }
    done
    echo "1..$count"
    exit $failed
}

# shop: the starter model in ./shop with source data (20 customers, 20 addresses, and 30 changes)
shop()
{
    "$ds" init shop >/dev/null
    "$ds" -C shop simulate Store1 --changes 30 >/dev/null
}

# applied_shop: the same, applied and run once
applied_shop()
{
    shop
    "$ds" -C shop apply >/dev/null
    "$ds" -C shop run --once >/dev/null
}

# wait_for WHAT COMMAND...: until it succeeds; gives up after 30 s
wait_for()
{
    what=$1
    shift
    end=$(($(date +%s) + 30))
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -gt $end ]; then
            not_ok "waiting for $what"
            finish
        fi
    done
}
