#!/usr/bin/env bash
# mlflow-skinny 3.17.2 with a SQLite store, aliases of model versions.
# Seen: get_model_version and get_latest_versions list the aliases of a version;
# search_model_versions returns the same version with an empty list. Its tags are
# there in all three.
# Surprise: all three return a ModelVersion with the attribute aliases; one expects
# it filled, or absent, not empty.
# For users: "no alias" in a search result means nothing. A clean-up that deletes
# versions without an alias would delete the champion; ask get_registered_model.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
uv venv -q --python 3.11 venv
uv pip install -q --python venv/bin/python --exclude-newer 2026-11-20 \
  mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1
venv/bin/python -W ignore - <<'PY'
import logging

from mlflow import MlflowClient

logging.disable(logging.CRITICAL)
client = MlflowClient("sqlite:///registry.db", "sqlite:///registry.db")
client.create_registered_model("m")
client.create_model_version("m", "models/m", tags={"data": "2026"})
client.set_registered_model_alias("m", "champion", 1)
one = client.get_model_version("m", "1")
found = client.search_model_versions("name = 'm'")[0]
latest = client.get_latest_versions("m")[0]
for name, version in (("get", one), ("search", found), ("latest", latest)):
    print(name, version.version, version.aliases, version.tags)
assert one.aliases == latest.aliases == ["champion"]
assert found.aliases == []
assert one.tags == found.tags == latest.tags == {"data": "2026"}
assert dict(client.get_registered_model("m").aliases) == {"champion": 1}
PY
