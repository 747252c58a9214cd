import { randomInt } from "node:crypto";
import { describeFuzz } from "#test/fuzz/wire.ts";

describeFuzz(2_000, [["a random seed", randomInt(2 ** 31)]]);
