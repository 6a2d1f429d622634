#!/bin/sh
# Runs an installation, as root, in which server packages do nothing unasked: postgresql-15 makes no cluster "main",
# pgbouncer neither starts now nor at the next boot. Servers and clusters that are there already are left alone, and
# so are the rules for packages that are installed later.
#
#   tools/quietly.sh apt-get install ...
set -eu
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
bouncer=/etc/init.d/pgbouncer
made=

undo()
{
    # shellcheck disable=SC2086  # paths without spaces
    rm -f $made
    rmdir "$clusters" 2>/dev/null || true
}
trap undo EXIT
trap 'exit 1' HUP INT TERM

# A machine that has a policy (containers do) knows what it wants.
if [ ! -e "$policy" ]; then
    made="$made $policy"
    cat >"$policy" <<'END'
#!/bin/sh
# Made by an installation that is running now, and gone after it.
case " $* " in
*' pgbouncer '* | *' pgbouncer.service '*) exit 101 ;; # not allowed
esac
END
    chmod 755 "$policy"
fi
mkdir -p "$clusters"
made="$made $clusters/nothing-unasked.conf"
echo 'create_main_cluster = false' >"$clusters/nothing-unasked.conf"
had_bouncer=no
[ ! -e "$bouncer" ] || had_bouncer=yes

"$@"

if [ "$had_bouncer" = no ] && [ -e "$bouncer" ]; then
    update-rc.d pgbouncer disable
fi
