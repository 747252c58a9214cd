import { describeBranches } from "./branch-matrix.ts";

describeBranches("child");
