#!/bin/sh
# Prints the headers that Claude Code must send with its telemetry, as JSON, for "otelHeadersHelper" in its settings.
# It is yours to edit. It holds no secret: the token is read from the file below, which its reader must be able to read.
set -eu
file={{env_file}}
token=$(sed -n "s/^OTLP_BEARER_TOKEN=//p" "$file" | tail -n 1)
token=${token#[\"\']}
token=${token%[\"\']}
case $token in
"" | *[!A-Za-z0-9._~+/=-]*)
	echo "no usable OTLP_BEARER_TOKEN in $file" >&2
	exit 1
	;;
esac
printf '{"Authorization": "Bearer %s"}\n' "$token"
