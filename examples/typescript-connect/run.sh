#!/usr/bin/env bash
# Packs the client, installs it into a project of its own as any other package, compiles main.ts and runs it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: run.sh FOLDER}"
work=$(cd "$1" && pwd)
npm --prefix "$here/../.." run --silent build:client -- "$work" >/dev/null
cp "$here/main.ts" "$here/package.json" "$here/tsconfig.json" "$work"
cd "$work"
npm install --silent --no-audit --no-fund ./settle-payments-client-*.tgz
npx tsc
node dist/main.js
