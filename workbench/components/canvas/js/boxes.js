/** @import { Box, Size } from "./types.js" */

/** Least width and height of a box. */
export const SMALLEST = 4;

/**
 * Cuts a box to the picture.
 * @param {Box} box
 * @param {Size} size of the picture
 * @returns {Box | null} null when too little of it is left
 */
export function clipped([left, top, right, bottom], { width, height }) {
  const [x1, y1] = [Math.max(0, left), Math.max(0, top)];
  const [x2, y2] = [Math.min(width, right), Math.min(height, bottom)];
  if (x2 - x1 < SMALLEST || y2 - y1 < SMALLEST) {
    return null;
  }
  return [toHundredth(x1), toHundredth(y1), toHundredth(x2), toHundredth(y2)];
}

/**
 * Moves a box, up to the border of the picture.
 * @param {Box} box
 * @param {Size} size of the picture
 * @param {number} dx
 * @param {number} dy
 * @returns {Box}
 */
export function shifted([left, top, right, bottom], { width, height }, dx, dy) {
  const x = Math.min(width - right, Math.max(-left, dx));
  const y = Math.min(height - bottom, Math.max(-top, dy));
  return [left + x, top + y, right + x, bottom + y];
}

/**
 * Moves one edge or one corner of a box.
 * @param {Box} box
 * @param {Size} size of the picture
 * @param {string} grip n, e, s, w or two of them
 * @param {number} dx
 * @param {number} dy
 * @returns {Box | null}
 */
export function resized([left, top, right, bottom], size, grip, dx, dy) {
  /** @type {Box} */
  const box = [
    grip.includes("w") ? Math.min(left + dx, right - SMALLEST) : left,
    grip.includes("n") ? Math.min(top + dy, bottom - SMALLEST) : top,
    grip.includes("e") ? Math.max(right + dx, left + SMALLEST) : right,
    grip.includes("s") ? Math.max(bottom + dy, top + SMALLEST) : bottom,
  ];
  return clipped(box, size);
}

/**
 * Gives the box between two opposite corners.
 * @param {[number, number]} one
 * @param {[number, number]} other
 * @returns {Box}
 */
export function spanned([x1, y1], [x2, y2]) {
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

/** @param {number} edge */
function toHundredth(edge) {
  return Math.round(edge * 100) / 100;
}
