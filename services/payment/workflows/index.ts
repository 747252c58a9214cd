export { PaymentWorkflow } from "./process-payment.ts";
export { ReconcileWorkflow } from "./reconcile-payment.ts";
export { RefundWorkflow } from "./refund-payment.ts";
