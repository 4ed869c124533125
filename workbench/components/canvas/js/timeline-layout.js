/** @import { Span, Track } from "./types.js" */

/**
 * A track and the lane that it is on.
 * @typedef {[lane: number, track: Track]} Lane
 */

/** Most lanes that tracks are spread over. */
const LANES = 9;

/** How many frames are shown on either side when not the whole video is. */
const AROUND = 150;

/**
 * Puts each track on the first lane that is free; what does not fit shares the last lane.
 * @param {Track[]} tracks
 * @returns {{ lanes: Lane[], used: number }} `used` lanes, at least one
 */
export function lanesOf(tracks) {
  /** @type {Lane[]} */
  const lanes = [];
  /** @type {number[]} */
  const ends = [];
  for (const track of [...tracks].sort((a, b) => a.start - b.start)) {
    const free = ends.findIndex((end) => end <= track.start);
    const lane = free < 0 ? Math.min(ends.length, LANES - 1) : free;
    ends[lane] = Math.max(ends[lane] ?? 0, track.stop);
    lanes.push([lane, track]);
  }
  return { lanes, used: Math.max(1, ends.length) };
}

/**
 * Gives the frames around one, as many near the ends of the video as in its middle.
 * @param {number} index
 * @param {number} count of all frames
 * @returns {Span}
 */
export function spanAround(index, count) {
  const start = Math.max(0, Math.min(index - AROUND, count - 2 * AROUND));
  return [start, Math.min(count, start + 2 * AROUND)];
}

/** Fewest frames that the timeline shows. */
const LEAST_SPAN = 20;

/**
 * Zooms a span, so that the frame under the pointer stays there.
 * @param {Span} span
 * @param {number} share of its width, from the left, at which the pointer is
 * @param {number} factor below 1 shows fewer frames
 * @param {number} count of all frames
 * @returns {Span}
 */
export function zoomedSpan([start, stop], share, factor, count) {
  const length = stop - start;
  const wanted = Math.max(Math.min(LEAST_SPAN, count), Math.min(count, Math.round(length * factor)));
  return fittedSpan(Math.round(start + share * (length - wanted)), wanted, count);
}

/**
 * Moves a span by a number of frames, as far as there are any.
 * @param {Span} span
 * @param {number} by
 * @param {number} count of all frames
 * @returns {Span}
 */
export function movedSpan([start, stop], by, count) {
  return fittedSpan(Math.round(start + by), stop - start, count);
}

/**
 * Gives the span itself if it shows a frame, else one of the same length around the frame.
 * @param {Span} span
 * @param {number} index
 * @param {number} count of all frames
 * @returns {Span}
 */
export function spanWith([start, stop], index, count) {
  const length = stop - start;
  return index >= start && index < stop ? [start, stop] : fittedSpan(Math.round(index - length / 2), length, count);
}

/**
 * @param {number} start
 * @param {number} length
 * @param {number} count
 * @returns {Span}
 */
function fittedSpan(start, length, count) {
  const first = Math.max(0, Math.min(start, count - length));
  return [first, Math.min(count, first + length)];
}

/**
 * Gives the frame at a place of the timeline.
 * @param {number} share of its width, from the left
 * @param {Span} span of frames that it shows
 */
export function frameAt(share, [start, stop]) {
  return Math.floor(start + Math.min(0.999999, Math.max(0, share)) * (stop - start));
}

/**
 * Gives the stretches of frames that are flagged, within a span.
 * @param {ArrayLike<number>} flags
 * @param {Span} span
 * @returns {Span[]}
 */
export function flaggedSpans(flags, [start, stop]) {
  /** @type {Span[]} */
  const found = [];
  for (let from = start; from < stop; from += 1) {
    let to = from;
    while (to < stop && flags[to]) {
      to += 1;
    }
    if (to > from) {
      found.push([from, to]);
    }
    from = to;
  }
  return found;
}
