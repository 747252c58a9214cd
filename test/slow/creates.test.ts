import { describeCreates } from "#test/idempotency/creates.ts";

describeCreates(50);
