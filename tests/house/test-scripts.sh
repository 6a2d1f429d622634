#!/bin/sh
# tools/check-scripts.sh
. "$(dirname "$0")/lib.sh"
check="$tools/check-scripts.sh"

mkdir tests
printf '#!/bin/sh\n' >tests/run.sh
printf 'notes\n' >tests/notes
chmod +x tests/run.sh
accepts 'a script that can be run, a text that can not' "$check" .
chmod -x tests/run.sh
rejects 'a script that can not be run' '^tests/run\.sh:1: .*not executable' "$check" .
chmod +x tests/run.sh tests/notes
rejects 'a text that can be run' '^tests/notes:1: .*does not begin with' "$check" .
finish
