#!/bin/sh
# A model that changes for years while its streams run: each change is in plan first and in `applied` afterwards, the
# next plan is empty, and the copy equals its source. Once on SQLite, once with the merge database on PostgreSQL.
. "$(dirname "$0")/lib.sh"
. "$here/pg_lib.sh"
runner=
writer=
trap 'kill -9 $runner $writer 2>/dev/null || :; pg_clean >/dev/null 2>&1; rm -rf "$work"' EXIT

# merge STATEMENT: of the merge database, with names as on a server
merge()
{
    case $engine in
    sqlite) sql shop/merge.db "$(echo "$1" | sed -E 's/\b(datasurface|ds_[a-z]+)\.([a-z])/\1__\2/g')" ;;
    postgres) echo "$1" | admin merge ;;
    esac
}

# edit FILE SED...: in the model
edit()
{
    file=shop/$1
    shift
    before=$(cat "$file")
    sed -i "$@" "$file"
    [ "$before" != "$(cat "$file")" ] || not_ok "$engine: an edit of $file changes it"
}

# changes WHAT PATTERN [ARGS...]: plan shows it, apply does it, `applied` has it, and the next plan is empty
changes()
{
    what="$engine: $1"
    pattern=$2
    shift 2
    ds -C shop plan "$@"
    says "$what is in plan" "$pattern"
    until "$ds" -C shop apply "$@" >"$out" 2>"$err"; do
        grep -q 'is busy' "$err" || { not_ok "$what is applied"; return; }
    done
    words=$(echo "$pattern" | sed -E 's|^\^ \*||; s| .*||')
    same "$what is in applied" 1 "$(merge "SELECT count(*) FROM datasurface.applied WHERE id = (SELECT max(id) FROM
        datasurface.applied) AND changes LIKE '%\"$words\"%'")"
    ds -C shop plan --exit-code
    same "$what: nothing is left" 0 $code
}

# equal WHAT: the copy is the source, row by row
equal()
{
    ds -C shop verify --lease-wait 60s
    if [ "$code" = 0 ]; then ok "$engine: $1, and the copy equals its source"; else not_ok "$engine: $1"; fi
}

# Changes of the source, and triggers for whatever streams there are, all the time.
write_and_trigger()
{
    n=0
    while :; do
        n=$((n + 1))
        "$ds" -C source simulate Store1 --changes 3 --seed $n || :
        for stream in YellowLive/Store1 YellowForensic/Store1; do "$ds" -C shop trigger $stream || :; done
    done >/dev/null 2>&1
}

start()
{
    "$ds" -C shop run >run.out 2>run.err </dev/null &
    runner=$!
    wait_for "the start of run" grep -q '^running with' run.err
    write_and_trigger &
    writer=$!
}

stop()
{
    kill $writer
    wait $writer 2>/dev/null || :
    writer=
    kill -TERM $runner
    code=0
    wait $runner || code=$?
    runner=
    same "$engine: run has gone on through all of it" 0 $code
    cp run.err "$err"
}

