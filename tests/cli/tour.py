#!/usr/bin/env python3
"""tour.py PROGRAM PAGE: runs the commands of the page's console blocks, one after another in one shell, and compares
what they print with what the page says. Durations, rates and ids of commits may differ. With UPDATE_GOLDEN=1 the page is rewritten."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

program, page = sys.argv[1], pathlib.Path(sys.argv[2])
END = "--- end of output ---"


def plain(text):
    text = re.sub(r"\b\d+ ms$", "N ms", text, flags=re.M)
    text = re.sub(r"(?<= )[0-9a-f]{10}(?=,? )", "COMMIT", text)
    text = re.sub(r" +\d+\.\d\d( +[\d.]+M?)?$", " N", text, flags=re.M)  # seconds, and rows/s where they tell
    text = re.sub(r" +rows/s$", " rows/s", text, flags=re.M)
    return re.sub(r"\b\d+\.\d\d(?= s$)", "N", text, flags=re.M)


def run(commands):
    """The output of each command, standard error included."""
    with tempfile.TemporaryDirectory() as work:
        bin_dir = pathlib.Path(work, "bin")
        bin_dir.mkdir()
        (bin_dir / "datasurface").symlink_to(program)
        script = f"cd {work}; PATH={bin_dir}:$PATH\n" + "".join(f"{c}\necho '{END}'\n" for c in commands)
        done = subprocess.run(["sh"], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              encoding="utf-8", check=True)
    return [part.lstrip("\n") if i else part for i, part in enumerate(done.stdout.split(END))][:-1]


def main():
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert commands, "no console blocks"
    outputs = iter(run(commands))
    new = text
    for block in blocks:
        lines = [line for line in block.splitlines() if line.startswith("$ ")]
        fresh = "".join(f"{line}\n{next(outputs).replace(chr(13), '')}" for line in lines)
        if plain(fresh) != plain(block):
            new = new.replace(f"```console\n{block}```", f"```console\n{fresh}```", 1)
    if new == text:
        return
    if os.environ.get("UPDATE_GOLDEN") == "1":
        page.write_text(new, encoding="utf-8")
        return
    pathlib.Path("page.new").write_text(new, encoding="utf-8")
    subprocess.run(["diff", str(page), "page.new"], check=False)
    sys.exit("the tour prints something else (make golden rewrites it)")


main()
