#!/usr/bin/env python3
"""Documentation names what is there. In every Markdown file of the repository:
links lead to files, and to headings, that exist; a path in backticks below src/, docs/, tests/ or tools/ exists, and so
does one that begins with a module (`base/error.h`) and a bare source file (`batch.c`). Words in capitals such as NAME,
and *, stand for anything.
usage: check-docs.py [ROOT]"""
import functools
import pathlib
import re
import sys

import house

FENCE = re.compile(r"^( *```).*?^ *```[^\S\n]*$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(r"(?:src|docs|tests|tools)/[\w./*-]*$")
MODULE_FILE = re.compile(r"[a-z]+/[\w./*-]+\.(?:c|h|md)$")
SOURCE_FILE = re.compile(r"[\w*-]+\.(?:c|h|py|sh|awk)$")
STANDS_FOR_ANYTHING = re.compile(r"(?!README|CHANGELOG|CONTRIBUTING|LICENSE)[A-Z]{3,}")


def pages(root):
    found = [p for p in root.glob("*.md")]
    for top in ("docs", "src", "tests", "tools"):
        found += (root / top).rglob("*.md")
    return sorted(found)


def without_fences(text):
    return FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


@functools.cache
def anchors(page):
    """The ids that a forge gives to headings."""
    found = set()
    for title in re.findall(r"^#+ +(.*?) *$", without_fences(page.read_text(encoding="utf-8")), re.M):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(next(s for s in [slug] + [f"{slug}-{i}" for i in range(1, 1000)] if s not in found))
    return found


def bad_link(page, target):
    if re.match(r"[a-z]+:", target):
        return False
    path, _, anchor = target.partition("#")
    file = (page.parent / path) if path else page
    return not file.exists() or bool(anchor) and anchor not in anchors(file)


@functools.cache
def exists(root, pattern):
    return any(root.glob(pattern.rstrip("/")))


def bad_path(root, name):
    pattern = STANDS_FOR_ANYTHING.sub("*", name)
    if PLACE.match(name):
        return not exists(root, pattern)
    if MODULE_FILE.match(name):
        top = name.split("/")[0]
        return (root / "src" / top).is_dir() and not exists(root, "src/" + pattern)
    return bool(SOURCE_FILE.match(name)) and not any(
        exists(root, f"{top}/**/{pattern}") for top in ("src", "tests", "tools"))


def findings(root):
    for page in pages(root):
        text = without_fences(page.read_text(encoding="utf-8"))
        for match in LINK.finditer(text):
            if bad_link(page, match.group(1)):
                yield page, house.line_of(text, match.start()), f"the link leads nowhere: {match.group(1)}"
        for match in CODE.finditer(text):
            if bad_path(root, match.group(1)):
                yield page, house.line_of(text, match.start()), f"no such file: {match.group(1)}"


if len(sys.argv) > 2 or "-h" in sys.argv:
    sys.exit(__doc__)
top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else house.TOOLS.parent).resolve()
house.finish([f"{page.relative_to(top)}:{line}: {what}" for page, line, what in findings(top)])
