#!/bin/sh
# Progress: live lines on a terminal and nowhere else; the closing table of a stream with many tables.
. "$(dirname "$0")/lib.sh"
need python3
need sqlite3

# A source that may be read at 30 rows a second: the second table waits for the 20 rows of the first.
"$ds" init shop >/dev/null
"$ds" -C shop simulate Store1 --changes 0 >/dev/null
sed -i '/^name: CustomerDB/a limits: {rows_per_second: 30}' shop/customers.yaml
"$ds" -C shop apply >"$out"
cat >terminal.py <<'END'
"""terminal.py FILE COLUMNS COMMAND...: runs it with a terminal as standard error; what comes there goes to FILE."""
import fcntl, os, pty, struct, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[2]), 0, 0))
pid = os.fork()
if pid == 0:
    os.dup2(slave, 2)
    os.close(master)
    os.execv(sys.argv[3], sys.argv[3:])
os.close(slave)
seen = b""
while True:
    try:
        part = os.read(master, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
open(sys.argv[1], "wb").write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END

# on_terminal ARGS...: runs the program; what it wrote on its terminal is in $err
on_terminal()
{
    code=0
    python3 terminal.py "$work/terminal" 80 "$ds" "$@" >"$out" || code=$?
    tr -d '\r' <terminal >"$err"
}
TERM=xterm on_terminal -C shop run --once --stream YellowLive/Store1
same "a run on a terminal" 0 "$code"
complains "a line for the stream" '^YellowLive/Store1 [0-2]/2 +[0-9]+ rows +[0-9]+ rows/s +[0-9.]+ k?B$'
esc=$(printf '\033')
complains "which is taken away" "^$esc\[[12]A$esc\[J"
says "the results come as ever" '^YellowLive/Store1 +1 +40 +40 +0 +0 +0 '
same "and nothing is left" "${esc}[J" "$(tail -c 3 "$err")"
same "without colour" 0 "$(grep -c "$esc\[[0-9;]*m" "$err" || true)"
TERM=dumb on_terminal -C shop run --once --stream YellowForensic/Store1
same "no live lines on a dumb terminal" "0 " "$code $(cat "$err")"
expect "nor without a terminal" 0 -C shop job YellowLive/Store1

# Many tables: those that did not change share a row.
i=0
while [ $i -lt 25 ]; do
    i=$((i + 1))
    sqlite3 wide.db "CREATE TABLE t$i (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t$i VALUES (1, 'a'), (2, 'b')"
done
mkdir wide
expect "many tables" 0 -C wide import "sqlite:$work/wide.db" --datastore Wide
expect "apply" 0 -C wide apply
expect "first run" 0 -C wide run --once --stream 'Live/*'
same "every table that was loaded has a row" 25 "$(grep -Ec '^  t[0-9]+ +2 +2 +0 +0 +0 ' "$out")"
sqlite3 wide.db "INSERT INTO t3 VALUES (3, 'c')"
expect "second run" 0 -C wide run --once --stream 'Live/*'
says "a table that changed" '^  t3 +3 +1 +0 +0 +2 '
says "and the others" '^  24 unchanged tables +48 +0 +0 +0 +48 '
expect "job" 0 -C wide job Live/Wide
says "which can be all" '^25 unchanged tables +51 +0 +0 +0 +51 '
says "and a total" '^total +51 +0 +0 +0 +51 '
finish
