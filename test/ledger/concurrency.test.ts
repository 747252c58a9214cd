import { describeHotAccounts } from "./hot-account.ts";

describeHotAccounts(40);
