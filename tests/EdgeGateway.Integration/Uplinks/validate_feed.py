"""Validates messages, one a line on standard input, against the published schemas; prints 'ok' or the first problem for each."""
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, RefResolver

folder = pathlib.Path(sys.argv[1])
schemas = {}
for path in folder.glob("*.schema.json"):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    schemas[schema["$id"]] = schema

envelope = next(s for key, s in schemas.items() if key.endswith("/envelope.schema.json"))
validator = Draft202012Validator(envelope, resolver=RefResolver(envelope["$id"], envelope, store=schemas))
for line in sys.stdin:
    error = next(validator.iter_errors(json.loads(line)), None)
    print("ok" if error is None else f"{error.json_path}: {error.message}", flush=True)
