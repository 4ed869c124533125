import { element } from "../../shared/dom.js";

/**
 * @import { Previews } from "./previews.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillSource } from "./still-source.js"
 */

/** Milliseconds that the pointer rests before the exact frame is fetched. */
const REST = 60;

/** Shows the frame under the pointer above the timeline: at once the nearest that is there, then the exact one. */
export class TimelinePeek {
  /**
   * @param {HTMLElement} place
   * @param {ReviewState} state
   * @param {{ previews: Previews, source: StillSource }} data
   * @param {(index: number) => string} timeOf
   */
  constructor(place, state, { previews, source }, timeOf) {
    this.place = place;
    this.state = state;
    this.previews = previews;
    this.source = source;
    this.timeOf = timeOf;
    this.image = element("img", { alt: "", draggable: false });
    this.text = element("span");
    this.place.replaceChildren(this.image, this.text);
    /** @type {number | null} */
    this.frame = null;
    /** @type {string | null} address of the picture that is shown */
    this.url = null;
    this.ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    const { width, height } = state.data;
    this.image.style.aspectRatio = `${width} / ${height}`;
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
    const near = this.previews.near(frame, this.state.count);
    this.place.classList.add("near");
    if (near) {
      this.put(near.blob, near.frame);
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
    this.hide();
    if (this.url) {
      URL.revokeObjectURL(this.url);
    }
  }

  /**
   * @param {Blob} blob
   * @param {number} frame that it shows
   */
  put(blob, frame) {
    if (this.url) {
      URL.revokeObjectURL(this.url);
    }
    this.url = URL.createObjectURL(blob);
    this.image.src = this.url;
    if (frame === this.frame) {
      this.place.dataset.frame = String(frame);
      this.place.classList.remove("near");
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
    this.put(blob, frame);
  }
}
