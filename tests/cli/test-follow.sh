#!/bin/sh
# run --follow: a branch that moves, breaks, goes back and can't be reached; several processes, and one that is killed.
. "$(dirname "$0")/lib.sh"
. "$here/git_lib.sh"
trap 'kill -9 $first $second 2>/dev/null || :; rm -rf "$work"' EXIT
first=
second=

# up.git is the remote, repo where people work, live a clone without files that is followed; the model is in shop/
git init -q --bare -b main up.git
git clone -q up.git repo 2>/dev/null
git -C repo checkout -q -b main
"$ds" init repo/shop >/dev/null
sed -i 's/trigger: {cron: .*}/trigger: {external: true}/' repo/shop/customers.yaml

# push MESSAGE: what people have changed
push()
{
    commit "$1"
    git -C repo push -q -f origin main
    head=$(git -C repo rev-parse main)
}
push one
git clone -q --no-checkout up.git live
"$ds" -C repo/shop simulate Store1 --changes 30 >/dev/null
mv repo/shop/customers.db live/
merge=sqlite:live/merge.db

# start NAME ARGS...: follows in the background, its streams in NAME.out and NAME.err; $pid is its process
start()
{
    name=$1
    shift
    "$ds" -C live run --follow origin/main --folder shop --follow-every 100ms "$@" >"$name.out" 2>"$name.err" </dev/null &
    pid=$!
}

# has FILE PATTERN N: so many lines match
has()
{
    [ "$(grep -Ec -e "$2" "$1")" = "$3" ]
}

# applied COMMIT: it is the last one that was applied
applied()
{
    [ "$(sql live/merge.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1')" = "$1" ]
}

# state: what the control tables say of the branch
state()
{
    sql live/merge.db "SELECT state || ' ' || commit_id FROM datasurface__follow"
}

# is_state STATE COMMIT
is_state()
{
    [ "$(state)" = "$1 $2" ]
}

# batches STREAM: how many are committed
batches()
{
    sql live/merge.db "SELECT count(*) FROM datasurface__batch WHERE stream = '$1' AND status = 'committed'"
}

# at STREAM N
at()
{
    [ "$(batches "$1")" = "$2" ]
}

# edit FILE SED...: in the model
edit()
{
    file=repo/shop/$1
    shift
    before=$(cat "$file")
    sed -i "$@" "$file"
    [ "$before" != "$(cat "$file")" ] || not_ok "an edit of $file changes it"
}

# --- what can't be
refuses "a branch that isn't there" 2 '"nothing" names nothing here' -C live run --follow nothing --folder shop
refuses "with --once" 2 'no use with --once' -C live run --follow origin/main --once
refuses "with --merge" 2 'no use with --follow' --merge $merge run --follow origin/main
refuses "its options alone" 2 'want --follow' -C live run --follow-every 1s
refuses "outside of git" 3 'is not in a git repository' -C / run --follow main

# --- the first look makes the merge database, and the streams run
start one
first=$pid
wait_for "the first apply" is_state applied "$head"
wait_for "its line" has one.out "^[^ ]+ origin/main $(git -C repo rev-parse --short=10 main): applied, [0-9]+ changes\$" 1
"$ds" --merge $merge trigger YellowLive/Store1 >/dev/null
wait_for "a batch" at YellowLive/Store1 1
ok "a branch is brought in, and its streams run"
same "no file is touched" ".git customers.db merge.db" \
    "$(cd live && find . -mindepth 1 -maxdepth 1 -name '*' ! -name '*.db[-]*' | sed 's,^./,,' | sort | tr '\n' ' ' | sed 's/ $//')"
same "applied has the commit" "$head" "$(sql live/merge.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1')"

# --- it moves
edit analytics.yaml 's/priority: high/priority: low/'
push two
two=$head
wait_for "the second commit" is_state applied "$head"
ok "a branch that moves is applied"
same "and recorded" "$head" "$(sql live/merge.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1')"

# --- errors change nothing
edit analytics.yaml 's/priority: low/priority: nothing/'
push errors
wait_for "the refusal" is_state refused "$head"
expect "status of a refused branch" 0 --merge $merge status
says "says so" "^follows origin/main: .* refused .*the model has 1 error; .*analytics.yaml:6: "
expect "with --check" 1 --merge $merge status --check
"$ds" --merge $merge trigger YellowLive/Store1 >/dev/null
wait_for "a batch of what was applied" at YellowLive/Store1 2
ok "the streams go on"
wait_for "its message" has one.err "is not applied: the model has 1 error" 1
same "one event" 1 "$(sql live/merge.db "SELECT count(*) FROM datasurface__event WHERE kind = 'refused'")"
applied "$two" && ok "nothing was applied" || not_ok "nothing was applied"

