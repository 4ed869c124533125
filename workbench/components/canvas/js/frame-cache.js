import { fetchChecked } from "./server.js";

/** @import { Frame } from "./types.js" */

const CHUNK = 256;
const MOST_CHUNKS = 24;

/** How far ahead and back the faces should be known. */
const MARGIN = 64;

/** Fetches what is known of frames, many at a time, and keeps it for one revision. */
export class FrameCache {
  /**
   * @param {string} base address that the first and the last frame follow
   * @param {number} count of all frames
   */
  constructor(base, count) {
    this.base = base;
    this.count = count;
    /** @type {string | null} */
    this.revision = null;
    /** @type {Map<number, Frame[]>} */
    this.chunks = new Map();
    /** @type {Map<number, Promise<void>>} */
    this.requests = new Map();
  }

  /**
   * Forgets what another revision said.
   * @param {string} revision
   */
  use(revision) {
    if (revision !== this.revision) {
      this.revision = revision;
      this.chunks.clear();
      this.requests.clear();
    }
  }

  /**
   * Gives a frame if it is there.
   * @param {number} index
   * @returns {Frame | null}
   */
  peek(index) {
    return this.chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK] ?? null;
  }

  /**
   * Gives a frame.
   * @param {number} index
   * @returns {Promise<Frame | null>} null when the revision has changed meanwhile
   */
  async get(index) {
    const number = Math.floor(index / CHUNK);
    if (!this.chunks.has(number)) {
      await this.load(number);
    }
    return this.peek(index);
  }

  /**
   * Fetches the chunks that stepping on or back would need soon.
   * @param {number} index
   */
  prefetch(index) {
    for (const near of [index + MARGIN, index - MARGIN]) {
      const number = Math.floor(near / CHUNK);
      if (near >= 0 && near < this.count && !this.chunks.has(number)) {
        // What does not come is asked for again when somebody waits for it.
        this.load(number).catch(() => {});
      }
    }
  }

  /**
   * @param {number} number of the chunk
   * @returns {Promise<void>}
   */
  load(number) {
    const request = this.requests.get(number);
    if (request) {
      return request;
    }
    const coming = this.request(number).finally(() => {
      if (this.requests.get(number) === coming) {
        this.requests.delete(number);
      }
    });
    this.requests.set(number, coming);
    return coming;
  }

  /** @param {number} number */
  async request(number) {
    const revision = this.revision;
    const start = number * CHUNK;
    const response = await fetchChecked(`${this.base}${start}-${Math.min(this.count, start + CHUNK)}`);
    const { frames } = await response.json();
    if (revision !== this.revision) {
      return;
    }
    this.chunks.set(number, frames);
    const [oldest] = this.chunks.keys();
    if (this.chunks.size > MOST_CHUNKS) {
      this.chunks.delete(oldest);
    }
  }
}
