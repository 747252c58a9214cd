import { describeCreates } from "./creates.ts";

describeCreates(8);
