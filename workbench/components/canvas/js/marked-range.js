/** @import { ReviewItem, Span } from "./types.js" */

/** Frames before and after an item that a loop shows as well. */
const AROUND = 10;

/**
 * What a range is marked in.
 * @typedef {object} Marked
 * @property {number} count of all frames
 * @property {number | null} markIn first frame
 * @property {number | null} markOut last frame
 * @property {ReviewItem | null} spot
 * @property {boolean} looping
 */

/**
 * Gives the range that a person marked.
 * @param {Pick<Marked, "count" | "markIn" | "markOut">} marked
 * @returns {Span | null} the first frame and the first after it; null when nothing is marked
 */
export function markedSpan({ count, markIn, markOut }) {
  if (markIn === null && markOut === null) {
    return null;
  }
  const [first, last] = [markIn ?? 0, markOut ?? count - 1];
  return [Math.min(first, last), Math.max(first, last) + 1];
}

/**
 * Gives what is played again and again: the marked range, else the item with a little around it, else everything.
 * @param {Marked} marked
 * @returns {Span | null} null while nothing loops
 */
export function loopSpan(marked) {
  if (!marked.looping) {
    return null;
  }
  const { count, spot } = marked;
  const item = spot && /** @type {Span} */ ([Math.max(0, spot.start - AROUND), Math.min(count, spot.stop + AROUND)]);
  return markedSpan(marked) ?? item ?? [0, count];
}
