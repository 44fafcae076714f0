"""Reads every golden sample of the document by its generated type, and writes it again the same.

    python reads_samples.py schemas/openapi.json
"""

import json
import sys
from typing import Any

from muster_client import models


def plain(value: Any) -> Any:
    """Times as the wire writes them."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def main(path: str) -> None:
    """Fails at the first sample that is not written again the same."""
    with open(path, encoding="utf-8") as file:
        components = json.load(file)["components"]
    count = 0
    for name, example in components["examples"].items():
        kind = "".join(word.capitalize() for word in name.split(".")[0].split("_"))
        if kind in components["schemas"]:
            written = plain(getattr(models, kind).from_dict(example["value"]).to_dict())
            assert written == example["value"], f"{name}: {written}"
            count += 1
    print(f"samples: {count}")


if __name__ == "__main__":
    main(sys.argv[1])
