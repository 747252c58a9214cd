#!/usr/bin/env bash
# Pays, asks until the payment is final, and refunds, by the HTTP routes.
set -euo pipefail
url=${SETTLE_URL:-http://127.0.0.1:8080}

# The value of a field in a line of JSON.
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

created=$(curl -sS --fail-with-body --json '{"requestId": "'"curl-$$-$RANDOM-$(date +%s)"'", "accountId": "1", "amount": {"currencyCode": "USD", "minorUnits": "25"}}' "$url/v1/payments")
id=$(field paymentId <<<"${created//,/$'\n'}")

for _ in $(seq 100); do
  status=$(curl -sS --fail-with-body "$url/payment/$id/status" | tr , '\n' | field status)
  echo "$id is ${status#PAYMENT_STATUS_}"
  case $status in *_SUCCEEDED | *_FAILED | *_CANCELLED) break ;; esac
  sleep 0.2
done

refund=$(curl -sS --fail-with-body --json '{"requestId": "refund-'"$id"'"}' "$url/v1/payments/$id:refund")
echo "refunded $(tr , '\n' <<<"$refund" | field minorUnits) by $(tr , '\n' <<<"$refund" | field refundId)"
