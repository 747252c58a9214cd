#!/usr/bin/env bash
# Installs what pay.py needs into a folder of its own, generates the messages from proto/ and runs it. From any folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: run.sh FOLDER}"
# The steps below change folders: a relative name would be another place in each.
work=$(cd "$1" && pwd)
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
mkdir -p "$work/gen"
cd "$here/../../proto"
# shellcheck disable=SC2046
"$work/venv/bin/python" -m grpc_tools.protoc -I. --python_out="$work/gen" --grpc_python_out="$work/gen" \
  $(find buf common google/api payment -name '*.proto')
PYTHONPATH="$work/gen" "$work/venv/bin/python" "$here/pay.py"
