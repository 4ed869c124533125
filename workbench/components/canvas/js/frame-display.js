import { part } from "../../shared/dom.js";
import { clock } from "./wording.js";

/**
 * @import { FrameCache } from "./frame-cache.js"
 * @import { Previews } from "./previews.js"
 * @import { ReviewState } from "./state.js"
 * @import { StillCache } from "./still-cache.js"
 * @import { StillSource } from "./still-source.js"
 * @import { Viewport } from "./viewport.js"
 */

/** How long a frame may take before the page says that it is on its way. */
const PATIENCE = 150;

/** Brings a frame on screen: its number and time at once, its picture and its faces together. */
export class FrameDisplay {
  /**
   * @param {HTMLElement} root
   * @param {ReviewState} state
   * @param {Viewport} viewport
   * @param {{ frames: FrameCache, stills: StillCache, source: StillSource, previews: Previews }} data
   */
  constructor(root, state, viewport, { frames, stills, source, previews }) {
    this.root = root;
    this.number = part(root, "frame", HTMLInputElement);
    this.time = part(root, "time", HTMLElement);
    this.state = state;
    this.viewport = viewport;
    this.frames = frames;
    this.stills = stills;
    this.source = source;
    this.previews = previews;
    this.number.max = String(state.count - 1);
    part(root, "of", HTMLElement).textContent = `of ${state.count}`;
  }

  /**
   * Writes the time of a frame: the one in the record as soon as that is there.
   * @param {number} index
   */
  timeOf(index) {
    return clock(this.secondsOf(index));
  }

  /**
   * Gives the time of a frame in seconds: the one in the record as soon as that is there.
   * @param {number} index
   */
  secondsOf(index) {
    return this.frames.peek(index)?.t ?? index * this.state.data.step;
  }

  /** Takes the keyboard to the number of the frame. */
  focusNumber() {
    this.number.focus();
    this.number.select();
  }

  /**
   * Shows a frame, unless another one is asked for meanwhile.
   * @param {number} index
   */
  async show(index) {
    const began = performance.now();
    const request = this.request(index);
    const slow = setTimeout(() => this.viewport.wait(true), PATIENCE);
    this.preview(index, request, began);
    try {
      if (await this.load(index, request)) {
        this.root.dataset.latency = (performance.now() - began).toFixed(1);
      }
    } catch (error) {
      if (request === this.state.latestRequest) {
        this.state.painted = null;
        this.viewport.fail(error instanceof Error ? error.message : String(error));
      }
    } finally {
      clearTimeout(slow);
      if (request === this.state.latestRequest) {
        this.state.waiting = false;
        this.viewport.wait(false);
        this.state.events.emit("frameSettled", index);
      }
    }
  }

  /**
   * Goes to a frame, whose picture follows.
   * @param {number} index
   * @returns {number} which of all requests this is
   */
  request(index) {
    const state = this.state;
    state.latestRequest += 1;
    this.stills.only(index);
    state.events.emit("frameAsked", index);
    state.index = index;
    state.waiting = true;
    this.number.value = String(index);
    this.time.textContent = this.timeOf(index);
    return state.latestRequest;
  }

  /**
   * Shows a small picture of a frame until its still is there. It does not count as viewed, and nothing can be amended
   * by it. A masked view has none: the small pictures are of the source.
   * @param {number} index
   * @param {number} request
   * @param {number} began
   */
  async preview(index, request, began) {
    const { state } = this;
    if (state.playing || state.view !== "before" || this.source.isThere(index)) {
      return;
    }
    const near = this.previews.near(index);
    const picture = near && (await createImageBitmap(near.blob).catch(() => null));
    if (!near || !picture) {
      return;
    }
    if (request !== state.latestRequest || !state.waiting) {
      picture.close();
      return;
    }
    state.painted = null;
    this.viewport.show(picture, null);
    this.viewport.wait(near.frame !== index);
    state.changed();
    this.root.dataset.previewed = String(near.frame);
    this.root.dataset.previewLatency = (performance.now() - began).toFixed(1);
  }

  /**
   * Loads and paints a frame.
   * @param {number} index
   * @param {number} request
   * @returns {Promise<boolean>} whether it is on screen
   */
  async load(index, request) {
    const state = this.state;
    const masks = this.source.pictures;
    const [frame, ...blobs] = await Promise.all([this.frames.get(index), ...this.source.load(index)]);
    if (request !== state.latestRequest) {
      return false;
    }
    const pictures = await Promise.all(blobs.map((blob) => createImageBitmap(blob)));
    if (request !== state.latestRequest) {
      pictures.forEach((picture) => picture.close());
      return false;
    }
    state.current = frame;
    state.painted = index;
    this.time.textContent = this.timeOf(index);
    this.viewport.show(pictures[masks.indexOf(false)] ?? null, pictures[masks.indexOf(true)] ?? null);
    state.events.emit("framePainted", index);
    this.root.dataset.frame = String(index);
    this.frames.prefetch(index);
    return true;
  }
}