# --- a refused plan, too
edit analytics.yaml 's/priority: nothing/priority: low/'
edit masked.yaml 's/substr(lastname/substr(last_name/'
push "a plan that is refused"
wait_for "its refusal" is_state refused "$head"
wait_for "its message" has one.err "is not applied: the plan has 1 change that can.t be made; stream YellowLive/MaskedCustomers: .*last_name" 1
applied "$two" && ok "a refused plan changes nothing" || not_ok "a refused plan changes nothing"
edit masked.yaml 's/substr(last_name/substr(lastname/'

# --- going back is refused until somebody says so
git -C repo commit -qam "mended"
git -C repo reset -q --hard "$two~1"
edit masked.yaml '$a\# another line'
push rewritten
wait_for "the refusal of a commit beside" is_state refused "$head"
wait_for "its message" has one.err "does not come from $(git -C repo rev-parse --short=10 "$two")" 1
has one.err "hint: if going back is meant: datasurface apply --ref $(git -C repo rev-parse --short=10 main)" 1 \
    && ok "it says how" || not_ok "it says how"
applied "$two" && ok "and changes nothing" || not_ok "and changes nothing"
expect "apply --ref" 0 -C live apply --ref origin/main --folder shop
applied "$head" && ok "applies a commit without a checkout" || not_ok "applies a commit without a checkout"
same "and settles what was refused" 0 "$(sql live/merge.db "SELECT count(*) FROM datasurface__follow WHERE state = 'refused'")"
edit analytics.yaml 's/priority: high/priority: critical/'
push onwards
wait_for "the next commit" is_state applied "$head"
ok "from there it goes on"

# --- a remote that can't be reached
mv up.git away.git
wait_for "the failure" sh -c "sqlite3 live/merge.db 'SELECT state FROM datasurface__follow' | grep -q failed"
"$ds" --merge $merge trigger YellowLive/Store1 >/dev/null
wait_for "a batch meanwhile" at YellowLive/Store1 3
has one.err "following origin/main: can't fetch from origin: .*does not appear to be a git repository" 1 && ok "it is told once" || not_ok "it is told once"
mv away.git up.git
wait_for "the recovery" is_state applied "$head"
ok "a remote that comes back is followed again"

# --- a branch that is deleted, as after a rename
git -C up.git branch -m main other
wait_for "the loss" is_state failed "$head"
has one.err "following origin/main: can.t fetch from origin: .*couldn.t find remote ref refs/heads/main" 1 &&
    ok "a branch that is gone is told" || not_ok "a branch that is gone is told"
"$ds" --merge $merge trigger YellowLive/Store1 >/dev/null
wait_for "a batch without the branch" at YellowLive/Store1 4
applied "$head" && ok "what was applied goes on" || not_ok "what was applied goes on"
"$ds" -C live run --follow origin/main --folder shop >gone.out 2>gone.err </dev/null &
second=$!
wait_for "a process that begins without it" has gone.err "couldn.t find remote ref" 1
kill -TERM $second
wait $second || not_ok "it drains without the branch"
second=
has gone.out applied 0 && ok "applies nothing of a branch that is gone" || not_ok "applies nothing of a branch that is gone"
git -C up.git branch -m other main
edit analytics.yaml 's/priority: critical/priority: low/'
push "the branch is back"
wait_for "the branch that is back" is_state applied "$head"
ok "a branch that is back is followed again"
edit analytics.yaml 's/priority: low/priority: critical/'
push "as before"
wait_for "the next commit of it" is_state applied "$head"

# --- what git says of it: the reason, and no login, however long it is
cat >ssh <<'SCRIPT'
#!/bin/sh
echo "Warning: Permanently added 'up' to the list of known hosts." >&2
printf "can't go to https://me:token%0500d@up/model\n" 7 >&2
exit 255
SCRIPT
chmod +x ssh
git clone -q --no-checkout up.git elsewhere
git -C elsewhere config remote.origin.url ssh://up/model
git -C elsewhere config core.sshCommand "$work/ssh"
"$ds" -C elsewhere run --follow origin/main --folder shop >words.out 2>words.err </dev/null &
second=$!
wait_for "git's words" has words.err "can't fetch from origin: can't go to https://[*]+" 1
has words.err token 0 && ok "no login is told" || not_ok "no login is told"
kill -9 $second
wait $second 2>/dev/null || :

