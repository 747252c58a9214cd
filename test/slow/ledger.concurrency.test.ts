import { describeHotAccounts } from "#test/ledger/hot-account.ts";

describeHotAccounts(200);
