import { describeRandomHistories } from "./random-histories.ts";

describeRandomHistories(12);
