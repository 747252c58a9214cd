import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type CloseTaskRequest,
  CloseTaskRequestSchema,
  type CloseTaskResponse,
  CloseTaskResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { closeTask } from "../application/tasks.ts";
import type { PaymentRpcDeps } from "./deps.ts";
import { taskToMessage } from "./task-mapping.ts";

export async function handleCloseTask(
  deps: PaymentRpcDeps,
  request: CloseTaskRequest,
  context: HandlerContext,
): Promise<CloseTaskResponse> {
  const scope = scopeOf(context);
  const claim = {
    method: "payment.v1.PaymentService/CloseTask",
    requestId: request.requestId,
    requestHash: requestHash(CloseTaskRequestSchema, request),
    responseSchema: CloseTaskResponseSchema,
  };
  return deps.once(scope, claim, async () => {
    const task = await closeTask(deps, scope, request.taskId, request.note);
    return create(CloseTaskResponseSchema, { task: taskToMessage(task) });
  });
}
