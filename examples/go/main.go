// Pays, watches and refunds by reflection: no generated code, the contract comes from the server.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/dynamic"
	"github.com/jhump/protoreflect/dynamic/grpcdynamic"
	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	url := os.Getenv("SETTLE_URL")
	if url == "" {
		url = "http://127.0.0.1:8080"
	}
	_, address, _ := strings.Cut(url, "://")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	conn := must(grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer conn.Close()
	reflection := grpcreflect.NewClientAuto(ctx, conn)
	defer reflection.Reset()
	service := must(reflection.ResolveService("payment.v1.PaymentService"))
	stub := grpcdynamic.NewStub(conn)

	call := func(name string, request string) *dynamic.Message {
		method := service.FindMethodByName(name)
		answer := must(stub.InvokeRpc(ctx, method, message(method, request)))
		return must(dynamic.AsDynamicMessage(answer))
	}

	key := fmt.Sprintf("go-%d", time.Now().UnixNano())
	created := call("Create", `{"requestId": "`+key+`", "accountId": "1", "amount": {"currencyCode": "USD", "minorUnits": "25"}}`)
	payment := created.GetFieldByName("payment").(*dynamic.Message)
	id := payment.GetFieldByName("payment_id").(string)

	watch := service.FindMethodByName("Watch")
	changes := must(stub.InvokeRpcServerStream(ctx, watch, message(watch, `{"paymentId": "`+id+`"}`)))
	for {
		change, err := changes.RecvMsg()
		if err == io.EOF {
			break
		}
		seen := must(dynamic.AsDynamicMessage(must(change, err)))
		if seen.GetFieldByName("heartbeat").(bool) {
			continue
		}
		payment := seen.GetFieldByName("payment").(*dynamic.Message)
		statuses := payment.GetMessageDescriptor().FindFieldByName("status").GetEnumType()
		status := statuses.FindValueByNumber(payment.GetFieldByName("status").(int32)).GetName()
		fmt.Printf("%s is %s\n", id, strings.TrimPrefix(status, "PAYMENT_STATUS_"))
	}

	refund := call("Refund", `{"requestId": "`+key+`-refund", "paymentId": "`+id+`"}`).GetFieldByName("refund").(*dynamic.Message)
	amount := refund.GetFieldByName("amount").(*dynamic.Message)
	fmt.Printf("refunded %v by %v\n", amount.GetFieldByName("minor_units"), refund.GetFieldByName("refund_id"))
}

func message(method *desc.MethodDescriptor, json string) *dynamic.Message {
	request := dynamic.NewMessage(method.GetInputType())
	if err := request.UnmarshalJSON([]byte(json)); err != nil {
		log.Fatal(err)
	}
	return request
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
