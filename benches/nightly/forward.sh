#!/usr/bin/env bash
# What an agency would put into cron without sluse: xmllint judges the batch, xml_split cuts it, curl sends each item.
#
#   benches/nightly/forward.sh BATCH SCHEMA BASE_URL KEY
#
# Nothing is remembered: a run that breaks off in the middle begins anew and sends again what was sent.
set -euo pipefail
batch=$1 schema=$2 base=$3 key=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# A grant for Maskinporten, its token, and what Altinn makes of that.
token() {
    local now claims unsigned
    now=$(date +%s)
    claims="{\"aud\":\"$base/\",\"iss\":\"nightly\",\"scope\":\"altinn:serviceowner/instances.write\",\"iat\":$now,\"exp\":$((now + 100)),\"jti\":\"$RANDOM$now\"}"
    unsigned="$(printf '{"alg":"RS256","kid":"nightly"}' | base64url).$(printf '%s' "$claims" | base64url)"
    curl -sSf "$base/token" --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer --data-urlencode \
        "assertion=$unsigned.$(printf '%s' "$unsigned" | openssl dgst -sha256 -sign "$key" | base64url)" |
        sed -E 's/.*"access_token":"([^"]+)".*/\1/' >"$work/grant"
    curl -sSf -H "Authorization: Bearer $(cat "$work/grant")" "$base/authentication/api/v1/exchange/maskinporten"
}

xmllint --stream --noout --schema "$schema" "$batch" 2>/dev/null
bearer=$(token)
(cd "$work" && xml_split -c Reportee -b item -n 7 "$batch")
for item in "$work"/item-*.xml; do
    [ "$item" != "$work/item-0000000.xml" ] || continue
    # One call of xmllint for all that is needed: the reportee, the service and the form.
    text=$(xmllint --xpath "concat(//*[local-name()='Id'], '|', //*[local-name()='ExternalServiceCode'], '|', //*[local-name()='FormData'])" "$item")
    reportee=${text%%|*} rest=${text#*|}
    case ${rest%%|*} in
        5001) app=ttd/meld-endring type=melding ;;
        5002) app=ttd/arsoppgave type=oppgave ;;
        *) echo "no app for service ${rest%%|*}" >&2; exit 1 ;;
    esac
    owner=personNumber
    [ ${#reportee} -ne 9 ] || owner=organisationNumber
    printf '%s' "${rest#*|}" >"$work/form.xml"
    curl -sSf -o /dev/null -H "Authorization: Bearer $bearer" "$base/$app/instances" \
        -F "instance={\"instanceOwner\":{\"$owner\":\"$reportee\"}};type=application/json" -F "$type=@$work/form.xml;type=application/xml"
done
