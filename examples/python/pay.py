"""Pays, watches and refunds with grpcio and code generated from proto/."""

import os
import uuid

import grpc
from common.v1 import money_pb2
from payment.v1 import payment_pb2, payment_pb2_grpc

url = os.environ.get("SETTLE_URL", "http://127.0.0.1:8080")
with grpc.insecure_channel(url.split("://")[1]) as channel:
    payments = payment_pb2_grpc.PaymentServiceStub(channel)
    created = payments.Create(
        payment_pb2.CreateRequest(
            request_id=str(uuid.uuid4()),
            account_id="1",
            amount=money_pb2.Money(currency_code="USD", minor_units=25),
        ),
        timeout=30,
    )
    payment_id = created.payment.payment_id
    for change in payments.Watch(payment_pb2.WatchRequest(payment_id=payment_id)):
        if change.HasField("payment"):
            name = payment_pb2.PaymentStatus.Name(change.payment.status)
            print(f"{payment_id} is {name.removeprefix('PAYMENT_STATUS_')}")

    answer = payments.Refund(
        payment_pb2.RefundRequest(request_id=str(uuid.uuid4()), payment_id=payment_id), timeout=30
    )
    print(f"refunded {answer.refund.amount.minor_units} by {answer.refund.refund_id}")
