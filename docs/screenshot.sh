#!/usr/bin/env bash
# Make docs/images/page.png: the top of the page as the demo fleet shows it (make screenshot).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "screenshot: chromium is missing; on Debian: apt-get install chromium" >&2
  exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A machine without transcripts, and a copy of the organisation: nothing of the operator's is touched.
mkdir "$scratch/nobody"
cp -r orgs/riles-fleet "$scratch/riles-fleet"
env -u CLAUDE_CONFIG_DIR -u CODEX_HOME -u XDG_CONFIG_HOME HOME="$scratch/nobody" \
  .venv/bin/fleet refresh --org "$scratch/riles-fleet" --home "$scratch/home" --as-of 2026-06-17

options=(--headless --hide-scrollbars --force-device-scale-factor=1 --window-size=1280,1400)
if [[ $(id -u) -eq 0 ]]; then options+=(--no-sandbox); fi # chromium has no sandbox for root
"$chromium" "${options[@]}" --user-data-dir="$scratch/chromium" \
  --screenshot="$scratch/page.png" "file://$scratch/home/site/latest/index.html" 2>"$scratch/log" ||
  { cat "$scratch/log" >&2; exit 1; }
mv "$scratch/page.png" docs/images/page.png
echo "docs/images/page.png: $(wc -c <docs/images/page.png) bytes"
