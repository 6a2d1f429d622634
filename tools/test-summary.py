#!/usr/bin/env python3
"""Sums up meson's test log: one line per suite, the failures by name, then "N passed, N failed".

usage: test-summary.py BUILD_DIR STATUS_OF_MESON

Counts cases, not executables: the subtests of cmocka and TAP programs count one each, any other program counts
as one. A program that ends badly is at least one failure, whatever it printed.
"""
import collections
import json
import pathlib
import re
import sys

CMOCKA_RUN = re.compile(r"^\[=+\] .*?(\d+) test\(s\) run\.", re.M)
CMOCKA_BAD = re.compile(r"^\[  FAILED  \] (?:\S+: )?(\d+) test\(s\)", re.M)
CMOCKA_SKIP = re.compile(r"^\[  SKIPPED \] (?:\S+: )?(\d+) test\(s\)", re.M)
SUITE = re.compile(r"(?:[^:/]*:)?([^/]+?) / ")  # "project:suite / test"
TAP_PLAN = re.compile(r"^1\.\.\d+", re.M)
TAP_CASE = re.compile(r"^(not )?ok\b(.*)$", re.M)


def count_cases(text):
    """Cases that a program's output reports: (passed, failed), or None when it reports none."""
    runs = CMOCKA_RUN.findall(text)
    if runs:
        failed = sum(map(int, CMOCKA_BAD.findall(text)))
        skipped = sum(map(int, CMOCKA_SKIP.findall(text)))
        return sum(map(int, runs)) - failed - skipped, failed
    if TAP_PLAN.search(text):
        passed = failed = 0
        for bad, rest in TAP_CASE.findall(text):
            if re.search(r"#\s*(skip|todo)", rest, re.I):
                continue
            passed, failed = (passed, failed + 1) if bad else (passed + 1, failed)
        return passed, failed
    return None


def main():
    log = pathlib.Path(sys.argv[1], "meson-logs", "testlog.json")
    meson_failed = sys.argv[2] != "0"
    suites = collections.defaultdict(lambda: [0, 0, 0.0])
    failures, skipped = [], []
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    for line in lines:
        test = json.loads(line)
        name, result = test["name"], test["result"]
        if result == "SKIP":
            skipped.append(name)
            continue
        passed, failed = count_cases((test.get("stdout") or "") + "\n" + (test.get("stderr") or "")) or (0, 0)
        if result == "EXPECTEDFAIL":
            passed, failed = 1, 0
        elif result == "OK":
            passed = passed if passed + failed else 1
        else:
            failed = max(failed, 1)
        if failed:
            failures.append(f"{name} ({result.lower() if result != 'OK' else 'its output says so'})")
        named = SUITE.match(name)
        suite = suites[named.group(1) if named else "other"]
        suite[0] += passed
        suite[1] += failed
        suite[2] += test.get("duration") or 0.0

    passed = sum(s[0] for s in suites.values())
    failed = sum(s[1] for s in suites.values())
    if meson_failed and not failed:
        failures.append("the test run itself" if lines else "no test ran")
        failed += 1
    if not lines and not failed:
        failures.append("no test ran")
        failed += 1

    print()
    for name in sorted(suites):
        ok, bad, seconds = suites[name]
        print(f"  {name:<32} {ok:>6} passed {bad:>4} failed {seconds:>8.1f} s")
    if skipped:
        print(f"  skipped: {', '.join(skipped)}")
    for name in failures:
        print(f"  FAILED: {name}")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