# --- a remote that doesn't answer keeps no stream waiting
printf '#!/bin/sh\nexec sleep 300\n' >ssh
"$ds" -C elsewhere run --follow origin/main --folder shop >silent.out 2>silent.err </dev/null &
second=$!
wait_for "a start without the remote" has silent.err "can't fetch from origin: git was ended after 10 s" 1
wait_for "the streams" has silent.err "nothing has been applied to merge database" 1
kill -TERM $second
wait $second && ok "it drains" || not_ok "it drains"
has silent.out applied 0 && [ ! -e elsewhere/merge.db ] && ok "what may have been given up is not applied" ||
    not_ok "what may have been given up is not applied"
second=

# --- two of them: one applies
start two
second=$pid
edit analytics.yaml 's/priority: critical/priority: medium/'
push three
wait_for "the first's line" has one.out "$(git -C repo rev-parse --short=10 main): applied" 1
wait_for "the second's line" has two.out "$(git -C repo rev-parse --short=10 main): applied" 1
same "two processes, one apply" 1 "$(sql live/merge.db "SELECT count(*) FROM datasurface__applied WHERE commit_id = '$head'")"

# --- killed at any time, the next one goes on
kill -9 $first
wait $first 2>/dev/null || :
first=
edit analytics.yaml 's/priority: medium/priority: high/'
push four
kill -9 $second
wait $second 2>/dev/null || :
second=
start three --stream 'YellowLive/*'
first=$pid
wait_for "what was pushed before it began" is_state applied "$head"
applied "$head" && ok "a process that is killed is no harm" || not_ok "a process that is killed is no harm"

# --- another merge database
edit platforms.yaml 's/merge\.db/merge2.db/'
push elsewhere
wait_for "the other merge database" sh -c "sqlite3 live/merge2.db 'SELECT commit_id FROM datasurface__applied' | grep -q $head"
"$ds" --merge sqlite:live/merge2.db trigger YellowLive/Store1 >/dev/null
wait_for "its batches" sh -c "sqlite3 live/merge2.db \"SELECT status FROM datasurface__batch\" | grep -q committed"
ok "streams move to another merge database"

# --- and its end
kill -TERM $first
code=0
wait $first || code=$?
first=
same "SIGTERM drains" 0 $code
has three.err '^drained: ' 1 && ok "and says so" || not_ok "and says so"

# --- a branch of one's own wants no remote, and apply knows the commit of a clean directory
cp live/customers.db repo/shop/
"$ds" -C repo/shop apply >/dev/null
git -C repo remote remove origin
"$ds" -C repo/shop run --follow main >four.out 2>four.err </dev/null &
first=$!
merge_commit()
{
    sql repo/shop/merge2.db 'SELECT commit_id FROM datasurface__applied ORDER BY id DESC LIMIT 1'
}
same "apply records the commit of a directory" "$head" "$(merge_commit)"
mkdir plain
git -C repo archive main:shop | tar -x -C plain
sql repo/shop/merge2.db "VACUUM INTO 'plain/merge2.db'"
sql plain/merge2.db 'DROP VIEW ws_consumer1__live__store1__customers'
"$ds" -C plain apply >/dev/null
same "the same model without git around it is still of that commit" "$head|2" "$(sql plain/merge2.db "SELECT commit_id, count(*)
    OVER () FROM datasurface__applied WHERE tree_id = (SELECT tree_id FROM datasurface__applied ORDER BY id DESC LIMIT 1)
    ORDER BY id DESC LIMIT 1")"
edit analytics.yaml 's/priority: high/priority: low/'
"$ds" -C repo/shop apply >/dev/null
same "but not of one that was changed" "" "$(merge_commit)"
edit analytics.yaml 's/priority: low/priority: medium/'
git -C repo commit -qam five
wait_for "a refusal" has four.err "what was applied last is another model, and of no commit that is known" 1
"$ds" -C repo/shop apply >/dev/null
git -C repo commit -q --allow-empty -m six
wait_for "a local branch" has four.out "$(git -C repo rev-parse --short=10 main): applied, nothing to change" 1
ok "a branch of the repository itself is followed"
kill -TERM $first
wait $first || not_ok "it ends well"
first=
finish
