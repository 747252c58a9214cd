import { describeFuzz } from "./wire.ts";

describeFuzz(800, [["a fixed seed", 4]]);
