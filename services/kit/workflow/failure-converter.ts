import { DefaultFailureConverter } from "@temporalio/common";

/** Texts of failures name accounts and amounts: they travel as payloads do, encrypted. Their types, our reasons, stay readable. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
