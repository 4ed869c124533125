import { pixelRatio } from "../../shared/dom.js";
import { framesAhead } from "./targets.js";

/**
 * @import { Projection } from "./projection.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillCache, Wanted } from "./still-cache.js"
 * @import { View } from "./types.js"
 */

/** Longer sides that stills are asked for in, so that a still can serve windows of about one size. */
const SIDES = [640, 960, 1280, 1920, 2560];
const WHOLE = 99999;
const REVISION_LENGTH = 12;

/**
 * Tells for each picture of a view whether it is masked.
 * @type {Record<View, boolean[]>}
 */
const PICTURES = { before: [false], after: [true], split: [false, true] };

/** Knows which stills the view needs, and gets them. */
export class StillSource {
  /**
   * @param {ReviewState} state
   * @param {StillCache} cache
   * @param {Projection} projection
   */
  constructor(state, cache, projection) {
    this.state = state;
    this.cache = cache;
    this.projection = projection;
  }

  /** Tells for each picture of the view whether it is masked. */
  get pictures() {
    return PICTURES[this.state.view];
  }

  /**
   * Gives the query of a still in the size that the screen needs.
   * @param {boolean} masked
   */
  query(masked) {
    const needed = this.projection.longestSide(pixelRatio());
    const side = `side=${SIDES.find((one) => one >= needed) ?? WHOLE}`;
    const { style, revision } = this.state.data;
    const mask = `masked=1&style=${encodeURIComponent(style)}&at=${revision.slice(0, REVISION_LENGTH)}`;
    return masked ? `${side}&${mask}` : side;
  }

  /**
   * Tells whether the stills of a frame for the view are there.
   * @param {number} frame
   */
  isThere(frame) {
    return this.pictures.every((masked) => this.cache.has(frame, this.query(masked)));
  }

  /**
   * Gets the stills of a frame for the view.
   * @param {number} frame
   * @returns {Promise<Blob>[]}
   */
  load(frame) {
    return this.pictures.map((masked) => this.cache.get(frame, this.query(masked)));
  }

  /**
   * Gets a still that nobody waits for, masked where the view shows only masked ones.
   * @param {number} frame
   * @returns {Promise<Blob | null>} null when it does not come
   */
  loadAhead(frame) {
    return this.cache.get(frame, this.query(this.state.view === "after"), true).catch(() => null);
  }

  /**
   * Fetches ahead what is probably looked at next.
   * @param {number[]} first frames that are wanted before all others
   */
  prefetch(first = []) {
    this.cache.prefetch([...first, ...framesAhead(this.state)].flatMap((frame) => this.wanted(frame)));
  }

  /**
   * @param {number} frame
   * @returns {Wanted[]}
   */
  wanted(frame) {
    return this.pictures.map((masked) => [frame, this.query(masked)]);
  }
}
