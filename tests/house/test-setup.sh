#!/bin/sh
# tools/setup.sh: says what is missing and why, in a world made of small fakes; installs nothing
. "$(dirname "$0")/lib.sh"
mkdir bin
file packages.txt <<'END'
# comment
here     build        is there already
absent   build,test   reads the stars
other    lint         never asked for
END
export PACKAGES_TABLE="$sample/packages.txt"
file bin/dpkg-query <<'END'
#!/bin/sh
echo "here installed"
[ ! -e has-absent ] || echo "absent installed"
END
file bin/apt-get <<'END'
#!/bin/sh
echo "apt-get $*" >>calls
END
file bin/id <<'END'
#!/bin/sh
cat uid
END
file bin/sudo <<'END'
#!/bin/sh
[ -e may-sudo ] || exit 1
shift
exec "$@"
END
chmod +x bin/*
setup() { PATH="$sample/bin:$PATH" tools/setup.sh "$@"; }
cp "$tools/setup.sh" tools/
touch -d yesterday meson.build

echo 1000 >uid
rejects 'a missing package without rights, with one command to run' "sudo sh -c 'apt-get update.*install.* absent'" setup build
rejects 'it with the reason' 'absent +reads the stars' setup build
code=0; setup build >/dev/null 2>&1 || code=$?
same 'exits 3 then' 3 "$code"
rejects '--check, without trying' 'reads the stars' setup --check build
rejects 'a target that no row names' 'no package' setup nothing
rejects 'no target' 'usage' setup
touch has-absent
accepts 'a full house, in silence' setup build test
same 'runs no apt-get in all this' no "$([ -e calls ] && echo yes || echo no)"

rm has-absent
touch may-sudo before
setup test >/dev/null 2>&1
same 'installs through sudo what is missing and only that' \
    'apt-get update -qq apt-get install -y -qq --no-install-recommends absent' "$(xargs <calls)"
same 'and lets builds look again' yes "$([ meson.build -nt before ] && echo yes || echo no)"
rm may-sudo calls
echo 0 >uid
setup test >/dev/null 2>&1
same 'installs directly as root' 2 "$(wc -l <calls)"
finish
