#!/usr/bin/env python3
"""Rejects calls of the functions in tools/banned.txt.   usage: check-banned.py [ROOT [BUILD]]"""
import re

import house


def main():
    root, build = house.root_and_build(__doc__)
    table = root / "tools" / "banned.txt"
    rows = (table if table.exists() else house.TOOLS / "banned.txt").read_text().splitlines()
    banned = dict(row.split(None, 1) for row in rows if row and not row.startswith("#"))
    for name in house.exempt(root, "banned"):
        banned.pop(name, None)

    findings, seen = [], set()
    call = re.compile(r"(?<![\w.>])(" + "|".join(map(re.escape, banned)) + r")\s*\(")
    for path in house.sources(root):
        text = house.blank(path.read_text())
        for match in call.finditer(text):
            name, where = match.group(1), path.relative_to(root)
            seen.add((where, name))
            findings.append(f"{where}:{house.line_of(text, match.start())}: {name} is banned: {banned[name].strip()}")

    # Compilers and headers give functions other names: __sprintf_chk, __isoc99_x, __builtin_x.
    for path, source in house.objects(build):
        if root / "src" not in source.parents:
            continue
        where = source.relative_to(root)
        for kind, symbol in house.symbols(path):
            name = re.sub(r"^__(isoc\d+_|builtin_)?(\w+?)(_chk)?$", r"\2", symbol)
            name = symbol if symbol in banned else name
            if kind == "U" and name in banned and (where, name) not in seen:
                findings.append(f"{where}:1: its object calls {symbol}, which is banned: {banned[name].strip()}")
    house.finish(findings)


main()
