#!/usr/bin/env bash
# Writes the passwords that compose.yml mounts, one file each, random unless the environment has them.
#
#   docker/make-secrets.sh [DIRECTORY]      by default docker/secrets
#
#   HANZO_CONSOLE_PASSWORD=… HANZO_ANALYTICS_RO_PASSWORD=… HANZO_PLATFORM_PASSWORD=…
#   HANZO_REPLICATION_PASSWORD=… HANZO_GRAFANA_ADMIN_PASSWORD=…      to set them yourself
#
# Files that exist stay as they are. Others on the host are kept out by the directory (0700); the files themselves can be read by
# everybody, since compose mounts them one by one and Grafana in its container is another user than the server in its.
set -euo pipefail
umask 022
directory=${1:-$(dirname "${BASH_SOURCE[0]}")/secrets}

mkdir -p "$directory"
chmod 700 "$directory"
for name in console_password analytics_ro_password platform_password replication_password grafana_admin_password; do
  file=$directory/$name variable=HANZO_${name^^}
  if [ -e "$file" ]; then continue; fi
  value=${!variable:-}
  if [ -z "$value" ]; then value=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_'); fi
  printf '%s' "$value" >"$file.new"
  mv "$file.new" "$file"
  printf 'wrote %s\n' "$file"
done
