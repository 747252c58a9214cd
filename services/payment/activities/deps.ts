import type { Client } from "@connectrpc/connect";
import type { AccountService } from "#gen/account/v1/account_pb.ts";
import type { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import type { PaymentBook } from "../domain/book.ts";

/** What Payment's activities need: peers by gRPC, the own rows by the book. */
export interface PaymentActivityDeps {
  readonly account: Client<typeof AccountService>;
  readonly gateway: Client<typeof GatewayService>;
  readonly book: PaymentBook;
}