life()
{
    engine=$1
    rm -rf shop source
    "$ds" init shop >/dev/null
    edit customers.yaml 's/trigger: {cron: .*}/trigger: {external: true}/; s/max_delete_ratio: 0.5/max_delete_ratio: 1/'
    if [ $engine = postgres ]; then
        edit platforms.yaml "s|type: sqlite, path: merge.db|type: postgres, host: $pg, database: merge_$unique|
            s|merge: {container: MergeDB}|merge: {container: MergeDB, credential: merge_rw}|"
    fi
    cp -r shop source
    "$ds" -C source simulate Store1 --changes 0 >/dev/null
    sql source/customers.db 'PRAGMA journal_mode = WAL' >/dev/null
    edit customers.yaml "s|path: customers.db|path: $work/source/customers.db|"
    expect "$engine: the first apply" 0 -C shop apply
    start
    equal "the beginning"

    # --- additive
    sql source/customers.db "ALTER TABLE customers ADD COLUMN nickname; UPDATE customers SET nickname = lower(firstname)"
    edit customers.yaml 's/^      phone: .*/&\n      nickname: varchar(50)/; s/^      lastname: varchar(100)/      lastname: varchar(200)/'
    changes "a column more" '^ *add-column .*nickname'
    equal "a column more"

    # --- a dataset more
    sql source/customers.db "CREATE TABLE notes (id integer primary key, note text); INSERT INTO notes VALUES (1, 'a'), (2, 'b')"
    printf '  notes:\n    classification: pub\n    columns: {id: integer primary key, note: text}\n' >>shop/customers.yaml
    edit analytics.yaml 's|Store1/addresses|Store1/addresses, Store1/notes|'
    changes "a dataset more" '^ *create .*store1__notes'
    equal "a dataset more"

    # --- another key
    edit customers.yaml '/^  addresses:/,$ s/^      id: varchar(20) primary key/      id: varchar(20) primary key/
        /^  addresses:/,/^  notes:/ s/^      customer_id: varchar(20) not null/      customer_id: varchar(20) primary key/'
    changes "another key" '^ *rekey '
    equal "another key"

    # --- a dataset that nobody uses any more: kept, for as long as a group required it
    edit analytics.yaml 's|, Store1/notes||'
    changes "a dataset that is given up" '^ *keep .*yellowforensic.*store1__notes .*leaves it for 2562 days'
    edit analytics.yaml '1s/$/ A remark./'
    changes "prune" '^ *drop .*yellowlive.*store1__notes' --prune
    same "$engine: what nobody required is gone, the rest is there" "0 2" "$(merge "SELECT count(*) FROM
        datasurface.stream WHERE name = 'YellowLive/Store1' AND retired <> '[]'") $(merge 'SELECT count(*) FROM
        ds_yellowforensic.store1__notes')"
    ds -C shop plan --prune
    says "$engine: plan says until when" 'keep .*store1__notes  *a group required its retention: --prune leaves it until 20'
    equal "after a prune"

    # --- a store that goes and comes back, with its history
    last=$(merge "SELECT max(batch_id) FROM datasurface.batch WHERE stream = 'YellowForensic/Store1'")
    cp shop/analytics.yaml analytics.kept
    edit analytics.yaml '/^  audit:/,$d'
    edit platforms.yaml '/Consumer1\/audit/d'
    changes "a store that goes" '^ *keep .*stream YellowForensic/Store1 '
    ds -C shop apply --prune
    same "$engine: prune leaves what is required" 0 $code
    cp analytics.kept shop/analytics.yaml
    edit platforms.yaml 's/^  - {group: Consumer1\/live.*/&\n  - {group: Consumer1\/audit, platforms: [{platform: YellowForensic, status: provisioned}]}/'
    changes "a store that comes back" '^ *update .*is back in the model'
    equal "a store that comes back"
    same "$engine: its batches go on" 1 "$(merge "SELECT CASE WHEN max(batch_id) > $last AND min(batch_id) = 1
        AND count(*) >= 2 THEN 1 ELSE 0 END FROM datasurface.batch WHERE stream = 'YellowForensic/Store1'")"

    # --- a platform that goes
    edit platforms.yaml '/Consumer1\/audit/d; /YellowForensic: /d'
    edit analytics.yaml '/^  audit:/,$d'
    changes "a platform that goes" '^ *keep .*stream YellowForensic/Store1 '
    equal "a platform that goes"

    # --- two at once
    edit customers.yaml 's/^      lastname: varchar(200)/      lastname: varchar(300)/'
    rows=$(merge 'SELECT count(*) FROM datasurface.applied')
    "$ds" -C shop apply >one.out 2>one.err &
    one=$!
    code=0
    "$ds" -C shop apply >two.out 2>two.err || code=$?
    wait $one || code=$?
    cat one.err two.err >"$err"
    same "$engine: two applies at once end well" 0 $code
    same "$engine: and one of them applied it" $((rows + 1)) "$(merge 'SELECT count(*) FROM datasurface.applied')"

    # --- one stream for each dataset, and back
    edit customers.yaml 's/consistency: multi_dataset/consistency: single_dataset/'
    changes "streams of their own" '^ *move .*from stream YellowLive/Store1, with its rows'
    "$ds" -C shop trigger YellowLive/Store1/customers >/dev/null
    equal "streams of their own"
    edit customers.yaml 's/consistency: single_dataset/consistency: multi_dataset/'
    changes "one stream again" '^ *move .*from stream YellowLive/Store1/customers, with its rows'
    equal "the end"
    stop
}

life sqlite
make_merge
block merge | admin merge
echo "GRANT CREATE, TEMPORARY ON DATABASE merge_$unique TO merge_rw_$unique" | admin merge
life postgres
finish
