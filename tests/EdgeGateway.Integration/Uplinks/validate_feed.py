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



def validator(name):
    schema = next(s for key, s in schemas.items() if key.endswith(f"/{name}.schema.json"))
    return Draft202012Validator(schema, resolver=RefResolver(schema["$id"], schema, store=schemas))


envelope, volatile = validator("envelope"), validator("volatile")
for line in sys.stdin:
    message = json.loads(line)
    error = next((volatile if message.get("stream") == "volatile" else envelope).iter_errors(message), None)
    print("ok" if error is None else f"{error.json_path}: {error.message}", flush=True)
