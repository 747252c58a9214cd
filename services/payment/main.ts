import { runMain } from "#kit/main.ts";
import { readPaymentConfig } from "./config.ts";
import { startPaymentService } from "./service.ts";

await runMain(readPaymentConfig, startPaymentService);
