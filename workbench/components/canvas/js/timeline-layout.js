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
