import { element } from "../../shared/dom.js";
import { samplesOf } from "./draft.js";

/**
 * @import { Portraits } from "./portraits.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillSource } from "./still-source.js"
 */

/** Small pictures that are made ahead, evenly over the video. */
const AHEAD = 40;

/** Milliseconds before the first of them is made, and between two looks whether anything else is going on. */
const PATIENCE = 2500;
const PAUSE = 250;

/** Milliseconds that the pointer rests before the exact frame is fetched. */
const REST = 60;

/** Shows the frame under the pointer above the timeline: at once the nearest that is there, then the exact one. */
export class TimelinePeek {
  /**
   * @param {HTMLElement} place
   * @param {ReviewState} state
   * @param {{ portraits: Portraits, source: StillSource }} data
   * @param {(index: number) => string} timeOf
   */
  constructor(place, state, { portraits, source }, timeOf) {
    this.place = place;
    this.state = state;
    this.portraits = portraits;
    this.source = source;
    this.timeOf = timeOf;
    this.image = element("img", { alt: "", draggable: false });
    this.text = element("span");
    this.place.replaceChildren(this.image, this.text);
    /** @type {Map<number, string>} addresses of the small pictures that are there, by frame */
    this.ready = new Map();
    /** @type {number | null} */
    this.frame = null;
    /** @type {string | null} address of the exact frame */
    this.exact = null;
    this.ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    const { width, height } = state.data;
    this.image.style.aspectRatio = `${width} / ${height}`;
    this.makeAhead(samplesOf(0, state.count - 1, AHEAD), PATIENCE);
  }

  /**
   * Shows a frame.
   * @param {number} frame
   * @param {number} x distance of the pointer from the left
   */
  show(frame, x) {
    if (frame === this.frame) {
      return;
    }
    this.frame = frame;
    this.place.hidden = false;
    const room = this.place.parentElement?.clientWidth ?? 0;
    const half = this.place.clientWidth / 2;
    this.place.style.left = `${Math.max(0, Math.min(room - 2 * half, x - half))}px`;
    this.text.textContent = `${this.timeOf(frame)} · frame ${frame}`;
    this.place.classList.add("near");
    const nearest = nearestTo([...this.ready.keys()], frame);
    if (nearest !== null) {
      this.image.src = this.ready.get(nearest) ?? "";
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.fetch(frame), REST);
  }

  /** Hides it. */
  hide() {
    clearTimeout(this.resting);
    this.frame = null;
    this.place.hidden = true;
  }

  /** Lets go of everything. */
  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.hide();
    if (this.exact) {
      URL.revokeObjectURL(this.exact);
    }
  }

  /**
   * Fetches the exact frame: the still that a click shows, so that it is there by then.
   * @param {number} frame
   */
  async fetch(frame) {
    const blob = this.state.playing || this.state.waiting ? null : await this.source.loadAhead(frame);
    if (!blob || frame !== this.frame || this.ended) {
      return;
    }
    if (this.exact) {
      URL.revokeObjectURL(this.exact);
    }
    this.exact = URL.createObjectURL(blob);
    this.image.src = this.exact;
    this.place.dataset.frame = String(frame);
    this.place.classList.remove("near");
  }

  /**
   * Makes small pictures one after another while nothing else is going on.
   * @param {number[]} frames
   * @param {number} patience
   */
  makeAhead(frames, patience) {
    const [next, ...rest] = frames;
    if (next === undefined || this.ended) {
      return;
    }
    this.timer = setTimeout(async () => {
      if (this.state.playing || this.state.waiting || document.hidden) {
        this.makeAhead(frames, PAUSE);
        return;
      }
      const url = await this.portraits.thumbnail(next);
      if (url) {
        this.ready.set(next, url);
      }
      this.makeAhead(rest, 0);
    }, patience);
  }
}

/**
 * Gives the number that is nearest to another one.
 * @param {number[]} numbers
 * @param {number} wanted
 * @returns {number | null} null when there is none
 */
export function nearestTo(numbers, wanted) {
  return numbers.reduce(
    (best, one) => (best === null || Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best),
    /** @type {number | null} */ (null),
  );
}
