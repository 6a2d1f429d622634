#!/usr/bin/env python3
"""Rejects functions and variables of src/ that are global but used by no other file, nor by a test.

usage: check-unused.py [ROOT [BUILD]]     (the whole build must be there: run `make test` or ninja first)
"""
import collections
import re

import house


def line_of_definition(text, name):
    """Where a name is defined: at file level it starts a line's declarator and is not a prototype."""
    text = house.blank(text)
    for match in re.finditer(r"^[A-Za-z_][^;{}()]*\b" + re.escape(name) + r"\b", text, re.M):
        return house.line_of(text, match.end())
    return 1


def main():
    root, build = house.root_and_build(__doc__)
    allowed = house.exempt(root, "unused") | {"main"}
    users = collections.defaultdict(set)
    defined = []
    for path, source in house.objects(build):
        for kind, name in house.symbols(path):
            if kind == "U":
                users[name].add(source)
            elif kind in "TDBRC" and root / "src" in source.parents:
                defined.append((source, name))

    findings = []
    for source, name in sorted(set(defined)):
        if name in allowed or name.startswith("__") or users[name] - {source}:
            continue
        text = source.read_text()
        uses = len(re.findall(r"\b" + re.escape(name) + r"\b", house.blank(text)))
        advice = "make it static" if uses > 1 else "nobody uses it"
        findings.append(f"{source.relative_to(root)}:{line_of_definition(text, name)}: "
                        f"{name} is global but used by no other file: {advice}")
    house.finish(findings)


main()
