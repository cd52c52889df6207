#!/bin/sh
# Renews requirements/*.txt and the lock of Kafka's jars. Needs uv. The locks name no host and no
# folder, and hold the hashes that the registry gives, whatever this machine has lying around.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "error: uv is not on the PATH: install it, then run again" >&2; exit 1; }
cd requirements
for name in build runtime dev java; do
  env -u PIP_FIND_LINKS -u UV_FIND_LINKS uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    "$@" "$name.in" --output-file "$name.txt"
done
cd ..
PYTHONPATH=. .venv/bin/python scripts/lock_jars.py
