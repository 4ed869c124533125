import { fetchChecked } from "./server.js";

/** @import { ReviewState } from "./state.js" */

/** Seconds of a part of the sound that is fetched at once, and before whose end the next one is fetched. */
const PART = 30;
const AHEAD = 10;

/** Seconds that the sound may be before or behind the picture: less is not noticed. */
const DRIFT = 0.12;

/** Speeds at which speech can still be understood. */
const SLOWEST = 0.5;
const FASTEST = 2;

/**
 * A part of the sound: where it begins and what plays it; null where there is none.
 * @typedef {{ start: number, player: HTMLAudioElement | null }} Part
 */

/**
 * Plays the sound while the video plays on, in parts that the server decodes. The picture leads: where it is slower
 * than the video, the sound is set back. What is muted or bleeped is silent.
 */
export class Sound {
  /**
   * @param {string} url
   * @param {ReviewState} state
   * @param {(index: number) => number} secondsOf
   * @param {HTMLButtonElement} button
   */
  constructor(url, state, secondsOf, button) {
    this.url = url;
    this.state = state;
    this.secondsOf = secondsOf;
    this.button = button;
    this.on = true;
    /** @type {Map<number, Promise<Part>>} by number of the part */
    this.parts = new Map();
    /** @type {Part | null} */
    this.current = null;
    state.events.on("framePainted", (index) => this.follow(index));
    state.events.on("paused", () => this.stop());
  }

  /** Shows the button, because there is a sound. */
  offer() {
    this.button.hidden = false;
  }

  /** Switches the sound off, or on again. */
  toggle() {
    this.on = !this.on;
    this.button.textContent = this.on ? "Sound on" : "Sound off";
    if (!this.on) {
      this.stop();
    }
  }

  /** Tells whether it is to be heard at the present speed. */
  get wanted() {
    const { playing } = this.state;
    return this.on && !this.button.hidden && playing >= SLOWEST && playing <= FASTEST;
  }

  /**
   * Has the sound of a frame heard.
   * @param {number} index
   */
  async follow(index) {
    if (!this.wanted) {
      return;
    }
    const seconds = this.secondsOf(index);
    const number = Math.floor(seconds / PART);
    const part = await this.load(number);
    if (seconds % PART > PART - AHEAD) {
      this.load(number + 1);
    }
    if (this.wanted && Math.abs(this.state.index - index) <= 1) {
      this.play(part, seconds);
    }
  }

  /**
   * @param {Part} part
   * @param {number} seconds
   */
  play(part, seconds) {
    if (part !== this.current) {
      this.stop();
      this.current = part;
    }
    const { player, start } = part;
    if (!player) {
      return;
    }
    const muted = this.state.data.audio.some((span) => seconds >= span.start && seconds < span.end);
    Object.assign(player, { muted, playbackRate: this.state.playing });
    if (Math.abs(player.currentTime - (seconds - start)) > DRIFT * Math.max(1, this.state.playing)) {
      player.currentTime = seconds - start;
    }
    if (player.paused) {
      // A browser may refuse to play before a first click; the next frame tries again.
      player.play().catch(() => {});
    }
  }

  /**
   * Gets a part; the one before is kept as well, for playing again.
   * @param {number} number
   * @returns {Promise<Part>}
   */
  load(number) {
    const known = this.parts.get(number);
    if (known) {
      return known;
    }
    const start = number * PART;
    const coming = this.fetch(start);
    this.parts.set(number, coming);
    for (const other of this.parts.keys()) {
      if (Math.abs(other - number) > 1) {
        this.drop(other);
      }
    }
    return coming;
  }

  /**
   * @param {number} start
   * @returns {Promise<Part>}
   */
  async fetch(start) {
    try {
      const answer = await fetchChecked(`${this.url}?start=${start}&stop=${start + PART}`);
      return { start, player: new Audio(URL.createObjectURL(await answer.blob())) };
    } catch {
      return { start, player: null }; // there is no sound here, as after the end of a short stream
    }
  }

  stop() {
    this.current?.player?.pause();
    this.current = null;
  }

  /** @param {number} number */
  drop(number) {
    this.parts.get(number)?.then(({ player }) => {
      player?.pause();
      URL.revokeObjectURL(player?.src ?? "");
    });
    this.parts.delete(number);
  }

  /** Stops, and lets go of everything. */
  end() {
    this.stop();
    [...this.parts.keys()].forEach((number) => this.drop(number));
  }
}
