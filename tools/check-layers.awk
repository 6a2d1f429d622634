# Rejects every #include that is not allowed by the floors (layers.txt) or by the rooms (rooms.txt).
# usage: awk -f check-layers.awk layers.txt rooms.txt src/.../*.[ch]      (paths relative to the repository)

function complain(message) { print FILENAME ":" FNR ": " message; bad = 1 }
function directory_of(path) { sub(/\/?[^\/]*$/, "", path); return path }
function top_of(path) { sub(/\/.*/, "", path); return path }
# The module of a directory: a floor within a module where it has a line of its own, else the module.
function module_of(dir,    parts)
{
    split(dir, parts, "/")
    return parts[1] "/" parts[2] in known ? parts[1] "/" parts[2] : parts[1]
}
# Who may include a module may include each floor within it; a floor may include others of its module by name only.
function allowed(who, what)
{
    return (who, what) in may || (top_of(who) != top_of(what) && (who, top_of(what)) in may)
}
function below(dir, parent) { return dir == parent || index(dir "/", parent "/") == 1 }

FNR == 1 { file_number++; here = FILENAME; sub(/^src\//, "", here); here = directory_of(here); mine = module_of(here) }

file_number <= 2 && (/^[ \t]*#/ || NF == 0) { next }

file_number == 1 {                      # layers.txt
    module = $1
    if (!sub(/:$/, "", module)) { complain("expected \"module: what it may include\""); next }
    if (module in known) complain("module " module " is listed twice")
    for (i = 2; i <= NF; i++) {
        if (!($i in known)) complain("module " module " names " $i ", which does not stand below it")
        may[module, $i] = 1
    }
    known[module] = 1
    may[module, module] = 1
    if (top_of(module) != module) may[top_of(module), module] = 1
    next
}

file_number == 2 {                      # rooms.txt
    header = $1
    sub(/:$/, "", header)
    rooms[header] = " "
    for (i = 2; i <= NF; i++) rooms[header] = rooms[header] $i " "
    next
}

FNR == 1 && !(mine in known) { complain("unknown module " mine ": give it a line in tools/layers.txt") }

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    path = $0
    sub(/^[^<"]*/, "", path)
    quoted = substr(path, 1, 1) == "\""
    sub(/^[<"]/, "", path)
    sub(/[>"].*/, "", path)
    module = index(path, "/") ? module_of(directory_of(path)) : path

    if (path in rooms) {
        ok = 0
        n = split(rooms[path], room, " ")
        for (i = 1; i <= n; i++) if (below(here, room[i])) ok = 1
        if (!ok) complain("<" path "> belongs to" (n ? rooms[path] : " tests ") "(tools/rooms.txt)")
        if (ok && quoted) complain("write <" path ">: it is not ours")
        next
    }
    if (!quoted) {
        if (index(path, "/") && module in known) complain("write \"" path "\": it is ours")
        next
    }
    if (!index(path, "/")) { complain("write \"module/" path "\", or <" path "> when it is not ours"); next }
    if (!(module in known)) { complain("\"" path "\": unknown module " module); next }
    if (!allowed(mine, module)) complain("\"" path "\": " mine " may not include " module " (tools/layers.txt)")
    if (path ~ /_int\.h$/ && !below(here, directory_of(path)))
        complain("\"" path "\" is private to src/" directory_of(path))
}

END { exit bad }
