import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ListTasksRequest,
  type ListTasksResponse,
  ListTasksResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { listTasks } from "../application/tasks.ts";
import { taskStateFromMessage, taskToMessage } from "./task-mapping.ts";

export async function handleListTasks(
  deps: PaymentDeps,
  request: ListTasksRequest,
  context: HandlerContext,
): Promise<ListTasksResponse> {
  const state = taskStateFromMessage(request.state);
  const { items, nextPageToken } = await listTasks(deps, scopeOf(context), state, request);
  return create(ListTasksResponseSchema, { tasks: items.map(taskToMessage), nextPageToken });
}
