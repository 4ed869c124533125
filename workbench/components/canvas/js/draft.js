/** @import { Action, Box, Keyframe } from "./types.js" */

/**
 * A box that is being drawn, until it is saved: keyframes of a face that was missed, or other boxes for a track.
 */
export class Draft {
  /** @param {number | null} track null for a new face */
  constructor(track = null) {
    this.track = track;
    /** @type {Map<number, Box>} */
    this.keys = new Map();
    /** Whether the boxes were followed from frame to frame, so that the mask ends where they do. */
    this.followed = false;
    /** @type {number | null} the frame that it was followed from first */
    this.origin = null;
  }

  /** Tells whether it adds a face. */
  get adds() {
    return this.track === null;
  }

  /** Gives the frames that have a keyframe, in order. */
  get frames() {
    return [...this.keys.keys()].sort((a, b) => a - b);
  }

  /** Gives the last frame that has a keyframe. */
  get last() {
    return Math.max(...this.keys.keys());
  }

  /**
   * Sets its box in a frame.
   * @param {number} index
   * @param {Box} box
   */
  set(index, box) {
    this.keys.set(index, box);
  }

  /**
   * Gives its box in a frame: interpolated between keyframes, held beyond them.
   * @param {number} index
   * @returns {Box | null}
   */
  box(index) {
    const frames = this.frames;
    const before = frames.filter((frame) => frame <= index).at(-1) ?? frames[0];
    const after = frames.find((frame) => frame >= index) ?? frames.at(-1);
    const first = before === undefined ? undefined : this.keys.get(before);
    const last = after === undefined ? undefined : this.keys.get(after);
    if (before === undefined || after === undefined || !first || !last) {
      return null;
    }
    const share = after > before ? (index - before) / (after - before) : 0;
    const between = (/** @type {number} */ edge) => first[edge] + (last[edge] - first[edge]) * share;
    return [between(0), between(1), between(2), between(3)];
  }

  /**
   * Tells whether it has a box of its own in a frame: a followed face has none beyond its ends.
   * @param {number} index
   */
  reaches(index) {
    return !this.followed || (index >= this.frames[0] && index <= this.last);
  }

  /**
   * Takes over keyframes that were followed from a frame. What was followed before stays up to that frame.
   * @param {Keyframe[]} keyframes
   * @param {number} at the frame
   */
  join(keyframes, at) {
    this.origin ??= at;
    const on = at >= this.origin;
    const kept = this.followed ? [...this.keys].filter(([frame]) => (on ? frame < at : frame > at)) : [];
    const reached = kept.map(([frame]) => frame);
    const isNew = (/** @type {number} */ frame) =>
      on ? frame >= at || frame > Math.max(-1, ...reached) : frame <= at || frame < Math.min(Infinity, ...reached);
    this.keys = new Map([...kept, ...keyframes.filter(([frame]) => isNew(frame))]);
    this.followed = true;
  }

  get title() {
    const [first] = this.frames;
    const range = this.keys.size === 1 ? `frame ${first}` : `frames ${first}–${this.last}`;
    if (this.followed) {
      return `Followed face, ${range}. Move the box where it is wrong; i and o set the ends.`;
    }
    return this.track === null
      ? `New mask, ${range}. Step forward to extend it; move the box to follow the face.`
      : `Adjust the mask of track ${this.track}, ${range}. Step forward and move the box to follow the face.`;
  }

  /**
   * Gives the amendment that saves it.
   * @param {number} until the frame up to which the last box is kept
   * @returns {Action}
   */
  action(until) {
    /** @type {Keyframe[]} */
    const keyframes = [...this.keys].sort((a, b) => a[0] - b[0]);
    const last = keyframes[keyframes.length - 1];
    if (until > last[0]) {
      keyframes.push([until, last[1]]);
    }
    return this.track === null ? { kind: "add", keyframes } : { kind: "resize", track: this.track, keyframes };
  }

  /**
   * Gives the amendment that saves the part of a new face between two frames, both included.
   * @param {number} from
   * @param {number} to
   * @returns {Action}
   */
  actionWithin(from, to) {
    const frames = new Set([from, ...this.frames.filter((frame) => frame > from && frame < to), to]);
    const keyframes = [...frames].map((frame) => /** @type {Keyframe} */ ([frame, this.box(frame)]));
    return { kind: "add", keyframes };
  }
}

/**
 * Lists frames that are spread evenly over a range, its ends among them.
 * @param {number} first
 * @param {number} last
 * @param {number} most how many
 * @returns {number[]}
 */
export function samplesOf(first, last, most) {
  const count = Math.min(most, last - first + 1);
  const place = (/** @type {number} */ one) => first + Math.round(((last - first) * one) / Math.max(1, count - 1));
  return Array.from({ length: count }, (_, one) => place(one));
}
