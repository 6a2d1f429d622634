#!/bin/sh
# A program with two types of platform (two_platforms.c): lint, plan and apply ask each of them about its own platforms,
# in one service as in several, and what Yellow does is what it does alone.
. "$(dirname "$0")/lib.sh"
two=${TWO_PLATFORMS:-$root/build/tests/cli/two_platforms}
[ -x "$two" ] || { echo "1..0 # SKIP no program with two platforms at $two"; exit 0; }
one=$ds
export NOTES="$work/notes"

shop
cp shop/platforms.yaml yellow.yaml
assign='s/^assignments:/&\n  - {group: Others\/all, platforms: [{platform: Notes, status: provisioned}]}/'
sed "s/^platforms:/&\n  Notes: {type: note, milestoning: scd1}/; $assign" yellow.yaml >both.yaml
cp both.yaml shop/platforms.yaml
cat >shop/others.yaml <<'END'
kind: Workspace
team: USA/analytics
name: Others
dataset_groups:
  all: {requires: {history: full}, sinks: [Store1/customers, MaskedCustomers/customers]}
END
expect "a type that the program lacks" 1 -C shop lint
says "is found where it stands" 'platforms.yaml:[0-9]+:[0-9]+: error: there is no platform type "note" \[P009\]'
refuses "and not planned" 1 'the model has 1 error' -C shop plan

ds=$two
expect "a program that has it" 0 -C shop lint
says "asks it about its streams" 'info: Notes/Store1 is only noted'
silent "and only about them" 'Yellow[A-Za-z]*/Store1 is only noted'
says "and finds no error" '^ok: .* 3 workspaces'

expect "plan" 0 -C shop plan
says "Yellow's part" '^ +create +stream YellowLive/Store1'
silent "has only its own streams" 'stream Notes/'
says "the other's part" '^ +create +note Yellow_NY Notes/Store1'
says "with the transformer's output" '^ +create +note Yellow_NY Notes/MaskedCustomers'
id=$(sed -n 's/^plan \([0-9a-f]*\):.*/\1/p' "$out")
same "nothing was done" "" "$(ls "$NOTES" shop/merge.db 2>/dev/null)"
refuses "apply of another plan" 1 'plan 0123456789abcdef0123456789abcdef is out of date' -C shop apply \
    --plan 0123456789abcdef0123456789abcdef
expect "apply of this one" 0 -C shop apply --plan "$id"
says "both" '^Yellow_NY in notes'
same "the notes" "Yellow_NY Notes/MaskedCustomers Yellow_NY Notes/Store1" "$(sort "$NOTES" | paste -sd ' ')"
expect "then nothing is left to do" 0 -C shop plan --exit-code
expect "run" 0 -C shop run --once
says "Yellow's streams" '^YellowLive/Store1 +1 +49 '
same "and the other's" "run Notes/MaskedCustomers run Notes/Store1" "$(sort "$NOTES.runs" | paste -sd ' ')"
expect "job of one" 0 -C shop job Notes/Store1
says "says what it did" '^Notes/Store1: it is noted'
same "and does it" "run Notes/Store1" "$(tail -1 "$NOTES.runs")"
expect "job of the other" 0 -C shop job YellowLive/Store1
says "does its work" '^YellowLive/Store1 batch 2: 49 read'
refuses "job of none" 2 'no stream "Notes/Store" was applied' -C shop job Notes/Store
complains "and what it may be" 'did you mean "Notes/Store1"'
expect "status" 0 -C shop status
says "of both" '^Notes/Store1 +applied'
says "each as it tells" '^YellowLive/Store1 +ok +2 '
ds -C shop verify
same "verify" 0 "$code"
says "compares what it can" '5 datasets of the merge database'
complains "and says what not" 'Notes/Store1: not compared: it is noted'
same "having asked" "verify Notes/MaskedCustomers verify Notes/Store1" "$(tail -2 "$NOTES.runs" | sort | paste -sd ' ')"

expect "views" 0 -C shop views
says "Yellow's" 'SELECT \* FROM Analytics_live_Store1_customers;|SELECT \* FROM .*customers;'
says "and what the other has for consumers" "^ +grep ' Notes/Store1[$]' NOTES"
expect "batches of the one" 0 -C shop batches YellowLive/Store1
refuses "batches of the other" 2 'Notes/Store1 is of a platform that keeps no record of batches' -C shop batches Notes/Store1
refuses "its history" 2 'stream Notes/Store1 is of a platform that keeps no history' -C shop history \
    everybody/notes/Store1/line --as-of 1

# Both are due as each of them says.
rm "$NOTES.runs"
sql shop/customers.db "UPDATE customers SET email = 'new'"
expect "trigger" 0 -C shop trigger YellowLive/Store1
"$two" -C shop run >"$out" 2>"$err" &
runner=$!
both_ran()
{
    [ "$(sort "$NOTES.runs" 2>/dev/null | paste -sd ' ')" = "run Notes/MaskedCustomers run Notes/Store1" ] &&
        grep -q '^[^ ]* YellowLive/Store1 batch' "$out"
}
wait_for "both types of streams" both_ran
kill -TERM $runner
wait $runner
same "it drains" 0 $?

for command in pause resume trigger resnapshot; do
    expect "$command of one" 0 -C shop $command Notes/Store1
    same "it is told" "$command Notes/Store1" "$(tail -1 "$NOTES.runs")"
    expect "$command of the other" 0 -C shop $command YellowLive/Store1
done
refuses "reset of one" 2 'Notes/Store1 begins nothing that it would not end' -C shop reset Notes/Store1
expect "reset of the other" 0 -C shop reset YellowLive/Store1

# Yellow does what it does in a program of its own.
"$one" init alone >/dev/null
cp shop/customers.db alone/
for program in "$one" "$two"; do
    rm -f alone/merge.db
    NOTES="$work/none" "$program" -C alone apply >"$out" && NOTES="$work/none" "$program" -C alone run --once >/dev/null
    sql alone/merge.db 'SELECT name, sql FROM sqlite_schema ORDER BY 1' >>"schema-${program##*/}"
    grep -v '^ *datasurface' "$out" >"apply-${program##*/}"
done
same "the same tables" "" "$(diff "schema-${one##*/}" "schema-${two##*/}")"
same "the same words" "" "$(diff "apply-${one##*/}" "apply-${two##*/}")"

# What the model no longer has: kept, and dropped when told.
cp yellow.yaml shop/platforms.yaml
expect "the platform goes" 0 -C shop plan --exit-code
says "what it has is kept" '^ +keep +note Yellow_NY Notes/Store1'
expect "unless" 10 -C shop plan --prune --exit-code
says "it is pruned" '^ +drop +note Yellow_NY Notes/Store1 .*destructive'
silent "and nothing of Yellow" 'drop +(table|stream|view)'
expect "prune" 0 -C shop apply --prune
same "no notes" "" "$(cat "$NOTES")"
expect "nothing is left of it" 0 -C shop plan
silent "not even a heading" 'in notes'

# A service without Yellow leaves its merge database alone.
sed 's/type: yellow/type: note/' yellow.yaml >shop/platforms.yaml
rm -f shop/merge.db*
expect "a service without Yellow" 0 -C shop apply
says "is noted" 'create +note Yellow_NY YellowLive/Store1|create +[0-9]+ notes'
same "and has no merge database" "" "$(ls shop/merge.db 2>/dev/null)"
expect "runs" 0 -C shop run --once
same "what there is to run" "run YellowLive/Store1" "$(tail -5 "$NOTES.runs" | grep 'YellowLive/Store1')"
finish
