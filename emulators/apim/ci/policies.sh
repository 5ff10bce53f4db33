#!/usr/bin/env bash
# Check policies, then run their cases: what action.yml and azure-pipelines.yml do. The exit status is the worse of both.
#
#   POLICY_PATHS, POLICY_TESTS   files and folders, one a line; no POLICY_TESTS: no cases
#   POLICY_SARIF, POLICY_JUNIT   where findings and results are written
#   POLICY_PYTHON                a Python that has what requirements.txt asks for; left out: an environment is made
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${POLICY_PYTHON:-}"
if [ -z "$python" ]; then
  environment="$(mktemp -d "${RUNNER_TEMP:-${AGENT_TEMPDIRECTORY:-${TMPDIR:-/tmp}}}/policies-XXXXXX")"
  python3 -m venv "$environment" 2>/dev/null || python -m venv "$environment"
  python="$environment/bin/python"
  [ -x "$python" ] || python="$environment/Scripts/python.exe"
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
fi
export PYTHONPATH="$here/../.."

lines() { # the lines of $1 that hold something, into the array `found`
  found=()
  while IFS= read -r line; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    [ -z "$line" ] || found+=("$line")
  done <<<"$1"
}

# The commands refuse a folder that is missing, which may be misspelt; these are the pipeline's own.
sarif="${POLICY_SARIF:-policies.sarif}"
junit="${POLICY_JUNIT:-policy-tests.xml}"
mkdir -p "$(dirname "$sarif")" "$(dirname "$junit")"

# -P: a folder `emulators` of the caller's is not taken for this one.
status=0
lines "${POLICY_PATHS:-.}"
"$python" -P -m emulators.apim check "${found[@]}" --format sarif --output "$sarif" || status=$?
lines "${POLICY_TESTS:-}"
if [ "${#found[@]}" -gt 0 ]; then
  tested=0
  "$python" -P -m emulators.apim test "${found[@]}" --trace --junit "$junit" || tested=$?
  [ "$tested" -le "$status" ] || status="$tested"
fi
exit "$status"
