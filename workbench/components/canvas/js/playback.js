/**
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 */

/** Plays the video with every frame shown, none left out; slower than the video where it must be. */
export class Playback {
  /**
   * @param {ReviewState} state
   * @param {FrameDisplay} display
   * @param {StatusLine} status
   * @param {HTMLButtonElement} button
   */
  constructor(state, display, status, button) {
    this.state = state;
    this.display = display;
    this.status = status;
    this.button = button;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Begins to play, or stops.
   * @param {number} [speed] times that of the video
   */
  toggle(speed = 1) {
    if (this.state.playing) {
      this.pause();
      return;
    }
    if (this.state.index === this.state.count - 1) {
      this.status.say("This is the last frame.");
      return;
    }
    this.state.playing = speed;
    this.state.direction = 1;
    this.mark();
    this.advance();
  }

  /** Stops. */
  pause() {
    clearTimeout(this.timer);
    if (this.state.playing) {
      this.state.playing = 0;
      this.mark();
    }
  }

  /** Shows the next frame, and the one after it when that is due. */
  async advance() {
    const state = this.state;
    const speed = state.playing;
    const due = performance.now() + (1000 * state.data.step) / speed;
    await this.display.show(state.index + 1);
    if (state.playing !== speed) {
      return;
    }
    if (!state.isPainted || state.index === state.count - 1) {
      this.pause();
      return;
    }
    this.timer = setTimeout(() => this.advance(), Math.max(0, due - performance.now()));
  }

  mark() {
    this.button.textContent = this.state.playing ? "Pause" : "Play";
    this.button.setAttribute("aria-pressed", String(Boolean(this.state.playing)));
  }
}
