import { fetchChecked } from "./server.js";

const BUDGET = 96 << 20;
const PREFETCHES = 2;

/** Both pictures of a split view must fit, however large they are. */
const LEAST_KEPT = 2;

/**
 * A still that is on its way.
 * @typedef {object} Request
 * @property {Promise<Blob>} coming
 * @property {boolean} ahead whether nobody waits for it yet
 * @property {number} index
 * @property {AbortController} abort
 */

/**
 * A frame and the query of its still.
 * @typedef {[index: number, query: string]} Wanted
 */

/** Fetches stills once, keeps those that were used last, and fetches neighbours ahead. */
export class StillCache {
  /** @param {string} base address that the number of a frame follows */
  constructor(base) {
    this.base = base;
    /** @type {Map<string, Blob>} in the order of their use */
    this.kept = new Map();
    this.bytes = 0;
    /** @type {Map<string, Request>} */
    this.requests = new Map();
    /** @type {Wanted[]} */
    this.wanted = [];
    this.prefetching = 0;
  }

  /**
   * Tells whether a still is there.
   * @param {number} index
   * @param {string} query
   */
  has(index, query) {
    return this.kept.has(keyOf(index, query));
  }

  /**
   * Gives a still.
   * @param {number} index
   * @param {string} query
   * @param {boolean} [ahead] whether nobody waits for it, so that the server may serve others first
   * @returns {Promise<Blob>}
   */
  get(index, query, ahead = false) {
    const key = keyOf(index, query);
    const blob = this.kept.get(key);
    if (blob) {
      this.kept.delete(key);
      this.kept.set(key, blob);
      return Promise.resolve(blob);
    }
    const request = this.requests.get(key);
    return request && (ahead || !request.ahead) ? request.coming : this.request(key, index, ahead);
  }

  /**
   * Gives up what was waited for and is not any more; the server leaves out what it has not begun.
   * @param {number} index the frame that is waited for
   */
  only(index) {
    for (const [key, request] of this.requests) {
      if (!request.ahead && request.index !== index) {
        this.requests.delete(key);
        request.abort.abort();
      }
    }
  }

  /**
   * Fetches ahead, most wanted first; replaces what was wanted before.
   * @param {Wanted[]} list
   */
  prefetch(list) {
    this.wanted = list.filter(([index, query]) => !this.has(index, query));
    this.fetchNext();
  }

  /** Forgets everything. */
  clear() {
    this.kept.clear();
    this.bytes = 0;
    this.wanted = [];
  }

  /**
   * @param {string} key
   * @param {number} index
   * @param {boolean} ahead
   * @returns {Promise<Blob>}
   */
  request(key, index, ahead) {
    const abort = new AbortController();
    const coming = this.load(key, ahead, abort.signal).finally(() => {
      if (this.requests.get(key)?.coming === coming) {
        this.requests.delete(key);
      }
    });
    this.requests.set(key, { coming, ahead, index, abort });
    return coming;
  }

  /**
   * @param {string} key
   * @param {boolean} ahead
   * @param {AbortSignal} signal
   * @returns {Promise<Blob>}
   */
  async load(key, ahead, signal) {
    const response = await fetchChecked(`${this.base}${key}${ahead ? "&ahead=1" : ""}`, { signal });
    const blob = await response.blob();
    this.bytes += blob.size - (this.kept.get(key)?.size ?? 0);
    this.kept.set(key, blob);
    this.evict();
    return blob;
  }

  /** Drops what was used longest ago until the rest keeps within the budget. */
  evict() {
    for (const [key, blob] of this.kept) {
      if (this.bytes <= BUDGET || this.kept.size <= LEAST_KEPT) {
        return;
      }
      this.kept.delete(key);
      this.bytes -= blob.size;
    }
  }

  fetchNext() {
    while (this.prefetching < PREFETCHES) {
      const next = this.wanted.shift();
      if (!next) {
        return;
      }
      const [index, query] = next;
      if (this.has(index, query) || this.requests.has(keyOf(index, query))) {
        continue;
      }
      this.prefetching += 1;
      // A still that does not come is asked for again, and complained of, when somebody waits for it.
      const done = this.get(index, query, true).catch(() => {});
      done.finally(() => {
        this.prefetching -= 1;
        this.fetchNext();
      });
    }
  }
}

/**
 * @param {number} index
 * @param {string} query
 */
function keyOf(index, query) {
  return `${index}?${query}`;
}
