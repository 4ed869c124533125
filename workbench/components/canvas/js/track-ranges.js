/** @import { Span, Track } from "./types.js" */

/** Half a second of common video. */
const A_LITTLE = 12;

/** @typedef {"whole" | "here" | "on" | "upto"} Scope */

/**
 * Gives the frames of a track that a scope means, as the first and the first after them.
 * @param {Track} track
 * @param {number} index of the present frame
 * @param {string} scope
 * @returns {Span}
 */
export function scopeOf({ start, stop }, index, scope) {
  /** @type {Record<string, Span>} */
  const spans = { whole: [start, stop], here: [index, index + 1], on: [index, stop], upto: [start, index + 1] };
  return spans[scope];
}

/**
 * Gives the first and the last frame that a track lacks up to another frame.
 * @param {Track} track
 * @param {number} index of the other frame
 * @returns {Span | null} null where it has a face there
 */
export function reach(track, index) {
  if (index >= track.stop) {
    return [track.stop, index];
  }
  if (index < track.start) {
    return [index, track.start - 1];
  }
  return gapAt(track, index);
}

/**
 * Gives the first and the last frame of the gap that a track has at a frame.
 * @param {Track} track
 * @param {number} index
 * @returns {Span | null}
 */
function gapAt(track, index) {
  let at = track.start;
  for (const [letter, length] of track.runs) {
    if (letter === "-" && index >= at && index < at + length) {
      return [at, at + length - 1];
    }
    at += length;
  }
  return null;
}

/**
 * Gives the first and the last of a few frames beyond the nearer end of a track.
 * @param {Track} track
 * @param {number} index
 * @param {number} count of all frames
 * @returns {Span}
 */
export function aLittleBeyond(track, index, count) {
  const nearerStart = index - track.start < track.stop - 1 - index;
  if (track.stop === count || (track.start > 0 && nearerStart)) {
    return [Math.max(0, track.start - A_LITTLE), track.start - 1];
  }
  return [track.stop, Math.min(count, track.stop + A_LITTLE) - 1];
}
