import { contextOf, pixelRatio } from "../../shared/dom.js";

/**
 * @import { FrameCache } from "./frame-cache.js"
 * @import { Navigation } from "./navigation.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillSource } from "./still-source.js"
 * @import { Box } from "./types.js"
 */

const EACH_SIDE = 3;
const CELLS = 2 * EACH_SIDE + 1;
const HEIGHT = 104;

/** How long one stays at a frame before its neighbours are drawn: each takes some milliseconds. */
const REST = 120;

/** Room around a face, times its box. */
const ROOM = 1.7;

/** Shows the frames around one, small: the chosen face, or the whole picture. They do not count as seen. */
export class Filmstrip {
  /**
   * @param {{ canvas: HTMLCanvasElement, button: HTMLElement }} parts
   * @param {ReviewState} state
   * @param {{ frames: FrameCache, source: StillSource }} data
   * @param {Navigation} navigation
   * @param {AbortSignal} signal ends it
   */
  constructor({ canvas, button }, state, { frames, source }, navigation, signal) {
    this.canvas = canvas;
    this.button = button;
    this.state = state;
    this.frames = frames;
    this.source = source;
    this.navigation = navigation;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    state.events.on("framePainted", () => this.refresh());
    state.events.on("chosen", () => this.refresh());
    canvas.addEventListener("click", (event) => this.clicked(event), { signal });
  }

  /** Gives the height that it takes from the page. */
  get height() {
    return this.canvas.hidden ? 0 : HEIGHT;
  }

  /** Shows or hides it. */
  toggle() {
    this.canvas.hidden = !this.canvas.hidden;
    this.button.setAttribute("aria-pressed", String(!this.canvas.hidden));
    this.state.events.emit("heightChanged", undefined);
    this.refresh();
  }

  /** Draws it anew once nobody goes on. */
  refresh() {
    clearTimeout(this.timer);
    if (!this.canvas.hidden && !this.state.playing) {
      this.timer = setTimeout(() => this.draw(this.state.latestRequest), REST);
    }
  }

  /** Draws it anew for another width of the page, at which its pictures would be stretched. */
  fit() {
    if (this.canvas.width !== Math.round(this.canvas.clientWidth * pixelRatio())) {
      this.refresh();
    }
  }

  /** Stops what is still to come. */
  end() {
    clearTimeout(this.timer);
  }

  /**
   * Draws the frames around the present one, until another one is asked for.
   * @param {number} request
   */
  async draw(request) {
    const ratio = pixelRatio();
    const cell = this.canvas.clientWidth / CELLS;
    if (!cell) {
      return;
    }
    Object.assign(this.canvas, {
      width: Math.round(this.canvas.clientWidth * ratio),
      height: Math.round(HEIGHT * ratio),
    });
    const context = contextOf(this.canvas, { alpha: false });
    context.scale(ratio, ratio);
    for (let place = 0; place < CELLS; place += 1) {
      const frame = this.state.index + place - EACH_SIDE;
      if (
        frame >= 0 &&
        frame < this.state.count &&
        !(await this.drawCell(context, frame, place * cell, cell, request))
      ) {
        return;
      }
    }
    this.canvas.dataset.frame = String(this.state.index);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} frame
   * @param {number} x
   * @param {number} width
   * @param {number} request
   * @returns {Promise<boolean>} false when another frame was asked for meanwhile
   */
  async drawCell(context, frame, x, width, request) {
    const blob = await this.source.loadAhead(frame);
    const picture = blob && request === this.state.latestRequest ? await createImageBitmap(blob) : null;
    if (request !== this.state.latestRequest) {
      picture?.close();
      return false;
    }
    if (picture) {
      this.drawPicture(context, picture, frame, x + 1, width - 2);
      picture.close();
    }
    this.drawNumber(context, frame, x, width);
    return true;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} frame
   * @param {number} x
   * @param {number} width
   */
  drawNumber(context, frame, x, width) {
    const style = getComputedStyle(this.canvas);
    const number = String(frame);
    context.font = `600 11px ${style.fontFamily}`;
    context.fillStyle = "#000a";
    context.fillRect(x + 1, 0, context.measureText(number).width + 8, 15);
    context.fillStyle = "#fff";
    context.fillText(number, x + 5, 11);
    if (frame === this.state.index) {
      context.strokeStyle = style.getPropertyValue("--accent").trim();
      context.lineWidth = 3;
      context.strokeRect(x + 2.5, 1.5, width - 5, HEIGHT - 3);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ImageBitmap} picture
   * @param {number} frame
   * @param {number} x
   * @param {number} width
   */
  drawPicture(context, picture, frame, x, width) {
    const size = this.state.data;
    const subject = this.subjectIn(frame);
    const [left, top, right, bottom] = subject ?? [0, 0, size.width, size.height];
    const room = subject ? ROOM : 1;
    const scale = Math.min(width / ((right - left) * room), HEIGHT / ((bottom - top) * room));
    context.save();
    context.beginPath();
    context.rect(x, 0, width, HEIGHT);
    context.clip();
    context.imageSmoothingQuality = "high";
    context.drawImage(
      picture,
      x + width / 2 - (scale * (left + right)) / 2,
      HEIGHT / 2 - (scale * (top + bottom)) / 2,
      size.width * scale,
      size.height * scale,
    );
    context.restore();
  }

  /**
   * Gives what is looked at in a frame: the chosen face, else what is looked at in the present frame.
   * @param {number} frame
   * @returns {Box | null}
   */
  subjectIn(frame) {
    const face = this.frames.peek(frame)?.faces.find((one) => one.track === this.state.chosen);
    return face?.box ?? this.state.subject;
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const place = Math.floor(((event.clientX - bounds.left) / bounds.width) * CELLS);
    this.navigation.goTo(this.state.index - EACH_SIDE + place);
  }
}
