#!/usr/bin/env python3
"""Rejects SQL text with a hole made by printf: SQL comes from the builder in store/ or from an embedded .sql file.

usage: check-sql.py [ROOT]

A finding is a string (neighbours joined, as the compiler does) with an upper-case SQL verb followed by another
upper-case word or by the hole itself, and with a %s.
"""
import re

import house

STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"(?:\s*(?:(?:PRI|SCN)\w+\s*)?"(?:\\.|[^"\\\n])*")*')
VERB = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)\b\s+(?:.*\b[A-Z]{2,}\b|[\"\\`\[(]*%)", re.S)
HOLE = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?s")


def main():
    root, _ = house.root_and_build(__doc__)
    findings = []
    for path in house.sources(root):
        text = house.blank(path.read_text(), keep_strings=True)
        for match in STRINGS.finditer(text):
            joined = re.sub(r'"\s*(?:(?:PRI|SCN)\w+\s*)?"', "", match.group(0))
            if VERB.search(joined) and HOLE.search(joined.replace("%%", "  ")):
                findings.append(f"{path.relative_to(root)}:{house.line_of(text, match.start())}: "
                                "%s beside SQL text: use the builder in store/ or a parameter")
    house.finish(findings)


main()
