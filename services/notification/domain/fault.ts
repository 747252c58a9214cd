/** How a test makes deliveries fail. */
export type Fault =
  | { readonly kind: "NONE" }
  /** The first `attempts` deliveries of each message fail before they have an effect. */
  | { readonly kind: "FAIL"; readonly attempts: number }
  /** The first `attempts` deliveries of each message take effect, and their answer is lost. */
  | { readonly kind: "APPLY_THEN_FAIL"; readonly attempts: number }
  /** Every message is refused for good. */
  | { readonly kind: "REFUSE" };
