export { FraudCheckWorkflow } from "./check-payment.ts";
