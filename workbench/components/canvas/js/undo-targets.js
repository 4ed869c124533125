/** @import { Amendment } from "./types.js" */

/**
 * Lists the amendments that an undo takes back: the last one that counts, and those that were made together with it.
 * @param {Amendment[]} amendments in order
 * @param {number[][]} batches numbers of amendments that were made together
 * @returns {number[]} the last first, as later ones may build on earlier ones
 */
export function undoTargets(amendments, batches) {
  const last = amendments.filter((one) => !one.undone && one.kind !== "undo").at(-1);
  return last ? together(last.number, amendments, batches) : [];
}

/**
 * Lists the undos that a redo takes back.
 * @param {Amendment[]} amendments in order
 * @param {number[][]} batches numbers of amendments that were made together
 * @returns {number[]} empty when something else was done since the last undo
 */
export function redoTargets(amendments, batches) {
  for (const one of [...amendments].reverse()) {
    if (one.undone) {
      continue;
    }
    if (one.kind !== "undo") {
      return [];
    }
    // An undo of an undo is a redo that was made before.
    if (amendments.find(({ number }) => number === one.undoes)?.kind !== "undo") {
      return together(one.number, amendments, batches);
    }
  }
  return [];
}

/**
 * @param {number} number
 * @param {Amendment[]} amendments
 * @param {number[][]} batches
 */
function together(number, amendments, batches) {
  const batch = batches.find((numbers) => numbers.includes(number)) ?? [number];
  const counting = new Set(amendments.filter(({ undone }) => !undone).map((one) => one.number));
  return batch.filter((one) => counting.has(one)).sort((a, b) => b - a);
}
