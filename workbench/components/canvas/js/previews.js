import { fetchChecked } from "./server.js";

/** @import { ReviewState } from "./state.js" */

/**
 * A small picture of a frame.
 * @typedef {{ frame: number, blob: Blob }} Preview
 */

/** Most previews that are kept: about 60 MB. Of a longer video every second frame is kept, every third, and so on. */
const MOST = 6000;

/** Frames that are decoded at once: short, so that a still that somebody waits for is not held up. */
const CHUNK = 32;

/** Milliseconds before the first chunk is fetched, and between two looks whether anything else is going on. Between two
 * chunks there is a pause as long as the first of them took, which leaves half of the machine to everybody else. */
const PATIENCE = 1200;
const PAUSE = 250;

/** Chunks all over the video that are fetched first, so that every part of the timeline has a picture soon. */
const SPREAD = 16;

/**
 * Frames before such a chunk whose pictures come along: they are decoded on the way from the keyframe, which may take
 * several times as long as the chunk.
 */
const LEAD = 128;

const HEADER = 8;

/** Keeps small pictures of all frames, fetched while nothing else is going on, to be shown before a still is there. */
export class Previews {
  /**
   * @param {string} base address that the first and the last frame follow
   * @param {ReviewState} state
   */
  constructor(base, state) {
    this.base = base;
    this.state = state;
    /** Frames from one preview to the next. */
    this.step = Math.max(1, Math.ceil(state.count / MOST));
    /** @type {Map<number, Blob>} */
    this.kept = new Map();
    /** @type {Set<number>} chunks that were fetched, or that do not come */
    this.asked = new Set();
    this.ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = setTimeout(() => this.next(), PATIENCE);
  }

  /** Gives the number of frames of a chunk. */
  get length() {
    return Math.max(1, Math.floor(CHUNK / this.step)) * this.step;
  }

  /**
   * Finds the preview that is nearest to a frame.
   * @param {number} frame
   * @param {number} [within] greatest distance in frames
   * @returns {Preview | null}
   */
  near(frame, within = this.step) {
    for (let by = 0; by <= within; by += 1) {
      for (const one of [frame - by, frame + by]) {
        const blob = this.kept.get(one);
        if (blob) {
          return { frame: one, blob };
        }
      }
    }
    return null;
  }

  /** Fetches the next chunk, unless something else is going on. */
  async next() {
    const wanted = this.wanted();
    if (this.ended || wanted === null) {
      return;
    }
    if (this.state.waiting || this.state.playing || document.hidden) {
      this.timer = setTimeout(() => this.next(), PAUSE);
      return;
    }
    this.asked.add(wanted.chunk);
    // Those that do not come are missed by nobody: the stills themselves say why, when one goes there.
    const began = performance.now();
    await this.fetch(wanted.chunk, wanted.lead).catch(() => {});
    if (!this.ended) {
      this.timer = setTimeout(() => this.next(), performance.now() - began);
    }
  }

  /**
   * Gives the chunk to fetch next: some all over the video, then all from the present frame on, then those before it.
   * @returns {{ chunk: number, lead: number } | null} null when all were fetched
   */
  wanted() {
    const count = Math.ceil(this.state.count / this.length);
    const first = Math.floor(this.state.index / this.length);
    for (const step of [Math.ceil(count / SPREAD), 1]) {
      for (let by = 0; by < count; by += step) {
        const chunk = (first + by) % count;
        if (!this.asked.has(chunk) && !this.has(chunk)) {
          return { chunk, lead: step > 1 ? LEAD : 0 };
        }
      }
    }
    return null;
  }

  /**
   * Tells whether all previews of a chunk came along with another one.
   * @param {number} chunk
   */
  has(chunk) {
    const [start, stop] = this.span(chunk);
    for (let frame = start; frame < stop; frame += this.step) {
      if (!this.kept.has(frame)) {
        return false;
      }
    }
    return true;
  }

  /**
   * @param {number} chunk
   * @returns {[start: number, stop: number]}
   */
  span(chunk) {
    const start = chunk * this.length;
    return [start, Math.min(this.state.count, start + this.length)];
  }

  /**
   * @param {number} chunk
   * @param {number} lead frames before it that may come along
   */
  async fetch(chunk, lead) {
    const [start, stop] = this.span(chunk);
    const more = lead ? `&lead=${lead}` : "";
    const response = await fetchChecked(`${this.base}${start}-${stop}?step=${this.step}${more}`);
    for (const { frame, blob } of unpack(await response.arrayBuffer())) {
      this.kept.set(frame, blob);
    }
  }

  /** Stops, and lets go of everything. */
  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.kept.clear();
  }
}

/**
 * Takes apart what the server sends: for each picture the frame, the number of bytes, the bytes.
 * @param {ArrayBuffer} buffer
 * @returns {Preview[]}
 */
export function unpack(buffer) {
  const view = new DataView(buffer);
  /** @type {Preview[]} */
  const found = [];
  for (let at = 0; at + HEADER <= buffer.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const bytes = buffer.slice(at + HEADER, at + HEADER + size);
    found.push({ frame: view.getUint32(at, true), blob: new Blob([bytes], { type: "image/jpeg" }) });
    at += HEADER + size;
  }
  return found;
}
