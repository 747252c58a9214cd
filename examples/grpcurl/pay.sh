#!/usr/bin/env bash
# Pays, watches and refunds with grpcurl, which learns the contract by reflection.
set -euo pipefail
url=${SETTLE_URL:-http://127.0.0.1:8080}
address=${url#*://}
service=payment.v1.PaymentService

# The value of a field in a text of JSON.
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

id=$(grpcurl -plaintext -d '{"request_id": "'"grpcurl-$$-$RANDOM-$(date +%s)"'", "account_id": "1", "amount": {"currency_code": "USD", "minor_units": "25"}}' "$address" $service/Create | field paymentId)

status=$(grpcurl -plaintext -d '{"payment_id": "'"$id"'"}' "$address" $service/Watch | tac | sed -n 's/^    "status": "PAYMENT_STATUS_\(.*\)".*/\1/p' | head -n 1)
echo "$id is $status"

refund=$(grpcurl -plaintext -d '{"request_id": "refund-'"$id"'", "payment_id": "'"$id"'"}' "$address" $service/Refund)
echo "refunded $(field minorUnits <<<"$refund") by $(field refundId <<<"$refund")"
