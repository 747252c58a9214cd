import { describeBranches } from "#test/workflow/payment/branch-matrix.ts";

describeBranches("inline");
