#!/usr/bin/env python3
"""docs/rules-coverage.md: nothing is blank, and every rule and test that it names exists.

usage: check_coverage.py ROOT
"""
import pathlib
import re
import sys

RULE = re.compile(r"[LMPAC]\d{3}")
CASES = [("R", 3), ("S", 14), ("I", 23), ("A", 15)]  # acceptance cases are all of them; R counts up
VERDICTS = re.compile(r"(built|differs: .{10,}|n/a: .{10,}|built: .{8,})")


def table_rows(text):
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "no.":
            yield number, cells


def test_exists(root, reference):
    name, _, row = reference.partition(": ")
    path = root / f"tests/unit/{name}.c"
    if not path.is_file():
        return False
    text = path.read_text()
    named = re.escape(row)
    return not row or re.search(rf'"{named}"|void {named}\(|{named}\[\]', text) is not None


def reference_exists(root, rules, reference):
    if RULE.fullmatch(reference):
        return reference in rules
    if reference.startswith("test_"):
        return test_exists(root, reference)
    if reference.startswith("golden "):
        return (root / "tests/golden" / reference[len("golden "):] / "expected.txt").is_file()
    return False


def check_row(root, rules, cells):
    if len(cells) != 4 or not all(cells):
        return "a cell is blank, or there are not four"
    references = re.findall(r"`([^`]+)`", cells[2])
    if not references or re.sub(r"`[^`]+`|, ", "", cells[2]):
        return f"no list of rules and tests: {cells[2]}"
    missing = [r for r in references if not reference_exists(root, rules, r)]
    if missing:
        return f"there is no {', '.join(missing)}"
    return "" if VERDICTS.fullmatch(cells[3]) else f"no verdict: {cells[3]}"


def check_numbers(ids):
    expected = [f"R{n:03}" for n in range(1, sum(i.startswith("R") for i in ids) + 1)]
    for letter, last in CASES[1:]:
        expected += [f"{letter}{n:02}" for n in range(1, last + 1)]
    return "" if ids == expected else f"numbers are not in order: {sorted(set(ids) ^ set(expected))}"


def main():
    root = pathlib.Path(sys.argv[1])
    rules = set(re.findall(r"^### ([LMPAC]\d{3}):", (root / "docs/lint-rules.md").read_text(), re.M))
    rows = list(table_rows((root / "docs/rules-coverage.md").read_text()))
    failures = [f"line {number}: {why}" for number, cells in rows if (why := check_row(root, rules, cells))]
    failures += [why] if (why := check_numbers([cells[0] for _, cells in rows])) else []
    for failure in failures:
        print(f"docs/rules-coverage.md: {failure}")
    print(f"{len(rows)} rows, {len(rules)} rules, {len(failures)} failures")
    return bool(failures) or len(rows) < 200 or len(rules) < 80


if __name__ == "__main__":
    sys.exit(main())
