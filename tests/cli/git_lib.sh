# Sourced after lib.sh by tests that make git repositories. Nobody's configuration counts: git's and libgit2's is a file
# of the test's own, which may be written (`git config --global` replaces the file that it is told of).
need git
mkdir "$work/.home"
export HOME="$work/.home" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
unset GIT_CONFIG_GLOBAL XDG_CONFIG_HOME GIT_DIR GIT_WORK_TREE
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
repo=repo

# repository: a new one in ./repo, with a branch main that has one commit and no model
repository()
{
    rm -rf "$repo"
    git init -q -b main "$repo"
    echo read me >"$repo/README.md"
    commit "a beginning"
}

# write FILE: standard input, in the repository
write()
{
    mkdir -p "$repo/$(dirname "$1")"
    cat >"$repo/$1"
}

# commit [MESSAGE]: everything
commit()
{
    git -C "$repo" add -A
    git -C "$repo" commit -q --allow-empty -m "${1:-change}"
}

# branch NAME: a new one from main
branch()
{
    git -C "$repo" checkout -q -B "$1" main
}

# merged NAME: main is where NAME is
merged()
{
    git -C "$repo" checkout -q main
    git -C "$repo" merge -q --ff-only "$1" >/dev/null
}

# check CODE WHAT OWNER [ARGS...]: of the branch that is checked out, against main; OWNER is PATH@BRANCH
check()
{
    wanted_code=$1
    wanted_what=$2
    owner=$3
    shift 3
    expect "$wanted_what" "$wanted_code" -C "$repo" check --base main --repository "${owner%%@*}" --branch "${owner#*@}" "$@"
}
