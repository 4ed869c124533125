import { clipped, resized, shifted, spanned } from "./boxes.js";

/**
 * @import { Box } from "./types.js"
 * @import { Viewport } from "./viewport.js"
 */

/** Pixels that a pointer may move and still count as a click. */
const STILL = 3;

/**
 * What a drag takes hold of: a grip, a box by its track, or nothing.
 * @typedef {{ grip: string | undefined, track: string | undefined }} Hold
 */

/**
 * A drag of the picture.
 * @typedef {{ kind: "pan", x: number, y: number, left: number, top: number }} PanDrag
 */

/**
 * A drag of a box, from a point in the picture; `start` is the box that it began with.
 * @typedef {{ kind: "box", x: number, y: number, from: [number, number], hold: Hold, moved: boolean,
 *   start: Box | null }} BoxDrag
 */

/**
 * @typedef {object} DragHandlers
 * @property {(track: number | null) => void} choose
 * @property {() => boolean} draws tells whether a box is being drawn
 * @property {() => void} grabbed called when a drag begins
 * @property {(hold: Hold) => Box | null} held gives the box that a drag takes hold of
 * @property {(box: Box, resizes: boolean) => void} boxed called with each new box; `resizes` one that was there
 * @property {() => void} panned
 * @property {() => void} ended
 */

/** Follows the pointer over the picture: it chooses, draws, moves and resizes boxes, and moves the picture. */
export class Dragging {
  /**
   * @param {Viewport} viewport
   * @param {DragHandlers} handlers
   * @param {AbortSignal} signal ends it
   */
  constructor({ place, boxes, projection }, handlers, signal) {
    this.place = place;
    this.boxes = boxes;
    this.projection = projection;
    this.handlers = handlers;
    /** @type {PanDrag | BoxDrag | null} */
    this.drag = null;
    boxes.addEventListener("pointerdown", (event) => this.down(event), { signal });
    boxes.addEventListener("pointermove", (event) => this.move(event), { signal });
    boxes.addEventListener("pointerup", () => this.up(), { signal });
    boxes.addEventListener("pointercancel", () => this.cancel(), { signal });
  }

  get active() {
    return this.drag !== null;
  }

  /**
   * Gives the point of the picture that the pointer is at.
   * @param {MouseEvent} event
   */
  pointOf(event) {
    const bounds = this.boxes.getBoundingClientRect();
    return this.projection.toPicture(event.clientX - bounds.left, event.clientY - bounds.top);
  }

  /** @param {PointerEvent} event */
  down(event) {
    const [x, y] = [event.clientX, event.clientY];
    if (event.button === 1 || (event.button === 0 && (event.altKey || this.pans(event)))) {
      this.drag = { kind: "pan", x, y, left: this.projection.left, top: this.projection.top };
      this.place.classList.add("panning");
    } else if (event.button === 0) {
      const { grip, track } = event.target instanceof SVGElement ? event.target.dataset : {};
      this.drag = { kind: "box", x, y, from: this.pointOf(event), hold: { grip, track }, moved: false, start: null };
      if (track !== undefined) {
        this.handlers.choose(Number(track));
      }
    } else {
      return;
    }
    event.preventDefault();
    this.handlers.grabbed();
    this.boxes.setPointerCapture(event.pointerId);
  }

  /**
   * Tells whether a drag moves the picture: from an empty place while it is zoomed, unless Shift or "Add face" draws.
   * @param {PointerEvent} event
   */
  pans({ shiftKey, target }) {
    const { grip, track } = target instanceof SVGElement ? target.dataset : {};
    return this.projection.isZoomed && !shiftKey && !grip && track === undefined && !this.handlers.draws();
  }

  /** @param {PointerEvent} event */
  move(event) {
    const drag = this.drag;
    if (!drag) {
      return;
    }
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (drag.kind === "pan") {
      const scale = this.projection.scale;
      this.projection.moveTo(drag.left - dx / scale, drag.top - dy / scale);
      this.handlers.panned();
      return;
    }
    drag.moved ||= Math.abs(dx) + Math.abs(dy) > STILL;
    if (!drag.moved) {
      return;
    }
    drag.start ??= this.handlers.held(drag.hold);
    const box = this.dragged(drag, this.pointOf(event));
    if (box) {
      this.handlers.boxed(box, drag.start !== null);
    }
  }

  up() {
    const drag = this.drag;
    this.drag = null;
    this.place.classList.remove("panning");
    if (drag?.kind === "pan" && drag.left === this.projection.left && drag.top === this.projection.top) {
      this.handlers.choose(null);
    }
    if (drag?.kind === "box" && !drag.moved && drag.hold.track === undefined && !drag.hold.grip) {
      this.handlers.choose(null);
    }
    this.handlers.ended();
  }

  cancel() {
    this.drag = null;
    this.handlers.ended();
  }

  /**
   * @param {BoxDrag} drag
   * @param {[number, number]} to
   * @returns {Box | null}
   */
  dragged({ from, hold, start }, to) {
    const size = this.projection.size;
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    if (hold.grip && start) {
      return resized(start, size, hold.grip, dx, dy);
    }
    if (hold.track !== undefined && start) {
      return shifted(start, size, dx, dy);
    }
    return clipped(spanned(from, to), size);
  }
}
