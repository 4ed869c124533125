import { fetchChecked } from "./server.js";

/** @import { AssistAnswer, AssistResult, Box } from "./types.js" */

/** Milliseconds between two looks at how far the work is. */
const PAUSE = 150;

/** Has the server work on a box in a process of its own, one thing at a time, and asks how far it is. */
export class AssistTask {
  /** @param {string} base address of the work on this run */
  constructor(base) {
    this.base = base;
    /** Number of the latest request; what comes for an earlier one is out of date. */
    this.latest = 0;
    /** @type {string | null} address of the work that is under way */
    this.address = null;
  }

  /**
   * Starts work in place of what is under way, and waits for its result.
   * @param {{ frame: number, box: Box, wanted: "follow" | "similar" }} question
   * @param {{ isWanted: () => boolean, onProgress: (done: number, total: number) => void }} handlers
   * @returns {Promise<AssistResult | null>} null when it is not wanted any more
   */
  async run(question, { isWanted, onProgress }) {
    this.latest += 1;
    const request = this.latest;
    const started = await fetchChecked(this.base, { method: "POST", body: JSON.stringify(question) });
    const address = `${this.base}/${(await started.json()).serial}`;
    if (request !== this.latest) {
      return null;
    }
    this.address = address;
    while (request === this.latest) {
      if (!isWanted()) {
        this.end();
        return null;
      }
      const answer = /** @type {AssistAnswer} */ (await (await fetchChecked(address)).json());
      if (request !== this.latest) {
        return null;
      }
      if (answer.state === "failed") {
        throw new Error(answer.sentence);
      }
      if (answer.state !== "working") {
        return answer;
      }
      onProgress(answer.done, answer.total);
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE);
      });
    }
    return null;
  }

  /** Ends the work that is under way. */
  end() {
    this.latest += 1;
    if (this.address) {
      // It may have ended by itself meanwhile, which is as good.
      fetchChecked(this.address, { method: "DELETE" }).catch(() => {});
      this.address = null;
    }
  }
}
