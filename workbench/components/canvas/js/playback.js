import { loopSpan } from "./marked-range.js";

/**
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 */

/** Greatest speed, in times that of the video. */
const FASTEST = 4;

/**
 * Plays the video on or back. Up to its own speed every frame is shown, slower than the video where it must be; faster,
 * frames are left out where the machine cannot show them all, and those do not count as viewed.
 */
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
    /** Where and when the present speed began. */
    this.anchor = { index: 0, time: 0 };
  }

  /**
   * Begins to play, or stops.
   * @param {number} [speed] times that of the video
   */
  toggle(speed = this.state.speed) {
    if (this.state.playing) {
      this.pause();
    } else {
      this.play(speed);
    }
  }

  /**
   * Plays on or back; once more, at twice the speed.
   * @param {number} direction 1 or -1
   */
  shuttle(direction) {
    const { playing } = this.state;
    const speed = playing * direction > 0 ? Math.min(FASTEST, 2 * Math.abs(playing)) : 1;
    clearTimeout(this.timer);
    this.state.playing = 0;
    this.play(direction * speed);
  }

  /** Plays an item, a marked range or the whole video again and again, or does not. */
  toggleLoop() {
    this.state.looping = !this.state.looping;
    this.status.say(this.state.looping ? "Loop on: the item, or the range that you marked (i, o)." : "Loop off.");
  }

  /** @param {number} speed below 0 to play back */
  play(speed) {
    const { state } = this;
    const end = speed > 0 ? state.count - 1 : 0;
    if (state.index === end && !state.looping) {
      this.status.say(speed > 0 ? "This is the last frame." : "This is the first frame.");
      this.pause();
      return;
    }
    state.playing = speed;
    state.direction = Math.sign(speed);
    this.anchor = { index: state.index, time: performance.now() };
    this.mark();
    this.advance();
  }

  /** Stops. */
  pause() {
    clearTimeout(this.timer);
    if (this.state.playing) {
      this.state.playing = 0;
      this.state.events.emit("paused", undefined);
    }
    this.mark();
  }

  /** Shows the next frame, and the one after it when that is due. */
  async advance() {
    const state = this.state;
    const speed = state.playing;
    const began = performance.now();
    const next = this.next(speed, began);
    if (next === null) {
      this.pause();
      return;
    }
    await this.display.show(next);
    if (state.playing !== speed) {
      return;
    }
    if (!state.isPainted) {
      this.pause();
      return;
    }
    const due = this.dueTime(next + Math.sign(speed), speed);
    if (Math.abs(speed) <= 1 && performance.now() - due > this.duration(speed)) {
      // No frame is left out, so what is lost is not caught up with, but for the lateness of timers.
      this.anchor = { index: next, time: performance.now() };
    }
    this.timer = setTimeout(() => this.advance(), Math.max(0, due - performance.now()));
  }

  /**
   * Gives the frame to show next.
   * @param {number} speed
   * @param {number} now
   * @returns {number | null} null at the end
   */
  next(speed, now) {
    const { count, index } = this.state;
    const way = Math.sign(speed);
    const span = loopSpan(this.state);
    const due = Math.floor((now - this.anchor.time) / this.duration(speed)) - Math.abs(index - this.anchor.index);
    const to = index + way * Math.max(1, Math.min(Math.floor(Math.abs(speed)), due));
    if (span && (to >= span[1] || to < span[0])) {
      const again = way > 0 ? span[0] : span[1] - 1;
      this.anchor = { index: again, time: now };
      return again;
    }
    const nearest = Math.max(0, Math.min(count - 1, to));
    return nearest === index ? null : nearest;
  }

  /**
   * @param {number} index
   * @param {number} speed
   */
  dueTime(index, speed) {
    return this.anchor.time + Math.abs(index - this.anchor.index) * this.duration(speed);
  }

  /** @param {number} speed */
  duration(speed) {
    return (1000 * this.state.data.step) / Math.abs(speed);
  }

  mark() {
    const { playing } = this.state;
    const fast = Math.abs(playing) > 1 || playing < 0 ? ` ${playing}×` : "";
    this.button.textContent = playing ? `Pause${fast}` : "Play";
    this.button.setAttribute("aria-pressed", String(Boolean(playing)));
  }
}
