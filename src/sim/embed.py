#!/usr/bin/env python3
"""Writes the files of templates/NAME/ as C string literals: embed.py OUT FILE...

A file called "gitignore" is written by init as ".gitignore".
"""
import json
import pathlib
import sys


def literal(line):
    return json.dumps(line, ensure_ascii=True).replace("?", "\\?")


def main():
    out, files = sys.argv[1], [pathlib.Path(f) for f in sys.argv[2:]]
    text = ["// Made by embed.py from templates/."]
    for name in dict.fromkeys(f.parent.name for f in files):
        text.append(f"static const ds_template_file TEMPLATE_{name.upper()}[] = {{")
        for f in (f for f in files if f.parent.name == name):
            path = ".gitignore" if f.name == "gitignore" else f.name
            text.append(f"    {{{literal(path)},")
            text += [f"     {literal(line)}" for line in f.read_text().splitlines(keepends=True)]
            text.append("    },")
        text.append("};")
    pathlib.Path(out).write_text("\n".join(text) + "\n")


main()
