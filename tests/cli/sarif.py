"""sarif.py FILE...: each is SARIF 2.1.0 as sarif.schema.json has it, whose names in turn are those of the published
schema: the package sarif_om is made from that. No package has that schema itself; SARIF_SCHEMA names a copy of it, which
is asked, too."""
import json
import os
import pathlib
import sys

import attr
import jsonschema
import sarif_om

PUBLISHED = os.environ.get("SARIF_SCHEMA")
SCHEMA = json.loads(pathlib.Path(__file__).with_name("sarif.schema.json").read_text(encoding="utf-8"))


def check_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for part in SCHEMA["definitions"].values():
        fields = attr.fields(getattr(sarif_om, part["title"]))
        known = {f.metadata["schema_property_name"]: f.default is attr.NOTHING for f in fields}
        assert set(part["properties"]) <= set(known), f'{part["title"]} has other properties'
        needed = {name for name, is_needed in known.items() if is_needed}
        assert needed <= set(part["required"]), f'{part["title"]} needs {needed}'


def check_file(path):
    log = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    problems = [f"{list(e.absolute_path)}: {e.message}" for e in jsonschema.Draft7Validator(SCHEMA).iter_errors(log)]
    for run in log["runs"]:
        rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        problems += [f'no rule {r["ruleId"]}' for r in run["results"] if r.get("ruleId", next(iter(rules))) not in rules]
        problems += [] if run["results"] else ["no results"]
    if PUBLISHED:
        schema = json.loads(pathlib.Path(PUBLISHED).read_text(encoding="utf-8"))
        problems += [f"published: {e.message}" for e in jsonschema.Draft7Validator(schema).iter_errors(log)]
    assert not problems, "\n".join(problems)


check_schema()
for name in sys.argv[1:]:
    check_file(name)
