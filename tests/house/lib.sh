# Sourced by every test here. Gives $tools, and an empty sample repository as the current directory.
set -eu
tools=$(cd "$(dirname "$0")/../../tools" && pwd)
sample=$(mktemp -d)
trap 'rm -rf "$sample"' EXIT
cd "$sample"
mkdir -p src/base src/model src/store/sqlite tools
count=0
failed=0

# file PATH: writes standard input to it
file()
{
    mkdir -p "$(dirname "$1")"
    cat >"$1"
}

# accepts WHAT COMMAND...: the checker is content and says nothing on stdout
accepts()
{
    what=$1
    shift
    count=$((count + 1))
    if out=$("$@" 2>&1) && [ -z "$out" ]; then
        echo "ok $count - accepts $what"
    else
        failed=1
        echo "not ok $count - accepts $what"
        echo "$out" | sed 's/^/# /'
    fi
}

# rejects WHAT PATTERN COMMAND...: the checker exits 1 with a line that matches PATTERN
rejects()
{
    what=$1
    pattern=$2
    shift 2
    count=$((count + 1))
    code=0
    out=$("$@" 2>&1) || code=$?
    if [ "$code" != 0 ] && echo "$out" | grep -Eq -e "$pattern"; then
        echo "ok $count - rejects $what"
    else
        failed=1
        echo "not ok $count - rejects $what: exit $code, wanted /$pattern/"
        echo "$out" | sed 's/^/# /'
    fi
}

# same WHAT EXPECTED ACTUAL
same()
{
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1"
        echo "# wanted: $2"
        echo "# got:    $3"
    fi
}

# skip_without COMMAND
skip_without()
{
    command -v "$1" >/dev/null || { echo "1..0 # SKIP $1 is missing"; exit 0; }
}

finish()
{
    echo "1..$count"
    exit $failed
}

# compile FILES...: objects and a compile_commands.json in build/, as meson would leave them
compile()
{
    mkdir -p build
    entries=
    for source in "$@"; do
        object=$(echo "$source" | tr / _).o
        gcc -w -O1 -std=gnu2x -Isrc -c "$source" -o "build/$object"
        entries="$entries${entries:+,}{\"directory\":\"$sample/build\",\"file\":\"../$source\",\"output\":\"$object\",\"command\":\"\"}"
    done
    echo "[$entries]" >build/compile_commands.json
}
