#!/usr/bin/env python3
"""The JSON Schema of models against what the loader says.

usage: check_schema.py PRINT_SCHEMA EXAMPLE_DIR GOLDEN_DIR

1. It is a valid draft 2020-12 schema, and every example in it fits the place where it stands.
2. Every document of EXAMPLE_DIR is valid, read as texts (as the loader does) and as an editor reads YAML.
3. The golden case "everything" uses every field.
4. Golden cases: a file without findings is valid; a file with a finding that a schema can know of is not.

Exit status 77 (skipped) without python3-jsonschema or python3-yaml.
"""
import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Rules that need more than one place, or a parser of ours: syntax, encodings, duplicates, types, environments.
BEYOND = {"M001", "M004", "M010", "M011", "M012", "M013", "M014", "M015", "M016", "M017", "M018", "M021"}
# An item that is empty is no text for us, but "~" and null are texts for whoever reads only texts.
NOT_AS_TEXTS = {"M007"}


def subschemas(schema, path="#"):
    """[(path, schema)] of all objects inside."""
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from subschemas(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for i, value in enumerate(schema):
            yield from subschemas(value, f"{path}/{i}")


def documents(path, loader):
    for document in yaml.load_all(path.read_bytes().decode("utf-8-sig"), Loader=loader):
        if document not in (None, "", "~", "null"):
            yield document


def check_examples(schema, failures):
    count = 0
    for path, inner in subschemas(schema):
        examples = inner["examples"] if isinstance(inner.get("examples"), list) else []
        if examples and "default" in inner:
            examples = examples + [inner["default"]]
        for example in examples:
            count += 1
            place = dict(inner, **{"$defs": schema["$defs"]})
            for error in jsonschema.Draft202012Validator(place).iter_errors(example):
                failures.append(f"{path}: example {example!r}: {error.message}")
    if count < 100:
        failures.append(f"only {count} examples in the schema")


def check_model(validator, directory, failures):
    for path in sorted(directory.rglob("*.yaml")):
        for loader in (yaml.BaseLoader, yaml.SafeLoader):
            for document in documents(path, loader):
                for error in validator.iter_errors(document):
                    failures.append(f"{path.name} ({loader.__name__}): {error.message[:300]}")


def keys_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def check_everything(schema, path, failures):
    """Every field of the language is used in the file."""
    used = set(keys_of(list(documents(path, yaml.BaseLoader))))
    known = {key for _, inner in subschemas(schema) if isinstance(inner.get("properties"), dict)
             and "additionalProperties" in inner for key in inner["properties"]}
    for key in sorted(known - used):
        failures.append(f"{path}: the field {key} is not used")


def rules_by_file(expected):
    rules = {}
    for match in re.finditer(r"^(\S+?\.ya?ml)(?::\d+:\d+)?: \w+: .* \[(M\d+)\]$", expected, re.M):
        rules.setdefault(match.group(1), set()).add(match.group(2))
    return rules


def check_case(validator, case, failures):
    """Compares the schema's verdict on each file with the loader's. Returns how many were compared."""
    rules = rules_by_file((case / "expected.txt").read_text())
    compared = 0
    for path in sorted(case.glob("*.y*ml")):
        found = rules.get(path.name, set())
        if found and not found - BEYOND - NOT_AS_TEXTS:
            continue
        try:
            valid = all(validator.is_valid(document) for document in documents(path, yaml.BaseLoader))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue  # that reader has its own ideas of YAML; ours is in expected.txt
        compared += 1
        if valid == bool(found):
            verdict = "accepts" if valid else "refuses"
            failures.append(f"{case.name}/{path.name}: the schema {verdict} it, the loader finds {sorted(found)}")
    return compared


def main():
    printer, example, golden = sys.argv[1:4]
    schema = json.loads(subprocess.run([printer], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = []
    check_examples(schema, failures)
    check_model(validator, pathlib.Path(example), failures)
    check_everything(schema, pathlib.Path(golden) / "everything" / "model.yaml", failures)
    cases = [path for path in sorted(pathlib.Path(golden).iterdir()) if path.is_dir()]
    compared = sum(check_case(validator, case, failures) for case in cases)
    if compared < 50:
        failures.append(f"only {compared} golden files compared")
    for failure in failures:
        print(failure)
    print(f"{compared} golden files compared, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
