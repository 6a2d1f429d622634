#!/usr/bin/env python3
"""examples.py PROGRAM EXAMPLE PAGE...: every yaml block of the pages is a document of the model in EXAMPLE as it stands
there, or whole documents that can take the place of those of the same kind and name (or join them) without a finding
above info. The pages together show every document of EXAMPLE."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

program, example, pages = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]


def documents(text):
    return [d.strip("\n") for d in re.split(r"^---\n", text, flags=re.M)]


def identity(document):
    return tuple(re.search(rf"^{key}: (\S+)", document, re.M).group(1) for key in ("kind", "name"))


def model():
    return {identity(d): d for f in sorted(example.glob("*.yaml")) for d in documents(f.read_text(encoding="utf-8"))}


def lint(found):
    with tempfile.TemporaryDirectory() as work:
        pathlib.Path(work, "model.yaml").write_text("\n---\n".join(found.values()) + "\n", encoding="utf-8")
        done = subprocess.run([program, "-C", work, "lint"], capture_output=True, text=True, encoding="utf-8")
        return None if done.returncode == 0 and " warning: " not in done.stdout else done.stdout + done.stderr


def main():
    whole, shown, bad = model(), set(), []
    for page in pages:
        text = pathlib.Path(page).read_text(encoding="utf-8")
        for match in re.finditer(r"^```yaml\n(.*?)^```$", text, re.M | re.S):
            place = f"{page}:{text.count(chr(10), 0, match.start()) + 1}"
            block = {identity(d): d for d in documents(match.group(1))}
            shown |= {key for key, d in block.items() if whole.get(key) == d}
            problem = lint({**whole, **block})
            if problem:
                bad.append(f"{place}: {problem}")
    bad += [f"no page shows {' '.join(key)} as it is in {example}" for key in whole if key not in shown]
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


if shutil.which(program) or pathlib.Path(program).exists():
    main()
sys.exit(f"no program at {program}")
