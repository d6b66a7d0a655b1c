#!/bin/sh
# Prints user and token for Azure Managed Redis or Azure Cache for Redis with Entra ID, as
# `shardAuthCommand` wants them.
#
#   entra-token.sh OBJECT_ID
#
# OBJECT_ID: of the managed identity, service principal or user, which is the user name at the cache.
# `az login --identity` (or --service-principal, or --federated-token) comes before.
set -eu
user=${1:?usage: entra-token.sh OBJECT_ID}
token=$(az account get-access-token --scope https://redis.azure.com/.default \
  --query '[accessToken, to_string(expires_on)]' --output tsv)
# Two lines: the token, and when it ends in seconds since 1970.
password=$(printf '%s\n' "$token" | sed -n 1p)
ends=$(printf '%s\n' "$token" | sed -n 2p)
printf '{"username":"%s","password":"%s","expiresInSeconds":%d}\n' \
  "$user" "$password" "$((ends - $(date +%s)))"
