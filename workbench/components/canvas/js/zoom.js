/**
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Viewport } from "./viewport.js"
 */

/** Share of the viewport that a face takes in a close view. */
const SHARE = 0.35;

/** How long the zoom rests before a sharper still is fetched. */
const REST = 200;

/** Zooms, and keeps in view what is looked at. */
export class Zoom {
  /**
   * @param {ReviewState} state
   * @param {Viewport} viewport
   * @param {FrameDisplay} display
   * @param {StatusLine} status
   * @param {HTMLElement} label
   */
  constructor(state, viewport, display, status, label) {
    this.state = state;
    this.viewport = viewport;
    this.projection = viewport.projection;
    this.display = display;
    this.status = status;
    this.label = label;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    viewport.onZoom = () => this.zoomed();
    state.events.on("framePainted", () => this.follow());
  }

  /**
   * Zooms in or out.
   * @param {number} factor
   */
  by(factor) {
    this.projection.zoomOn(this.projection.zoom * factor, this.state.subject);
    this.zoomed();
  }

  /** Shows the whole picture. */
  fit() {
    this.projection.zoomTo(1);
    this.zoomed();
  }

  /** Shows what is looked at large and in the middle; once more, the whole picture. */
  toggleCloseUp() {
    const box = this.state.subject;
    if (this.projection.isZoomed) {
      this.fit();
    } else if (box) {
      this.projection.zoomOn(this.projection.zoomFor(box, SHARE), box);
      this.zoomed();
    } else {
      this.status.say("Choose a face (f) or an item to check (n) first.");
    }
  }

  /**
   * Moves the picture by shares of what is in view.
   * @param {number} across
   * @param {number} down
   */
  pan(across, down) {
    this.projection.pan(across, down);
    this.state.changed();
  }

  /** Keeps what is looked at in view while the picture is zoomed. */
  follow() {
    const box = this.state.subject;
    if (this.projection.isZoomed && box && !this.projection.shows(box)) {
      this.projection.centre(box);
    }
  }

  zoomed() {
    this.label.textContent = this.projection.isZoomed ? `Fit (${Math.round(100 * this.projection.zoom)} %)` : "Fit";
    this.state.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.state.playing) {
        this.display.show(this.state.index);
      }
    }, REST);
  }

  /** Stops what is still to come. */
  end() {
    clearTimeout(this.timer);
  }
}
