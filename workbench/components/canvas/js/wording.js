/** @import { Evidence, Face } from "./types.js" */

/**
 * Names the detectors that saw a face, with their scores.
 * @param {Evidence[]} seen
 */
export function seenBy(seen) {
  return seen.map(([name, score]) => `${name} ${score.toFixed(2)}`).join(" · ");
}

/**
 * Says how a face came to be where it is.
 * @param {Face} face
 */
export function originOf(face) {
  return face.visible ? "kept visible" : face.origin;
}

/**
 * Writes a share as whole per cent, never more than it is.
 * @param {number} share
 */
export function percent(share) {
  return `${Math.floor(share * 100 + 1e-9)} %`;
}

/**
 * Writes seconds as minutes, seconds and hundredths.
 * @param {number} seconds
 */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}
