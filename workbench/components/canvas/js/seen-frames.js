import { fetchChecked } from "./server.js";

/** @import { Span } from "./types.js" */

const BATCH = 200;
const DELAY = 4000;

/** Counts frames that were painted while the page was visible, and tells the server in batches. */
export class SeenFrames {
  /**
   * @param {string} url
   * @param {Span[]} own frames that the person has seen
   * @param {Span[]} anybody frames that anybody has seen
   * @param {number} count of all frames
   */
  constructor(url, own, anybody, count) {
    this.url = url;
    this.own = new Uint8Array(count);
    /** Whether anybody has seen a frame. */
    this.flags = new Uint8Array(count);
    this.count = 0;
    this.mine = 0;
    for (const [start, stop] of own) {
      this.own.fill(1, start, stop);
      this.mine += stop - start;
    }
    for (const [start, stop] of anybody) {
      for (let index = start; index < stop; index += 1) {
        this.mark(index);
      }
    }
    /** @type {Set<number>} frames that the server does not know of yet */
    this.fresh = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.onLeave = () => {
      if (document.visibilityState === "hidden") {
        this.tell();
      }
    };
    document.addEventListener("visibilitychange", this.onLeave);
  }

  /**
   * Counts a frame that was painted.
   * @param {number} index
   */
  add(index) {
    if (document.visibilityState !== "visible" || this.own[index]) {
      return;
    }
    this.own[index] = 1;
    this.mine += 1;
    this.mark(index);
    this.fresh.add(index);
    if (this.fresh.size >= BATCH) {
      this.tell();
    } else {
      this.timer ??= setTimeout(() => this.tell(), DELAY);
    }
  }

  /** Tells the server what it does not know yet. */
  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.fresh.size) {
      return;
    }
    const told = [...this.fresh];
    this.fresh.clear();
    const sent = fetchChecked(this.url, {
      method: "POST",
      cache: "default",
      keepalive: true,
      headers: { "Content-Type": "application/json", "X-Veil": "review" },
      body: JSON.stringify({ ranges: rangesOf(told) }),
    });
    sent.catch(() => told.forEach((index) => this.fresh.add(index)));
  }

  /** Tells the rest and stops. */
  end() {
    this.tell();
    document.removeEventListener("visibilitychange", this.onLeave);
  }

  /** @param {number} index */
  mark(index) {
    this.count += 1 - this.flags[index];
    this.flags[index] = 1;
  }
}

/**
 * Puts frames together to ranges, each with the first frame after it.
 * @param {number[]} indices
 * @returns {Span[]}
 */
export function rangesOf(indices) {
  /** @type {Span[]} */
  const ranges = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === index) {
      last[1] = index + 1;
    } else {
      ranges.push([index, index + 1]);
    }
  }
  return ranges;
}
