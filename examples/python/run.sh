#!/usr/bin/env bash
# Installs what pay.py needs into a folder of its own, generates the messages from proto/ and runs it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?usage: run.sh FOLDER}
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
mkdir -p "$work/gen"
cd "$here/../../proto"
# shellcheck disable=SC2046
"$work/venv/bin/python" -m grpc_tools.protoc -I. --python_out="$work/gen" --grpc_python_out="$work/gen" \
  $(find buf common google/api payment -name '*.proto')
PYTHONPATH="$work/gen" "$work/venv/bin/python" "$here/pay.py"
