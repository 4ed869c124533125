import { TimelineDrawing, heightOf } from "./timeline-drawing.js";
import { frameAt, lanesOf, spanAround } from "./timeline-layout.js";

/**
 * @import { Lane } from "./timeline-layout.js"
 * @import { ReviewData, Span } from "./types.js"
 */

/**
 * What is drawn beside the data of the page.
 * @typedef {object} TimelineMarks
 * @property {ArrayLike<number>} seen
 * @property {number | null} chosen track
 * @property {string | null} spot that is looked at
 * @property {Span | null} asked first and last frame of the form that is open
 */

/**
 * @typedef {object} TimelineHandlers
 * @property {(frame: number) => void} go
 * @property {(frame: number) => void} scrub
 * @property {(frame: number) => void} hover
 */

/** Shows the strip beneath the picture, and goes where somebody clicks on it. */
export class Timeline {
  /**
   * @param {{ canvas: HTMLCanvasElement, button: HTMLElement }} parts
   * @param {ReviewData} data
   * @param {(index: number) => string} timeOf
   * @param {TimelineHandlers} handlers
   * @param {AbortSignal} signal ends it
   */
  constructor({ canvas, button }, data, timeOf, handlers, signal) {
    this.canvas = canvas;
    this.button = button;
    this.count = data.frames;
    this.timeOf = timeOf;
    this.handlers = handlers;
    this.index = 0;
    this.around = false;
    this.data = data;
    this.used = 1;
    /** @type {Lane[]} */
    this.lanes = [];
    canvas.addEventListener("pointerdown", (event) => this.down(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.move(event), { signal });
    canvas.setAttribute("aria-valuemax", String(data.frames - 1));
    this.update(data);
  }

  /**
   * Takes over what the page sends.
   * @param {ReviewData} data
   */
  update(data) {
    this.data = data;
    ({ lanes: this.lanes, used: this.used } = lanesOf(data.tracks));
    this.canvas.style.height = `${heightOf(this.used)}px`;
  }

  /** @returns {Span} the frames that it shows */
  get span() {
    return this.around ? spanAround(this.index, this.count) : [0, this.count];
  }

  /** Shows the whole video, or the frames around the present one. */
  toggleSpan() {
    this.around = !this.around;
    this.button.textContent = this.around ? "Whole timeline" : "Zoom timeline";
  }

  /** @param {PointerEvent} event */
  down(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.handlers.go(this.frameOf(event));
  }

  /** @param {PointerEvent} event */
  move(event) {
    const frame = this.frameOf(event);
    if (event.buttons & 1) {
      this.handlers.scrub(frame);
    } else {
      this.handlers.hover(frame);
    }
  }

  /** @param {PointerEvent} event */
  frameOf(event) {
    const bounds = this.canvas.getBoundingClientRect();
    return frameAt((event.clientX - bounds.left) / bounds.width, this.span);
  }

  /**
   * Draws it for a frame.
   * @param {number} index
   * @param {TimelineMarks} marks
   */
  draw(index, { seen, chosen, spot, asked }) {
    this.index = index;
    if (!this.canvas.clientWidth) {
      return;
    }
    this.canvas.setAttribute("aria-valuenow", String(index));
    this.canvas.setAttribute("aria-valuetext", `Frame ${index}, ${this.timeOf(index)}`);
    const drawing = new TimelineDrawing(this.canvas, this.used, this.span);
    if (asked) {
      drawing.asked(asked);
    }
    drawing.seen(seen);
    drawing.risk(this.data.risk, this.count);
    drawing.spots(this.data.spots, spot);
    drawing.tracks(this.lanes, chosen);
    drawing.cuts(this.data.cuts);
    drawing.times(this.timeOf);
    drawing.position(index);
  }
}
