/**
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { Playback } from "./playback.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillSource } from "./still-source.js"
 */

/** How long the pointer rests before something is fetched for it. */
const REST = 60;

/** Pixels a millisecond below which a pointer is about to arrive: what is decoded for a place near by helps already. */
const ARRIVING = 0.5;

/** Goes from frame to frame, and fetches ahead what will probably be shown next. */
export class Navigation {
  /**
   * @param {ReviewState} state
   * @param {FrameDisplay} display
   * @param {Playback} playback
   * @param {StillSource} source
   */
  constructor(state, display, playback, source) {
    this.state = state;
    this.display = display;
    this.playback = playback;
    this.source = source;
    /** @type {number | null} where the pointer was drawn to while another frame was being loaded */
    this.scrubbed = null;
    /** Whether the pointer slows down, and what it slows down at was fetched. */
    this.arriving = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    state.events.on("frameSettled", () => this.settled());
  }

  /**
   * Goes on or back.
   * @param {number} by
   * @param {boolean} [repeated] whether a key is held down, which waits for each frame
   */
  step(by, repeated = false) {
    if (!(this.state.waiting && repeated)) {
      this.goTo(this.state.index + by);
    }
  }

  /**
   * Goes to a frame.
   * @param {number} frame anything: the nearest that there is
   */
  goTo(frame) {
    this.playback.pause();
    this.scrubbed = null;
    const to = this.nearest(frame);
    if (to !== this.state.index) {
      this.state.direction = Math.sign(to - this.state.index);
    }
    this.display.show(to);
  }

  /**
   * Follows a pointer that is drawn over the timeline: one frame after another, each where the pointer is by then.
   * @param {number} frame
   */
  scrub(frame) {
    if (this.state.waiting) {
      this.scrubbed = frame;
    } else {
      this.goTo(frame);
    }
  }

  /**
   * Fetches what a click would show where the pointer rests, or is about to arrive.
   * @param {number} frame
   * @param {number} [speed] of the pointer in pixels a millisecond
   */
  hover(frame, speed = Infinity) {
    clearTimeout(this.timer);
    if (speed < ARRIVING && !this.arriving) {
      this.arriving = true;
      this.fetch(frame);
    } else if (speed >= ARRIVING) {
      this.arriving = false;
    }
    this.timer = setTimeout(() => this.fetch(frame), REST);
  }

  /** @param {number} frame */
  fetch(frame) {
    if (!this.state.waiting && !this.state.playing) {
      this.source.prefetch([this.nearest(frame)]);
    }
  }

  /**
   * Gives the nearest frame that there is.
   * @param {number} frame
   */
  nearest(frame) {
    const number = Number.isFinite(frame) ? Math.round(frame) : 0;
    return Math.max(0, Math.min(this.state.count - 1, number));
  }

  settled() {
    if (this.scrubbed === null) {
      this.source.prefetch();
    } else {
      this.goTo(this.scrubbed);
    }
  }

  /** Stops what is still to come. */
  end() {
    clearTimeout(this.timer);
  }
}
