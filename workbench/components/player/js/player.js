import { element, part } from "../../shared/dom.js";
import { screenOf } from "./screen.js";

/**
 * @import { Host } from "../../shared/lifecycle.js"
 * @import { Video } from "./screen.js"
 */

/**
 * What the page sends.
 * @typedef {{ videos: Video[], frame: number }} PlayerData `frame` is how many seconds one lasts
 */

/** Seconds that videos may drift apart. */
const APART = 0.08;
const CHECK = 500;

/** The last picture is shown just before the end. */
const BEFORE_END = 0.001;

/** Plays videos on one clock: the first one leads, the others follow. */
export class Player {
  /** @param {Host} host */
  constructor(host) {
    this.views = part(host, "views", HTMLElement);
    this.playButton = part(host, "play", HTMLButtonElement);
    this.place = part(host, "place", HTMLInputElement);
    this.sound = part(host, "sound", HTMLSelectElement);
    this.time = part(host, "time", HTMLElement);
    /** @type {HTMLVideoElement[]} */
    this.videos = [];
    this.told = "";
    this.frame = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.keeping = undefined;
    this.playButton.onclick = () => this.toggle();
    part(host, "back", HTMLButtonElement).onclick = () => this.step(-this.frame);
    part(host, "on", HTMLButtonElement).onclick = () => this.step(this.frame);
    this.place.oninput = () => this.seek(Number(this.place.value) * this.length);
    this.sound.onchange = () => this.listen();
    /** @type {HTMLElement | null} */
    const root = host.querySelector(".player");
    root?.addEventListener("keydown", (event) => this.pressed(event));
  }

  /**
   * Takes over what the page sends.
   * @param {PlayerData} data
   */
  update({ videos, frame }) {
    this.frame = frame;
    const told = JSON.stringify(videos);
    if (told === this.told) {
      return;
    }
    this.told = told;
    this.end();
    const screens = videos.map((video) => screenOf(video, () => this.draw()));
    this.views.replaceChildren(...screens.map((screen) => screen.figure));
    this.videos = screens.map((screen) => screen.video);
    const names = videos.map(({ label }, place) => element("option", { value: String(place) }, label));
    this.sound.replaceChildren(...names, element("option", { value: "-1" }, "none"));
    this.sound.value = String(videos.length - 1);
    this.listen();
    this.lead.ontimeupdate = () => this.draw();
    this.lead.onended = () => this.pause();
    this.draw();
  }

  get lead() {
    return this.videos[0];
  }

  get followers() {
    return this.videos.slice(1);
  }

  /** Gives the length in seconds; 0 while it is not known. */
  get length() {
    const duration = this.lead?.duration;
    return Number.isFinite(duration) ? duration : 0;
  }

  /** Plays or pauses. */
  toggle() {
    if (this.lead.paused) {
      this.play();
    } else {
      this.pause();
    }
  }

  /** Plays all videos from where the first one is. */
  play() {
    if (this.lead.ended) {
      this.seek(0);
    }
    for (const video of this.videos) {
      video.currentTime = this.lead.currentTime;
      // A video that the browser cannot play says so in its own place.
      video.play().catch(() => {});
    }
    this.keeping = setInterval(() => this.keepTogether(), CHECK);
    this.playButton.textContent = "Pause";
    this.draw();
  }

  /** Pauses all videos where the first one is. */
  pause() {
    clearInterval(this.keeping);
    for (const video of this.videos) {
      video.pause();
    }
    for (const video of this.followers) {
      video.currentTime = this.lead.currentTime;
    }
    this.playButton.textContent = "Play";
    this.draw();
  }

  /** Puts videos right that have drifted away, as those of different files do. */
  keepTogether() {
    for (const video of this.followers) {
      if (Math.abs(video.currentTime - this.lead.currentTime) > APART) {
        video.currentTime = this.lead.currentTime;
      }
    }
  }

  /**
   * Pauses, and goes on or back.
   * @param {number} seconds
   */
  step(seconds) {
    this.pause();
    this.seek(this.lead.currentTime + seconds);
  }

  /**
   * Goes to a place in all videos.
   * @param {number} seconds
   */
  seek(seconds) {
    const to = Math.min(Math.max(0, seconds), Math.max(0, this.length - BEFORE_END));
    for (const video of this.videos) {
      video.currentTime = to;
    }
    this.draw(to);
  }

  /** Lets only the video be heard whose sound is chosen. */
  listen() {
    const heard = Number(this.sound.value);
    this.videos.forEach((video, place) => {
      video.muted = place !== heard;
    });
  }

  /**
   * Shows where the videos are.
   * @param {number} [now] seconds
   */
  draw(now = this.lead?.currentTime ?? 0) {
    const time = `${clock(now)} / ${clock(this.length)}`;
    this.place.value = String(this.length ? now / this.length : 0);
    this.time.textContent = time;
    this.place.setAttribute("aria-valuetext", time);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = event.target;
    const pressesTarget = event.key === " " && target instanceof HTMLElement && target.matches("button, select");
    if (pressesTarget || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    /** @type {Record<string, (() => void) | undefined>} */
    const acts = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ",": () => this.step(-this.frame),
      ".": () => this.step(this.frame),
    };
    const act = acts[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  /** Stops all videos, and lets go of their data. */
  end() {
    clearInterval(this.keeping);
    for (const video of this.videos) {
      video.pause();
      video.removeAttribute("src");
      video.load();
    }
    this.videos = [];
  }
}

/**
 * Writes seconds as minutes and whole seconds.
 * @param {number} seconds
 */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
