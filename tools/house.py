"""What the checkers share: exceptions, the objects of a build, C text without comments or strings."""
import json
import pathlib
import re
import subprocess
import sys

TOOLS = pathlib.Path(__file__).resolve().parent


def root_and_build(usage):
    """The checkers' arguments: [ROOT [BUILD]]."""
    if len(sys.argv) > 3 or "-h" in sys.argv:
        sys.exit(usage)
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TOOLS.parent).resolve()
    build = root / (sys.argv[2] if len(sys.argv) > 2 else "build")
    return root, build


def exempt(root, checker):
    """The subjects that tools/exempt.txt lets pass this checker."""
    table = root / "tools" / "exempt.txt"
    subjects = set()
    for number, line in enumerate(table.read_text().splitlines() if table.exists() else [], 1):
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            sys.exit(f"{table}:{number}: an exception needs a reason")
        if words[0] == checker:
            subjects.add(words[1])
    return subjects


def objects(build):
    """[(object, source)] of a build directory, both absolute, objects that exist."""
    database = build / "compile_commands.json"
    if not database.exists():
        sys.exit(f"{database}: not there; run make first")
    found = []
    for entry in json.loads(database.read_text()):
        directory = pathlib.Path(entry["directory"])
        output = directory / entry["output"]
        if output.exists():
            found.append((output, (directory / entry["file"]).resolve()))
    return found


def symbols(path):
    """[(kind letter of nm, name)] of an object file."""
    text = subprocess.run(["nm", "-P", "-g", str(path)], check=True, capture_output=True, text=True).stdout
    return [(words[1], words[0]) for words in map(str.split, text.splitlines()) if len(words) >= 2]


TOKEN = re.compile(
    r"""//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def blank(text, keep_strings=False):
    """C text with comments (and strings) made of spaces: offsets and lines stay."""
    def spaces(match):
        found = match.group(0)
        if found[0] == '"' and keep_strings:
            return found
        return re.sub(r"[^\n]", " ", found)
    return TOKEN.sub(spaces, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def sources(root, suffixes=(".c", ".h")):
    return sorted(p for p in (root / "src").rglob("*") if p.suffix in suffixes)


def finish(findings):
    """Prints the findings and ends: 1 when there is one."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
