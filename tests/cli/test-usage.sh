#!/bin/sh
# The command line itself: unknown things, help, version, where messages go.
. "$(dirname "$0")/lib.sh"

echo text >file
refuses "no command" 2 'no command given'
complains "names the next step" '^  hint: .*help'
refuses "unknown command" 2 'unknown command "aply"' aply
complains "did you mean a command" 'did you mean "apply"'
refuses "nothing near" 2 'unknown command "xyzzy"' xyzzy
refuses "a command of a later version" 2 '"serve" is not in this version yet' serve
refuses "unknown option" 2 'unknown option "--fromat"' lint --fromat json
complains "did you mean an option" 'did you mean "--format"'
refuses "unknown short option" 2 'unknown option "-x"' lint -x
refuses "option without its value" 2 '[-][-]env wants a value' lint --env
refuses "flag with a value" 2 '[-][-]exit-code takes no value' plan --exit-code=1
refuses "no whole number" 2 '[-][-]limit wants a whole number, not "many"' batches X/Y --limit many
refuses "a limit of nothing" 2 '[-][-]limit must be at least 1, not 0' batches X/Y --limit 0
refuses "a negative limit" 2 '[-][-]limit must be at least 1, not -5' batches X/Y --limit -5
refuses "a huge limit" 2 '[-][-]limit can be 1000000 at most' batches X/Y --limit 99999999999999999999
refuses "no seconds" 2 '[-][-]seconds must be at least 1, not 0' simulate X --seconds 0
refuses "no rate" 2 '[-][-]rate must be at least 1, not 0' simulate X --rate 0
refuses "a directory that is not there" 3 'no such directory: "nosuch"' -C nosuch status
refuses "secrets that are not there" 3 'no such directory: "nosuch"' status --secrets nosuch
refuses "secrets that are a file" 3 '"file" is not a directory' status --secrets file
refuses "no duration" 2 'wants a duration, not "soon"' run --once --lease-wait soon
refuses "not a choice" 2 "can't be \"xml\"" lint --format xml
complains "lists the choices" 'text\|json\|sarif\|github\|junit'
refuses "missing argument" 2 'job wants STREAM' job
refuses "one argument too many" 2 'plan has no use for "this"' plan this
refuses "empty value" 2 'wants a value, not an empty text' lint --env=
refuses "--workers with --once" 2 'no use with --once' run --once --workers 2
refuses "no workers" 2 '[-][-]workers must be at least 1, not 0' run --workers 0
refuses "--accept-deletes without --once" 2 '[-][-]accept-deletes wants --once' run --accept-deletes
refuses "deletes of no stream in particular" 2 '[-][-]accept-deletes wants --stream' run --once --accept-deletes

expect "version" 0 --version
says "version" '^datasurface [0-9]+\.[0-9]+\.[0-9]+$'
expect "help" 0 help
for command in demo init simulate lint explain graph schema plan apply run job views history status batches verify \
    reset resnapshot pause resume help; do
    "$ds" help | grep -q "^  $command " || not_ok "help lists $command"
    "$ds" help $command | grep -q "^usage: datasurface $command" || not_ok "help $command"
    "$ds" $command --help | grep -q "^usage: datasurface $command" || not_ok "$command --help"
done
ok "every command has its help, in three ways"
expect "help wins over what else is wrong" 0 job --help
refuses "help of nothing" 2 'unknown command "nothing"' help nothing
expect "man page" 0 help --man
says "man page" '^\.TH DATASURFACE 1'
"$ds" help --completion bash >completion.bash
bash -n completion.bash && ok "completion is bash" || not_ok "completion is bash"
same "completion completes commands" "resnapshot" "$(bash -c '. ./completion.bash; COMP_WORDS=(datasurface resn); \
    COMP_CWORD=1; _datasurface; echo "${COMPREPLY[@]}"')"
same "completion completes choices" "mermaid" "$(bash -c '. ./completion.bash; \
    COMP_WORDS=(datasurface graph --format mer); COMP_CWORD=3; _datasurface; echo "${COMPREPLY[@]}"')"

# printed PAGE ARGS...: docs/PAGE is what the program prints
printed()
{
    page=$1
    shift
    "$ds" "$@" >"$page"
    if diff "$root/docs/$page" "$page" >"$out" 2>"$err"; then
        ok "docs/$page is what the tables say"
    elif [ "${UPDATE_GOLDEN:-}" = 1 ]; then
        cp "$page" "$root/docs/$page"
        ok "docs/$page is rewritten"
    else
        not_ok "docs/$page is what the tables say (make golden rewrites it)"
    fi
}
printed commands.md help --markdown
printed fields.md schema --markdown
same "each command's summary is a sentence" "" "$(awk 'heading && !/^[A-Z].*[.]$/; { heading = /^## / }' "$root/docs/commands.md")"

# Errors in JSON stand in the envelope, and on stderr like always.
"$ds" init shop >/dev/null
ds -C shop --format json job A/B
same "an error in JSON" 1 $code
complains "an error in JSON, on stderr too" "nothing has been applied"
python3 - "$out" <<'PY' && ok "the envelope" || not_ok "the envelope"
import json, sys
e = json.load(open(sys.argv[1]))
assert e["datasurface"] == 1 and e["command"] == "job" and e["exit"] in (1, 2), e
assert e["diagnostics"][-1]["severity"] == "error" and e["diagnostics"][-1]["message"], e
assert e["result"] == {}, e
PY

for line in 'lint --fromat x --format json' 'aply --format=json' '--format json' 'job --format json' \
    'help nothing --format json' 'batches X/Y --format json --limit 0'; do
    # shellcheck disable=SC2086
    ds $line
    python3 - "$out" $code <<'PY' && ok "the envelope of a usage error: $line" || not_ok "the envelope of a usage error: $line"
import json, sys
e = json.load(open(sys.argv[1]))
assert e["exit"] == 2 == int(sys.argv[2]), e
assert e["diagnostics"][-1]["severity"] == "error" and e["diagnostics"][-1]["message"], e
PY
done

# A reader that goes away is no reason to complain; a full disk is.
"$ds" schema 2>"$err" | head -1 >"$out"
same "a closed pipe is quiet" "" "$(cat "$err")"
if [ -c /dev/full ]; then
    code=0
    "$ds" schema >/dev/full 2>"$err" || code=$?
    : >"$out"
    same "results that can't be written: exit" 3 $code
    complains "results that can't be written: message" "can't write the results"
fi

# Options stand anywhere.
expect "options before the command" 0 -C shop --format json lint
expect "options after the command" 0 lint -Cshop --format=json
finish
