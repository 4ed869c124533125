import { TimelineDrawing } from "./timeline-drawing.js";
import { drawSound } from "./timeline-sound.js";
import { frameAt, lanesOf, movedSpan, spanAround, spanWith, zoomedSpan } from "./timeline-layout.js";
import { heightOf, isOnSound, isOnTimes, namesWidth } from "./timeline-metrics.js";

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
 * @property {(frame: number, speed: number, x: number) => void} hover tells the speed of the pointer in pixels a
 *   millisecond, and its distance from the left
 * @property {(span: Span) => void} sound asks what becomes of the sound of the frames that a drag chose
 * @property {(frame: number) => void} heard called when the sound is clicked on
 * @property {() => void} left called when the pointer leaves
 * @property {() => void} changed called when another part is shown
 */

const WHEEL_IN = 0.8;
const WHEEL_OUT = 1.25;

/** Share of what is shown that a turn of the wheel moves it by. */
const WHEEL_PAN = 0.1;

/** Pixels below which a drag is a click. */
const LEAST_DRAG = 4;

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
    /** @type {Span} the frames that it shows */
    this.span = [0, data.frames];
    /** @type {{ x: number, span: Span } | null} where a drag that moves it began */
    this.pan = null;
    /** @type {Span | null} first frame and the frame where the pointer is, of a drag on the sound */
    this.chosenSound = null;
    /** Where the pointer was when that drag began. */
    this.pressedAt = 0;
    /** Where and when the pointer was last. */
    this.pointer = { x: 0, time: 0 };
    /** @type {number[]} the loudest samples in parts of equal length */
    this.peaks = [];
    this.data = data;
    this.used = 1;
    /** @type {Lane[]} */
    this.lanes = [];
    canvas.addEventListener("pointerdown", (event) => this.down(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.move(event), { signal });
    canvas.addEventListener("pointerup", (event) => this.up(event), { signal });
    canvas.addEventListener("pointercancel", () => this.cancel(), { signal });
    canvas.addEventListener("pointerleave", () => handlers.left(), { signal });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
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
    this.canvas.style.height = `${heightOf(this.used, this.hasSound)}px`;
  }

  get hasSound() {
    return this.peaks.length > 0;
  }

  get isZoomed() {
    return this.span[1] - this.span[0] < this.count;
  }

  /**
   * Takes over the sound.
   * @param {number[]} peaks
   */
  takeSound(peaks) {
    this.peaks = peaks;
    this.canvas.style.height = `${heightOf(this.used, this.hasSound)}px`;
    this.handlers.changed();
  }

  /** Shows the whole video, or the frames around the present one. */
  toggleSpan() {
    this.show(this.isZoomed ? [0, this.count] : spanAround(this.index, this.count));
  }

  /** @param {Span} span */
  show(span) {
    this.span = span;
    this.button.textContent = this.isZoomed ? "Whole timeline" : "Zoom timeline";
    this.handlers.changed();
  }

  /** @param {PointerEvent} event */
  down(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.handlers.left();
    const { top } = this.canvas.getBoundingClientRect();
    const moves = event.button === 1 || event.altKey || isOnTimes(event.clientY - top, this.used, this.hasSound);
    if (this.isZoomed && moves) {
      this.pan = { x: event.clientX, span: this.span };
      this.canvas.classList.add("panning");
    } else if (event.button === 0 && isOnSound(event.clientY - top, this.used, this.hasSound)) {
      this.chosenSound = [this.frameOf(event), this.frameOf(event)];
      this.pressedAt = event.clientX;
    } else if (event.button === 0) {
      this.handlers.go(this.frameOf(event));
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    const frame = this.frameOf(event);
    const { x, time } = this.pointer;
    this.pointer = { x: event.clientX, time: event.timeStamp };
    if (this.pan) {
      const { span } = this.pan;
      const by = ((this.pan.x - event.clientX) / this.place().width) * (span[1] - span[0]);
      this.show(movedSpan(span, by, this.count));
    } else if (this.chosenSound) {
      this.chosenSound = [this.chosenSound[0], frame];
      this.handlers.changed();
    } else if (event.buttons & 1) {
      this.handlers.scrub(frame);
    } else {
      const speed = Math.abs(event.clientX - x) / Math.max(1, event.timeStamp - time);
      this.handlers.hover(frame, speed, event.clientX - this.canvas.getBoundingClientRect().left);
    }
  }

  /** @param {PointerEvent} event */
  up(event) {
    const chosen = this.chosenSound;
    this.cancel();
    if (chosen && Math.abs(event.clientX - this.pressedAt) >= LEAST_DRAG) {
      this.handlers.sound([Math.min(...chosen), Math.max(...chosen) + 1]);
    } else if (chosen) {
      this.handlers.heard(chosen[0]);
    }
  }

  /** Does not drag any more. */
  cancel() {
    this.pan = null;
    this.chosenSound = null;
    this.canvas.classList.remove("panning");
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const across = event.deltaX || (event.shiftKey ? event.deltaY : 0);
    // The whole video cannot be zoomed out of or moved: there the wheel scrolls the page, as everywhere.
    if (!this.isZoomed && (across || event.deltaY > 0)) {
      return;
    }
    event.preventDefault();
    if (across) {
      const by = Math.sign(across) * WHEEL_PAN * (this.span[1] - this.span[0]);
      this.show(movedSpan(this.span, by, this.count));
    } else {
      this.show(zoomedSpan(this.span, this.shareOf(event), event.deltaY < 0 ? WHEEL_IN : WHEEL_OUT, this.count));
    }
  }

  /** Gives where the frames are on the page, right of the names of the lanes. */
  place() {
    const bounds = this.canvas.getBoundingClientRect();
    const names = namesWidth(bounds.width);
    return { left: bounds.left + names, width: Math.max(1, bounds.width - names) };
  }

  /** @param {MouseEvent} event */
  shareOf(event) {
    const { left, width } = this.place();
    return Math.max(0, Math.min(1, (event.clientX - left) / width));
  }

  /** @param {MouseEvent} event */
  frameOf(event) {
    return frameAt(this.shareOf(event), this.span);
  }

  /**
   * Draws it for a frame.
   * @param {number} index
   * @param {TimelineMarks} marks
   */
  draw(index, { seen, chosen, spot, asked }) {
    if (index !== this.index) {
      this.index = index;
      this.span = spanWith(this.span, index, this.count);
    }
    if (!this.canvas.clientWidth) {
      return;
    }
    this.canvas.setAttribute("aria-valuenow", String(index));
    this.canvas.setAttribute("aria-valuetext", `Frame ${index}, ${this.timeOf(index)}`);
    const drawing = new TimelineDrawing(this.canvas, { lanes: this.used, hasSound: this.hasSound }, this.span);
    if (asked) {
      drawing.asked(asked);
    }
    drawing.seen(seen);
    drawing.risk(this.data.risk, this.count);
    drawing.spots(this.data.spots, spot);
    drawing.tracks(this.lanes, chosen);
    if (this.hasSound) {
      const { audio: spans, step } = this.data;
      drawSound(drawing, { peaks: this.peaks, count: this.count, spans, step, chosen: this.chosenSound });
    }
    drawing.cuts(this.data.cuts);
    drawing.times(this.timeOf);
    drawing.position(index);
  }
}
