#!/bin/sh
# examples/ci: what stands there works in a clone, with names that nobody should give a branch.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
need python3

mkdir bin
ln -s "$ds" bin/datasurface
export PATH="$work/bin:$PATH"

repository
write eco.yaml <<'END'
kind: Ecosystem
name: Small
repository: acme/model@central
live: acme/model@main
zones: [{name: EU, repository: acme/model@eu}]
END
printf 'kind: GovernanceZone\nname: EU\n' | write eu.yaml
commit

# The steps, out of the YAML: a file for each command, and one for the environment.
cat >steps.py <<'PY'
import re, sys, yaml
path, what = sys.argv[1:]
config = yaml.safe_load(open(path, encoding="utf-8"))
if "jobs" in config:
    job = config["jobs"]["check"]
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    checkout = next(s for s in job["steps"] if s.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"]["fetch-depth"] == 0, checkout
    assert "secrets." not in open(path).read() and config["permissions"]["contents"] == "read"
    assert {"--base", "--head", "--repository", "--branch"} <= set(scripts[0].split())
    assert not any("${{" in script for script in scripts), "an expression in shell text"
    used = set(re.findall(r"\$([A-Z_]+)", scripts[0])) - {"GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY"}
    assert used == set(job["env"]), used ^ set(job["env"])
else:
    job = config["datasurface"]
    scripts = job["script"]
    assert job["variables"]["GIT_DEPTH"] == "0" and job["artifacts"]["when"] == "always"
assert len(scripts) == 1, scripts
open(what, "w", encoding="utf-8").write(scripts[0])
PY
for ci in github-actions gitlab-ci; do
    python3 steps.py "$root/examples/ci/$ci.yml" "$ci.sh" >"$out" 2>"$err" && ok "$ci.yml" || not_ok "$ci.yml"
done

# run_ci CI: the check step in ./clone for the branch $branch, as CI's shell does it; sets $code
run_ci()
{
    code=0
    (
        cd clone
        export GITHUB_WORKSPACE="$PWD" GITHUB_STEP_SUMMARY="$work/summary.md" MODEL=.
        export BASE=refs/remotes/origin/main HEAD REPOSITORY=acme/model BRANCH="$branch" APPROVE="${approve:-}"
        HEAD=$(git rev-parse HEAD)
        export CI_PROJECT_DIR="$PWD" CI_COMMIT_SHA="$HEAD" CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main
        export CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=acme/model CI_MERGE_REQUEST_SOURCE_BRANCH_NAME="$branch"
        export CI_MERGE_REQUEST_LABELS="x,${approve:-}"
        sh -e "../$1.sh"
    ) >"$out" 2>"$err" || code=$?
}

# a_branch NAME: one that changes the zone, cloned into ./clone
a_branch()
{
    git -C repo checkout -q -B work main
    echo "description: by somebody" >>repo/eu.yaml
    commit
    git -C repo update-ref "refs/heads/$1" work
    rm -rf clone
    git clone -q "file://$work/repo" clone
    git -C clone checkout -q --detach work 2>/dev/null || git -C clone checkout -q --detach origin/work
}

for ci in github-actions gitlab-ci; do
    branch=eu
    a_branch $branch
    run_ci $ci
    same "$ci accepts" 0 "$code"
    says "$ci says so" '^accepted: 1 change'
    approve=breaking
    run_ci $ci
    same "$ci accepts with the label" 0 "$code"
    approve=
    # What a shell would run, and what git allows in a branch's name.
    for branch in '$(touch${IFS}hit)' '`touch${IFS}hit`' '";touch${IFS}hit;"' "';touch\${IFS}hit;'" '--help' '-x'; do
        [ "${branch#-}" = "$branch" ] && a_branch "$branch"
        run_ci $ci
        same "$ci refuses the branch $branch" 1 "$code"
        says "$ci: it is nobody's" '\[A001\]|title=A001'
        same "$ci: nothing was run" "" "$(find . -name 'hit*')"
    done
done
[ -s summary.md ] && ok "GitHub's summary" || not_ok "GitHub's summary"
[ -s clone/datasurface.md ] && ok "GitLab's summary" || not_ok "GitLab's summary"
finish
