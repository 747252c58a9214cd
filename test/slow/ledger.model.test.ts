import { describeRandomHistories } from "#test/ledger/random-histories.ts";

describeRandomHistories(60);
