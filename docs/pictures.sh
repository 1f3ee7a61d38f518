#!/bin/sh
# The pictures of the pages, from a database made by docs/platform.sql.
#
#   docs/pictures.sh DATABASE FOLDER
#
# The charts are SVG; the page needs a browser, and is left as it is where there is none.
set -eu
database=$1 folder=$2
noon='2026-11-25 12:00+00'

chart() {
	psql -qXAt -v ON_ERROR_STOP=1 -d "$database" -c "SELECT capforecast.chart('$1', as_of => '$noon', width => 760, height => 250)" > "$folder/$1.svg"
}
chart products
chart vendors

for browser in chromium chromium-browser google-chrome; do
	command -v "$browser" >/dev/null 2>&1 || continue
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	psql -qXAt -v ON_ERROR_STOP=1 -d "$database" -c "SELECT capforecast.capacity_report(as_of => '$noon')" > "$scratch/report.html"
	"$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync \
		--hide-scrollbars --user-data-dir="$scratch/browser" --blink-settings=preferredColorScheme=1 --window-size=900,1180 \
		--screenshot="$scratch/report.png" "file://$scratch/report.html" >/dev/null 2>&1
	[ -s "$scratch/report.png" ]
	cat "$scratch/report.png" > "$folder/report.png"
	break
done
