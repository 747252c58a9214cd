import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetTaskRequest,
  type GetTaskResponse,
  GetTaskResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { getTask } from "../application/tasks.ts";
import { taskToMessage } from "./task-mapping.ts";

export async function handleGetTask(
  deps: PaymentDeps,
  request: GetTaskRequest,
  context: HandlerContext,
): Promise<GetTaskResponse> {
  const task = await getTask(deps, scopeOf(context), request.taskId);
  return create(GetTaskResponseSchema, { task: taskToMessage(task) });
}
