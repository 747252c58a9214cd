/**
 * Changes to shipped workflows, each the id of a `patched` call. An id is never removed while a run that began before it
 * may still be open; test/histories holds runs of before and after, and CI replays them all.
 *
 * UNDO_OPENS_TASK: an undo that keeps failing tells a person, and goes on. Before, it only went on.
 * UNDO_LEAVES_CHILD: an undo does not wait for the fraud workflow to confirm its cancellation, which takes Fraud's worker.
 * UNKNOWN_GOES_ON: no refusal ends a step: what is not a stored answer is repeated, a person is told, and a hold that was
 * captured although its payment is undone is given back. Before, a step that was refused ended the payment.
 */
export const UNKNOWN_GOES_ON = "unknown-goes-on";
export const UNDO_OPENS_TASK = "undo-opens-task";
export const UNDO_LEAVES_CHILD = "undo-leaves-child";
